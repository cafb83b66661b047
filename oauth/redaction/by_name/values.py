"""The secret part of the value of a named field."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from oauth.redaction.by_name.credentials import SCHEMES, find_credential
from oauth.redaction.occurrences import MARGIN, Occurrence, trim, trim_span
from oauth.redaction.placeholders import PATTERN

_COOKIE = re.compile(rf"\s*([\w!#$%&'*+.^`|~-]+=)?((?:{PATTERN}|[^;])*);?")
_NO_SECRETS = {*SCHEMES, "true", "false", "null", "none", "undefined"}
_EDGE = MARGIN + "\\"
_SENT_WITH_SCHEME = re.compile(r"(?:Bearer|DPoP|Basic)[ \t]+\S", re.IGNORECASE)


def find_in_value(
    kind: str, text: str, start: int, end: int, readings: tuple[str, ...], *, number: bool = False
) -> Iterator[Occurrence]:
    """Yield the secret parts of ``text[start:end]``, the value of a field whose name says ``kind``.

    Whitespace and quotes around a secret stay visible: they are often what is wrong with it.
    """
    written = text[start:end]
    raw = written.strip()
    if raw != written:
        start += len(written) - len(written.lstrip())
        end = start + len(raw)
    if not raw or raw.lower() in _NO_SECRETS:
        return
    if kind in ("cookie", "cookies", "set_cookie"):
        yield from _find_cookies(text, start, end, only_first=kind == "set_cookie")
    elif kind in ("authorization", "proxy_authorization") or _SENT_WITH_SCHEME.match(raw):
        decoded = next(iter(readings), raw).strip()
        yield from find_credential(kind, text, start, end, decoded)
    elif readings == (raw,) and raw[0] not in _EDGE and raw[-1] not in _EDGE:
        yield Occurrence(start, end, kind, readings, number=number)
    else:
        start, end = trim_span(text, start, end)
        trimmed = (trim(reading) for reading in (*readings, text[start:end]))
        yield Occurrence(start, end, kind, tuple(dict.fromkeys(trimmed)), number=number)


def _find_cookies(text: str, start: int, end: int, *, only_first: bool) -> Iterator[Occurrence]:
    """Yield the cookie values in ``text[start:end]``; names and attributes are not secret (RFC 6265 §4)."""
    for cookie in _COOKIE.finditer(text, start, end):
        left, right = cookie.span(2)
        value = cookie[2].strip()
        if value:
            left += cookie[2].index(value)
            yield Occurrence(left, left + len(value), "cookie", tuple(dict.fromkeys((value, unquote(value)))))
        if only_first or right == end:
            return
