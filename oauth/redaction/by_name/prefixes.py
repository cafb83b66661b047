"""Secrets that begin with their issuer's prefix, from ``prefixes.toml``."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from oauth.redaction.occurrences import Occurrence

_SHORTEST = 16
_ISSUERS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())["issuer"]

PREFIXES: dict[str, tuple[str, int]] = {
    prefix: (issuer.get("kind", "token"), issuer.get("shortest", _SHORTEST))
    for issuer in _ISSUERS
    for prefix in issuer["prefixes"]
}
"""Kind of secret, and the fewest characters that follow, by prefix."""

_TAILS = {separator: frozenset(prefix[-3:-1] for prefix in PREFIXES if prefix[-1] == separator) for separator in "_-."}
_WITHOUT_SEPARATOR = tuple(prefix for prefix in PREFIXES if prefix[-1] not in _TAILS)
_ALL = tuple(PREFIXES)
_LONGEST = max(map(len, PREFIXES))
_REST = re.compile(r"[A-Za-z0-9_.~+=-]*[A-Za-z0-9_=-]")
_FEW_CHARACTERS = 4


def find_prefixed(text: str) -> Iterator[Occurrence]:
    """Yield the secrets with a well-known prefix. Most texts are told from the characters that end a prefix."""
    done = 0
    for at in sorted(_ends(text)):
        before = text[max(done, at - _LONGEST) : at]
        if not before.endswith(_ALL):
            continue
        prefix = next(prefix for prefix in PREFIXES if before.endswith(prefix))
        start = at - len(prefix)
        rest = _REST.match(text, at) if not text[max(0, start - 1) : start].isalnum() else None
        if rest is None:
            continue
        done = rest.end()  # what is refused here is no secret from a later place on either
        kind, shortest = PREFIXES[prefix]
        if len(rest[0]) >= shortest and _is_random(rest[0]):
            yield Occurrence(start, done, kind, (text[start:done],))


def _is_random(rest: str) -> bool:
    has_digit = any(map(str.isdigit, rest))
    return len(set(rest)) > _FEW_CHARACTERS and (has_digit or not (rest.islower() or rest.isupper()))


def _ends(text: str) -> Iterator[int]:
    """Yield the places behind whatever may be a prefix."""
    for separator, tails in _TAILS.items():
        end = 0
        for piece in text.split(separator):
            end += len(piece) + 1
            if piece[-2:] in tails:
                yield end
    for prefix in _WITHOUT_SEPARATOR:
        at = text.find(prefix)
        while at >= 0:
            at += len(prefix)
            yield at
            at = text.find(prefix, at)
