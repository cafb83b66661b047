"""Times in the reader's time zone; inside the console every time is aware and in UTC."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from oauth.exchange import Exchange
from oauth.formatting import duration, span

MINUTE, MONTH = 60, 30 * 86_400
"""Seconds."""


def zone() -> str:
    """Return the name of the browser's time zone, ``UTC`` where it is missing or unknown."""
    name = st.context.timezone or "UTC"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"
    return name


def tz() -> tzinfo:
    """Return the browser's time zone, or ``datetime.UTC`` itself, which names itself in formatted times."""
    return UTC if zone() == "UTC" else ZoneInfo(zone())


def at(moment: datetime) -> str:
    """Format a time of day, for example ``10:16:19``."""
    return f"{moment.astimezone(tz()):%H:%M:%S}"


def ago(moment: datetime, now: datetime) -> str:
    """Format a time as seen from ``now``, for example ``3 min ago``; a future one, or one a month ago, as a date."""
    seconds = (now - moment).total_seconds()
    if not 0 <= seconds < MONTH:
        return f"{moment.astimezone(tz()):%Y-%m-%d}"
    return "just now" if seconds < MINUTE else f"{' '.join(span(seconds).split(' ')[:2])} ago"


def on(moment: datetime) -> str:
    """Format a date and a time of day, for example ``2026-03-01 10:16:19``."""
    return f"{moment.astimezone(tz()):%Y-%m-%d %H:%M:%S}"


def took(exchange: Exchange) -> str:
    """Format the time that an exchange took, empty where it is not known."""
    return "" if exchange.duration_ms is None else duration(exchange.duration_ms)
