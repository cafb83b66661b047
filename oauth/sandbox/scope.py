"""Scopes as values (RFC 6749 §3.3)."""

from collections.abc import Iterable

Scope = tuple[str, ...]


def parse(text: str) -> Scope:
    """The names in a scope parameter, in their order and each once. Only a space separates (RFC 6749 §3.3)."""
    return tuple(dict.fromkeys(name for name in text.split(" ") if name))


def within(scope: Iterable[str], allowed: Iterable[str]) -> bool:
    """Whether nothing is scope that is not allowed; letter case counts."""
    return set(scope) <= set(allowed)
