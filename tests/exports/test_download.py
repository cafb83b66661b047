"""The process of an export."""

import pytest

from oauth.exports.query import source
from oauth.history.filters import Filters
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
    assert ":p%3Aw@db" in source("postgresql+psycopg://ada@db/console", Filters()).address
    assert ":own@db" in source("postgresql+psycopg://ada:own@db/console", Filters()).address
    assert "p%3Aw" not in source("postgresql+psycopg://ada@db/console", Filters()).name
