"""PostgreSQL connections whose waits end. The driver takes 10 MiB: only such a database imports this, late."""

from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg.errors import _WaitTimeout

from oauth.history.deadlines import ANSWER_SECONDS

_T = TypeVar("_T")


class Connection(psycopg.Connection[Any]):
    """A connection on which each wait for the server ends after ``seconds``, ``None`` for never."""

    seconds: float | None = ANSWER_SECONDS

    def wait(self, gen: Generator[Any, Any, _T], interval: float = 0.1, timeout: float | None = None) -> _T:
        """Wait for the server. Raises ``OperationalError`` and closes the connection when it does not answer."""
        limit = self.seconds if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except _WaitTimeout as error:
            self.close()  # its state is unknown
            raise psycopg.OperationalError(f"timeout: no answer within {limit:g} seconds") from error
