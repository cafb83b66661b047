import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, Engine, create_engine, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import SchemaItem

from oauth.history import migrations
from oauth.history.backfill import fill_entries
from oauth.history.deletion import delete_row
from oauth.history.filters import Filters
from oauth.history.schema import backfills, exchanges, metadata
from oauth.history.store import History

FIRST = {
    "owner": "ada",
    "case": "T-1",
    "flow": "f",
    "step": "token",
    "method": "POST",
    "request_headers": "Host: p.example",
    "request_body": '{"code": "«code #9f2a41d07b 40ch»"}',
    "reason": "",
    "http_version": "",
    "response_headers": "",
    "response_body": "",
    "response_cut": False,
    "failure": "",
    "failure_detail": "",
    "outcome": "none",
    "error": "",
    "error_description": "",
    "request_id": "",
    "provider": "olx",
    "client_id": "demo-app",
}
"""A row as the first version wrote it."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'history.db'}"
    server = request.getfixturevalue("postgresql_server")
    return str(server.url(server.new_database()))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(database_url)
    yield made
    made.dispose()


def _differences(connection: Connection) -> Any:
    """What the database has and the tables of the schema have not, or the other way round; apart from the search."""

    def is_ours(item: SchemaItem, name: str | None, kind: str, *_: Any) -> bool:
        if kind == "table":
            return name in metadata.tables
        return not (name == "search" and isinstance(item, Column)) and name != "exchanges_by_search"

    return compare_metadata(MigrationContext.configure(connection, opts={"include_object": is_ours}), metadata)


def test_the_migrations_lead_to_the_schema(engine: Engine) -> None:
    with engine.begin() as connection:
        assert not migrations.is_current(connection)
        migrations.upgrade(connection)
    with engine.begin() as connection:
        assert migrations.is_current(connection)
        assert _differences(connection) == []
        assert set(metadata.tables) < set(inspect(connection).get_table_names())


def test_the_comparison_sees_a_difference(engine: Engine) -> None:
    with engine.begin() as connection:
        migrations.upgrade(connection)
        connection.exec_driver_sql("DROP INDEX exchanges_by_step")
        connection.exec_driver_sql("ALTER TABLE exchanges DROP COLUMN request_id")
        differences = _differences(connection)
    assert sorted(difference[0] for difference in differences) == ["add_column", "add_index"]


def test_rows_of_the_first_version_are_carried_up_one_revision_at_a_time(
    engine: Engine, open_history: Callable[..., History]
) -> None:
    with engine.begin() as connection:
        migrations.upgrade(connection, "0001")
    rows = [
        FIRST | {"url": "https://Www.Example:8443/token", "started_at": "2026-11-23T10:00:00.000000Z"},
        FIRST | {"url": "no address", "started_at": "2026-11-23T12:00:00.000000Z", "case": "T-2"},
        FIRST | {"url": "http://«userinfo»@late.example?a@b", "started_at": "2026-11-23T11:00:00.000000Z"},
    ]
    names = ", ".join(f'"{name}"' for name in rows[0])
    marks = ", ".join(f":{name}" for name in rows[0])
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO exchanges ({names}) VALUES ({marks})"), rows)
    for revision in migrations.revisions()[1:]:
        with engine.begin() as connection:
            migrations.upgrade(connection, revision)
    history = open_history()
    assert [row.exchange.id for row in history.rows(Filters())] == [2, 3, 1]
    with history.database.reading() as connection:
        hosts = connection.execute(select(exchanges.c.host).order_by(exchanges.c.id)).scalars().all()
    assert hosts == ["www.example:8443", "", "late.example"]
    assert [row.exchange.id for row in history.rows(Filters.parse("9f2a41d07b T-1"))] == [3, 1]
    with history.database.reading() as connection:
        assert connection.execute(select(backfills.c.name, backfills.c.below)).all() == [("entry", 4)]
    assert [row.entry for row in history.rows(Filters())] == [None] * 3
    assert not fill_entries(history.database)
    assert [row.entry for row in history.rows(Filters())] == ["answer/no_answer"] * 3
    history.set_case("f", "T-3")
    assert history.count(Filters(text="T-1")) == 0
    assert history.count(Filters(text="T-3")) == 3


def test_two_processes_that_start_at_once_both_get_the_schema(
    database_url: str, open_history: Callable[..., History]
) -> None:
    script = (
        "import sys; from datetime import UTC, datetime; from oauth.history.store import History; "
        "history = History(sys.argv[1], lambda: datetime.now(UTC)); print('ready', flush=True); sys.stdin.readline(); "
        "history.database.prepare(); history.database.engine.dispose()"
    )
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", script, database_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in starting:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in starting:
        _, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")
    with open_history().database.reading() as connection:
        assert migrations.is_current(connection)


DAMAGED: dict[str, object] = {
    "duration_ms": "x",
    "status": "x",
    "documented_error": 1.5,
    "step": "steep",
    "started_at": "yesterday",
    "response_body": b"\xff",
}
"""A value of another type for a column, or of the right type for columns of text."""


def test_damaged_rows_survive_the_checks_and_new_ones_are_refused(
    engine: Engine, open_history: Callable[..., History]
) -> None:
    with engine.begin() as connection:
        migrations.upgrade(connection, "0007")
        is_sqlite = connection.dialect.name == "sqlite"
    # PostgreSQL's own types refuse the others.
    damaged = {name: value for name, value in DAMAGED.items() if is_sqlite or name in ("step", "started_at")}
    sound = FIRST | {"url": "https://p.example/", "host": "p.example", "started_at": "2026-11-23T10:00:00.000000Z"}
    names = ", ".join(f'"{name}"' for name in (*sound, "status", "duration_ms", "documented_error"))
    marks = ", ".join(f":{name}" for name in (*sound, "status", "duration_ms", "documented_error"))
    insert = text(f"INSERT INTO exchanges ({names}) VALUES ({marks})")
    sound |= {"status": 200, "duration_ms": 7, "documented_error": None}
    with engine.begin() as connection:
        connection.execute(insert, [sound | {name: value} for name, value in damaged.items()])
        migrations.upgrade(connection)
    history = open_history()
    rows = {row.exchange.id or 0: row for row in history.rows(Filters())}
    assert [rows[number].damage[0].split()[0] for number in sorted(rows)] == list(damaged)
    history.set_case("f", "T-9")
    assert {row.exchange.case for row in history.rows(Filters())} == {"T-9"}
    for name, value in (damaged | {"outcome": "perhaps", "status": -1, "duration_ms": 2**31}).items():
        if name == "response_body":
            continue
        with pytest.raises(DBAPIError), engine.begin() as connection:
            connection.execute(insert, sound | {name: value})
    with engine.begin() as connection:
        connection.execute(insert, sound)
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text("UPDATE exchanges SET status = -1 WHERE id = (SELECT max(id) FROM exchanges)"))
    assert history.count(Filters()) == len(damaged) + 1
    for number in rows:
        delete_row(history, number)
    assert history.count(Filters()) == 1
