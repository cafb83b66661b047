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

PATIENCE = 20.0
"""Seconds after which a page is drawn beside the others, which may be stuck or read a very large text."""


class Turns:
    """Turns of threads, first come, first served. Safe for threads."""

    def __init__(self, at_a_time: int, patience: float) -> None:
        self._at_a_time = at_a_time
        self._patience = patience
        self._lock = threading.Lock()
        self._running = 0
        self._waiting: deque[threading.Event] = deque()
        self._own = threading.local()
        self.seconds_waited = 0.0
        """Seconds that all threads together have waited."""
        self.taken = 0
        """Turns that were taken so far."""

    @property
    def running(self) -> int:
        """Number of threads that have a turn."""
        return self._running

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
        with self._lock:
            self.taken += 1
            self._own.has_turn = True
            if self._running < self._at_a_time:
                self._running += 1
                return
            called = threading.Event()
            if first:
                self._waiting.appendleft(called)
            else:
                self._waiting.append(called)
        start = time.monotonic()
        called.wait(self._patience)
        with self._lock:
            self.seconds_waited += time.monotonic() - start
            if not called.is_set():
                self._waiting.remove(called)
                self._running += 1

    def _give(self) -> None:
        with self._lock:
            self._own.has_turn = False
            self._running -= 1
            if self._waiting and self._running < self._at_a_time:
                self._running += 1
                self._waiting.popleft().set()


PAGES = Turns(AT_A_TIME, PATIENCE)
"""The turns of this process."""
