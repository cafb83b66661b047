"""Parse times as logs, headers and HAR files write them."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from oauth.exchange import YEARS

ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|[+-]\d\d:?\d\d|UTC))?")
"""A time in a log, ISO 8601 or close to it."""

ACCESS_LOG = re.compile(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}")
"""A time in the common log format."""


def moment(text: object) -> datetime | None:
    """Parse a text, or seconds or milliseconds since 1970, as a time in UTC; return ``None`` where that fails.

    A time without a zone is taken as UTC.
    """
    try:
        if isinstance(text, int | float) and not isinstance(text, bool):
            return _in_utc(datetime.fromtimestamp(text / 1000 if text > 1e11 else text, UTC)) if text > 1e9 else None
        if not isinstance(text, str):
            return None
        with suppress(ValueError):
            return _in_utc(datetime.fromisoformat(text))
        if ACCESS_LOG.fullmatch(text):
            return _in_utc(datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z"))
        time = datetime.fromisoformat(text.strip().replace(" UTC", "Z").replace(" Z", "Z").replace(",", "."))
        return _in_utc(time)
    except (ValueError, OverflowError, OSError):
        return None


def date_header(text: str) -> datetime | None:
    """Parse a ``Date`` header (RFC 9110 §6.6.1); return ``None`` where that fails."""
    try:
        return _in_utc(parsedate_to_datetime(text))
    except (ValueError, TypeError, OverflowError):
        return None


def _in_utc(time: datetime) -> datetime | None:
    utc = time if time.tzinfo is UTC else (time.replace(tzinfo=UTC) if time.tzinfo is None else time).astimezone(UTC)
    return utc if utc.year in YEARS else None
