"""The proof of one key: a console with another one does not use the database."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from oauth.exchange import Exchange
from oauth.history.database import KEY, Database, HistoryError, WrongKeyError
from oauth.history.schema import installation
from oauth.history.store import History
from oauth.installation import Installation
from oauth.settings import load
from tests.history import pauses
from tests.servers import postgresql

ROOT = Path(__file__).parents[2]


@pytest.fixture
def database() -> Iterator[Callable[[str, str], Database]]:
    """Opens a database with a proof of a key, and closes it at the end."""
    opened: list[Database] = []

    def open_one(url: str, proof: str) -> Database:
        opened.append(Database(url, lambda: datetime.now(UTC), proof))
        return opened[-1]

    yield open_one
    for it in opened:
        it.engine.dispose()


def test_the_first_key_is_the_databases(database: Callable[[str, str], Database], database_url: str) -> None:
    mine, other = database(database_url, "mine"), database(database_url, "another")
    mine.check_key()
    mine.prepare()
    database(database_url, "mine").check_key()
    for use in (other.check_key, other.prepare, lambda: other.at_once("SELECT 1")):
        with pytest.raises(WrongKeyError, match="CONSOLE_KEY"):
            use()
    other.accept_key()
    with other.reading() as connection:
        assert connection.scalar(select(installation.c.value).where(installation.c.name == KEY)) == "another"
    with pytest.raises(WrongKeyError):
        database(database_url, "mine").check_key()


def test_nothing_is_made_by_the_look_at_the_start(database: Callable[[str, str], Database], tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    database(f"sqlite:///{file}", "mine").check_key()
    assert not file.exists()


def test_a_database_that_is_away_is_compared_when_it_is_back(
    database: Callable[[str, str], Database],
    postgresql_server: postgresql.Server,
    exchange: Callable[..., Exchange],
) -> None:
    url = postgresql_server.url("begun_later")
    history = History(url, lambda: datetime.now(UTC), "mine")
    history.database.check_key()
    with pytest.raises(HistoryError, match="is missing"):
        history.begin(exchange())
    postgresql_server.execute("CREATE DATABASE begun_later")
    other = database(url, "another")
    other.prepare()
    pauses.end(history.database)
    with pytest.raises(WrongKeyError):
        history.begin(exchange())
    history.database.engine.dispose()


def test_the_proof_tells_nothing_of_the_key(console: Installation, stored_key: Callable[[], str]) -> None:
    console.history.database.prepare()
    assert stored_key() == console.settings.key_proof
    assert console.settings.key.decode() not in stored_key()


@pytest.fixture
def stored_key(console: Installation) -> Callable[[], str]:
    def read() -> str:
        with console.history.database.reading() as connection:
            return str(connection.scalar(select(installation.c.value).where(installation.c.name == "key")))

    return read


@pytest.mark.process
def test_a_console_with_another_key_does_not_start(database: Callable[[str, str], Database], tmp_path: Path) -> None:
    """Its key file is lost; the command goes on with the new one deliberately."""
    environ = os.environ | {"CONSOLE_HOME": str(tmp_path)}
    settings = load(environ)
    database(settings.database_url, settings.key_proof).prepare()
    (tmp_path / "key").unlink()
    run = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 1
    assert "was begun with another key" in run.stderr
    assert "oauth-console history accept-key" in run.stderr
    assert "Traceback" not in run.stderr
    accepted = subprocess.run(
        [sys.executable, "-m", "oauth", "history", "accept-key"], cwd=ROOT, env=environ, check=True, capture_output=True
    )
    assert b"with this key from now on" in accepted.stdout
    again = load(environ)
    database(again.database_url, again.key_proof).check_key()
