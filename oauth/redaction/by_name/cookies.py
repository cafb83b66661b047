"""Values of cookies (RFC 6265)."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from oauth.redaction.occurrences import Occurrence
from oauth.redaction.placeholders import PATTERN

_COOKIE = re.compile(rf"\s*([\w!#$%&'*+.^`|~-]+=)?((?:{PATTERN}|[^;])*);?")


def find_cookies(text: str, start: int, end: int, *, only_first: bool) -> Iterator[Occurrence]:
    """Yield the cookie values in ``text[start:end]``; names and attributes are not secret (RFC 6265 §4)."""
    for cookie in _COOKIE.finditer(text, start, end):
        left, right = cookie.span(2)
        value = cookie[2].strip()
        if value:
            left += cookie[2].index(value)
            yield Occurrence(left, left + len(value), "cookie", tuple(dict.fromkeys((value, unquote(value)))))
        if only_first or right == end:
            return
