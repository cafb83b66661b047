"""Points in time that a number from outside leads to, kept where every time zone can show them."""

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
LATEST = datetime(9998, 12, 31, tzinfo=UTC)
"""A year within the calendar's ends, so that a time zone, and a few years more, do not lead beyond them."""


def later(at: datetime, seconds: float) -> datetime:
    """Return the time ``seconds`` after ``at``, or the earliest or the latest time when it is beyond."""
    try:
        return within(at + timedelta(seconds=seconds))
    except OverflowError:
        return LATEST if seconds > 0 else EARLIEST


def within(moment: datetime) -> datetime:
    """Return an aware time, or the earliest or the latest when it is beyond."""
    return min(max(moment, EARLIEST), LATEST)
