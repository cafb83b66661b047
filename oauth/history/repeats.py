"""Exchanges grouped by result, with their number and the times of the first and the last."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import FromClause, Select, func, select

from oauth.history.filters import Filters
from oauth.history.schema import is_number
from oauth.history.store import History
from oauth.history.time_limits import ask

MOST = 100
"""Groups that are listed, the most frequent."""

_COLUMNS = ("step", "status", "documented_error", "error", "error_description", "failure")
"""What exchanges of a group have in common."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Exchanges of the same step, status, error, description and failure."""

    step: str
    status: int | None
    documented_error: int | None
    error: str
    description: str
    failure: str
    count: int
    first: datetime
    last: datetime

    @property
    def damaged(self) -> bool:
        """True for damaged rows, which the list shows one by one."""
        is_timed = isinstance(self.first, datetime) and isinstance(self.last, datetime)
        numbers = {"status": self.status, "documented_error": self.documented_error}
        return not is_timed or not all(is_number(name, value) for name, value in numbers.items())

    def within(self, filters: Filters) -> Filters:
        """Return ``filters`` narrowed to this group."""
        narrowed = filters.put("step", self.step)
        narrowed = narrowed.put("status", str(self.status or ("failed" if self.failure else "none")))
        narrowed = narrowed.put("error", self.error if self.documented_error is None else str(self.documented_error))
        return narrowed.put("description", self.description).put("failure", self.failure)


@dataclass(frozen=True, slots=True)
class Repeats:
    """The groups, most frequent first. ``newest`` is how many exchanges were looked at, ``None`` when all were."""

    groups: tuple[Repeat, ...]
    newest: int | None


def repeats(history: History, filters: Filters, seconds: float) -> Repeats:
    """Group the exchanges that match the filters. Raises ``HistoryError``."""
    result = ask(history, filters, seconds, _grouped)
    groups = [Repeat(*row) for row in result.rows]
    return Repeats(tuple(group for group in groups if not group.damaged), result.newest)


def _grouped(source: FromClause) -> Select[Any]:
    columns = [source.c[name] for name in _COLUMNS]
    count = func.count().label("count")
    ends = func.min(source.c.started_at), func.max(source.c.started_at).label("last")
    return select(*columns, count, *ends).group_by(*columns).order_by(count.desc(), ends[1].desc()).limit(MOST)
