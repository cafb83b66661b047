"""The process of an export."""

import sys
from pathlib import Path
from threading import Event

import pytest

from oauth.exports import download
from oauth.exports.download import Download
from oauth.exports.query import Source, source
from oauth.history.database import HistoryError
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.installation import now
from oauth.isolation import environment


def test_the_process_gets_no_secret_of_the_operator_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("CONSOLE_KEY", "CONSOLE_DATABASE_URL", "CONSOLE_CLIENT_OLX_SECRET", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD")
    for name in names:
        monkeypatch.setenv(name, "secret-of-the-operator")
    monkeypatch.setenv("PGSSLROOTCERT", "/etc/ca.pem")
    passed_on = environment()
    assert "secret-of-the-operator" not in passed_on.values()
    assert passed_on["PGSSLROOTCERT"] == "/etc/ca.pem"
    assert passed_on["PATH"]


def test_a_password_of_the_environment_goes_with_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "p:w")
    assert ":p%3Aw@db" in source(History("postgresql+psycopg://ada@db/console", now), Filters()).address
    assert ":own@db" in source(History("postgresql+psycopg://ada:own@db/console", now), Filters()).address
    assert "p%3Aw" not in source(History("postgresql+psycopg://ada@db/console", now), Filters()).name


def test_an_export_waits_for_no_broken_connection() -> None:
    address = source(History("postgresql+psycopg://ada@db/console?keepalives_count=9", now), Filters()).address
    assert "connect_timeout=2" in address
    assert "tcp_user_timeout=2000" in address
    assert "keepalives_count=9" in address, "what the operator set stays"


@pytest.mark.process
def test_an_export_of_a_database_that_does_not_respond_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec sleep 600\n")
    silent.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(silent))
    monkeypatch.setattr(download, "STALLED_SECONDS", 0.2)
    ended = Event()
    export = Download(Source(True, "", "", "", ()), "csv", tmp_path, ended.set)
    with pytest.raises(HistoryError, match=r"did not respond for 0\.2 seconds"):
        next(export.chunks())
    assert ended.wait(60), "its turn is free for others"
