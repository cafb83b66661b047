"""Backups: the whole database in one SQLite file, restored into SQLite or PostgreSQL.

PostgreSQL is read in one transaction and written as rows, because ``pg_dump`` must be as new as the server, may not be
installed, and binds a backup to PostgreSQL. A file has neither the indexes of the exchanges nor the words of the search
then; both are made when it is restored.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Connection, Table, func, inspect, select, text

from oauth.history import counts, migrations, partitions
from oauth.history.database import KEY, Database, HistoryError, move, unlimited
from oauth.history.schema import (
    audit,
    callbacks,
    consoles,
    exchanges,
    installation,
    kept_flows,
    limits,
    metadata,
    own_files,
    people,
    read_time,
    tokens,
    utc_text,
    views,
)
from oauth.history.store import stored, undamaged
from oauth.history.upkeep import GONE
from oauth.own_files import replacing

LEFT_OUT = frozenset({callbacks.name, consoles.name, kept_flows.name, limits.name})
"""Tables with what is of use for an hour at most."""

CONTENT = exchanges, views, people, audit, tokens, own_files
"""A database with a row in one of these is not empty."""

_BATCH = 1000


class BackupError(Exception):
    """A backup cannot be made or restored; the message says why, and what to do."""


def back_up(database: Database, path: Path, proof: str) -> int:
    """Write the database to a file that only its owner can read; return the number of exchanges.

    The file appears when it is complete, in the place of one that is there. ``proof`` is that of the key, for
    a database that has none. Nothing is migrated. Raises ``BackupError`` and ``HistoryError``.
    """
    if database.path is not None and database.path.exists() and path.exists() and path.samefile(database.path):
        raise BackupError(f"{path} is the database itself. Choose another file.")
    with _draft(path) as draft:
        revision = database.revision()
        if not revision:
            raise BackupError("There is no history to back up yet.")
        if revision > migrations.HEAD:
            raise BackupError("The history was made by a newer version of this console. Back it up with that one.")
        if database.path is None:
            _copy_postgresql(database, draft, revision)
        else:
            _copy_sqlite(database, draft)
        with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = DELETE")
            copy.execute("PRAGMA secure_delete = ON")
            names = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for name in LEFT_OUT & names:
                copy.execute(f"DELETE FROM {name}")  # noqa: S608
            if installation.name in names:
                copy.execute("INSERT OR IGNORE INTO installation (name, value) VALUES (?, ?)", (KEY, proof))
            return int(copy.execute("SELECT count(*) FROM exchanges").fetchone()[0])


def restore(database: Database, path: Path, proof: str, *, replace: bool) -> tuple[int, Path | None]:
    """Fill the database from a backup; return the number of exchanges, and where the replaced file is now.

    With ``replace`` the database need not be empty. Raises ``BackupError`` and ``HistoryError``; then nothing changed.
    """
    # SQLite's copy is made where it stays, since a file is renamed within one folder only.
    folder = database.path.parent if database.path is not None else None
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=folder) as place:
        copy = Path(place) / "history.db"
        _take_copy(path, copy)
        prepared = Database(f"sqlite:///{copy}", database.clock)
        try:
            prepared.prepare()
        except HistoryError as error:
            raise BackupError(str(error).replace(str(copy), str(path))) from error
        with prepared.engine.connect() as connection:
            theirs = connection.scalar(select(installation.c.value).where(installation.c.name == KEY))
            number = connection.scalar(select(func.count()).select_from(exchanges)) or 0
        if theirs not in (None, proof):
            raise BackupError(
                f"{path} was made with another CONSOLE_KEY, so its fingerprints would match nothing here. "
                "Set the key of that console, in CONSOLE_KEY or CONSOLE_HOME/key."
            )
        _check_target(database, replace=replace)
        if database.path is None:
            _fill_postgresql(database, prepared)
            return number, None
        _complete_sqlite(prepared)
        return number, _put_in_place(database, database.path, copy)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """Yield the path of a new file that takes the place of ``path`` when the block ends."""
    try:
        with replacing(path) as draft:
            try:
                yield draft
            finally:
                for suffix in ("-wal", "-shm", "-journal", "-last"):
                    draft.with_name(draft.name + suffix).unlink(missing_ok=True)
    except OSError as error:
        raise BackupError(f"Cannot write {path}: {error.strerror}.") from error
    except sqlite3.Error as error:
        raise BackupError(f"Cannot write {path}: {error}.") from error


def _copy_sqlite(database: Database, draft: Path) -> None:
    """Copy the file with its WAL, as it is at one moment, while others write."""
    with database.explained():
        source = database.engine.raw_connection()
    try:
        with closing(sqlite3.connect(draft)) as target:
            driver: Any = source.driver_connection
            driver.backup(target)
    finally:
        source.close()


def _copy_postgresql(database: Database, draft: Path, revision: str) -> None:
    """Write the rows of one moment into a new file of the same revision."""
    target = Database(f"sqlite:///{draft}", database.clock)
    snapshot = database.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    try:
        with (
            database.explained(),
            snapshot.connect() as connection,
            unlimited(connection),
            target.explained(),
            target.engine.begin() as written,
        ):
            migrations.upgrade(written, revision)
            triggers = _without_indexes(written)
            for name in _tables(written):
                columns = [column["name"] for column in inspect(written).get_columns(name)]
                written.exec_driver_sql(f"DELETE FROM {name}")  # noqa: S608
                _write_rows(written, name, columns, _read_rows(connection, name, columns))
            for name in ("exchanges", "audit"):
                if (last := _last_number(connection, name)) is not None:
                    written.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
                    written.exec_driver_sql("INSERT INTO sqlite_sequence VALUES (?, ?)", (name, last))
            for statement in triggers:
                written.exec_driver_sql(statement)
    except HistoryError as error:
        raise BackupError(str(error).replace(f"The history in {draft}", "The backup")) from error
    finally:
        target.engine.dispose()


def _without_indexes(connection: Connection) -> list[str]:
    """Drop the indexes of the exchanges and all triggers; return the statements that make the triggers."""
    items = connection.exec_driver_sql(
        "SELECT type, name, sql FROM sqlite_master "
        "WHERE sql IS NOT NULL AND (type = 'trigger' OR (type = 'index' AND tbl_name = 'exchanges'))"
    ).all()
    for kind, name, _ in items:
        connection.exec_driver_sql(f"DROP {kind} {name}")
    return [sql for kind, _, sql in items if kind == "trigger"]


def _tables(connection: Connection) -> list[str]:
    """Return the tables of the revision that a backup has."""
    names = set(inspect(connection).get_table_names())
    return [name for name in metadata.tables if name in names and name not in LEFT_OUT]


def _read_rows(connection: Connection, name: str, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    driver: Any = connection.connection.driver_connection
    with driver.cursor(name="backup") as cursor:
        cursor.itersize = _BATCH
        cursor.execute(f"SELECT {_names(columns)} FROM {name}")  # noqa: S608
        yield from cursor


def _write_rows(connection: Connection, name: str, columns: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    marks = ", ".join("?" * len(columns))
    driver.executemany(f"INSERT INTO {name} ({_names(columns)}) VALUES ({marks})", rows)  # noqa: S608


def _last_number(connection: Connection, name: str) -> int | None:
    """Return the last number that PostgreSQL gave to a row of a table, ``None`` where there is none."""
    if not inspect(connection).has_table(name):
        return None
    query = text("SELECT pg_sequence_last_value(pg_get_serial_sequence(:name, 'id'))")
    last: int | None = connection.scalar(query, {"name": name})
    return last


def _names(columns: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _take_copy(path: Path, copy: Path) -> None:
    """Copy a backup, if it is one and sound. Raises ``BackupError``."""
    try:
        path.open("rb").close()
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source:
            source.execute("SELECT version_num FROM alembic_version")
            if (state := source.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise BackupError(f"{path} is damaged: {state}.")
            os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(sqlite3.connect(copy)) as target:
                source.backup(target)
    except OSError as error:
        raise BackupError(f"Cannot read {path}: {error.strerror}.") from error
    except sqlite3.Error as error:
        raise BackupError(f"{path} is not a backup of this console, or it is damaged: {error}.") from error


def _check_target(database: Database, *, replace: bool) -> None:
    """Raise ``BackupError`` when a console uses the database, or when it is not empty and may not be replaced."""
    if database.path is not None and not database.path.exists():
        return
    with database.explained(), database.engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        heartbeat = _scalar(connection, select(func.max(consoles.c.seen_at)), consoles, tables)
        if heartbeat is not None and database.clock() - heartbeat < GONE:
            raise BackupError(
                "A console uses the database: it said so less than a minute ago. "
                "Stop all consoles, and try again a minute later."
            )
        if not replace and any(_scalar(connection, select(1).limit(1), table, tables) for table in CONTENT):
            number = _scalar(connection, select(func.count()), exchanges, tables) or 0
            raise BackupError(
                f"The database is not empty: it has {number:,} exchanges. "
                "Restore into an empty one, or add --replace to give up what is in it."
            )


def _scalar(connection: Connection, query: Any, table: Table, tables: set[str]) -> Any:
    return connection.scalar(query.select_from(table)) if table.name in tables else None


def _complete_sqlite(prepared: Database) -> None:
    """Make the indexes and the search that a backup of PostgreSQL lacks, and leave one file without a WAL."""
    with prepared.writing() as connection:
        for index in exchanges.indexes:
            index.create(connection, checkfirst=True)
    with prepared.reading():
        pass  # fills the search
    prepared.engine.dispose()
    with closing(sqlite3.connect(str(prepared.path), isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def _put_in_place(database: Database, path: Path, new: Path) -> Path | None:
    """Rename a new file to ``path``; return where the old one is, ``None`` if it had nothing in it."""
    database.engine.dispose()
    aside = path.with_name(f"{path.name}.replaced-{database.clock():%Y%m%dT%H%M%SZ}")
    move(path, aside)
    new.rename(path)
    return aside if aside.exists() else None


def _fill_postgresql(database: Database, prepared: Database) -> None:
    """Replace all rows of PostgreSQL by those of a prepared file, in one transaction."""
    database.prepare()
    tables = [table for name, table in metadata.tables.items() if name != installation.name]
    with (
        database.explained(writing=True),
        prepared.engine.connect() as source,
        database.engine.begin() as target,
        unlimited(target),
    ):
        # The triggers of the audit let nobody empty it, but for its owner.
        target.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
        target.exec_driver_sql(f"TRUNCATE {', '.join(table.name for table in tables)}")
        target.exec_driver_sql("ALTER TABLE audit ENABLE TRIGGER USER")
        target.exec_driver_sql("ALTER TABLE exchanges DISABLE TRIGGER USER")
        oldest = source.scalar(select(func.min(exchanges.c.started_at)))
        partitions.lay_out(target, oldest or database.clock(), database.clock())
        indexes = target.exec_driver_sql(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() "
            "AND tablename = 'exchanges' AND indexname <> 'exchanges_pkey'"
        ).all()
        for name, _ in indexes:
            target.exec_driver_sql(f"DROP INDEX {name}")
        for table in tables:
            if table.name not in LEFT_OUT:
                _copy_into(target, table, source)
        for _, definition in indexes:
            target.exec_driver_sql(definition.replace(" ON ONLY ", " ON "))
        counts.count_all(target)
        target.exec_driver_sql("ALTER TABLE exchanges ENABLE TRIGGER USER")
        for name in ("exchanges", "audit"):
            query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
            if last := source.scalar(query, {"name": name}):
                setting = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)")
                target.execute(setting, {"name": name, "last": last})
        target.exec_driver_sql("ANALYZE exchanges")  # else the first queries are planned for an empty table
    prepared.engine.dispose()


def _copy_into(target: Connection, table: Table, source: Connection) -> None:
    columns = [column.name for column in table.c]
    flags = [index for index, column in enumerate(table.c) if isinstance(column.type, Boolean)]
    rows = source.exec_driver_sql(f"SELECT {_names(columns)} FROM {table.name}")  # noqa: S608
    driver: Any = target.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({_names(columns)}) FROM STDIN") as copy:
        for row in rows:
            values = stored(_sound(columns, row) if table is exchanges else row)
            for index in flags:
                values[index] = bool(values[index])
            copy.write_row(values)


def _sound(columns: list[str], row: Any) -> list[Any]:
    """Return the values of an exchange without those that PostgreSQL refuses: an old import took any."""
    values = dict(zip(columns, row, strict=True))
    sound, damage = undamaged(values | {"started_at": read_time(values["started_at"])})
    for name in damage:
        values[name] = utc_text(sound[name]) if isinstance(sound[name], datetime) else sound[name]
    return list(values.values())
