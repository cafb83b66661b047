"""Counts of exchanges by time, in PostgreSQL, from which facets and charts are answered at any size.

Triggers add to them in the transaction of each change, so they are exact for everyone at any time. The rows of a period
are merged in the background, and a history that was large before there were counts is counted there, newest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.sql import visitors

from oauth.history.schema import backfills, exchange_counts, exchanges, utc_text
from oauth.history.terms import ANY, MomentTerm, OriginTerm, SinceTerm, Term

if TYPE_CHECKING:
    from oauth.history.database import Database
    from oauth.history.filters import Filters
    from oauth.history.store import History

NAME = "exchange counts"
"""The row of ``backfills`` while a large history is counted: months from ``below`` on, such as 202611, are done."""

LOCK = 6753
"""The advisory lock of PostgreSQL of a transaction that replaces counts; triggers only add some."""

MERGED_PERIODS = 200
"""Periods that one statement merges."""

FEW = 1000
"""New rows of a period that goes on that are left: merging it writes all of its rows again."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A length of time by which exchanges are counted, with the columns that they have in common.

    ``length`` is that of its periods, which are the begin of ``started_at``. With ``of``, only exchanges with something
    in that column are counted.
    """

    name: str
    length: int
    columns: tuple[str, ...]
    of: str = ""

    def has(self, column: str, needed: set[str]) -> bool:
        """Return whether the unit has the columns of a question for exchanges that have something in ``column``."""
        return needed <= {*self.columns} and self.of in ("", column)

    def period(self, moment: datetime) -> str:
        """Return the period of a time."""
        return utc_text(moment)[: self.length]

    def period_from(self, moment: datetime) -> str:
        """Return the first period that begins at a time or after it."""
        period = self.period(moment)
        if utc_text(moment) == period + "0000-01-01T00:00:00.000000Z"[self.length :]:
            return period
        if self.length == len("2026-11"):
            return self.period(moment.replace(day=1) + timedelta(days=32))
        return self.period(moment + timedelta(hours=1 if self.name == "hour" else 24))


_ERROR = "documented_error", "error", "entry"
_COMMON = "owner", "origin", "step", "outcome", "status", *_ERROR, "provider", "client_id"
UNITS = (
    Unit("month", 7, _COMMON),
    # All of it by the hour, or the cases by the day, would be about as many rows as there are exchanges.
    Unit("case", 7, ("owner", "origin", "case"), of="case"),
    Unit("day", 10, _COMMON),
    Unit("hour", 13, ("owner", "origin", "step", *_ERROR), of="documented_error"),
)
"""The units, the longest periods first."""

_KEYS = [column.name for column in exchange_counts.c if column.name not in ("number", "merged")]
_NAMES = ", ".join(f'"{name}"' for name in _KEYS)
_MERGE = (
    "WITH old AS (DELETE FROM exchange_counts WHERE period IN "  # noqa: S608
    "(SELECT period FROM exchange_counts WHERE NOT merged GROUP BY period "
    "HAVING count(*) >= %(few)s OR period < left(%(now)s, length(period)) "
    f"ORDER BY period LIMIT {MERGED_PERIODS}) "
    f"RETURNING {_NAMES}, number), "
    f"new AS (INSERT INTO exchange_counts ({_NAMES}, number, merged) SELECT {_NAMES}, sum(number), true FROM old "
    f"GROUP BY {_NAMES} HAVING sum(number) <> 0) SELECT EXISTS (SELECT FROM old)"
)
_BELOW = select(backfills.c.below).where(backfills.c.name == NAME)


def number_of(source: FromClause) -> ColumnElement[int]:
    """Return the number of exchanges in a group of ``source``, which may be zero where it has counts."""
    if "number" not in source.c:
        return func.count()
    return func.coalesce(cast(func.sum(source.c.number), BigInteger), 0)


@dataclass(frozen=True, slots=True)
class Counted:
    """The needs of a question: the exchanges that have something in ``column``, or all of them without one.

    ``length`` is the number of characters that it reads of the time.
    """

    column: str = ""
    length: int = 0


def source(history: "History", filters: "Filters", counted: Counted, seconds: float) -> FromClause | None:
    """Return the exchanges that match ``filters`` as rows with a ``number``, ``None`` where they are not counted.

    The parts of a period at either end of the time are read from the exchanges. Raises ``HistoryError``.
    """
    if not history.database.is_shared:
        return None
    moments = [term for term in filters.terms if isinstance(term, MomentTerm)]
    others = [term for term in filters.terms if not isinstance(term, MomentTerm)]
    needed = _columns_of(history.own()) | ({counted.column} if counted.column else set())
    for term in others:
        needed |= {"origin"} if isinstance(term, OriginTerm) else _columns_of([term.condition()])
    units = [unit for unit in UNITS if unit.length >= counted.length and unit.has(counted.column, needed)]
    if not units:
        return None
    with history.database.reading(seconds) as connection:
        if not are_complete(connection):
            return None
    # The fewest rows, or with a time, the shortest parts of a period at its ends.
    unit = units[-1 if moments else 0]
    named = [name for name in unit.columns if name != "origin"]
    conditions = [exchange_counts.c.unit == unit.name]
    conditions += [_adapted(condition) for condition in history.own()]
    conditions += [_origin(term) if isinstance(term, OriginTerm) else _adapted(term.condition()) for term in others]
    live = [*history.own(), *(term.condition() for term in others)]
    at, period = type_coerce(exchanges.c.started_at, Text), exchange_counts.c.period
    first = next((term.moment() for term in moments if isinstance(term, SinceTerm)), None)
    last = next((term.moment() for term in moments if not isinstance(term, SinceTerm)), None)
    last = last and last + timedelta(microseconds=1)
    edges: list[list[ColumnElement[bool]]] = []
    if first is not None and last is not None and unit.period_from(first) > unit.period(last):
        edges.append([at >= utc_text(first), at < utc_text(last)])
        conditions = [false()]
    else:
        if first is not None:
            begin = unit.period_from(first)
            conditions.append(period >= begin)
            edges.append([at >= utc_text(first), at < begin])
        if last is not None:
            end = unit.period(last)
            conditions.append(period < end)
            edges.append([at >= end, at < utc_text(last)])
    keys = [exchange_counts.c[name] for name in named]
    parts: list[Select[Any]] = [select(period.label("started_at"), *keys, exchange_counts.c.number).where(*conditions)]
    for edge in edges:
        one = literal(1, BigInteger).label("number")
        parts.append(select(at.label("started_at"), *(exchanges.c[name] for name in named), one).where(*live, *edge))
    return union_all(*parts).subquery()


def merge(connection: Connection, now: datetime | None) -> bool | None:
    """Merge rows of some periods that have new ones; return whether there were any, ``None`` if others replace some.

    Periods that go on at ``now`` may keep a ``FEW`` of them; without a time none does.
    """
    if not _is_ours(connection):
        return None
    values = {"few": 0, "now": ""} if now is None else {"few": FEW, "now": utc_text(now)}
    return bool(connection.exec_driver_sql(_MERGE, values).scalar_one())


def fill(database: "Database") -> bool:
    """Count the newest month of a large history that is not counted yet; return whether any are left.

    Raises ``HistoryError``.
    """
    if not database.is_shared:
        return False
    with database.reading() as connection:
        if are_complete(connection):
            return False
    return not database.change_at_one_moment(_fill)


def are_complete(connection: Connection) -> bool:
    """Return whether all exchanges are counted."""
    return connection.scalar(_BELOW) is None


def count_all(connection: Connection) -> None:
    """Count all exchanges, in a transaction in which nobody else changes them."""
    connection.exec_driver_sql("TRUNCATE exchange_counts")
    _count(connection)
    connection.execute(backfills.delete().where(backfills.c.name == NAME))


def lock(connection: Connection) -> None:
    """Wait for the lock of the counts, until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(LOCK)))


def number_before(connection: Connection, month: str) -> int:
    """Return the number of exchanges before the begin of a month, a date."""
    of_time = exchange_counts.c.unit == "month", exchange_counts.c.period < month[:7]
    return int(connection.scalar(select(func.sum(exchange_counts.c.number)).where(*of_time)) or 0)


def forget(connection: Connection, month: str) -> int:
    """Remove the counts before the begin of a month, a date, under ``lock``; return the number of exchanges in them."""
    old = exchange_counts.delete().where(exchange_counts.c.period < month[:7])
    removed = old.returning(exchange_counts.c.unit, exchange_counts.c.number).cte()
    return int(connection.scalar(select(func.sum(removed.c.number)).where(removed.c.unit == "month")) or 0)


def count_again(connection: Connection, month: str) -> int:
    """Count what is before the begin of a month, a date, after ``forget``; return the number."""
    _count(connection, until=month)
    return number_before(connection, month)


def _count(connection: Connection, since: str = "", until: str | None = None) -> None:
    """Add the counts of a time (``r0015_months.py``)."""
    connection.execute(select(func.exchange_counts_add(since, until)))


def _is_ours(connection: Connection) -> bool:
    """Take the lock of the counts until the transaction ends, if no other console has it."""
    return bool(connection.scalar(select(func.pg_try_advisory_xact_lock(LOCK))))


def _fill(connection: Connection) -> bool:
    """Count a month; return whether that was all. What is changed after this transaction's moment, triggers add."""
    if not _is_ours(connection):
        return False
    below = connection.scalar(_BELOW)
    if below is None:
        return True
    at = type_coerce(exchanges.c.started_at, Text)
    upper = f"{below // 100:04}-{below % 100:02}"
    newest = connection.scalar(select(at).where(at < upper).order_by(exchanges.c.started_at.desc()).limit(1)) or ""
    month = newest[:7].replace("-", "")
    # Text that is not a time sorts beside all times, and is counted with the newest or with the oldest.
    is_last = not month.isdecimal() or newest[4:5] != "-"
    lower = "" if is_last else newest[:7]
    until = upper if below < _ALL else None
    period = exchange_counts.c.period
    connection.execute(exchange_counts.delete().where(period >= lower, *([period < until] if until else [])))
    _count(connection, lower, until)
    if is_last:
        connection.execute(backfills.delete().where(backfills.c.name == NAME))
    else:
        connection.execute(backfills.update().where(backfills.c.name == NAME).values(below=int(month)))
    return is_last


_ALL = 999_999
"""The month of ``backfills`` when nothing is counted."""


def _columns_of(conditions: Sequence[ColumnElement[bool]]) -> set[str]:
    elements = (element for condition in conditions for element in visitors.iterate(condition))
    return {element.name for element in elements if isinstance(element, Column)}


def _adapted(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition on exchanges as one on their counts."""

    def replaced(element: Any, **_: Any) -> Any:
        return exchange_counts.c[element.name] if isinstance(element, Column) else None

    return visitors.replacement_traverse(condition, {}, replaced)


def _origin(term: Term) -> ColumnElement[bool]:
    condition = or_(*(true() if value == ANY else exchange_counts.c.origin.contains(value) for value in term.values))
    return not_(condition) if term.negated else condition
