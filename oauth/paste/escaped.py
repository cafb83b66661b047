"""Read JSON inside a string: in its quotes, or copied out of them with the backslashes left."""

import json
import re
from typing import Any

from oauth.lenient_json import ParseError
from oauth.paste.body import first_sign, read_value

ESCAPED = "escaped quotes read as plain quotes"

START = re.compile(r'"(?=\s{0,9}(?:\\+")?[{\[]\s{0,9}(?:\\+["nrt]|[}\]]))')
"""The beginning of a string in quotes that has an object or an array inside."""

_UNQUOTED = re.compile(r"[{\[]\s{0,9}(?P<slashes>\\+)[\"nrt]")
_SIGN = re.compile(r"(?P<quote>(?<!\\)\\++\")|[{}\[\]]")
_DECODER = json.JSONDecoder(strict=False)


def read(text: str, start: int) -> tuple[Any, int, tuple[str, ...]] | None:
    """Return the value at ``start``, its end and the repairs; ``None`` where nothing is escaped.

    A string in quotes is returned as a string. Raises ``ParseError`` where it is not closed.
    """
    if text.startswith('"', start):
        try:
            value, end = _DECODER.raw_decode(text, start)
        except ValueError as error:
            raise ParseError("the string that begins here is not closed.", text, start) from error
        return value, end, ()
    opened = _UNQUOTED.match(text, start)
    if opened is None:
        return None
    end = _end(text, start, len(opened["slashes"]))
    try:
        plain = json.loads(f'"{text[start:end]}"', strict=False)
    except ValueError as error:
        raise ParseError("the escaped JSON that begins here cannot be read.", text, start) from error
    begin = first_sign(plain)
    value, _, repairs = read(plain, begin) or read_value(plain, begin)
    return value, end, tuple(dict.fromkeys((ESCAPED, *repairs)))


def _end(text: str, start: int, slashes: int) -> int:
    """Return the end of the object or array: its quotes have as many backslashes as the first one."""
    depth, is_string = 0, False
    for sign in _SIGN.finditer(text, start):
        if sign["quote"]:
            is_string ^= len(sign["quote"]) == slashes + 1
        elif not is_string:
            depth += 1 if sign[0] in "{[" else -1
            if depth == 0:
                return sign.end()
    raise ParseError("the escaped JSON that begins here is not closed.", text, start)
