"""Sessions that were signed out before their end, so that a copy of their cookie is refused by every console."""

import hashlib
from datetime import datetime

from sqlalchemy import delete, select, text, true

from oauth.history.database import Database
from oauth.history.schema import ended_sessions, utc_text

_END = text("INSERT INTO ended_sessions (id, until) VALUES (:id, :until) ON CONFLICT DO NOTHING")


def end(database: Database, session: str, until: datetime) -> None:
    """End a session, which would have ended at ``until`` by itself. Raises ``HistoryError``."""
    with database.writing() as connection:
        connection.execute(_END, {"id": _hash(session), "until": utc_text(until)})


def has_ended(database: Database, session: str) -> bool:
    """Return whether a session was ended. Raises ``HistoryError``."""
    with database.reading() as connection:
        query = select(true()).where(ended_sessions.c.id == _hash(session))
        return connection.execute(query).first() is not None


def forget_past(database: Database, now: datetime) -> None:
    """Forget the sessions whose own end has passed. Raises ``HistoryError``."""
    with database.writing() as connection:
        connection.execute(delete(ended_sessions).where(ended_sessions.c.until <= now))


def _hash(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()
