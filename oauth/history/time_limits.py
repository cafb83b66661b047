"""Questions about everything that the filters show, answered in a bounded time.

A question that takes too long for all of a large history is asked of its newest exchanges, and the answer says so.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import FromClause, Select, func, select

from oauth.history.database import HistoryTimeout
from oauth.history.filters import Filters, where
from oauth.history.schema import exchanges
from oauth.history.store import History

NEWEST = 50_000
"""Exchanges that are looked at when all of them are too many."""


FALLBACK_SECONDS = 2.0
"""How long the question about the newest may take."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found. ``newest`` is how many of the newest exchanges were looked at, ``None`` when all were."""

    rows: Sequence[Any]
    newest: int | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many exchanges there are: exactly ``number``, or with ``more`` at least as many; none and more is many."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        if self.more and not self.number:
            return "many"
        return f"more than {self.number:,}" if self.more else f"{self.number:,}"


def ask(history: History, filters: Filters, seconds: float, question: Callable[[FromClause], Select[Any]]) -> Answer:
    """The answer over all that ``filters`` show, or, when that takes longer than ``seconds``, over the newest of it.

    ``question`` gets the exchanges as a table. Without any time, only the newest are asked about. Raises
    ``HistoryError``, and ``HistoryTimeout`` when the second question takes longer than ``FALLBACK_SECONDS``.
    """
    with suppress(HistoryTimeout):
        return Answer(ask_all(history, filters, seconds, question))
    some = _shown(filters).order_by(exchanges.c.started_at.desc(), exchanges.c.id.desc()).limit(NEWEST)
    with history.database.reading(FALLBACK_SECONDS) as connection:
        return Answer(connection.execute(question(some.subquery())).all(), NEWEST)


def ask_all(
    history: History, filters: Filters, seconds: float, question: Callable[[FromClause], Select[Any]]
) -> Sequence[Any]:
    """The rows of the answer over all that ``filters`` show. Raises ``HistoryError``, and ``HistoryTimeout``."""
    if seconds <= 0:
        raise HistoryTimeout("There is no time left for this question.")
    with history.database.reading(seconds) as connection:
        return connection.execute(question(_shown(filters).subquery())).all()


def _shown(filters: Filters) -> Select[Any]:
    return select(exchanges).where(*where(filters))


def count(history: History, filters: Filters, seconds: float) -> Count:
    """How many exchanges the filters show, or that there are more than ``NEWEST``, or just many.

    Raises ``HistoryError``.
    """
    try:
        answer = ask(history, filters, seconds, lambda source: select(func.count()).select_from(source))
    except HistoryTimeout:
        return Count(0, more=True)
    number = int(answer.rows[0][0])
    return Count(number, answer.newest is not None and number >= answer.newest)
