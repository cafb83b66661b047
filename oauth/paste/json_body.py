"""Read a body alone: one JSON object or array, or several in a row, also as another language prints them."""

import json
import re

from oauth.lenient_json import ParseError
from oauth.paste.body import first_sign, read_value
from oauth.paste.envelopes import exchanges
from oauth.paste.literals import PRINTED_START
from oauth.paste.result import Pasted, check_count

ESCAPED = "escaped quotes read as plain quotes"

_DECODER = json.JSONDecoder(strict=False)
_BETWEEN = re.compile(r"[\s,;\ufeff\u200b]*")
_COMMENTED = re.compile(r"(?://|/\*|#)")
_IN_STRING = re.compile(r'"\s*(?:\\+")*[{\[]\s*(?:\\+["nrt]|[}\]])')
_UNQUOTED = re.compile(r"[{\[]\s*\\+[\"nrt]")


def confidence(text: str) -> float:
    """Return the confidence that the text begins like an object or array; less when it begins with a comment."""
    start = first_sign(text)
    if text.startswith(("{", "["), start) or _IN_STRING.match(text, start) or PRINTED_START.match(text, start):
        return 0.6
    return 0.4 if _COMMENTED.match(text, start) and "{" in text else 0.0


def read(text: str) -> list[Pasted]:
    """Return the exchanges in the values of the text. Raises ``ParseError``."""
    start = first_sign(text)
    if _UNQUOTED.match(text, start):
        return _unescaped(text, start)
    items: list[Pasted] = []
    while start < len(text):
        value, end, repairs = _string(text, start) if text[start] == '"' else read_value(text, start)
        items += exchanges(value, source="JSON", repairs=repairs, text=text[start:end])
        check_count(items)
        between = _BETWEEN.match(text, end)
        start = between.end() if between else end
    return items


def _string(text: str, start: int) -> tuple[str, int, tuple[str, ...]]:
    """Read JSON inside a JSON string."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except ValueError as error:
        raise ParseError("the string that begins here is not closed.", text, start) from error
    return value, end, ()


def _unescaped(text: str, start: int) -> list[Pasted]:
    """Read the inside of a JSON string that was copied without its quotes."""
    inner = text[start:].rstrip().rstrip('"')
    try:
        plain = json.loads(f'"{inner}"', strict=False)
    except ValueError as error:
        raise ParseError("the escaped JSON that begins here cannot be read.", text, start) from error
    value, _, repairs = read_value(plain, first_sign(plain))
    return exchanges(value, source="JSON", repairs=(ESCAPED, *repairs))
