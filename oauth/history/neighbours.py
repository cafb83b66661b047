"""The other consoles that use the same history."""

from datetime import datetime

from sqlalchemy import func, select

from oauth.history.schema import consoles
from oauth.history.store import History
from oauth.history.upkeep import GONE


def others(history: History, now: datetime) -> int:
    """Return the number of other consoles that are alive on a PostgreSQL database. Raises ``HistoryError``.

    Two on one SQLite file are of one machine and person, who knows of both.
    """
    if not history.database.is_shared:
        return 0
    alive = (consoles.c.seen_at >= now - GONE, consoles.c.id != history.console)
    with history.database.reading() as connection:
        return int(connection.scalar(select(func.count()).select_from(consoles).where(*alive)) or 0)
