"""Placeholders of secrets: ``«refresh_token #9f2a41d07b 40ch»``, or ``«client_secret 11ch»`` for a short one.

No other module knows this format: they use ``PLACEHOLDER``, ``PATTERN``, ``parse`` and ``is_live``.
"""

import hmac
import re
from typing import NamedTuple
from urllib.parse import quote

PLACEHOLDER = re.compile(r"«([a-z0-9_]{1,40})(?: #([0-9a-f]{10}))? ([0-9]{1,9})ch»")
"""Kind, fingerprint (absent for a short secret) and length in characters."""

PATTERN = re.sub(r"\((?!\?)", "(?:", PLACEHOLDER.pattern)
"""The same without groups, for use inside other patterns."""

PLACEHOLDERS = re.compile(f"(?:{PATTERN})+")
"""One or more placeholders with nothing between them."""

_SURROGATE = re.compile("[\ud800-\udfff]")

FINGERPRINT_FROM = 16
"""Characters from which a secret gets a fingerprint. A shorter one could be guessed and compared with it."""


class Placeholder(NamedTuple):
    """The parts of a placeholder. ``fingerprint`` is empty for a short secret; ``length`` is in characters."""

    kind: str
    fingerprint: str
    length: int


def parse(text: str) -> Placeholder | None:
    """Parse a text that is one placeholder; return ``None`` for any other."""
    match = PLACEHOLDER.fullmatch(text) if text.startswith("«") else None
    return Placeholder(match[1], match[2] or "", int(match[3])) if match else None


def is_live(text: str) -> bool:
    """Return whether a text is a real value, with no placeholder in it."""
    return "«" not in text or PLACEHOLDER.search(text) is None


def length(text: str) -> int:
    """Return the number of characters of a text, counting each placeholder as the secret it stands for."""
    if "«" not in text:
        return len(text)
    return len(PLACEHOLDER.sub("", text)) + sum(int(match[3]) for match in PLACEHOLDER.finditer(text))


def placeholder(key: bytes, kind: str, value: str) -> str:
    """Return the placeholder of a value: kind, ten hex digits of HMAC-SHA256 under ``key``, length in characters."""
    if not value:
        return ""
    if len(value) < FINGERPRINT_FROM:
        return f"«{kind} {len(value)}ch»"
    message = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
    return f"«{kind} #{hmac.digest(key, message, 'sha256').hex()[:10]} {len(value)}ch»"


def quoted(url: str) -> str:
    """Quote a redacted URL for ``urllib.parse``, which takes a placeholder's ``#`` for the start of the fragment."""
    return PLACEHOLDER.sub(lambda match: quote(match[0]), url) if "«" in url else url


def storable(text: str) -> str:
    """Replace characters that some database rejects: NUL by U+2400, a lone surrogate by U+FFFD."""
    readable = text.replace("\0", "␀")
    return readable if readable.isascii() else _SURROGATE.sub("\ufffd", readable)
