"""The sandbox's clock: real time plus an offset that can be moved."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

FARTHEST = timedelta(days=36_525)


def utc_now() -> datetime:
    """Real time, aware and in UTC."""
    return datetime.now(UTC)


class Clock:
    """A clock that can be moved, so that what expires need not be waited for."""

    def __init__(self, base: Callable[[], datetime]) -> None:
        self._base = base
        self._offset = timedelta()
        self._lock = threading.Lock()

    @property
    def offset(self) -> timedelta:
        """How far the clock is ahead of its base; negative when it is behind."""
        return self._offset

    def now(self) -> datetime:
        """The sandbox's time, aware and in UTC."""
        return self._base() + self._offset

    def move(self, seconds: float) -> None:
        """Move the clock by ``seconds``, back when negative.

        Raises ``ValueError`` when that takes it more than a hundred years from real time, or ``seconds`` is no number.
        """
        error_response = f"The clock cannot be moved by {seconds} seconds: it stays within 100 years of real time."
        try:
            step = timedelta(seconds=seconds)
        except (OverflowError, ValueError) as error:
            raise ValueError(error_response) from error
        with self._lock:
            if abs(self._offset + step) > FARTHEST:
                raise ValueError(error_response)
            self._offset += step

    def set(self, now: datetime) -> None:
        """Make it ``now``, from where it goes on. ``now`` is aware.

        Raises ``ValueError`` when that is more than a hundred years from real time.
        """
        with self._lock:
            offset = now - self._base()
            if abs(offset) > FARTHEST:
                raise ValueError(f"The clock cannot be set to {now}: it stays within 100 years of real time.")
            self._offset = offset

    def reset(self) -> None:
        """Back to the base clock."""
        with self._lock:
            self._offset = timedelta()
