"""Counts of exchanges by hour, in PostgreSQL, from which facets and charts are answered at any size.

Triggers add to them in the transaction of each change, so they are exact for everyone at any time. The rows of an hour
are merged in the background, and a history that was large before there were counts is counted there, newest first.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    cast,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.sql import visitors

from oauth.history.schema import backfills, exchanges, hourly_counts, utc_text
from oauth.history.terms import MomentTerm, SinceTerm

if TYPE_CHECKING:
    from oauth.history.database import Database
    from oauth.history.filters import Filters
    from oauth.history.store import History

NAME = "hourly counts"
"""The row of ``backfills`` while a large history is counted: hours from ``below`` on, as a number, are done."""

LOCK = 6753
"""The advisory lock of PostgreSQL of a transaction that replaces counts; triggers only add some."""

BATCH = 50_000
"""Rows that one transaction counts."""

MERGED_HOURS = 200
"""Hours that one statement merges."""

_HOUR = len("2026-11-24T08")
_NUMBERS = "number", "merged"
_KEYS = [column.name for column in hourly_counts.c if column.name not in _NUMBERS]
_NAMES = ", ".join(f'"{name}"' for name in _KEYS)
_VALUES = ", ".join(
    {
        "hour": f"left(started_at, {_HOUR})",
        "marks": "CASE WHEN position('imported' IN marks) > 0 THEN 'imported' ELSE '' END",
    }.get(name, f'"{name}"')
    for name in _KEYS
)
_COUNT = f"INSERT INTO hourly_counts ({_NAMES}, number, merged) SELECT {_VALUES}, count(*), true FROM exchanges"  # noqa: S608
_MERGE = (
    "WITH old AS (DELETE FROM hourly_counts WHERE hour IN "  # noqa: S608
    f"(SELECT DISTINCT hour FROM hourly_counts WHERE NOT merged ORDER BY hour LIMIT {MERGED_HOURS}) "
    f"RETURNING {_NAMES}, number), "
    f"new AS (INSERT INTO hourly_counts ({_NAMES}, number, merged) SELECT {_NAMES}, sum(number), true FROM old "
    f"GROUP BY {_NAMES} HAVING sum(number) <> 0) SELECT EXISTS (SELECT FROM old)"
)

TERMS = frozenset(
    ("step", "status", "error", "entry", "client", "case", "host", "provider", "method", "failure", "by", "origin")
)
"""The terms of a filter that the counts can answer, besides since and until."""

_BELOW = select(backfills.c.below).where(backfills.c.name == NAME)
_COUNTED = {exchanges.c[name]: hourly_counts.c[name] for name in _KEYS if name != "hour"}


def number_of(source: FromClause) -> ColumnElement[int]:
    """Return the number of exchanges in a group of ``source``, which may be zero where it has counts."""
    if "number" not in source.c:
        return func.count()
    return func.coalesce(cast(func.sum(source.c.number), BigInteger), 0)


def source(history: "History", filters: "Filters", seconds: float) -> FromClause | None:
    """Return the exchanges that match ``filters`` as rows with a ``number``, ``None`` where they are not counted.

    Their time is the hour. The parts of an hour at either end of the time are read from the exchanges. Raises
    ``HistoryError``.
    """
    moments = [term for term in filters.terms if isinstance(term, MomentTerm)]
    others = [term for term in filters.terms if not isinstance(term, MomentTerm)]
    if not history.database.is_shared or not all(term.name in TERMS for term in others):
        return None
    with history.database.reading(seconds) as connection:
        if not are_complete(connection):
            return None
    conditions = [*history.own(), *(term.condition() for term in others)]
    first, last = "", ""
    at = type_coerce(exchanges.c.started_at, Text)
    for term in moments:
        if isinstance(term, SinceTerm):
            first = utc_text(term.moment())
        else:
            last = utc_text(term.moment() + timedelta(microseconds=1))  # from here on nothing
    # The hours that are within the time as a whole.
    begin, end = _hour_from(first), last[:_HOUR]
    hour = hourly_counts.c.hour
    hours = [*([hour >= begin] if begin else []), *([hour < end] if last else [])]
    parts: list[Select[Any]] = []
    if last and begin >= end:
        parts.append(_live([*conditions, at >= first, at < last]))
    else:
        parts.append(_hourly([*conditions, *hours]))
        if first != f"{begin}:00:00.000000Z" and first:
            parts.append(_live([*conditions, at >= first, at < begin]))
        if last:
            parts.append(_live([*conditions, at >= end, at < last]))
    return union_all(*parts).subquery()


def merge(connection: Connection) -> bool:
    """Merge the rows of some hours that have new ones; return whether there were any, and no other console does so."""
    return _is_ours(connection) and bool(connection.exec_driver_sql(_MERGE).scalar_one())


def fill(database: "Database") -> bool:
    """Count the newest ``BATCH`` exchanges of a large history that are not counted yet; return whether any are left.

    Raises ``HistoryError``.
    """
    if not database.is_shared:
        return False
    with database.reading() as connection:
        if are_complete(connection):
            return False
    snapshot = database.engine.execution_options(isolation_level="REPEATABLE READ")
    # What is changed after the moment of the snapshot is added by the triggers, and what was until then is seen.
    with database.explained(writing=True), snapshot.begin() as connection:
        return not _is_ours(connection) or _fill(connection)


def count_all(connection: Connection) -> None:
    """Count all exchanges, in a transaction in which nobody else changes them."""
    connection.exec_driver_sql("TRUNCATE hourly_counts")
    connection.exec_driver_sql(f"{_COUNT} GROUP BY {_VALUES}")
    connection.execute(backfills.delete().where(backfills.c.name == NAME))


def are_complete(connection: Connection) -> bool:
    """Return whether all exchanges are counted."""
    return connection.scalar(_BELOW) is None


def lock(connection: Connection) -> None:
    """Wait for the lock of the counts, until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(LOCK)))


def number_before(connection: Connection, upper: str) -> int:
    """Return the number of exchanges in all hours before a time."""
    number = select(func.sum(hourly_counts.c.number)).where(hourly_counts.c.hour < upper)
    return int(connection.scalar(number) or 0)


def forget_before(connection: Connection, upper: str) -> int:
    """Remove the counts of all hours before a time, under ``lock``, and return their sum."""
    removed = (
        "WITH old AS (DELETE FROM hourly_counts WHERE hour < %(upper)s RETURNING number) SELECT sum(number) FROM old"
    )
    return int(connection.exec_driver_sql(removed, {"upper": upper}).scalar_one() or 0)


def count_before(connection: Connection, upper: str) -> int:
    """Count the exchanges before a time anew, after ``forget_before``; return their number."""
    of_time = f"{_COUNT} WHERE started_at < %(upper)s GROUP BY {_VALUES}"
    counted = f"WITH new AS ({of_time} RETURNING number) SELECT sum(number) FROM new"  # noqa: S608
    return int(connection.exec_driver_sql(counted, {"upper": upper}).scalar_one() or 0)


def _is_ours(connection: Connection) -> bool:
    """Take the lock of the counts until the transaction ends, if no other console has it."""
    return bool(connection.scalar(select(func.pg_try_advisory_xact_lock(LOCK))))


def _fill(connection: Connection) -> bool:
    progress = backfills.c.name == NAME
    below = connection.scalar(_BELOW)
    if below is None:
        return False
    at = type_coerce(exchanges.c.started_at, Text)
    upper = _hour_of(below)
    # Text that sorts behind all times is damaged, and counted with the newest.
    until = [at < upper] if upper < "9999" else []
    query = select(at).where(*until).order_by(exchanges.c.started_at.desc(), exchanges.c.id.desc())
    lower = (connection.scalar(query.offset(BATCH).limit(1)) or "")[:_HOUR]
    below = _as_number(lower)
    if below is None:
        lower = ""
    rows = "started_at >= %(lower)s" + (" AND started_at < %(upper)s" if until else "")
    bounds = {"lower": lower, "upper": upper}
    connection.exec_driver_sql(f"DELETE FROM hourly_counts WHERE {rows.replace('started_at', 'hour')}", bounds)  # noqa: S608
    connection.exec_driver_sql(f"{_COUNT} WHERE {rows} GROUP BY {_VALUES}", bounds)
    if below is None:
        connection.execute(backfills.delete().where(progress))
    else:
        connection.execute(backfills.update().where(progress).values(below=below))
    return below is not None


def _hour_of(number: int) -> str:
    digits = f"{number:010}"
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}T{digits[8:]}"


def _as_number(hour: str) -> int | None:
    digits = hour.replace("-", "").replace("T", "")
    return int(digits) if digits.isdecimal() and _hour_of(int(digits)) == hour else None


def _hour_from(first: str) -> str:
    """Return the first hour that begins at a time or after it."""
    if not first or first[_HOUR:] == ":00:00.000000Z":
        return first[:_HOUR]
    return utc_text(datetime.fromisoformat(first).astimezone(UTC) + timedelta(hours=1))[:_HOUR]


def _hourly(conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    counted = [
        visitors.replacement_traverse(condition, {}, lambda element, **_: _COUNTED.get(element))
        for condition in conditions
    ]
    keys = [hourly_counts.c.hour.label("started_at"), *_COUNTED.values()]
    return select(*keys, hourly_counts.c.number).where(*counted)


def _live(conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    keys = [type_coerce(exchanges.c.started_at, Text).label("started_at"), *_COUNTED]
    return select(*keys, literal(1, BigInteger).label("number")).where(*conditions)
