import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Engine, create_engine, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import SchemaItem

from oauth.exchange import Exchange, Response
from oauth.exports import formats
from oauth.exports.query import source
from oauth.history import migrations
from oauth.history.backfill import fill_entries
from oauth.history.database import Database
from oauth.history.deletion import delete_row
from oauth.history.facets import facets
from oauth.history.filters import Filters
from oauth.history.schema import backfills, exchanges, installation, metadata
from oauth.history.store import History, HistoryError
from oauth.history.upkeep import Upkeep
from tests.servers.postgresql import Server

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
        return not (name == "search" and isinstance(item, Column)) and name not in (
            "exchanges_by_search",
            "exchanges_waiting",
        )

    return compare_metadata(MigrationContext.configure(connection, opts={"include_object": is_ours}), metadata)


def test_the_migrations_lead_to_the_schema(engine: Engine) -> None:
    with engine.begin() as connection:
        assert migrations.revision_of(connection) != migrations.HEAD
        migrations.upgrade(connection)
    with engine.begin() as connection:
        assert migrations.revision_of(connection) == migrations.HEAD
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
        assert migrations.revision_of(connection) == migrations.HEAD


ADDED = """
import sqlalchemy as sa
from alembic import op

from oauth.history.migrations.beside_traffic import create_index

revision = "9999"
down_revision = "{head}"
only_adds = {only_adds}


def upgrade() -> None:
    op.add_column("exchanges", sa.Column("mood", sa.Text(), nullable=False, server_default=""))
    op.create_table("moods", sa.Column("name", sa.Text(), primary_key=True))
    create_index("exchanges_by_mood", ["mood", "started_at", "id"], "mood != ''")
"""
"""A migration of a version that does not exist yet."""


@pytest.fixture
def upgrade_to_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: Any) -> Callable[[str, bool], None]:
    """Migrate a database as a console of the next version does when it starts."""

    def upgrade(url: str, only_adds: bool) -> None:
        folder = tmp_path / "next"
        shutil.copytree(migrations.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__", "__init__.py"))
        added = ADDED.format(head=migrations.HEAD, only_adds=only_adds)
        (folder / "versions" / "r9999_next.py").write_text(added)
        with monkeypatch.context() as next_version:
            next_version.setattr(migrations, "FOLDER", folder)
            next_version.setattr(migrations, "HEAD", "9999")
            database = Database(url, clock)
            database.prepare()
            database.engine.dispose()

    return upgrade


def test_console_works_on_while_the_next_version_runs_beside_it(
    database_url: str,
    open_history: Callable[..., History],
    upgrade_to_next: Callable[[str, bool], None],
    exchange: Callable[..., Exchange],
) -> None:
    running = open_history()
    for _ in range(8):  # the driver has prepared its statements by then
        complete(running, running.begin(exchange(flow="f", case="before")), exchange(flow="f", case="before"))
        running.page(Filters(), None, 10)
    waiting = running.begin(exchange())
    upgrade_to_next(database_url, True)
    complete(running, waiting, exchange())
    started_again = open_history()
    for history in (running, started_again):
        complete(history, history.begin(exchange(case="after")), exchange(case="after"))
        assert history.count(Filters.parse("case:before status:200 provider.example")) == 8
        history.set_case("f", "before")
        history.set_note(waiting, "a note")
        buffer = BytesIO()
        formats.write(source(history, Filters.parse("case:after")), "csv", buffer, lambda *_: None)
        assert b"provider.example" in buffer.getvalue()
        assert [facet.name for facet in facets(history, Filters(), 5)]
        upkeep = Upkeep(history, lambda: datetime.now(UTC), retention_days=36_000)
        for _ in range(3):
            upkeep.round()
    assert [row.note for row in running.rows(Filters.parse("a note"))] == ["a note"]
    assert running.count(Filters()) == 11
    delete_row(started_again, waiting)
    assert running.get(waiting) is None


def complete(history: History, id: int, exchange: Exchange) -> None:
    answered = replace(exchange, response=Response(200, body=b"{}"))
    history.complete(id, answered, documented_error=None, error="", error_description="")


def test_console_refuses_a_next_version_that_does_more_than_add(
    database_url: str, open_history: Callable[..., History], upgrade_to_next: Callable[[str, bool], None]
) -> None:
    open_history().count(Filters())
    upgrade_to_next(database_url, False)
    with pytest.raises(HistoryError, match="was made by a newer version of this console"):
        open_history().count(Filters())


def test_migration_waits_for_a_table_in_use_and_nobody_waits_behind_it(
    postgresql_server: Server,
    open_history: Callable[..., History],
    upgrade_to_next: Callable[[str, bool], None],
    exchange: Callable[..., Exchange],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oauth.history.database.LONG_WAIT", 0.0)
    url = postgresql_server.url(postgresql_server.new_database())
    history = open_history(url)
    history.begin(exchange())
    with create_engine(url).connect() as export:
        export.exec_driver_sql("SELECT count(*) FROM exchanges")  # its transaction is open
        migrating = Thread(target=upgrade_to_next, args=(url, True))
        migrating.start()
        waits = []
        until = time.monotonic() + 60
        while not caplog.messages and time.monotonic() < until:
            start = time.monotonic()
            complete(history, history.begin(exchange()), exchange())
            waits.append(time.monotonic() - start)
        assert migrating.is_alive()
        assert caplog.messages == ["The migration waits for a table that is in use, such as by an export."]
        assert history.database.revision() == "0015"
        export.rollback()
        migrating.join(60)
        export.invalidate()
    assert history.database.revision() == "9999"
    assert max(waits) < 5
    complete(history, history.begin(exchange()), exchange())


def test_migration_that_was_killed_in_the_middle_of_an_index_makes_it_again(
    postgresql_server: Server, open_history: Callable[..., History]
) -> None:
    url = postgresql_server.url(postgresql_server.new_database())
    engine = create_engine(url)
    with engine.begin() as connection:
        migrations.upgrade(connection, "0008")
        connection.exec_driver_sql("CREATE INDEX exchanges_by_entry ON exchanges (id)")
        # As CREATE INDEX CONCURRENTLY leaves it.
        invalid = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'exchanges_by_entry'::regclass"
        connection.exec_driver_sql(invalid)
    history = open_history(url)
    assert history.count(Filters()) == 0
    with engine.begin() as connection:
        assert _differences(connection) == []
        assert not connection.exec_driver_sql("SELECT 1 FROM pg_index WHERE NOT indisvalid").all()
    engine.dispose()


def test_revisions_that_are_said_to_add_change_nothing_else(engine: Engine) -> None:
    """An insert and a select of the version before work on what they lead to."""
    script = ScriptDirectory(str(migrations.FOLDER))
    adding = [one.revision for one in script.walk_revisions() if getattr(one.module, "only_adds", False)]
    assert adding
    before: dict[str, dict[str, tuple[str, bool]]] = {}
    for revision in migrations.revisions():
        with engine.begin() as connection:
            migrations.upgrade(connection, revision)
            inspector = inspect(connection)
            after = {
                table: {
                    column["name"]: (str(column["type"]), column["nullable"] or column["default"] is not None)
                    for column in inspector.get_columns(table)
                }
                for table in inspector.get_table_names()
                if not table.startswith("exchanges_search")
            }
        if revision in adding:
            for table, columns in before.items():
                assert columns.items() <= after[table].items()
                added = after[table].keys() - columns.keys()
                assert all(after[table][name][1] for name in added), f"{revision} adds a column that needs a value"
        before = after


def test_database_says_which_revision_may_use_it(engine: Engine) -> None:
    with engine.begin() as connection:
        migrations.upgrade(connection)
        query = select(installation.c.value).where(installation.c.name == migrations.READABLE_BY)
        assert connection.execute(query).scalar_one() == "0010"


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
