"""Numbers of this process since it started, for its metrics. They hold no secret, and nothing that names a person."""

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the classes of a distribution, in seconds; the last class has none."""


@dataclass
class Distribution:
    """Seconds that something took: how often it took up to each of ``BOUNDS``, and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    sum: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds


class Measures:
    """The numbers. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.exchanges: Counter[tuple[str, str, str]] = Counter()
        """Finished exchanges by step, class (``2xx``, ``failed``, ...) and entry of the catalogue."""
        self.recording = {"request": Distribution(), "response": Distribution()}
        """Time to store an exchange, before it is sent and after."""
        self.unrecorded = 0
        """Times that the history could not store an exchange."""
        self.deleted = 0
        """Exchanges that were deleted because of their age."""

    def count_exchange(self, step: str, outcome: str, entry: str) -> None:
        """Count a finished exchange."""
        with self._lock:
            self.exchanges[step, outcome, entry] += 1

    def count_deleted(self, number: int) -> None:
        """Count exchanges that were deleted because of their age."""
        with self._lock:
            self.deleted += number

    @contextmanager
    def record(self, part: str) -> Iterator[None]:
        """Measure the block, which stores a ``request`` or a ``response``."""
        start = time.perf_counter()
        try:
            yield
        except BaseException:
            with self._lock:
                self.unrecorded += 1
            raise
        with self._lock:
            self.recording[part].add(time.perf_counter() - start)


MEASURES = Measures()
"""The numbers of this process."""
