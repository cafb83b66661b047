"""A page of the list, newest first, as fast in a long history as in a short one.

Each filter is a range of one index in the order of the list. Words are not: SQLite's index of words is in the order of
row numbers. That is nearly the order of the list, for only what was imported is older than its number says. So the hits
with the largest numbers are taken, and a look into the list tells whether any row beside them could stand among them.
Where one could, or where too few of the hits are shown, a rare word's exchanges are all read and sorted, and for a
common one the list is walked in windows, each compared with the words of its row numbers. PostgreSQL decides by its
statistics, which know common words only: for others it may walk a long list to its end. So it gets a moment for that,
and is told to look into its index of words after it.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Result,
    RowMapping,
    Select,
    Text,
    case,
    func,
    literal,
    not_,
    select,
    text,
    tuple_,
    type_coerce,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import BooleanClauseList, UnaryExpression
from sqlalchemy.sql.operators import is_false

from oauth.history import error_messages
from oauth.history.schema import exchanges
from oauth.history.search import Matches

RARE = 2000
"""Exchanges that are sorted rather than looked for in the list."""

WINDOW = 500
"""Exchanges of the list that are looked at first; each further window is four times as long, up to the longest."""

LONGEST_WINDOW = 32_000

LARGEST_ID = 2**63 - 1

WALK_SECONDS = 0.3
"""Time that PostgreSQL has for looking for words in the way that it chose."""

CONTENT = ("request_headers", "request_body", "response_headers", "response_body")
"""The columns that may have megabytes."""

Key = tuple[str, int]
Conditions = Sequence[ColumnElement[bool]]

# The time as it is kept, for it sorts and need not be read.
_KEY = type_coerce(exchanges.c.started_at, Text()).label("at"), exchanges.c.id
_PLACE = tuple_(exchanges.c.started_at, exchanges.c.id)
_NEWEST_FIRST = exchanges.c.started_at.desc(), exchanges.c.id.desc()
_SOME = text("SELECT rowid FROM exchanges_search WHERE exchanges_search MATCH :words LIMIT :most")
_IN_PIECE = (
    "SELECT rowid FROM exchanges_search "
    "WHERE exchanges_search MATCH :words AND rowid <= :above ORDER BY rowid DESC LIMIT :most"
)
_PIECE = text(f"SELECT count(*), min(rowid) FROM ({_IN_PIECE})")  # noqa: S608

_FOUND = (
    "id {sign} IN (SELECT rowid FROM exchanges_search "
    "WHERE exchanges_search MATCH :words{number} AND rowid BETWEEN :first AND :last)"
)


@dataclass(frozen=True, slots=True)
class Place:
    """The key of a row that a page follows, or begins with when ``is_shown``."""

    key: Key
    is_shown: bool = False

    def condition(self) -> ColumnElement[bool]:
        """Return the condition that an exchange is there or later in the list."""
        key = tuple_(literal(self.key[0], Text()), literal(self.key[1], BigInteger()))
        return key >= _PLACE if self.is_shown else key > _PLACE


def _outline(dialect: str) -> list[ColumnElement[str]]:
    """Return the columns of a row with empty headers and bodies, but for damaged ones (``schema.Wrong.TEXT``)."""
    columns: list[ColumnElement[str]] = []
    for column in exchanges.c:
        if column.name not in CONTENT:
            columns.append(column)
        elif dialect == "sqlite":
            columns.append(case((func.typeof(column) == "text", ""), else_=column).label(column.name))
        else:
            columns.append(literal("").label(column.name))
    return columns


def page(
    connection: Connection,
    branches: Sequence[Conditions],
    own: Conditions,
    before: int | None,
    limit: int,
    *,
    with_content: bool = True,
) -> Sequence[RowMapping]:
    """Return at most ``limit`` rows of any branch, newest first, from the newest or from the one after row ``before``.

    ``own`` are the conditions of the rows that are seen at all, which each branch has too. When row ``before`` is gone,
    or is not seen, its place is that of the newest row with a smaller number, which is then the first. Without content
    the columns of ``CONTENT`` are empty.
    """
    columns = [*exchanges.c] if with_content else _outline(connection.dialect.name)
    place = None if before is None else _following(connection, own, before)
    if before is not None and place is None:
        return []
    if len(branches) == 1 and not (connection.dialect.name == "sqlite" and _Words.of(branches[0]).any()):
        rows = select(*columns).where(*_from(place), *branches[0]).order_by(*_NEWEST_FIRST).limit(limit)
        return _run(connection, rows, branches[0]).mappings().all()
    keys = [newest(connection, branch, limit, place) for branch in branches]
    # An exchange may be in several branches.
    ordered = dict.fromkeys(merge(*keys, reverse=True)) if len(keys) > 1 else keys[0]
    ids = [id for _, id in islice(ordered, limit)]
    rows = select(*columns).where(exchanges.c.id.in_(ids)).order_by(*_NEWEST_FIRST)
    return connection.execute(rows).mappings().all() if ids else []


def newest(connection: Connection, conditions: Conditions, limit: int, place: Place | None = None) -> list[Key]:
    """Return the keys of the newest exchanges that meet all conditions, from the newest or from a place of the list."""
    words = _Words.of(conditions)
    if connection.dialect.name != "sqlite" or not words.any():
        query = _keyed([*_from(place), *conditions]).limit(limit)
        return [(row.at, row.id) for row in _run(connection, query, conditions)]
    if words.required:
        latest = _latest(connection, words, limit, place)
        if latest is not None:
            return latest
    others = [*_from(place), *words.others]
    if words.required:
        hits = connection.execute(_SOME, {"words": " ".join(words.required), "most": RARE + 1}).all()
        if len(hits) <= RARE:
            rare = [exchanges.c.id.in_([row.rowid for row in hits]), *others]
            return [
                *_among(connection, _keyed(rare).with_hint(exchanges, "NOT INDEXED", "sqlite"), [], words.excluded)
            ][:limit]
    return _walked(connection, others, words.required, words.excluded, limit)


def _run(connection: Connection, query: Select[Any], conditions: Conditions) -> Result[Any]:
    """Run a query of the list, in PostgreSQL by its index of words where another way takes long."""
    if connection.dialect.name == "sqlite" or not _Words.of(conditions).required:
        return connection.execute(query)
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {WALK_SECONDS * 1000:.0f}")
        return connection.execute(query).freeze()()
    except DBAPIError as error:
        if not error_messages.took_too_long(error):
            raise
    finally:
        savepoint.rollback()  # the limit goes with it
    with connection.begin_nested() as by_words:
        connection.exec_driver_sql("SET LOCAL enable_indexscan = off; SET LOCAL enable_seqscan = off")
        result = connection.execute(query).freeze()()
        by_words.rollback()
    return result


@dataclass(frozen=True, slots=True)
class _Words:
    """Conditions, with those on words separated, in the syntax of FTS5."""

    others: list[ColumnElement[bool]]
    required: list[str]
    excluded: list[str]

    @classmethod
    def of(cls, conditions: Conditions) -> "_Words":
        """The conditions, with what stands together by AND taken apart."""
        words = cls([], [], [])
        for condition in _flat(conditions):
            if isinstance(condition, Matches):
                words.required.append(condition.fts5)
            elif (matches := _negated(condition)) is not None:
                words.excluded.append(matches.fts5)
            else:
                words.others.append(condition)
        return words

    def any(self) -> bool:
        """Return whether there are any conditions on words."""
        return bool(self.required or self.excluded)

    def query(self) -> str:
        """Combine all of them in one query of FTS5, when some are required."""
        return "".join([f"({' '.join(self.required)})", *(f" NOT ({words})" for words in self.excluded)])


def _latest(connection: Connection, words: _Words, limit: int, place: Place | None) -> list[Key] | None:
    """Return the page by the ids of the hits, or ``None`` where that could miss a row."""
    # The exchanges of several sessions are not quite in the order of time: some that follow have larger numbers.
    highest = min(place.key[1] + limit // 2, LARGEST_ID) if place else LARGEST_ID
    keys: list[Key] = []
    above, size, read = highest, 2 * limit, 0
    while True:
        piece = {"words": words.query(), "above": above, "most": size}
        number, lowest = connection.execute(_PIECE, piece).one()
        in_piece = exchanges.c.id.in_(text(_IN_PIECE).bindparams(**piece).columns(exchanges.c.id))
        hits = _keyed([in_piece, *_from(place), *words.others]).with_hint(exchanges, "NOT INDEXED", "sqlite")
        keys += [(row.at, row.id) for row in connection.execute(hits)]
        if number < size and place is None:
            return sorted(keys, reverse=True)[:limit]
        if len(keys) >= limit:
            break
        read += number
        if number < size or read > RARE:
            return None
        above, size = lowest - 1, 4 * size
    keys = sorted(keys, reverse=True)[:limit]
    # By the times alone: comparing the numbers behind them too takes twice as long, and matters for ties only.
    at = _KEY[0].element
    span = [at >= keys[-1][0], *([at <= place.key[0]] if place else [])]
    beside = not_(exchanges.c.id.between(lowest, highest))
    could_be = connection.execute(select(exchanges.c.id).where(*span, beside, *words.others).limit(1)).first()
    return keys if could_be is None else None


def _walked(
    connection: Connection, others: Conditions, required: Sequence[str], excluded: Sequence[str], limit: int
) -> list[Key]:
    keys: list[Key] = []
    size, place = WINDOW, list[ColumnElement[bool]]()
    while len(keys) < limit:
        window = _keyed([*place, *others])
        keys += _among(connection, window.limit(size), required, excluded)
        last = connection.execute(window.offset(size - 1).limit(1)).one_or_none()
        if last is None:
            break
        place = [Place((last.at, last.id)).condition()]
        size = min(size * 4, LONGEST_WINDOW)
    return keys[:limit]


def _among(
    connection: Connection, window: Select[Key], required: Sequence[str], excluded: Sequence[str]
) -> Sequence[Key]:
    """Return the keys of a window of the list that match all of ``required`` and none of ``excluded``."""
    rows = window.subquery()
    first, last = connection.execute(select(func.min(rows.c.id), func.max(rows.c.id))).one()
    query = select(rows.c.at, rows.c.id).order_by(rows.c.at.desc(), rows.c.id.desc())
    # The numbers of a part of the list are close together, and only their part of the index is read.
    for number, (words, sign) in enumerate([*((one, "") for one in required), *((one, "NOT") for one in excluded)]):
        condition = _FOUND.format(sign=sign, number=number)
        query = query.where(text(condition).bindparams(**{f"words{number}": words, "first": first, "last": last}))
    return [(row.at, row.id) for row in connection.execute(query)] if first is not None else []


def _keyed(conditions: Conditions) -> Select[Key]:
    return select(*_KEY).where(*conditions).order_by(*_NEWEST_FIRST)


def _flat(conditions: Conditions) -> list[ColumnElement[bool]]:
    """The conditions, with what stands together by AND taken apart."""
    flat: list[ColumnElement[bool]] = []
    for condition in conditions:
        together = isinstance(condition, BooleanClauseList) and condition.operator is operator.and_
        flat += _flat(list(condition.clauses)) if together else [condition]
    return flat


def _negated(condition: ColumnElement[bool]) -> Matches | None:
    """Return the search that a condition negates, ``None`` for any other condition."""
    if isinstance(condition, UnaryExpression) and condition.operator is is_false:
        element = condition.element
        return element if isinstance(element, Matches) else None
    return None


def _from(place: Place | None) -> list[ColumnElement[bool]]:
    return [] if place is None else [place.condition()]


def _following(connection: Connection, own: Conditions, before: int) -> Place | None:
    """Return the place after row ``before``; ``None`` when it and all smaller ids are gone."""
    up_to = select(*_KEY).where(exchanges.c.id <= min(before, LARGEST_ID), *own)
    row = connection.execute(up_to.order_by(exchanges.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else Place((row.at, row.id), row.id != before)
