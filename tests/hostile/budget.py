"""The cost of a call in processor time and memory, and a limit that stops it."""

import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

_PROCESS = Path("/proc/self")


class BudgetExceeded(BaseException):
    """A call used up its processor time. It is not an ``Exception``, so that no reader takes it for a bad text."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The processor time of a call, in seconds of all threads, and the growth of the process's peak, in octets."""

    seconds: float
    octets: int


def cost(call: Callable[[], object], limit: float = 60) -> Cost:
    """Return the cost of a call. Raises ``BudgetExceeded`` after ``limit`` seconds of processor time."""
    before = _reset_peak()
    with limited(limit):
        started = time.process_time()
        call()
        seconds = time.process_time() - started
    return Cost(seconds, max(0, _peak() - before))


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise ``BudgetExceeded`` in the block after this much processor time; only in the main thread."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise BudgetExceeded(f"more than {seconds:g} s of processor time")

    previous = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)


def _reset_peak() -> int:
    """Set the peak of the memory back to what is in use, where the system can, and return it in octets."""
    with suppress(OSError):  # without it only a peak above all earlier ones is seen
        (_PROCESS / "clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    try:
        status = (_PROCESS / "status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
