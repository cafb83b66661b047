"""The command ``check``: a line for each thing that may be wrong, with what to do."""

import argparse
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select

from oauth.access import sign_in
from oauth.cli.output import echo, octets
from oauth.history import migrations
from oauth.history.database import KEY, Database, HistoryError
from oauth.history.retention import done_until
from oauth.history.schema import consoles, installation
from oauth.history.upkeep import GONE
from oauth.installation import now
from oauth.settings import SettingError, Settings, load

LEAST_FREE = 500_000_000
"""Octets that should be free where the console keeps its files."""

MOST_SKEW = timedelta(seconds=5)
"""Difference of two clocks that is harmless."""

RETENTION_LATE = timedelta(days=2)
"""Time after which a retention that should be done once a day is late."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one thing. ``remedy`` is what to do, empty when nothing is wrong."""

    name: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{'wrong' if self.remedy else 'ok':6}{self.name:12}{self.text}{self.remedy and f' {self.remedy}'}"


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(_arguments: argparse.Namespace) -> int:
    """Print what is checked; return 1 if something is wrong, else 0. Nothing is migrated."""
    status = 0
    for finding in findings():
        echo(str(finding))
        status = 1 if finding.remedy else status
    return status


def findings() -> Iterator[Finding]:
    """Yield what is found, in an order in which the first thing that is wrong explains the others."""
    try:
        settings = load()
        sign_in.load(os.environ, settings.sign_in)
    except SettingError as error:
        yield Finding("settings", "cannot be used.", str(error))
        return
    yield Finding("settings", f"are valid; the home is {settings.home}.")
    yield _key(settings)
    yield _space(settings.home)
    try:
        database = Database(settings.database_url, now)
    except SettingError as error:
        yield Finding("database", "cannot be used.", str(error))
        return
    if database.path is not None and not database.path.exists():
        yield Finding("database", f"{database.path} does not exist yet; the console makes it when it starts.")
        return
    try:
        with database.explained(), database.engine.connect() as connection:
            yield from _database(connection, settings)
    except HistoryError as error:
        yield Finding("database", "cannot be used.", str(error))
    finally:
        database.engine.dispose()


def _key(settings: Settings) -> Finding:
    file = settings.home / "key"
    if os.environ.get("CONSOLE_KEY"):
        return Finding("key", "is in CONSOLE_KEY.")
    if (mode := file.stat().st_mode & 0o777) & 0o077:
        return Finding("key", f"{file} can be read by others (mode {mode:o}).", f"Run: chmod 600 {file}")
    return Finding("key", f"is in {file}, which only its owner can read.")


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    few = "" if free >= LEAST_FREE else "Free some space, or keep less: CONSOLE_RETENTION_DAYS."
    return Finding("space", f"{octets(free)} are free in {folder}.", few)


def _database(connection: Connection, settings: Settings) -> Iterator[Finding]:
    is_sqlite = connection.dialect.name == "sqlite"
    version = ".".join(map(str, connection.dialect.server_version_info or ()))
    if is_sqlite:
        size = connection.exec_driver_sql("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    else:
        size = connection.exec_driver_sql("SELECT pg_database_size(current_database())")
    name = "SQLite" if is_sqlite else "PostgreSQL"
    yield Finding("database", f"{name} {version} answers; it has {octets(size.scalar_one())}.")
    schema = _schema(connection)
    yield schema
    yield _integrity(connection)
    if inspect(connection).has_table(consoles.name):
        yield _clock(connection)
        seen = select(func.count()).where(consoles.c.seen_at > now() - GONE)
        yield Finding("consoles", f"Alive in the last minute: {connection.scalar(seen)}.")
    if inspect(connection).has_table(installation.name):
        yield _same_key(connection, settings)
        if settings.retention_days is not None:
            yield _retention(connection, settings.retention_days)


def _schema(connection: Connection) -> Finding:
    revision = migrations.revision_of(connection)
    if migrations.is_usable(connection):
        newer = (
            "" if revision == migrations.HEAD else f", newer than this version ({migrations.HEAD}), which can use it"
        )
        return Finding("schema", f"is {revision}{newer}.")
    if revision > migrations.HEAD:
        return Finding("schema", f"is {revision}, newer than this version ({migrations.HEAD}).", "Use that version.")
    if not revision:
        return Finding("schema", "has no tables yet; the console makes them when it starts.")
    return Finding("schema", f"is {revision}, and this version needs {migrations.HEAD}.", "Run: oauth-console migrate")


def _integrity(connection: Connection) -> Finding:
    if connection.dialect.name == "sqlite":
        state = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if state != "ok":
            remedy = "Stop the console, and restore a backup, or move the file away: a new one is created."
            return Finding("integrity", f"The file is damaged: {state}.", remedy)
        return Finding("integrity", "The file is sound.")
    query = (
        "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indrelid "
        "WHERE relnamespace = current_schema()::regnamespace AND NOT indisvalid"
    )
    invalid = connection.exec_driver_sql(query).scalars().all()
    if invalid:
        names = ", ".join(invalid)
        return Finding("integrity", f"Not valid: {names}.", f"Run in psql: REINDEX INDEX CONCURRENTLY {invalid[0]}")
    return Finding("integrity", "All indexes are valid.")


def _clock(connection: Connection) -> Finding:
    """Compare the clocks: with the server's, or with what was stored in a file."""
    remedy = "Synchronise the clocks, such as with NTP: heartbeats and links depend on them."
    if connection.dialect.name == "sqlite":
        newest = connection.scalar(select(func.max(consoles.c.seen_at)))
        if newest is not None and newest - now() > MOST_SKEW:
            return Finding(
                "clock", f"This machine's clock is behind a console's of {newest:%Y-%m-%d %H:%M:%S}Z.", remedy
            )
        return Finding("clock", "No console's clock is ahead of this machine's.")
    before = now()
    theirs = connection.execute(select(func.clock_timestamp())).scalar_one()
    after = now()
    skew = theirs - (before + (after - before) / 2)
    text = f"The clock of the database differs by {abs(skew).total_seconds():.1f} s."
    return Finding("clock", text, remedy if abs(skew) > MOST_SKEW else "")


def _same_key(connection: Connection, settings: Settings) -> Finding:
    proof = connection.scalar(select(installation.c.value).where(installation.c.name == KEY))
    if proof not in (None, settings.key_proof):
        remedy = "Set CONSOLE_KEY to theirs. If it is lost, run: oauth-console history accept-key"
        return Finding("same key", "The database belongs to consoles with another key.", remedy)
    return Finding("same key", "No other key is in use." if proof is None else "It is the key of this database.")


def _retention(connection: Connection, days: int) -> Finding:
    until = done_until(connection)
    if until is None:
        return Finding("retention", "has not been done yet.")
    late = now() - timedelta(days=days) - until > RETENTION_LATE
    remedy = "Start a console with CONSOLE_RETENTION_DAYS, and read its log." if late else ""
    return Finding("retention", f"is done up to {until:%Y-%m-%d %H:%M} UTC.", remedy)
