"""Short statements that an exchange waits for, run on connections of the driver.

What SQLAlchemy does around such a statement, from its pool to its transaction, takes as long as the statement.
"""

from collections.abc import Callable, Sequence
from threading import Semaphore
from typing import Any, NamedTuple

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError, TimeoutError

MOST = 15
"""Connections at once, as many as the engine's own pool has: PostgreSQL's server gives out few."""


class WriteResult(NamedTuple):
    """The result of a statement: the number of rows changed, and the id of the row added."""

    rows: int
    id: int


class RawWrites:
    """A pool of driver connections, opened and set up by the engine; each statement is committed.

    They are closed when the engine is disposed of. ``check`` raises ``DisconnectionError`` for a broken one;
    ``seconds`` is the time that a statement waits while ``MOST`` are in use.
    """

    def __init__(self, engine: Engine, check: Callable[[Any], None], seconds: float) -> None:
        self._engine = engine
        self._check = check
        self._seconds = seconds
        self._idle: list[Any] = []
        self._room = Semaphore(MOST)
        event.listen(engine, "engine_disposed", self._forget)

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> WriteResult:
        """Run one statement. A connection on which it failed is closed.

        In PostgreSQL a statement that adds a row says so by ``RETURNING`` its number.
        """
        if not self._room.acquire(timeout=self._seconds):
            raise TimeoutError(f"all {MOST} connections are in use")
        idle = self._idle
        try:
            connection = self._take(idle)
            try:
                cursor = connection.execute(statement, parameters)
                if self._engine.dialect.name == "sqlite":
                    result = WriteResult(cursor.rowcount, cursor.lastrowid)
                else:
                    result = WriteResult(cursor.rowcount, cursor.fetchone()[0] if cursor.description else 0)
                cursor.close()
            except BaseException:
                connection.close()
                raise
            idle.append(connection)
            if idle is not self._idle:  # disposed of meanwhile: the file may be another by now
                _close(idle)
        finally:
            self._room.release()
        return result

    def _take(self, idle: list[Any]) -> Any:
        while idle:
            connection: Any = idle.pop()  # the latest: what it read is still in its cache
            try:
                self._check(connection)
            except DisconnectionError:
                connection.close()
            else:
                return connection
        pooled = self._engine.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()
        if self._engine.dialect.name == "postgresql":
            connection.autocommit = True  # SQLite's connections are in this mode already
        return connection

    def _forget(self, _engine: Engine) -> None:
        idle, self._idle = self._idle, []
        _close(idle)


def _close(idle: list[Any]) -> None:
    while idle:
        idle.pop().close()
