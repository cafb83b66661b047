"""Dates and times as written in a filter, and the instants they stand for."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

ALLOWED = (
    "a date such as 2026-11-24, a time such as 2026-11-24T08:15 or 2026-11-24T08:15:00Z, today, yesterday, "
    "or how long ago: 30min, 2h, 7d, 4w"
)

_AGO = re.compile(r"([0-9]{1,4})(s|min|h|d|w)")
_UNITS = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_WRITTEN = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?P<second>:[0-9]{2}(?P<fraction>\.[0-9]{6})?)?(?P<zone>Z)?)?",
    re.ASCII,
)
_DAYS = {"today": 0, "yesterday": 1}


def spelled(text: str) -> str | None:
    """Normalize the letter case of a date or time; return ``None`` for any other text."""
    lower = text.lower()
    if lower in _DAYS or _AGO.fullmatch(lower):
        return lower
    upper = text.upper()
    if not _WRITTEN.fullmatch(upper):
        return None
    try:
        datetime.fromisoformat(upper)
    except ValueError:
        return None
    return upper


def is_absolute(text: str) -> bool:
    """Return whether a normalized date or time needs neither a clock nor a time zone."""
    return text.endswith("Z")


def first(text: str, now: datetime, zone: tzinfo) -> datetime:
    """Return the first instant, in UTC, of a normalized date or time: of a date, midnight in ``zone``."""
    if text in _DAYS:
        return _midnight(now.astimezone(zone).date() - timedelta(days=_DAYS[text]), zone)
    if ago := _AGO.fullmatch(text):
        return now.astimezone(UTC) - int(ago[1]) * _UNITS[ago[2]]
    moment = datetime.fromisoformat(text)
    return _utc(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def last(text: str, now: datetime, zone: tzinfo) -> datetime:
    """Return the last instant, to the microsecond, of a normalized date or time: of a date, the end of the day."""
    start = first(text, now, zone)
    if text in _DAYS or len(text) == len("2026-11-24"):
        local = start.astimezone(zone).date()
        end = _utc(datetime.max.replace(tzinfo=zone)) if local == date.max else _midnight(local + timedelta(1), zone)
        return end - timedelta(microseconds=1)
    match = _WRITTEN.fullmatch(text)
    if match is None or match["fraction"]:
        return start
    try:
        return start + timedelta(seconds=1 if match["second"] else 60) - timedelta(microseconds=1)
    except OverflowError:  # the last minute of the calendar
        return datetime.max.replace(tzinfo=UTC)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return _utc(datetime.combine(day, time(), zone))


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the first or the last day of the calendar, seen from another zone
        return moment.replace(tzinfo=UTC)
