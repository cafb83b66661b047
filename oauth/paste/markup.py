"""Find XML and web pages in a text."""

import re
from collections.abc import Iterator
from typing import Any

from oauth.catalogue.shapes import read_xml
from oauth.paste.result import STATUS_UNKNOWN

_ERROR = re.compile(r"<(?:[\w.-]{1,40}:)?(?P<name>[A-Za-z_][\w.-]{0,60})\b[^<>]{0,300}>")
_PAGE_END = re.compile(r"</html\s*>", re.IGNORECASE)
_TITLE = re.compile(
    r"(?:<(?:title|h1)[^<>]{0,200}>\s{0,99}(?:HTTP |Error |Status )*|>\s{0,99}(?:HTTP |Error |Status )+)([45]\d\d)\b",
    re.IGNORECASE,
)
_TAG_BEHIND = re.compile(r"\s{0,99}<(?=[A-Za-z?])")
_MOST_ELEMENTS = 1_000
"""Elements that are tried as the root of an answer."""


def elements(text: str) -> Iterator[tuple[int, int, Any]]:
    """Yield the elements that may be an answer, siblings in a row as one, with their places and their values."""
    position = 0
    for _ in range(_MOST_ELEMENTS):
        opened = _ERROR.search(text, position)
        if opened is None:
            return
        start, end = opened.start(), opened.start()
        while opened and (closing := text.find(f"</{opened[0][1:].split('>')[0].split()[0]}>", opened.end())) >= 0:
            end = text.find(">", closing) + 1
            behind = _TAG_BEHIND.match(text, end)
            opened = _ERROR.match(text, behind.end() - 1) if behind else None
        if end == start:
            position = start + 1 if opened is None else opened.end()
            continue
        value = read_xml(text[start:end])
        if value is not None:
            yield start, end, value
        position = end


def status(text: str, start: int, end: int) -> int:
    """Return the status in the title of a web page, or behind "Error"; ``STATUS_UNKNOWN`` without one."""
    title = _TITLE.search(text, start, end)
    return int(title[1]) if title else STATUS_UNKNOWN


def page_end(text: str, start: int, stop: int) -> int:
    """Return the end of the web page that begins at ``start``: at most ``stop``."""
    closing = _PAGE_END.search(text, start, stop)
    return closing.end() if closing else stop
