"""Aggregate queries with a time limit.

What the counts can answer is asked of them. Another query that takes too long on a large history is repeated on
its newest exchanges, and the result says so.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import FromClause, Select, select

from oauth.history import counts
from oauth.history.counts import Counted, number_of
from oauth.history.database import HistoryTimeout
from oauth.history.filters import Filters
from oauth.history.schema import exchanges
from oauth.history.store import History

NEWEST = 50_000
"""Exchanges that the fallback query reads."""

FALLBACK_SECONDS = 2.0
"""Time limit of the fallback query."""


@dataclass(frozen=True, slots=True)
class Result:
    """Rows of a result. ``newest`` is the number of newest exchanges that were read, ``None`` for all."""

    rows: Sequence[Any]
    newest: int | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """A number of exchanges: exact, or with ``more`` a lower bound; zero with ``more`` reads as many."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        if self.more and not self.number:
            return "many"
        return f"more than {self.number:,}" if self.more else f"{self.number:,}"


def ask(
    history: History,
    filters: Filters,
    seconds: float,
    question: Callable[[FromClause], Select[Any]],
    counted: Counted | None = None,
) -> Result:
    """Query all exchanges that match ``filters``, or after ``seconds`` the newest of them.

    ``question`` makes the query from the exchanges as a table, or where ``counted`` says what it needs, also from rows
    of their counts (``counts.number_of``). With no time at all, only the newest are read. Raises ``HistoryError``, and
    ``HistoryTimeout`` when the fallback takes longer than ``FALLBACK_SECONDS``.
    """
    with suppress(HistoryTimeout):
        return Result(ask_all(history, filters, seconds, question, counted))
    some = _shown(history, filters).order_by(exchanges.c.started_at.desc(), exchanges.c.id.desc()).limit(NEWEST)
    with history.database.reading(FALLBACK_SECONDS) as connection:
        return Result(connection.execute(question(some.subquery())).all(), NEWEST)


def ask_all(
    history: History,
    filters: Filters,
    seconds: float,
    question: Callable[[FromClause], Select[Any]],
    counted: Counted | None = None,
) -> Sequence[Any]:
    """Query all exchanges that match ``filters``, as ``ask`` does. Raises ``HistoryError`` and ``HistoryTimeout``."""
    if seconds <= 0:
        raise HistoryTimeout("No time is left for this query.")
    source = None if counted is None else counts.source(history, filters, counted, seconds)
    if source is None:
        source = _shown(history, filters).subquery()
    with history.database.reading(seconds) as connection:
        return connection.execute(question(source)).all()


def _shown(history: History, filters: Filters) -> Select[Any]:
    return select(exchanges).where(*history.where(filters))


def _number(source: FromClause) -> Select[Any]:
    return select(number_of(source)).select_from(source)


def count(history: History, filters: Filters, seconds: float) -> Count:
    """Count the exchanges that match the filters, within a time limit.

    Raises ``HistoryError``.
    """
    try:
        result = ask(history, filters, seconds, _number, Counted())
    except HistoryTimeout:
        return Count(0, more=True)
    number = int(result.rows[0][0])
    return Count(number, result.newest is not None and number >= result.newest)
