"""What stands in a secret's place: ``«refresh_token #9f2a41d07b 40ch»``, ``«client_secret 11ch»`` for a short one."""

import hmac
import re
from dataclasses import dataclass
from urllib.parse import quote

PLACEHOLDER = re.compile(r"«([a-z0-9_]{1,40})(?: #([0-9a-f]{10}))? ([0-9]{1,9})ch»")
"""Kind, fingerprint (absent for a short secret) and length in characters."""

PATTERN = re.sub(r"\((?!\?)", "(?:", PLACEHOLDER.pattern)
"""The same without groups, to stand inside other patterns."""

HIDDEN = re.compile(f"(?:{PATTERN})+")
"""Placeholders with nothing between them: a text that has been redacted."""

_SURROGATE = re.compile("[\ud800-\udfff]")

FINGERPRINT_FROM = 16
"""Characters from which a secret gets a fingerprint. A shorter one could be guessed and tried against it."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder taken apart. ``fingerprint`` is empty for a short secret; ``length`` is in characters."""

    kind: str
    fingerprint: str
    length: int


def parse(text: str) -> Placeholder | None:
    """The placeholder that ``text`` is, ``None`` when it is a live value."""
    found = PLACEHOLDER.fullmatch(text)
    return Placeholder(found[1], found[2] or "", int(found[3])) if found else None


def is_live(text: str) -> bool:
    """Whether this is the real value, with no placeholder in it."""
    return PLACEHOLDER.search(text) is None


def placeholder(key: bytes, kind: str, value: str) -> str:
    """The placeholder of a value: its kind, ten hex digits of HMAC-SHA256 under ``key``, its length in characters."""
    if not value:
        return ""
    if len(value) < FINGERPRINT_FROM:
        return f"«{kind} {len(value)}ch»"
    message = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
    return f"«{kind} #{hmac.digest(key, message, 'sha256').hex()[:10]} {len(value)}ch»"


def quoted(url: str) -> str:
    """A redacted URL for ``urllib.parse``, which would take a placeholder's ``#`` for the start of the fragment."""
    return PLACEHOLDER.sub(lambda found: quote(found[0]), url)


def storable(text: str) -> str:
    """Text that every database takes: NUL becomes U+2400, a lone surrogate U+FFFD."""
    readable = text.replace("\0", "␀")
    return readable if readable.isascii() else _SURROGATE.sub("\ufffd", readable)
