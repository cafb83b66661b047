"""The turns of downloads: each link starts one export, and few exports run at a time."""

import threading
from datetime import datetime
from enum import Enum, auto

from oauth.exports.links import Link

AT_A_TIME = 4
"""Exports that run at a time; each is a process that reads the history at full speed."""

FORGOTTEN_SECONDS = 30
"""Time after which a waiting link that was not requested again loses its place."""


class Turn(Enum):
    """The state of a link when it is requested."""

    STARTED = auto()
    WAITING = auto()
    USED = auto()
    EXPIRED = auto()


class Turns:
    """The links that wait or were used, in the memory of this process, and the number of running exports.

    Safe for threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._used: dict[str, float] = {}
        self._waiting: dict[str, float] = {}
        """Unix time of the last request by id, in order of arrival."""

    @property
    def running(self) -> int:
        """Number of exports that run."""
        return self._running

    @property
    def waiting(self) -> int:
        """Number of links that wait for their turn."""
        return len(self._waiting)

    def request(self, link: Link, now: datetime) -> Turn:
        """Start the export of a link when it is its turn; ``end`` must follow then. A waiting link does not expire."""
        at = now.timestamp()
        with self._lock:
            self._used = {id: expires for id, expires in self._used.items() if expires >= at}
            self._waiting = {id: last for id, last in self._waiting.items() if last >= at - FORGOTTEN_SECONDS}
            if link.id in self._used:
                return Turn.USED
            if link.id not in self._waiting and at > link.expires:
                return Turn.EXPIRED
            self._waiting[link.id] = at
            if list(self._waiting).index(link.id) >= AT_A_TIME - self._running:
                return Turn.WAITING
            del self._waiting[link.id]
            self._used[link.id] = link.expires
            self._running += 1
            return Turn.STARTED

    def end(self) -> None:
        """Free the place of an export that ended."""
        with self._lock:
            self._running -= 1

    def give_back(self, link: Link) -> None:
        """Let a link be used again, whose export failed before anything was sent."""
        with self._lock:
            self._used.pop(link.id, None)
