"""Turn a pasted body into strict JSON, as the rest of the console reads it."""

import json
import re
from typing import Any

from oauth import lenient_json
from oauth.lenient_json import ParseError
from oauth.paste import go_map, literals

LEAD = re.compile(r"[\s\ufeff\u200b]*")
_WINDOWS = (1 << 16, 1 << 20)
_CUT_MARK = re.compile(r"(?:\.{3,}|…|(?:[(\[<]\s*+)?(?:(?:\.{3}|…)\s*+)?truncated\b[^\n]{0,60})\s*\Z", re.IGNORECASE)
_DECODER = json.JSONDecoder()


def read_value(text: str, start: int) -> tuple[Any, int, tuple[str, ...]]:
    """Return the value at ``start``, in JSON or another language, its end and the repairs. Raises ``ParseError``.

    It may be cut off only by the end of the text.
    """
    if strict := _strict(text, start):
        return *strict, ()
    if go_map.OPENED.match(text, start):
        printed = go_map.read(text, start)
        return printed.value, printed.end, printed.repairs
    try:
        reading = lenient_json.read(text, start)
        return reading.value, reading.end, reading.repairs
    except ParseError as error:
        failure = error
    marked = _CUT_MARK.search(text, max(start, len(text) - 200))
    whole = text[: marked.start()].rstrip() if marked else text
    for read, source, cut in (
        (literals.read, text, False),
        (lenient_json.read, whole, True),
        (literals.read, whole, True),
    ):
        try:
            reading = read(source, start, cut=cut)
        except ParseError:
            continue
        return reading.value, len(text) if cut else reading.end, reading.repairs
    raise failure


def repaired(text: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a body as octets and its repairs; a body that cannot be read as JSON is left unchanged."""
    start = first_sign(text)
    if text[start : start + 1] in ("{", "["):
        try:
            value, end, repairs = read_value(text, start)
        except ParseError:
            return encoded(text), ()
        if repairs and not text[end:].strip():
            return as_json(value), repairs
    return encoded(text), ()


def as_json(value: Any) -> bytes:
    """Return a value as the octets of a JSON body."""
    return encoded(json.dumps(value, ensure_ascii=False))


def encoded(text: str) -> bytes:
    """Encode a text; a lone surrogate becomes a question mark."""
    return text.encode("utf-8", "replace")


def first_sign(text: str, start: int = 0) -> int:
    """Return the end of the whitespace that begins at ``start``."""
    match = LEAD.match(text, start)
    return match.end() if match else start


def _strict(text: str, start: int) -> tuple[Any, int] | None:
    """Return the strict JSON value at ``start`` and its end, ``None`` where there is not one.

    It is read in windows, because an error of the decoder counts the lines from the beginning of its text.
    """
    for width in (*_WINDOWS, len(text)):
        window = text[start : start + width] if start or width < len(text) else text
        try:
            value, end = _DECODER.raw_decode(window)
        except json.JSONDecodeError as error:
            within = start + width < len(text)
            if within and (error.msg.startswith("Unterminated") or error.pos >= len(window) - 8):
                continue
            return None
        except (ValueError, RecursionError):
            return None
        return value, start + end
    return None
