"""A page of the list, newest first, at the same speed in a short history and in a long one.

Each filter is a range of one index in the order of the list. Words are not: SQLite's index of words is in the order of
row numbers. So a rare word's exchanges are all read and sorted, and for a common one the list is walked in windows,
each compared with the words of its row numbers. PostgreSQL knows from its statistics which of both to do.
"""

import operator
from collections.abc import Sequence
from heapq import merge
from itertools import islice

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Text,
    false,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    type_coerce,
)
from sqlalchemy.sql.elements import BooleanClauseList, UnaryExpression
from sqlalchemy.sql.operators import is_false

from oauth.history.filters import Filters, where
from oauth.history.schema import exchanges
from oauth.history.search import Matches

RARE = 2000
"""Exchanges that are sorted rather than looked for in the list."""

WINDOW = 500
"""Exchanges of the list that are looked at first; each further window is four times as long, up to the longest."""

LONGEST_WINDOW = 32_000

LARGEST_ID = 2**63 - 1

Key = tuple[str, int]
Conditions = Sequence[ColumnElement[bool]]

# The time as it is kept, for it sorts and need not be read.
_KEY = type_coerce(exchanges.c.started_at, Text()).label("at"), exchanges.c.id
_PLACE = tuple_(exchanges.c.started_at, exchanges.c.id)
_NEWEST_FIRST = exchanges.c.started_at.desc(), exchanges.c.id.desc()
_SOME = text("SELECT rowid FROM exchanges_search WHERE exchanges_search MATCH :words LIMIT :most")

_FOUND = (
    "id {sign} IN (SELECT rowid FROM exchanges_search "
    "WHERE exchanges_search MATCH :words{number} AND rowid BETWEEN :first AND :last)"
)


def page(connection: Connection, filters: Filters, before: int | None, limit: int) -> Sequence[RowMapping]:
    """At most ``limit`` rows that the filters show, newest first, from the newest on or from what follows ``before``.

    When that row is gone, its place is that of the newest row with a smaller number, which is then the first.
    """
    place = [] if before is None else [_follows(connection, before)]
    branches = filters.branches()
    keys = [newest(connection, [*place, *where(branch)], limit) for branch in branches]
    # An exchange may be in several branches.
    ordered = dict.fromkeys(merge(*keys, reverse=True)) if len(keys) > 1 else keys[0]
    ids = [id for _, id in islice(ordered, limit)]
    rows = select(exchanges).where(exchanges.c.id.in_(ids)).order_by(*_NEWEST_FIRST)
    return connection.execute(rows).mappings().all() if ids else []


def newest(connection: Connection, conditions: Conditions, limit: int) -> list[Key]:
    """The keys of the newest exchanges of which all conditions hold."""
    flat = list(_flat(conditions))
    wanted = [condition.fts5 for condition in flat if isinstance(condition, Matches)]
    unwanted = [matches.fts5 for condition in flat if (matches := _negated(condition)) is not None]
    if connection.dialect.name != "sqlite" or not wanted + unwanted:
        return [(row.at, row.id) for row in connection.execute(_keyed(conditions).limit(limit))]
    others = [condition for condition in flat if not isinstance(condition, Matches) and _negated(condition) is None]
    if wanted:
        found = connection.execute(_SOME, {"words": " ".join(wanted), "most": RARE + 1}).all()
        if len(found) <= RARE:
            rare = [exchanges.c.id.in_([row.rowid for row in found]), *others]
            return [*_among(connection, _keyed(rare).with_hint(exchanges, "NOT INDEXED", "sqlite"), [], unwanted)][
                :limit
            ]
    return _walked(connection, others, wanted, unwanted, limit)


def _walked(
    connection: Connection, others: Conditions, wanted: Sequence[str], unwanted: Sequence[str], limit: int
) -> list[Key]:
    keys: list[Key] = []
    size, place = WINDOW, list[ColumnElement[bool]]()
    while len(keys) < limit:
        window = _keyed([*place, *others])
        keys += _among(connection, window.limit(size), wanted, unwanted)
        last = connection.execute(window.offset(size - 1).limit(1)).one_or_none()
        if last is None:
            break
        place = [_older_than((last.at, last.id))]
        size = min(size * 4, LONGEST_WINDOW)
    return keys[:limit]


def _among(
    connection: Connection, window: Select[Key], wanted: Sequence[str], unwanted: Sequence[str]
) -> Sequence[Key]:
    """The keys in a part of the list of which all of ``wanted`` and none of ``unwanted`` is found in the exchange."""
    rows = window.subquery()
    first, last = connection.execute(select(func.min(rows.c.id), func.max(rows.c.id))).one()
    query = select(rows.c.at, rows.c.id).order_by(rows.c.at.desc(), rows.c.id.desc())
    # The numbers of a part of the list are close together, and only their part of the index is read.
    for number, (words, sign) in enumerate([*((one, "") for one in wanted), *((one, "NOT") for one in unwanted)]):
        found = _FOUND.format(sign=sign, number=number)
        query = query.where(text(found).bindparams(**{f"words{number}": words, "first": first, "last": last}))
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
    """The search that must not match, when that is the condition."""
    if isinstance(condition, UnaryExpression) and condition.operator is is_false:
        element = condition.element
        return element if isinstance(element, Matches) else None
    return None


def _follows(connection: Connection, before: int) -> ColumnElement[bool]:
    """The rows that follow row ``before`` in the list."""
    newest = select(*_KEY).where(exchanges.c.id <= min(before, LARGEST_ID)).order_by(exchanges.c.id.desc()).limit(1)
    found = connection.execute(newest).one_or_none()
    if found is None:
        return false()
    older = _older_than((found.at, found.id))
    return older if found.id == before else or_(older, exchanges.c.id == found.id)


def _older_than(key: Key) -> ColumnElement[bool]:
    return tuple_(literal(key[0], Text()), literal(key[1], BigInteger())) > _PLACE
