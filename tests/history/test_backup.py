"""Backups of both databases, restored into both."""

import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, inspect, select, text, update

from oauth.exchange import Exchange, Failure, Response, Step
from oauth.handover import Handover, Labels
from oauth.history import backup, migrations
from oauth.history.backup import BackupError, back_up, restore
from oauth.history.deletion import delete_row
from oauth.history.filters import Filters
from oauth.history.schema import (
    audit,
    callbacks,
    consoles,
    exchanges,
    installation,
    kept_flows,
    metadata,
    tokens,
    views,
)
from oauth.history.store import History
from oauth.history.upkeep import Upkeep
from tests.servers.postgresql import Server

PROOF = "proof-of-a-key"
KINDS = "sqlite", "postgresql"


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Returns the address of a database without tables."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / f'{len(list(tmp_path.iterdir()))}.db'}"
        server: Server = request.getfixturevalue("postgresql_server")
        return server.url(server.new_database())

    return make


def fill(history: History, exchange: Callable[..., Exchange]) -> None:
    """A row in every table, text of every kind, and a gap in the numbers."""
    bodies = (b"{}", "«code #9f2a41d07b 40ch» Олена".encode(), b"line\nline\ttab\\x", b"\xff\xfe")
    for number, body in enumerate(bodies):
        one = exchange(flow="f", case="T-1", owner="ada", started_at_days=number)
        id = history.begin(one)
        answered = replace(one, response=Response(200, body=body, cut=bool(number % 2)), duration_ms=7)
        history.complete(id, answered, documented_error=None, error="", error_description="")
    failed = history.begin(exchange())
    answered = replace(exchange(), failure=Failure("timeout", "too late"))
    history.complete(failed, answered, documented_error=2, error="invalid_grant", error_description="expired")
    delete_row(history, history.begin(exchange()))
    Handover(history.database).expect("s" * 32, Labels(flow="waits"))
    Upkeep(history, history.database.clock).round()
    now = history.database.clock()
    person = {"person": "p", "name": "n", "role": "admin", "address": "", "event": "export", "object": "", "detail": ""}
    with history.database.writing() as connection:
        connection.execute(insert(views).values(owner="ada", name="mine", query="T-1", layout=""))
        connection.execute(insert(audit).values(at=now, allowed=True, **person))
        token = {"name": "ci", "hash": "h", "scopes": "", "created_by": "", "created_at": now, "expires_at": now}
        connection.execute(insert(tokens).values(token))
        flow: dict[str, Any] = {"id": "k", "saved_at": now, "expires_at": now, "payload": b"\x00\xff"}
        others = {name: 0 if name == "generation" else "" for name in set(kept_flows.c.keys()) - set(flow)}
        connection.execute(insert(kept_flows).values(others | flow))


@pytest.fixture
def exchange(exchange: Callable[..., Exchange]) -> Callable[..., Exchange]:
    def make(*arguments: Any, started_at_days: int = 0, **values: Any) -> Exchange:
        made = exchange(*arguments, **values)
        return replace(made, started_at=made.started_at - timedelta(days=started_at_days))

    return make


def content(history: History) -> dict[str, list[Any]]:
    """Everything in the tables that a backup has."""
    kept = [table for name, table in metadata.tables.items() if name not in {*backup.LEFT_OUT, installation.name}]
    with history.database.reading() as connection:
        return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in kept}


@pytest.mark.parametrize(("origin", "target"), [*product(KINDS, KINDS)])
def test_restored_database_is_the_same(
    origin: str,
    target: str,
    new_url: Callable[[str], str],
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    tmp_path: Path,
    times: list[Any],
) -> None:
    before = open_history(new_url(origin))
    fill(before, exchange)
    file = tmp_path / "backup"
    assert back_up(before.database, file, PROOF) == 5
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    after = open_history(new_url(target))
    assert restore(after.database, file, PROOF, replace=False) == (5, None)
    assert content(after) == content(before)
    with after.database.reading() as connection:
        for table in (callbacks, consoles, kept_flows):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
    assert after.count(Filters(text="Олена")) == 1, "it can be searched"
    assert after.begin(exchange()) == 7, "the number of a deleted exchange is not given again"
    with after.database.reading() as connection:
        reflected = {index["name"] for index in inspect(connection).get_indexes("exchanges")}
        assert {index.name for index in exchanges.indexes} <= reflected
        assert migrations.revision_of(connection) == migrations.HEAD
    with pytest.raises(Exception, match="append only"), after.database.engine.begin() as connection:
        connection.execute(update(audit).values(name="forged"))
    assert sorted(path.name for path in tmp_path.iterdir() if ".part" in path.name or "restore" in path.name) == []


def test_backup_has_the_wal_and_nothing_that_lives_for_minutes(
    database_url: str, open_history: Callable[..., History], exchange: Callable[..., Exchange], tmp_path: Path
) -> None:
    history = open_history()
    fill(history, exchange)
    state = Handover(history.database)
    state.expect("t" * 32, Labels(flow="flow-that-waits-now"))
    history.begin(exchange(case="a case in the WAL"))
    file = tmp_path / "backup"
    back_up(history.database, file, PROOF)
    octets = file.read_bytes()
    assert b"a case in the WAL" in octets
    for absent in (b"flow-that-waits-now", history.console.encode() + b"20"):
        assert absent not in octets
    with closing(sqlite3.connect(file)) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        for name in sorted(backup.LEFT_OUT):
            assert copy.execute(f"SELECT count(*) FROM {name}").fetchone() == (0,)


@pytest.mark.parametrize("target", KINDS)
def test_database_that_is_not_empty_is_replaced_only_when_told(
    target: str,
    new_url: Callable[[str], str],
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    tmp_path: Path,
    times: list[Any],
) -> None:
    other = open_history(new_url(target))
    fill(other, exchange)
    file = tmp_path / "backup"
    back_up(other.database, file, PROOF)
    other.begin(exchange(case="since then"))
    with pytest.raises(BackupError, match="A console uses the database"):
        restore(other.database, file, PROOF, replace=True)
    times.append(times[-1] + timedelta(minutes=2))
    with pytest.raises(BackupError, match="not empty: it has 6 exchanges"):
        restore(other.database, file, PROOF, replace=False)
    number, aside = restore(other.database, file, PROOF, replace=True)
    assert number == 5
    assert other.count(Filters(text="since")) == 0
    assert len(list(other.rows(Filters()))) == 5
    if target == "sqlite":
        assert aside is not None
        with closing(sqlite3.connect(aside)) as old:
            assert old.execute("SELECT count(*) FROM exchanges").fetchone() == (6,)
        assert other.notices == []
    else:
        assert aside is None


def test_backup_of_another_key_is_refused(
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    new_url: Callable[[str], str],
    tmp_path: Path,
) -> None:
    history = open_history()
    history.begin(exchange())
    file = tmp_path / "backup"
    back_up(history.database, file, PROOF)
    target = open_history(new_url("sqlite"))
    with pytest.raises(BackupError, match="another CONSOLE_KEY"):
        restore(target.database, file, "another", replace=False)
    assert target.database.path is not None
    assert not target.database.path.exists()
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("DELETE FROM installation WHERE name = 'key'")
        opened.commit()
    assert restore(target.database, file, "another", replace=False)[0] == 1


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (None, "Cannot read"),
        (b"", "is not a backup"),
        (b"text", "is not a backup"),
        (b"SQLite format 3\0", "is not a b"),
    ],
)
def test_file_that_is_not_a_backup_is_refused(
    octets: bytes | None, message: str, open_history: Callable[..., History], tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    if octets is not None:
        file.write_bytes(octets)
    with pytest.raises(BackupError, match=message):
        restore(open_history().database, file, PROOF, replace=False)


@pytest.mark.parametrize("target", KINDS)
def test_backup_of_an_older_schema_is_migrated_and_that_of_a_newer_is_refused(
    target: str,
    database_url: str,
    open_history: Callable[..., History],
    new_url: Callable[[str], str],
    exchange: Callable[..., Exchange],
    tmp_path: Path,
) -> None:
    old = open_history(new_url("postgresql" if database_url.startswith("postgresql") else "sqlite"))
    with old.database.engine.execution_options(writing=True).begin() as connection:
        migrations.upgrade(connection, "0011")
        names: dict[str, Any] = {"started_at": "2026-11-23T10:00:00.000000Z", "step": "token", "outcome": "none"}
        others = [column.name for column in exchanges.c if not column.nullable and column.name not in (*names, "id")]
        names |= dict.fromkeys(others, "") | {"response_cut": False}
        columns, marks = (", ".join(f"{sign}{name}{end}" for name in names) for sign, end in (('"', '"'), (":", "")))
        connection.execute(text(f"INSERT INTO exchanges ({columns}) VALUES ({marks})"), names)
    file = tmp_path / "backup"
    assert back_up(old.database, file, PROOF) == 1
    assert old.database.revision() == "0011", "a backup migrates nothing"
    after = open_history(new_url(target))
    assert restore(after.database, file, PROOF, replace=False)[0] == 1
    assert [row.exchange.step for row in after.rows(Filters())] == [Step.TOKEN]
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
        opened.commit()
    with pytest.raises(BackupError, match="newer version"):
        restore(after.database, file, PROOF, replace=True)


def test_what_fails_leaves_nothing(
    open_history: Callable[..., History], exchange: Callable[..., Exchange], tmp_path: Path
) -> None:
    history = open_history()
    with pytest.raises(BackupError, match="no history to back up yet"):
        back_up(History(f"sqlite:///{tmp_path / 'missing.db'}", history.database.clock).database, tmp_path / "b", PROOF)
    assert not (tmp_path / "missing.db").exists()
    history.begin(exchange())
    with pytest.raises(BackupError, match="Cannot write"):
        back_up(history.database, tmp_path / "no folder" / "b", PROOF)
    assert [path for path in tmp_path.iterdir() if "b" in path.name.split(".")] == []


def test_backup_into_the_database_itself_is_refused(
    open_history: Callable[..., History], exchange: Callable[..., Exchange], tmp_path: Path
) -> None:
    history = open_history(f"sqlite:///{tmp_path / 'own.db'}")
    history.begin(exchange())
    (tmp_path / "link").symlink_to(tmp_path / "own.db")
    for name in ("own.db", "link"):
        with pytest.raises(BackupError, match="is the database itself"):
            back_up(history.database, tmp_path / name, PROOF)
    assert history.count(Filters()) == 1


def test_disk_that_is_full_is_told(
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = open_history()
    history.begin(exchange())
    connect = sqlite3.connect

    def small(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        if ".part" in str(arguments[0]):
            connection.execute("PRAGMA max_page_count = 8")
        return connection

    for module in (sqlite3, sqlite3.dbapi2):
        monkeypatch.setattr(module, "connect", small)
    with pytest.raises(BackupError, match="full") as told:
        back_up(history.database, tmp_path / "backup", PROOF)
    assert "history.db" not in str(told.value)
    assert "postgresql" not in str(told.value)
    assert not list(tmp_path.glob("*backup*"))


@pytest.fixture
def damaged(open_history: Callable[..., History], exchange: Callable[..., Exchange], tmp_path: Path) -> History:
    """A history of SQLite with a row that an old version took, and PostgreSQL does not."""
    history = open_history(f"sqlite:///{tmp_path / 'damaged.db'}")
    history.begin(exchange())
    with history.database.writing() as connection:
        for name in ("added", "rewritten"):
            connection.exec_driver_sql(f"DROP TRIGGER exchanges_checked_when_{name}")
        values = "duration_ms = 'x', status = -1, step = 'steep', started_at = 'yesterday', note = x'ff'"
        connection.exec_driver_sql(f"UPDATE exchanges SET {values}")
    return history


def test_damaged_row_moves_to_postgresql_without_its_damage(
    damaged: History,
    open_history: Callable[..., History],
    new_url: Callable[[str], str],
    tmp_path: Path,
    postgresql_server: Server,
) -> None:
    back_up(damaged.database, tmp_path / "backup", PROOF)
    after = open_history(new_url("postgresql"))
    assert restore(after.database, tmp_path / "backup", PROOF, replace=False)[0] == 1
    [row] = after.rows(Filters())
    assert (row.exchange.step, row.exchange.response, row.note) == (Step.API, None, "b'\\xff'")
