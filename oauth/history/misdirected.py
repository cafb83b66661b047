"""The time at which an upload last reached another console than that of its page, for the pages of all consoles."""

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import select, text

from oauth.history.database import Database, HistoryError
from oauth.history.schema import installation

NAME = "misdirected upload"

RECENT = timedelta(minutes=10)
"""Time for which pages show a notice."""

_NOTE = text(
    "INSERT INTO installation (name, value) VALUES (:name, :at) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


def note(database: Database, now: datetime) -> None:
    """Note an upload that is for another console, if there may be others and the database is there."""
    if database.is_shared:
        with suppress(HistoryError), database.writing() as connection:
            connection.execute(_NOTE, {"name": NAME, "at": now.isoformat()})


def last(database: Database, now: datetime) -> datetime | None:
    """Return the time of the last one, if it was within ``RECENT``. Raises ``HistoryError``."""
    if not database.is_shared:
        return None
    with database.reading() as connection:
        at = connection.scalar(select(installation.c.value).where(installation.c.name == NAME))
    moment = datetime.fromisoformat(at) if at else None
    return moment if moment is not None and now - moment < RECENT else None
