"""A lock that consoles on one PostgreSQL database take in turn."""

from contextlib import suppress
from time import monotonic
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from oauth.history.database import TURN_LOCK, Database, HistoryError

LONGEST_WAIT = 1.0
"""Seconds of one statement that waits in the server's queue."""

ANSWER_SECONDS = 5.0
"""Seconds after which a server that says nothing counts as away: a busy one ends a wait late."""

_HOLDER = text(
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted "
    "AND objid = :lock AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class ElsewhereLock:
    """The lock, on a connection of its own, so that it ends with the process. For one thread at a time.

    Where the database is away, nothing is waited for: a console works without it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._is_held = False

    def take(self, what: str, seconds: float) -> str:
        """Wait for the lock, at most ``seconds``; return who has it, or an empty text. ``what`` is shown to others."""
        if self._is_held:
            return ""
        end = monotonic() + seconds
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._database.connect_apart()
                driver: Any = self._connection.connection.dbapi_connection
                driver.seconds = ANSWER_SECONDS
            while not self._try(self._connection, what, end - monotonic()):
                if monotonic() >= end:
                    return _holder(self._connection) or "something of another console"
        except (HistoryError, SQLAlchemyError, OSError):
            self.close()
        return ""

    def holder(self) -> str:
        """Return who has the lock at another console; empty without one."""
        try:
            with self._database.reading() as connection:
                return _holder(connection)
        except HistoryError:
            return ""

    def release(self) -> None:
        """Give the lock back."""
        if not self._is_held or self._connection is None:
            return
        self._is_held = False
        try:
            self._connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": TURN_LOCK})
        except (SQLAlchemyError, OSError):
            self.close()  # a closed connection has no lock

    def close(self) -> None:
        """Close the connection, and so give the lock back; ``take`` opens another one."""
        if self._connection is not None:
            with suppress(SQLAlchemyError, OSError):
                self._connection.close()
        self._connection, self._is_held = None, False

    def _try(self, connection: Connection, what: str, seconds: float) -> bool:
        milliseconds = round(min(max(seconds, 0.01), LONGEST_WAIT) * 1000)
        settings = {"wait": str(milliseconds), "what": what}
        connection.execute(
            text("SELECT set_config('lock_timeout', :wait, false), set_config('application_name', :what, false)"),
            settings,
        )
        try:
            # It waits in the server's queue: of two consoles with many drills each, neither has all the turns.
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": TURN_LOCK})
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") != "55P03":  # lock_not_available
                raise
            return False
        self._is_held = True
        return True


def _holder(connection: Connection) -> str:
    name = connection.scalar(_HOLDER, {"lock": TURN_LOCK})
    return "" if name is None else f"{name or 'something'} of another console"
