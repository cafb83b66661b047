"""PostgreSQL's partitions of the exchanges: a table for each month, made ahead, and dropped when all in it is too old.

The first one has what is older than the months, and the last one what is newer, so that every row has a place. With a
default partition instead, PostgreSQL would not read the partitions in the order of the list.

A change waits for a table in use only for a moment, for all others wait behind it, and is tried again next time.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from oauth.history.database import Database
from oauth.history.schema import exchanges

PAST, LATER = "exchanges_past", "exchanges_later"
"""The first partition and the last one."""

AHEAD = 2
"""Months after the current one that have a table."""

MOST_MONTHS = 120
"""Months that a restored history is divided into, the newest."""

SMALL = 64 * 2**20
"""Octets of a table that is read while nobody can write to it."""

_BOUNDS = text(
    "SELECT inhrelid::regclass::text, pg_get_expr(relpartbound, pg_class.oid) FROM pg_inherits "
    "JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'exchanges'::regclass"
)
_BOUND = re.compile(r"FOR VALUES FROM \((?:MINVALUE|'([^']+)')\) TO \((?:MAXVALUE|'([^']+)')\)")

COLUMNS = ", ".join(f'"{column.name}"' for column in exchanges.c)
"""The columns that are written; that of the search is made from them."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A table with the exchanges from ``lower`` on and before ``upper``; empty is without a bound."""

    name: str
    lower: str
    upper: str


def partitions(connection: Connection) -> list[Partition]:
    """Return the partitions in the order of time."""
    tables = []
    for name, bound in connection.execute(_BOUNDS):
        if match := _BOUND.fullmatch(bound):
            tables.append(Partition(name, match[1] or "", match[2] or ""))
    return sorted(tables, key=lambda partition: partition.lower)


class Months:
    """The making of partitions in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_refused = False

    def make(self, now: datetime) -> None:
        """Make the partitions of the months until ``AHEAD`` of them after ``now``. Raises ``HistoryError``."""
        if not self._database.is_shared or self._is_refused:
            return
        with self._database.reading() as connection:
            last = partitions(connection)[-1]
        if not last.lower and not self._end_past(now):
            return
        until = month_of(now, AHEAD)
        while last.lower <= until and self._database.change_tables(_add_month):
            with self._database.reading() as connection:
                last = partitions(connection)[-1]

    def _end_past(self, now: datetime) -> bool:
        """Give the table that has everything an end, so that months can follow; return whether it has one."""
        with self._database.reading() as connection:
            size = connection.scalar(text(f"SELECT pg_relation_size('{PAST}')")) or 0
            newest = connection.scalar(text(f"SELECT max(started_at) FROM {PAST}")) or ""  # noqa: S608
        # A large table is read before, which takes minutes, and what is written meanwhile has to be before the end.
        is_large = size > SMALL
        ends = [month_of(now + timedelta(days=31), 1)] if is_large else [month_of(now), month_of(now, 1)]
        end = next((end for end in ends if newest < end), "")
        if not end:
            logging.getLogger(__name__).warning(
                "The history is not divided into months: its newest exchange says that it began at %.30s. "
                "Delete what is dated after %s, and start the console again.",
                newest,
                ends[-1],
            )
            self._is_refused = True
            return False
        if is_large and not self._check_end(end):
            return False

        def change(connection: Connection) -> None:
            if partitions(connection) == [Partition(PAST, "", "")]:
                _run(
                    connection,
                    f"ALTER TABLE exchanges DETACH PARTITION {PAST}",
                    _attached(PAST, "", end),
                    f"ALTER TABLE {PAST} DROP CONSTRAINT IF EXISTS {PAST}_end",
                    _made(LATER),
                    _attached(LATER, end, ""),
                )

        return self._database.change_tables(change)

    def _check_end(self, end: str) -> bool:
        """Let PostgreSQL verify that nothing in the table is later than ``end``, without blocking writes."""
        constraint = f"{PAST}_end"

        def add(connection: Connection) -> None:
            check = f"ADD CONSTRAINT {constraint} CHECK (started_at < '{end}') NOT VALID"
            _run(connection, f"ALTER TABLE {PAST} DROP CONSTRAINT IF EXISTS {constraint}, {check}")

        if not self._database.change_tables(add):
            return False
        with self._database.explained(), closing(self._database.connect_apart()) as connection:
            driver: Any = connection.connection.dbapi_connection
            driver.seconds = None
            _run(
                connection,
                "SET statement_timeout = 0; SET lock_timeout = 0",
                f"ALTER TABLE {PAST} VALIDATE CONSTRAINT {constraint}",
            )
        return True


def lay_out(connection: Connection, oldest: datetime, now: datetime) -> None:
    """Replace the partitions, which are empty, by those for exchanges from ``oldest`` on."""
    for partition in partitions(connection):
        _run(connection, f"DROP TABLE {partition.name}")
    first = max(month_of(min(oldest, now)), month_of(now, -MOST_MONTHS))
    _run(connection, _made(PAST), _attached(PAST, "", first), _made(LATER), _attached(LATER, first, ""))
    while partitions(connection)[-1].lower <= month_of(now, AHEAD):
        _add_month(connection)


def make_first(connection: Connection) -> None:
    """Make the table for ``replace_first``."""
    _run(connection, _made("exchanges_first"))


def replace_first(
    connection: Connection, old: Sequence[Partition], spared: Sequence[str], values: Mapping[str, Any]
) -> None:
    """Drop the first partitions, but for the rows that meet a condition: a new first one has them, with their time."""
    for each in old:
        _run(connection, f"ALTER TABLE exchanges DETACH PARTITION {each.name}")
        for condition in spared:
            connection.exec_driver_sql(_copied(each.name, "exchanges_first", condition), dict(values))
        _run(connection, f"DROP TABLE {each.name}")
    _run(connection, f"ALTER TABLE exchanges_first RENAME TO {PAST}", _attached(PAST, "", old[-1].upper))


def month_of(moment: datetime, more: int = 0) -> str:
    """Return the first day of a time's month, or of one that is ``more`` months later."""
    years, month = divmod(moment.month - 1 + more, 12)
    return f"{moment.year + years:04}-{month + 1:02}-01"


def _add_month(connection: Connection) -> None:
    """Make the next month's partition, with what is in the last one of it."""
    later = partitions(connection)[-1]
    upper = month_of(datetime.fromisoformat(later.lower), 1)
    name = f"exchanges_{later.lower[:4]}_{later.lower[5:7]}"
    of_month = f"started_at < '{upper}'"
    _run(
        connection,
        _made(name),
        f"ALTER TABLE exchanges DETACH PARTITION {LATER}",
        _copied(LATER, name, of_month),
        f"DELETE FROM {LATER} WHERE {of_month}",  # noqa: S608
        _attached(name, later.lower, upper),
        _attached(LATER, upper, ""),
    )


def _made(name: str) -> str:
    return f"CREATE TABLE {name} (LIKE exchanges INCLUDING ALL)"


def _attached(name: str, lower: str, upper: str) -> str:
    bounds = f"FROM ({_bound(lower, 'MINVALUE')}) TO ({_bound(upper, 'MAXVALUE')})"
    return f"ALTER TABLE exchanges ATTACH PARTITION {name} FOR VALUES {bounds}"


def _bound(value: str, otherwise: str) -> str:
    return f"'{value}'" if value else otherwise


def _copied(source: str, target: str, condition: str) -> str:
    return f"INSERT INTO {target} ({COLUMNS}) SELECT {COLUMNS} FROM {source} WHERE {condition}"  # noqa: S608


def _run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
