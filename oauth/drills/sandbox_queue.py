"""The queue for the sandbox: a drill moves its clock and changes its clients, which nobody else should meet.

Consoles that share a PostgreSQL database take turns by a lock there, because they may share the sandbox.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from time import monotonic

from oauth.history.elsewhere_lock import ElsewhereLock
from oauth.page_turns import PAGES


class Turn:
    """A place in the queue; ``what`` is shown to those behind it."""

    def __init__(self, what: str, queue: "Queue") -> None:
        self.what = what
        self._queue = queue

    def wait(self, seconds: float) -> str:
        """Wait for the turn, at most ``seconds``; return what is still waited for, or an empty text."""
        return self._queue.wait(self, seconds)


class Queue:
    """A first-come, first-served queue, safe for threads."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._turns: deque[Turn] = deque()
        self._elsewhere: ElsewhereLock | None = None

    def share(self, elsewhere: ElsewhereLock) -> None:
        """Take turns with other consoles, too."""
        self._elsewhere = elsewhere

    @contextmanager
    def turn(self, what: str) -> Iterator[Turn]:
        """Join the queue until the block ends. Call ``wait`` until the turn has come."""
        turn = Turn(what, self)
        with self._changed:
            self._turns.append(turn)
        try:
            yield turn
        finally:
            with self._changed:
                if self._elsewhere is not None and self._turns[0] is turn:
                    self._elsewhere.release()
                self._turns.remove(turn)
                self._changed.notify_all()

    @contextmanager
    def exclusive(self, what: str) -> Iterator[None]:
        """Wait for the turn, however long, and hold the sandbox for the block."""
        with self.turn(what) as turn:
            while turn.wait(60):
                pass
            yield

    @property
    def length(self) -> int:
        """The number of those who hold the turn or wait for it."""
        return len(self._turns)

    @property
    def holder(self) -> str:
        """The holder of the turn; empty when there is none."""
        with self._changed:
            if self._turns:
                return self._turns[0].what
        return self._elsewhere.holder() if self._elsewhere is not None else ""

    def wait(self, turn: Turn, seconds: float) -> str:
        """Wait for ``turn``, at most ``seconds``; see ``Turn.wait``."""
        end = monotonic() + seconds
        with self._changed:
            if self._turns[0] is turn and self._elsewhere is None:
                return ""
        with PAGES.paused():
            with self._changed:
                if not self._changed.wait_for(lambda: self._turns[0] is turn, seconds):
                    return self._turns[0].what
            # Not under the condition, so that others can join and leave the queue meanwhile.
            return self._elsewhere.take(turn.what, end - monotonic()) if self._elsewhere is not None else ""


SANDBOX = Queue()
"""One queue for all, because one sandbox has several addresses: localhost, 127.0.0.1, a public name."""


def queue_for(control: str) -> Queue:
    """Return the queue of a provider with this ``control``; without one there is nothing to wait for."""
    return SANDBOX if control else Queue()
