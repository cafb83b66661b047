import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, text
from starlette.applications import Starlette

from oauth.history import migrations
from oauth.history.store import History
from oauth.recorder import Recorder
from oauth.redaction import Vault
from oauth.routes import probes, routes
from oauth.settings import Settings
from oauth.shutdown import Shutdown
from tests.routes.conftest import serving
from tests.servers.postgresql import Server


def reason(http: httpx.Client, path: str = "/ready") -> str:
    """Return the reason that a console gives, empty when it is ready."""
    answer = http.get(path)
    assert answer.headers["cache-control"] == "no-store"
    if answer.status_code == 200:
        assert answer.json() == {"status": "ready"}
        return ""
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "reason": answer.json()["reason"]}
    return str(answer.json()["reason"])


@pytest.mark.parametrize("path", ["/live", "/healthz"])
def test_process_is_alive_whatever_its_database_does(http: httpx.Client, history: History, path: str) -> None:
    history.database.engine.dispose()
    assert http.get(path).json() == {"status": "live"}
    assert http.head(path).status_code == 200


def test_console_is_ready_under_both_names(http: httpx.Client) -> None:
    until_ready(http, 60)
    assert (reason(http), reason(http, "/readyz")) == ("", "")


def test_console_that_stops_is_alive_and_not_ready(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping = Shutdown()
    stopping.begin()
    monkeypatch.setattr(probes, "SHUTDOWN", stopping)
    assert reason(http) == "stopping"
    assert http.get("/live").status_code == 200


def test_database_that_cannot_be_opened_is_named_and_nothing_else(
    settings: Settings, http: httpx.Client, tmp_path: Path
) -> None:
    (tmp_path / "history.db").unlink()
    (tmp_path / "history.db").mkdir()
    assert reason(http) == "database"
    (tmp_path / "history.db").rmdir()
    until_ready(http, 60)


def test_newer_schema_is_ready_if_this_version_may_use_it(
    settings: Settings, http: httpx.Client, history: History, clock: Callable[[], datetime]
) -> None:
    with consoles(settings, settings.database_url, clock) as other:
        for oldest, expected in ((migrations.HEAD, ""), ("9999", "database")):
            with history.database.writing() as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
                connection.execute(text("DELETE FROM installation WHERE name = 'readable_by'"))
                values = {"name": migrations.READABLE_BY, "value": oldest}
                connection.execute(text("INSERT INTO installation (name, value) VALUES (:name, :value)"), values)
            assert reason(http) == expected, "a console that runs"
        assert reason(other) == "database", "and one that starts"


def test_migration_is_told_from_an_unreachable_database_and_probes_do_not_wait_for_it(
    http: httpx.Client, history: History, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "history.db").unlink()
    begun, may_end = threading.Event(), threading.Event()
    upgrades: list[Connection] = []

    def upgrade(connection: Connection) -> None:
        upgrades.append(connection)
        begun.set()
        assert may_end.wait(60)
        original(connection)

    original = migrations.upgrade
    monkeypatch.setattr("oauth.history.migrations.upgrade", upgrade)
    assert reason(http) == "migrating"
    assert begun.is_set()
    assert [reason(http) for _ in range(3)] == ["migrating"] * 3
    may_end.set()
    until_ready(http, 60)
    assert len(upgrades) == 1, "one look serves all probes"


@contextmanager
def consoles(settings: Settings, address: str, clock: Callable[[], datetime]) -> Iterator[httpx.Client]:
    history, key = History(address, clock), settings.derived_key("fingerprint")
    app = Starlette(routes=routes(settings, lambda: Recorder(history, Vault(key)), clock))
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        yield client
    history.database.engine.dispose()


@pytest.mark.postgresql
def test_console_is_ready_again_within_five_seconds_after_postgresql_is_back(
    settings: Settings, clock: Callable[[], datetime], postgresql_server: Server
) -> None:
    address = postgresql_server.url(postgresql_server.new_database())
    with consoles(settings, address, clock) as http:
        until_ready(http, 60)
        postgresql_server.stop()
        try:
            assert reason(http) == "database"
        finally:
            postgresql_server.start()
        until_ready(http, 5)
        with postgresql_server.frozen():
            frozen = time.monotonic()
            while reason(http) != "database":
                assert time.monotonic() - frozen < 5
            for _ in range(3):
                start = time.monotonic()
                assert reason(http) == "database"
                assert time.monotonic() - start < 1.5, "a probe does not wait for a frozen server"
        until_ready(http, 5)


def test_database_that_is_slow_for_a_moment_takes_no_console_away(
    http: httpx.Client, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_ready(http, 60)
    may_go_on = threading.Event()
    monkeypatch.setattr(history.database, "check", lambda: may_go_on.wait(30))
    monkeypatch.setattr(probes, "PATIENCE", 0.05)
    start = time.monotonic()
    while not (why := reason(http)):
        assert time.monotonic() - start < 10
    assert time.monotonic() - start > 2
    assert why == "database"
    may_go_on.set()
    until_ready(http, 5)


def until_ready(http: httpx.Client, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while reason(http):
        assert time.monotonic() < deadline
