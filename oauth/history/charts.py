"""Errors over time and durations by step, aggregated in the database."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import FromClause, Select, Text, func, select, type_coerce

from oauth.history.counts import Counted, number_of
from oauth.history.database import HistoryTimeout
from oauth.history.filters import Filters
from oauth.history.schema import exchanges, is_number, read_time
from oauth.history.store import History
from oauth.history.time_limits import ask

PERCENTILES = (50, 95, 99)

_MINUTE, _HOUR = "2026-11-24T08:15", "2026-11-24T08"
"""The prefix of a stored time that distinguishes the bars."""

_WIDTHS = (timedelta(minutes=1), timedelta(hours=3)), (timedelta(hours=1), timedelta(days=4))
"""The widths of bars, and the longest time that each is for."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Errors:
    """Documented errors by time: ``bars`` are the start of a stretch ``width`` long, the number and the count.

    ``newest`` is how many of the newest exchanges were looked at, ``None`` when all were.
    """

    bars: tuple[tuple[datetime, int, int], ...]
    width: timedelta
    newest: int | None


@dataclass(frozen=True, slots=True)
class Durations:
    """Durations by step: step, number of responses, and milliseconds for each of ``PERCENTILES``."""

    steps: tuple[tuple[str, int, tuple[int, ...]], ...]
    newest: int | None


def errors(history: History, filters: Filters, seconds: float, zone: tzinfo) -> Errors:
    """Count documented errors in bars of a minute, an hour or a day of ``zone``, depending on the time span.

    Raises ``HistoryError``.
    """
    stretch = _stretch(history, filters, seconds)
    width = next((width for width, most in _WIDTHS if stretch <= most), _DAY)
    digits = len(_MINUTE if width < timedelta(hours=1) else _HOUR)

    def question(source: FromClause) -> Select[Any]:
        start = func.substr(type_coerce(source.c.started_at, Text), 1, digits)
        number = source.c.documented_error
        return select(start, number, number_of(source)).where(number.is_not(None)).group_by(start, number)

    result = ask(history, filters, seconds, question, Counted("documented_error", digits))
    bars: Counter[tuple[datetime, int]] = Counter()
    starts: dict[str, datetime | None] = {}  # of some thousand times, for each number
    for start, number, count in result.rows:
        if start not in starts:
            moment = read_time(f"{start}:00Z" if digits == len(_HOUR) else f"{start}Z")
            local = moment and moment.astimezone(zone)
            starts[start] = local.replace(hour=0, minute=0) if local and width == _DAY else local
        begin = starts[start]
        if begin is not None and is_number("documented_error", number) and count:  # not of a damaged row
            bars[begin, number] += count
    return Errors(
        tuple((start, number, count) for (start, number), count in sorted(bars.items())), width, result.newest
    )


def durations(history: History, filters: Filters, seconds: float) -> Durations:
    """Compute the exact percentiles of each step by nearest rank. Raises ``HistoryError``.

    Responses of equal duration come as one row, so that a million of them are some thousands of rows.
    """

    def question(source: FromClause) -> Select[Any]:
        took = source.c.duration_ms
        return select(source.c.step, took, func.count()).where(took.is_not(None)).group_by(source.c.step, took)

    result = ask(history, filters, seconds, question)
    by_step: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for step, took, count in result.rows:
        if not is_number("duration_ms", took):
            continue  # of a damaged row
        by_step[step][took] += count
    steps = ((step, counts.total(), _percentiles(counts)) for step, counts in by_step.items())
    return Durations(tuple(sorted(steps, key=lambda step: -step[2][0])), result.newest)


def _stretch(history: History, filters: Filters, seconds: float) -> timedelta:
    """Return the time from the first to the last match; ``timedelta.max`` when the query takes too long."""
    ends = []
    for order in (exchanges.c.started_at.asc(), exchanges.c.started_at.desc()):
        query = select(exchanges.c.started_at).where(*history.where(filters)).order_by(order).limit(1)
        try:
            with history.database.reading(seconds) as connection:
                ends.append(connection.execute(query).scalar_one_or_none())
        except HistoryTimeout:
            return timedelta.max
    first, last = ends
    return last - first if first is not None and last is not None else timedelta()


def _percentiles(counts: Counter[int]) -> tuple[int, ...]:
    values = []
    for percentile in PERCENTILES:
        rank = -(-counts.total() * percentile // 100)
        for took in sorted(counts):
            rank -= counts[took]
            if rank <= 0:
                values.append(took)
                break
    return tuple(values)
