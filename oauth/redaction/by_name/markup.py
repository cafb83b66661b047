"""Elements of XML and HTML, and the values of HTML inputs."""

import html
import re
from collections.abc import Iterator

from oauth.redaction.by_name.values import find_in_value
from oauth.redaction.names import secret_kind
from oauth.redaction.occurrences import Occurrence
from oauth.redaction.placeholders import PATTERN

_ELEMENT = re.compile(r"<(?:[\w-]{1,50}:)?([A-Za-z][\w.-]{0,99})(?:\s[^<>]{0,2000})?>(?:<!\[CDATA\[)?")
_TAG = re.compile(r"<([A-Za-z]\w{0,20})\s[^<>]{0,8000}")
_ATTRIBUTE = re.compile(r"""\b(name|id|key|property|type|value|content)\s{0,9}=\s{0,9}(["']?)""", re.IGNORECASE)
_UNQUOTED = re.compile(rf"(?:{PATTERN}|[^\s>])*")
_WITH_TEXT = ("textarea", "output", "span", "code", "string", "td", "entry")
_PLIST = re.compile(r"<key>([^<>]{1,100})</key>\s{0,99}<(?:string|data)>")


def find_markup(text: str) -> Iterator[Occurrence]:
    """Yield the text of elements with a secret's name, and the values of tags whose ``name`` or ``id`` is one."""
    done = 0
    for element in _ELEMENT.finditer(text):
        kind = secret_kind(element[1])
        if kind is not None and element.start() >= done:
            done = _text_end(text, element.end(), cdata=element[0].endswith("["))
            yield from _find_escaped(kind, text, element.end(), done)
    for key in _PLIST.finditer(text):
        if (kind := secret_kind(html.unescape(key[1]).strip())) is not None:
            yield from _find_escaped(kind, text, key.end(), _text_end(text, key.end(), cdata=False))
    done = 0
    for tag in _TAG.finditer(text):
        if tag.start() < done:
            continue
        kind, values = _attributes(text, tag.start(), tag.end())
        if kind is None:
            continue
        if not values and tag[1].lower() in _WITH_TEXT and text[tag.end() :][:1] == ">":
            values = [(tag.end() + 1, _text_end(text, tag.end() + 1, cdata=False))]
        for start, done in values:
            yield from _find_escaped(kind, text, start, done)


def _attributes(text: str, start: int, end: int) -> tuple[str | None, list[tuple[int, int]]]:
    """Return the kind of secret that a tag is named after, and the spans of its values."""
    kind: str | None = None
    values: list[tuple[int, int]] = []
    at = start
    while (attribute := _ATTRIBUTE.search(text, at, end)) is not None:
        at = attribute.end()
        if attribute[2]:
            stop = text.find(attribute[2], at)
            stop = len(text) if stop < 0 else stop
        else:
            unquoted = _UNQUOTED.match(text, at)
            stop = unquoted.end() if unquoted else at
        if attribute[1].lower() in ("value", "content"):
            values.append((at, stop))
        elif attribute[1].lower() == "type":
            kind = kind or ("password" if text[at:stop].lower() == "password" else None)
        else:
            kind = kind or secret_kind(html.unescape(text[at:stop]).strip())
        at = stop
    return kind, values


def _text_end(text: str, start: int, *, cdata: bool) -> int:
    end = text.find("]]>" if cdata else "<", start)
    return len(text) if end < 0 else end


def _find_escaped(kind: str, text: str, start: int, end: int) -> Iterator[Occurrence]:
    return find_in_value(kind, text, start, end, (html.unescape(text[start:end]),))
