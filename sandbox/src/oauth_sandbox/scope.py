"""Scopes as values (RFC 6749 §3.3)."""

import functools
from collections.abc import Iterable

Scope = tuple[str, ...]


@functools.lru_cache(maxsize=100)  # so that tokens of one scope share it, too
def parse(text: str) -> Scope:
    """Split a scope parameter at spaces, without repetition (RFC 6749 §3.3)."""
    return tuple(dict.fromkeys(filter(None, text.split(" "))))


def within(scope: Iterable[str], allowed: Iterable[str]) -> bool:
    """Return true when every name is allowed; letter case counts."""
    return set(scope) <= set(allowed)
