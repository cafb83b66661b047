"""Fixtures that several folders of tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from oauth import installation
from oauth.history import migrations
from oauth.history.schema import metadata
from oauth.installation import Installation
from tests.servers import postgresql


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A console home of the test's own, so that no test touches a person's history."""
    for name in [name for name in os.environ if name.startswith("CONSOLE_") and not name.startswith("CONSOLE_TEST_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "console"
    monkeypatch.setenv("CONSOLE_HOME", str(folder))
    return folder


@pytest.fixture
def console(home: Path) -> Iterator[Installation]:
    """The process's installation, opened in the test's home and forgotten after."""
    installation.current.cache_clear()
    yield installation.current()
    installation.current.cache_clear()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """A PostgreSQL server for all tests. Without its programs they are left out, unless they are required."""
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
        connection.exec_driver_sql(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY")
    engine.dispose()
    return _postgresql_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once of each kind."""
    url: str = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    return url or f"sqlite:///{tmp_path / 'history.db'}"
