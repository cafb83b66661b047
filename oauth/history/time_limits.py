"""Aggregate queries with a time limit.

What the hourly counts can answer is asked of them. Another query that takes too long on a large history is repeated on
its newest exchanges, and the result says so.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import FromClause, Select, select

from oauth.history import hourly_counts
from oauth.history.database import HistoryTimeout
from oauth.history.filters import Filters
from oauth.history.hourly_counts import number_of
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
    *,
    is_counted: bool = False,
) -> Result:
    """Query all exchanges that match ``filters``, or after ``seconds`` the newest of them.

    ``question`` makes the query from the exchanges as a table, or with ``is_counted`` also from rows of their counts
    (``hourly_counts.number_of``). With no time at all, only the newest are read. Raises ``HistoryError``, and
    ``HistoryTimeout`` when the fallback takes longer than ``FALLBACK_SECONDS``.
    """
    with suppress(HistoryTimeout):
        return Result(ask_all(history, filters, seconds, question, is_counted=is_counted))
    some = _shown(history, filters).order_by(exchanges.c.started_at.desc(), exchanges.c.id.desc()).limit(NEWEST)
    with history.database.reading(FALLBACK_SECONDS) as connection:
        return Result(connection.execute(question(some.subquery())).all(), NEWEST)


def ask_all(
    history: History,
    filters: Filters,
    seconds: float,
    question: Callable[[FromClause], Select[Any]],
    *,
    is_counted: bool = False,
) -> Sequence[Any]:
    """Query all exchanges that match ``filters``, as ``ask`` does. Raises ``HistoryError`` and ``HistoryTimeout``."""
    if seconds <= 0:
        raise HistoryTimeout("No time is left for this query.")
    counts = hourly_counts.source(history, filters, seconds) if is_counted else None
    source = _shown(history, filters).subquery() if counts is None else counts
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
        result = ask(history, filters, seconds, _number, is_counted=True)
    except HistoryTimeout:
        return Count(0, more=True)
    number = int(result.rows[0][0])
    return Count(number, result.newest is not None and number >= result.newest)
