"""Times as the reader's clock shows them; inside, every time is aware and in UTC."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def zone() -> str:
    """The reader's time zone, as the browser names it; UTC where it names none that is known here."""
    name = st.context.timezone or "UTC"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"
    return name


def tz() -> tzinfo:
    """The reader's time zone; ``UTC`` itself where the browser names none, so that times then say so."""
    return UTC if zone() == "UTC" else ZoneInfo(zone())


def at(moment: datetime) -> str:
    """A time of day, for example ``10:16:19``."""
    return f"{moment.astimezone(tz()):%H:%M:%S}"


def on(moment: datetime) -> str:
    """A date and a time of day, for example ``2026-03-01 10:16:19``."""
    return f"{moment.astimezone(tz()):%Y-%m-%d %H:%M:%S}"
