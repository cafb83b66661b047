"""What stands in a secret's place: ``«refresh_token #9f2a41d07b 40ch»``, ``«client_secret 11ch»`` for a short one."""

import hmac
import re
from urllib.parse import quote

PLACEHOLDER = re.compile(r"«[a-z0-9_]{1,40}(?: #[0-9a-f]{10})? \d{1,9}ch»")

HIDDEN = re.compile(f"(?:{PLACEHOLDER.pattern})+")
"""Placeholders with nothing between them: a text that has been redacted."""

_SURROGATE = re.compile("[\ud800-\udfff]")

FINGERPRINT_FROM = 16
"""Characters from which a secret gets a fingerprint. A shorter one could be guessed and tried against it."""


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
