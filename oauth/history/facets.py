"""How many exchanges each value of a filter would show: the facets beside the list."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import FromClause, Select, func, select

from oauth.catalogue import documented
from oauth.history import bounded
from oauth.history.bounded import ask
from oauth.history.filters import Filters
from oauth.history.store import History

FACETS: dict[str, tuple[str, ...]] = {
    "step": ("step",),
    "status": ("outcome", "status"),
    "error": ("documented_error", "error"),
    "client": ("client_id",),
    "case": ("case",),
}
"""The terms that have facets, and the columns that their values stand in."""

SHOWN = 8
"""Values of one column that are listed, the most frequent."""


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of one term with their counts, within the other filters; the term's own values are always among them.

    ``newest`` is how many of the newest exchanges were counted, ``None`` when all were.
    """

    name: str
    values: tuple[tuple[str, int], ...]
    newest: int | None = None


def facets(history: History, filters: Filters, seconds: float) -> Iterator[Facet]:
    """The facet of every term of ``FACETS``, as each is counted.

    All of them together take about ``seconds``: what is left then is counted in the newest exchanges. Raises
    ``HistoryError``.
    """
    deadline = time.monotonic() + seconds
    for name in FACETS:
        yield _facet(history, filters, name, deadline)


def _facet(history: History, filters: Filters, name: str, deadline: float) -> Facet:
    chosen = filters.get(name)
    columns = FACETS[name]
    # One question may take half of what is left, so that the last of them gets a chance.
    answers = [
        ask(history, filters.put(name), (deadline - time.monotonic()) / 2, partial(_by, column)) for column in columns
    ]
    newest = next((answer.newest for answer in answers if answer.newest is not None), None)
    if newest is not None:
        # Of the same exchanges all of them, so that one count can be told from another.
        answers = [ask(history, filters.put(name), 0, partial(_by, column)) for column in columns]
        if all(sum(number for _, number in answer.rows) < bounded.NEWEST for answer in answers):
            newest = None  # there are no others
    found = [
        {str(value): int(number) for value, number in answer.rows if value not in (None, "")} for answer in answers
    ]
    wider = found[0]
    listed: dict[str, int] = {}
    for counts in found:
        told = {
            value: number for value, number in counts.items() if counts is wider or not _is_told(value, number, wider)
        }
        most = sorted(told, key=lambda value: (-told[value], value))[:SHOWN]
        listed |= {value: counts[value] for value in [*most, *(value for value in chosen if value in counts)]}
    return Facet(name, tuple((listed | {value: listed.get(value, 0) for value in chosen}).items()), newest)


def _is_told(value: str, number: int, wider: dict[str, int]) -> bool:
    """Whether the wider values say as much: a status that is all of its class, a code that the numbers account for."""
    if value.isdecimal():
        return wider.get(f"{value[0]}xx") == number
    numbered = (count for known, count in wider.items() if known.isdecimal() and _code(int(known)) == value)
    return sum(numbered) == number


def _code(number: int) -> str:
    return documented()[number].error if number in documented() else ""


def _by(column: str, source: FromClause) -> Select[Any]:
    return select(source.c[column], func.count()).group_by(source.c[column])
