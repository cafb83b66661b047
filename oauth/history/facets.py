"""Facets: the number of exchanges that each value of a filter matches."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import FromClause, Select, select

from oauth.catalogue import documented
from oauth.history import time_limits
from oauth.history.counts import Counted, number_of
from oauth.history.database import HistoryTimeout
from oauth.history.filters import Filters
from oauth.history.schema import PlainText, is_some
from oauth.history.store import History
from oauth.history.terms import UNKNOWN_STATUS
from oauth.history.time_limits import ask, ask_all

FACETS: dict[str, tuple[str, ...]] = {
    "step": ("step",),
    "status": ("outcome", "status"),
    "error": ("documented_error", "error"),
    "client": ("client_id",),
    "case": ("case",),
}
"""The terms that have facets, and the columns with their values."""

SHOWN = 8
"""Listed values of one column, the most frequent."""


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of one term with their counts, within the other filters; the term's own values are always among them.

    ``newest`` is how many of the newest exchanges were counted, ``None`` when all were.
    """

    name: str
    values: tuple[tuple[str, int], ...]
    newest: int | None = None


def facets(history: History, filters: Filters, seconds: float) -> Iterator[Facet]:
    """Yield the facet of every term of ``FACETS``, as each is counted.

    After ``seconds`` in all, the rest is counted in the newest exchanges. Raises
    ``HistoryError``.
    """
    deadline = time.monotonic() + seconds
    for name in FACETS:
        yield _facet(history, filters, name, deadline)


def _facet(history: History, filters: Filters, name: str, deadline: float) -> Facet:
    own = filters.get(name)
    columns, others = FACETS[name], filters.put(name)
    counters: list[Counter[str]] = []
    newest: int | None = None
    try:
        for column in columns:
            # One question may take half of what is left, so that the last of them gets a chance.
            share = (deadline - time.monotonic()) / 2
            rows = ask_all(history, others, share, partial(_by_known, column), Counted(column))
            counters.append(_counted(rows, 0))
    except HistoryTimeout:
        result = ask(history, others, 0, partial(_by, columns))
        counters = [_counted(result.rows, index) for index in range(len(columns))]
        if sum(row[-1] for row in result.rows) >= time_limits.NEWEST:
            newest = result.newest  # otherwise there are no others
    wider = counters[0]
    listed: dict[str, int] = {}
    for counts in counters:
        useful = {
            value: number
            for value, number in counts.items()
            if counts is wider or not _is_redundant(value, number, wider)
        }
        most = sorted(useful, key=lambda value: (-useful[value], value))[:SHOWN]
        listed |= {value: counts[value] for value in [*most, *(value for value in own if value in counts)]}
    return Facet(name, tuple((listed | {value: listed.get(value, 0) for value in own}).items()), newest)


def _is_redundant(value: str, number: int, wider: Mapping[str, int]) -> bool:
    """Return whether wider values say as much: a status that is all of its class, a code covered by its numbers."""
    if value.isdecimal():
        return wider.get(_shown_as(f"{value[0]}xx")) == number
    numbered = (count for code, count in wider.items() if code.isdecimal() and _code(int(code)) == value)
    return sum(numbered) == number


def _code(number: int) -> str:
    return documented()[number].error if number in documented() else ""


def _counted(rows: Sequence[Any], index: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        if row[index] not in (None, "") and row[-1]:
            counts[_shown_as(str(row[index]))] += int(row[-1])
    return counts


def _shown_as(value: str) -> str:
    return "unknown" if value == UNKNOWN_STATUS else value


def _by_known(column: str, source: FromClause) -> Select[Any]:
    """Counts by one column, of the rows that have something in it, for which there may be an index."""
    value = source.c[column]
    return _by((column,), source).where(is_some(value) if isinstance(value.type, PlainText) else value.is_not(None))


def _by(columns: tuple[str, ...], source: FromClause) -> Select[Any]:
    values = [source.c[column] for column in columns]
    return select(*values, number_of(source)).group_by(*values)
