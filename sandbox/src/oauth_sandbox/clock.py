"""The sandbox's clock: real time plus an offset that can be moved."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

FARTHEST = timedelta(days=36_525)


def utc_now() -> datetime:
    """Return real time, aware and in UTC."""
    return datetime.now(UTC)


class Clock:
    """A clock that can be moved, so that nobody has to wait for an expiry."""

    def __init__(self, base: Callable[[], datetime]) -> None:
        self._base = base
        self._offset = timedelta()
        self._lock = threading.Lock()

    @property
    def base(self) -> Callable[[], datetime]:
        """The clock that it is ahead of or behind."""
        return self._base

    @property
    def offset(self) -> timedelta:
        """The clock's lead over its base; negative when it is behind."""
        return self._offset

    def now(self) -> datetime:
        """Return the sandbox's time, aware and in UTC."""
        return self._base() + self._offset

    def move(self, seconds: float) -> None:
        """Move the clock by ``seconds``, back when negative.

        Raises ``ValueError`` for a move to more than a hundred years from real time, and when ``seconds`` is not
        finite.
        """
        message = f"The clock cannot be moved by {seconds} seconds: it stays within 100 years of real time."
        try:
            step = timedelta(seconds=seconds)
        except (OverflowError, ValueError) as error:
            raise ValueError(message) from error
        with self._lock:
            if abs(self._offset + step) > FARTHEST:
                raise ValueError(message)
            self._offset += step

    def set(self, now: datetime) -> None:
        """Set the clock to ``now``, an aware time, from which it goes on.

        Raises ``ValueError`` when that is more than a hundred years from real time.
        """
        with self._lock:
            offset = now - self._base()
            if abs(offset) > FARTHEST:
                raise ValueError(
                    f"The clock cannot be set to {now.isoformat()}: it stays within 100 years of real time."
                )
            self._offset = offset

    def reset(self) -> None:
        """Return to the base clock."""
        with self._lock:
            self._offset = timedelta()
