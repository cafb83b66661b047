"""Read the output of PHP's ``print_r`` and ``var_dump``."""

import re
from collections.abc import Iterator
from typing import Any

from oauth.lenient_json import DEEPEST, ParseError, number_of
from oauth.paste.body import first_sign

_OPENED = re.compile(
    r"(?P<printed>(?<![\w\\])(?:Array|[A-Za-z_\\][\w\\]* Object)\s*\(\s*(?=\[|\)))"
    r"|(?:array\(\d+\)|object\([\w\\@.:/$]{1,200}\)#\d+ \(\d+\))\s*\{\s*(?=\[|\})"
)
_WORDS = ("Array", "array(", " Object", "object(")
"""Words of which one is in the beginning of every value."""

_FILE_LINE = re.compile(r"\S+:\d+:\s*")
_KEY = re.compile(r'\[(?P<quote>"?)(?P<name>[^\]\n"]*)(?P=quote)(?::[^\]\n]*)?\]\s*=>[ \t]*(?:\n[ \t]*(?=[a-zA-Z*]))?')
_PLAIN_END = re.compile(r"(?<=\s)\[[^\]\n]{0,200}\] =>|\n[^\S\n]*+\)|(?<=\s)\)(?:[^\S\n]*+\n|\s*+(?=[)\[]|\Z))|\Z")
_SCALAR = re.compile(
    r"(?:int|float|double)\((?P<number>[^)\n]{0,40})\)|bool\((?P<truth>true|false)\)|(?:NULL|\*RECURSION\*|uninitialized\([^)\n]*\))"
)
_MOST_COUNTED = 65_536
"""Octets of a string that are counted; a longer one is read up to its closing quote."""

_STRING = re.compile(r'string\((?P<size>\d{1,9})\)\s*"')
_STRING_END = re.compile(r'"(?=\s*(?:\[|\}|\Z))')


def values(text: str) -> Iterator[tuple[Any, int, int]]:
    """Yield the printed values with their places; one that cannot be read is left out.

    Raises ``ParseError`` for it at the end.
    """
    if not any(word in text for word in _WORDS):
        return
    position = 0
    failure: ParseError | None = None
    while opened := _OPENED.search(text, position):
        try:
            value, position = _container(text, opened, 0)
        except ParseError as error:
            failure = failure or error
            position = max(error.position, opened.end())
            continue
        yield value, opened.start(), position
    if failure is not None:
        raise failure


def _container(text: str, opened: re.Match[str], depth: int) -> tuple[Any, int]:
    if depth > DEEPEST:
        raise ParseError(f"the value is nested deeper than {DEEPEST} levels.", text, opened.start())
    printed = opened["printed"] is not None
    closer = ")" if printed else "}"
    members: dict[str, Any] = {}
    position = opened.end()
    while key := _KEY.match(text, position):
        members[key["name"]], position = (_printed if printed else _dumped)(text, key.end(), depth + 1)
        position = first_sign(text, position)
    if text.startswith(closer, position):
        position += 1
    elif position < len(text):
        raise ParseError(f"expected a name in brackets or {closer!r} here.", text, position)
    if members and list(members) == [str(number) for number in range(len(members))]:
        return list(members.values()), position
    return members, position


def _printed(text: str, position: int, depth: int) -> tuple[Any, int]:
    """Read one value of ``print_r``: without quotes, it ends before the next name or the closing parenthesis."""
    if (opened := _OPENED.match(text, position)) and opened["printed"]:
        return _container(text, opened, depth)
    end = _PLAIN_END.search(text, position)
    stop = end.start() if end else len(text)
    value = text[position:stop].rstrip()
    return (int(value) if value.isascii() and value.isdigit() and len(value) < 10 else value), stop


def _dumped(text: str, position: int, depth: int) -> tuple[Any, int]:
    """Read one value of ``var_dump``, with its type in front."""
    if place := _FILE_LINE.match(text, position):  # Xdebug says where the call stands
        position = place.end()
    if (opened := _OPENED.match(text, position)) and not opened["printed"]:
        return _container(text, opened, depth)
    if string := _STRING.match(text, position):
        return _string(text, string.end(), int(string["size"]))
    scalar = _SCALAR.match(text, position)
    if scalar is None:
        raise ParseError("expected a value with its type here.", text, position)
    if scalar["truth"]:
        return scalar["truth"] == "true", scalar.end()
    return _number(scalar["number"]), scalar.end()


def _string(text: str, start: int, size: int) -> tuple[str, int]:
    """Read a string by its size in octets, or by its closing quote where the text was edited since."""
    value = _first_octets(text, start, size)
    if value is not None and text.startswith('"', start + len(value)):
        return value, start + len(value) + 1
    end = _STRING_END.search(text, start)
    if end is None:
        raise ParseError("the string that begins here is not closed.", text, start - 1)
    return text[start : end.start()], end.end()


def _first_octets(text: str, start: int, size: int) -> str | None:
    """Return the text of the first octets, ``None`` where the size is not worth the work: it is only a claim."""
    if text.isascii():
        return text[start : start + size] if text.startswith('"', start + size) else None
    if size > _MOST_COUNTED:
        return None
    return text[start : start + size].encode("utf-8", "replace")[:size].decode("utf-8", "ignore")


def _number(text: str | None) -> int | float | None:
    """Return a number, ``None`` without one."""
    try:
        return number_of(text) if text else None
    except ValueError:
        return None
