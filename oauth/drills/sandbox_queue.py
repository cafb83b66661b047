"""Whose turn it is at the sandbox: a drill moves its clock and changes its clients, and nobody else is to meet that."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Turn:
    """One that stands in the queue. ``what`` is shown to those behind it."""

    def __init__(self, what: str, queue: "Queue") -> None:
        self.what = what
        self._queue = queue

    def wait(self, seconds: float) -> str:
        """Wait for the turn, ``seconds`` at most; gives what is still waited for, an empty text once it has come."""
        return self._queue.wait(self, seconds)


class Queue:
    """One at a time, in the order in which they came. Every thread may use it."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._turns: deque[Turn] = deque()

    @contextmanager
    def turn(self, what: str) -> Iterator[Turn]:
        """Stand in the queue until the block ends. Whoever needs the sandbox calls ``wait`` until the turn has come."""
        turn = Turn(what, self)
        with self._changed:
            self._turns.append(turn)
        try:
            yield turn
        finally:
            with self._changed:
                self._turns.remove(turn)
                self._changed.notify_all()

    @contextmanager
    def taken(self, what: str) -> Iterator[None]:
        """Have the sandbox to oneself in the block, however long that is waited for."""
        with self.turn(what) as turn:
            while turn.wait(60):
                pass
            yield

    @property
    def taken_by(self) -> str:
        """What has its turn now; an empty text when nothing has."""
        with self._changed:
            return self._turns[0].what if self._turns else ""

    def wait(self, turn: Turn, seconds: float) -> str:
        """What ``turn`` waits for after ``seconds`` at most: see there."""
        with self._changed:
            came = self._changed.wait_for(lambda: self._turns[0] is turn, seconds)
            return "" if came else self._turns[0].what


SANDBOX = Queue()
"""One queue for all, since one sandbox answers under several addresses: localhost, 127.0.0.1, a public name."""


def queue_at(control: str) -> Queue:
    """The queue of a provider with this ``control``; at one without, nobody moves a clock, and nobody is waited for."""
    return SANDBOX if control else Queue()
