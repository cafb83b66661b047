"""Time limits of the history, and a pause after a wait in vain.

A server may be frozen, or behind a network that drops packets: its own time limits then never come, and TCP's take
minutes. A walkthrough goes on without its history after one wait.
"""

import time

CONNECT_SECONDS = 2
"""Time limit of connecting to PostgreSQL, the shortest that libpq has."""

ANSWER_SECONDS = 1.5
"""Time limit of a short statement, and of a server's first sign of life before a longer one."""

STATEMENT_SECONDS = 60.0
"""Time limit of a longer statement."""

MIGRATION_LOCK_SECONDS = 0.4
"""Time limit of a migration's wait for a table of PostgreSQL, less than that of those who then wait behind it."""

PAUSE_SECONDS = 3.0
"""Time after a wait in vain in which nothing else waits."""

LONG = 0.5
"""Seconds from which a failed use has waited."""

CONNECTION = {
    "connect_timeout": CONNECT_SECONDS,
    # What was sent is acknowledged by then, or the connection is broken (RFC 5482). An idle one is probed.
    "tcp_user_timeout": 2000,
    "keepalives_idle": 10,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""Settings of libpq."""


class Pauses:
    """The pauses of one database, for all uses or for those that write."""

    def __init__(self) -> None:
        self._until: dict[bool, float] = {}
        self._errors: dict[bool, Exception] = {}

    def begin(self, error: Exception, *, of_writing: bool) -> None:
        """Begin a pause because of an error."""
        self._errors[of_writing] = error
        self._until[of_writing] = time.monotonic() + PAUSE_SECONDS

    def check(self, *, writing: bool) -> None:
        """Raise the error of a pause that lasts."""
        for of_writing in (False, True) if writing else (False,):
            if time.monotonic() < self._until.get(of_writing, 0.0):
                error = self._errors[of_writing]
                raise type(error)(*error.args)
