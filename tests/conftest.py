"""Fixtures that several folders of tests share."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn.server
from sqlalchemy import create_engine

from oauth import installation
from oauth.exchange import Exchange, Request, Step
from oauth.history import migrations
from oauth.history.schema import metadata
from oauth.history.store import History
from oauth.installation import Installation
from tests.servers import postgresql

# What takes more than three seconds together. A file that outgrows that joins.
SLOW = (
    "sandbox/tests/control/test_openapi.py",
    "sandbox/tests/test_protocol.py",
    "sandbox/tests/test_server.py",
    "tests/corpus/",
    "tests/diagnosis/test_history_past.py",
    "tests/diagnosis/test_law.py",
    "tests/diagnosis/test_monotony.py",
    "tests/diagnosis/test_only_what_was_done.py",
    "tests/diagnosis/test_pasted.py",
    "tests/diagnosis/test_promises.py",
    "tests/drills/test_engine.py",
    "tests/exports/test_csv_file.py",
    "tests/history/test_listing.py",
    "tests/history/test_seen_by.py",
    "tests/hostile/",
    "tests/pages/",
    "tests/paste/test_logins.py",
    "tests/redaction/test_speed.py",
    "tests/routes/",
    "tests/servers/test_recorded.py",
    "tests/test_replay.py",
    "tests/wire/test_failures.py",
)


SLOW_MARKS = {"browser", "postgresql", "process", "proxies", "servers"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need PostgreSQL, by the fixtures they ask for, and what is slow."""
    for item in items:
        parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if {"postgresql_server", "postgresql_url"} & set(getattr(item, "fixturenames", ())) or "postgresql" in [
            value for value in parameters if isinstance(value, str)
        ]:
            item.add_marker(pytest.mark.postgresql)
        if item.nodeid.startswith(SLOW) or SLOW_MARKS & {mark.name for mark in item.iter_markers()}:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A console home of the test's own, so that no test touches a person's history."""
    for name in [name for name in os.environ if name.startswith("CONSOLE_") and not name.startswith("CONSOLE_TEST_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "console"
    monkeypatch.setenv("CONSOLE_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True, scope="session")
def stopping() -> Iterator[None]:
    """Let uvicorn look for the order to stop every 5 ms: by default each server of a test takes 0.2 seconds to stop."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / 20)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.server, "asyncio", SimpleNamespace(**(vars(asyncio) | {"sleep": sleep})))
        yield


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the console's tables: to copy it takes a twentieth of the time to make another."""
    path = tmp_path_factory.mktemp("migrated") / "history.db"
    history = History(f"sqlite:///{path}", lambda: datetime.now(UTC))
    history.database.prepare()
    history.database.engine.dispose()
    return path


@pytest.fixture
def console(home: Path, migrated: Path) -> Iterator[Installation]:
    """The process's installation, opened in the test's home and forgotten after."""
    home.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(migrated, home)
    installation.current.cache_clear()
    opened = installation.current()
    yield opened
    opened.history.database.engine.dispose()  # a connection that is forgotten while open warns in another test
    installation.current.cache_clear()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """A PostgreSQL server for the tests of one worker, skipped without its programs unless they are required."""
    found = postgresql.programs()
    if found is None:
        reason = "PostgreSQL is not installed, so its tests cannot run."
        if os.environ.get("CONSOLE_TEST_POSTGRESQL") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    with postgresql.running_server(found) as server:
        yield server


@pytest.fixture(scope="session")
def _postgresql_database(postgresql_server: postgresql.Server) -> str:
    url = postgresql_server.url(postgresql_server.new_database())
    engine = create_engine(url)
    with engine.begin() as connection:
        migrations.upgrade(connection)
    engine.dispose()
    return url


@pytest.fixture
def postgresql_url(_postgresql_database: str) -> str:
    """The address of an empty database of PostgreSQL, with the console's tables."""
    engine = create_engine(_postgresql_database)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no triggers: the audit has some
        connection.exec_driver_sql(f"TRUNCATE {', '.join(metadata.tables)}, exchange_counts RESTART IDENTITY")
    engine.dispose()
    return _postgresql_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once of each kind."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgresql_url")
        return url
    return f"sqlite:///{shutil.copy(request.getfixturevalue('migrated'), tmp_path)}"


@pytest.fixture
def times() -> list[datetime]:
    """The clock reads the last of these."""
    return [datetime(2026, 11, 23, 10, 16, 19, 42, tzinfo=UTC)]


@pytest.fixture
def clock(times: list[datetime]) -> Callable[[], datetime]:
    return lambda: times[-1]


@pytest.fixture
def open_history(clock: Callable[[], datetime], database_url: str) -> Iterator[Callable[..., History]]:
    """Opens the history, as another process would."""
    opened: list[History] = []

    def open_one(url: str = database_url) -> History:
        opened.append(History(url, clock))
        return opened[-1]

    yield open_one
    for history in opened:
        history.database.engine.dispose()


@pytest.fixture
def history(open_history: Callable[..., History]) -> History:
    return open_history()


@pytest.fixture
def exchange(clock: Callable[[], datetime]) -> Callable[..., Exchange]:
    """Makes an exchange that was not sent yet."""

    def make(step: Step = Step.TOKEN, **values: Any) -> Exchange:
        request = values.pop("request", None) or Request(
            "POST",
            "https://provider.example/oauth/token",
            (("Host", "provider.example"), ("Content-Type", "application/json")),
            b'{"grant_type": "authorization_code"}',
        )
        return Exchange(step, request, clock(), **values)

    return make


@pytest.fixture
def stored(database_url: str, request: pytest.FixtureRequest) -> Callable[[], bytes]:
    """Reads everything that the database has written: SQLite's files, or a dump of PostgreSQL's."""

    def read() -> bytes:
        if database_url.startswith("sqlite"):
            path = Path(database_url.removeprefix("sqlite:///"))
            return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
        server: postgresql.Server = request.getfixturevalue("postgresql_server")
        return server.dump(database_url)

    return read
