"""The end of the process, announced: nothing new is sent, and what was sent gets its response recorded."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Shutdown:
    """The state of a process that may be about to end. Safe for threads.

    ``on_break_off`` has what is called to end work that nobody can wait for, such as a download.
    """

    def __init__(self) -> None:
        # A signal may begin it in a thread that is just counting.
        self._lock = threading.RLock()
        self.sending = 0
        """Requests whose response is waited for or recorded."""
        self.has_begun = False
        """True from the moment on at which the process was told to end."""
        self.on_break_off: set[Callable[[], object]] = set()

    def begin(self) -> None:
        """Refuse to send anything new."""
        with self._lock:
            self.has_begun = True

    @contextmanager
    def send(self) -> Iterator[bool]:
        """Send a request in the block, from before it is recorded until its response is; give False if it must not."""
        with self._lock:
            may_send = not self.has_begun
            self.sending += 1
        try:
            yield may_send
        finally:
            with self._lock:
                self.sending -= 1

    def break_off(self) -> int:
        """Cancel the work of ``on_break_off``; return how many pieces that were."""
        ended = list(self.on_break_off)
        for end in ended:
            end()
        return len(ended)


SHUTDOWN = Shutdown()
"""The state of this process."""
