"""Turns of pages that are drawn: few at a time, and the others wait in the order in which they came.

Python runs one thread at a time, and each page needs the processor to be drawn. Many at once share it, wait for one
another's locks, and all of them end late.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

AT_A_TIME = 2
"""Pages that are drawn at a time."""

LONGEST = 1.0
"""Seconds after which a page does not count any more: it waits for the database, reads a large text, or is stuck."""


class Turns:
    """Turns of threads, first come, first served. Safe for threads."""

    def __init__(self, at_a_time: int, longest: float) -> None:
        self._at_a_time = at_a_time
        self._longest = longest
        self._lock = threading.Lock()
        self._running: dict[int, float] = {}
        """When each thread that counts began."""
        self._overdue: set[int] = set()
        self._waiting: deque[tuple[int, threading.Event]] = deque()
        self._own = threading.local()
        self.seconds_waited = 0.0
        """Seconds that all threads together have waited."""
        self.taken = 0
        """Turns that were taken so far."""

    @property
    def running(self) -> int:
        """Number of threads that have a turn."""
        return len(self._running) + len(self._overdue)

    @property
    def waiting(self) -> int:
        """Number of threads that wait for a turn."""
        return len(self._waiting)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and keep it for the block, however that ends. A thread that has one keeps it.

        A block that is broken off, such as a run that begins anew, goes on before those that have not begun.
        """
        if self._has_turn:
            yield
            return
        self._take(first=getattr(self._own, "was_broken_off", False))
        self._own.was_broken_off = False
        try:
            yield
        except BaseException:
            self._own.was_broken_off = True
            raise
        finally:
            self._give()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Give the turn of this thread back for the block, which waits for something else, such as the network.

        After it, the thread goes on before those that have not begun.
        """
        if not self._has_turn:
            yield
            return
        self._give()
        try:
            yield
        finally:
            self._take(first=True)

    @property
    def _has_turn(self) -> bool:
        return getattr(self._own, "has_turn", False)

    def _take(self, *, first: bool) -> None:
        self._own.has_turn = True
        place, start = (threading.get_ident(), threading.Event()), time.monotonic()
        with self._lock:
            self.taken += 1
            self._waiting.insert(0 if first else len(self._waiting), place)
            rest = self._call()
        if place[1].is_set():
            return
        while not place[1].wait(rest):
            with self._lock:
                rest = self._call()
        with self._lock:
            self.seconds_waited += time.monotonic() - start

    def _give(self) -> None:
        with self._lock:
            self._own.has_turn = False
            self._running.pop(threading.get_ident(), None)
            self._overdue.discard(threading.get_ident())
            self._call()

    def _call(self) -> float:
        """Give turns to those who wait, as many as there are; return the seconds until a page does not count more."""
        now = time.monotonic()
        for thread in [thread for thread, began in self._running.items() if now - began >= self._longest]:
            del self._running[thread]
            self._overdue.add(thread)
        while self._waiting and len(self._running) < self._at_a_time:
            thread, called = self._waiting.popleft()
            self._running[thread] = now
            called.set()
        return self._longest - now + min(self._running.values(), default=now)


PAGES = Turns(AT_A_TIME, LONGEST)
"""The turns of this process."""
