"""Conversion of values from a file to a type of ours, one thread at a time."""

from threading import RLock
from typing import TypeVar

import msgspec

_T = TypeVar("_T")

_lock = RLock()
"""Reentrant: a type may look something up that is converted itself, as a drill does its entry."""


def convert(value: object, kind: type[_T]) -> _T:
    """Convert a value to ``kind``. Raises ``msgspec.ValidationError``.

    The first conversion to a type builds its description; two threads that build one at once end the process.
    """
    with _lock:
        return msgspec.convert(value, kind)
