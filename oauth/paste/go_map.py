"""Read maps as Go's ``fmt`` prints them: ``map[error:invalid_grant error_description:Invalid refresh token]``.

The output has no quotes, but Go prints the names in order (since Go 1.12), and nothing between name and value.
"""

import re
from typing import Any

from oauth.lenient_json import CUT, DEEPEST, ParseError, Reading

PRINTED = "read as the output of Go"

OPENED = re.compile(r"\bmap\[(?=[A-Za-z_@$][\w.$-]{0,99}:)")
"""The beginning of such a map."""

_NAME = re.compile(r"(?P<name>[A-Za-z_@$][\w.$-]{0,99}):")
_SIGN = re.compile(r"[\[\]]| (?=[A-Za-z_@$][\w.$-]{0,99}:(?:(?![ /])|(?= [A-Za-z_@$][\w.$-]{0,99}:)))")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?(?:e[+-]\d{1,3})?")
_WORDS = {"<nil>": None, "true": True, "false": False}


def read(text: str, start: int) -> Reading:
    """Read the one map that begins at ``start``; the text may end inside it. Raises ``ParseError``."""
    members, end = _map(text, start, 0)
    return Reading(members, end, (PRINTED, CUT) if not text.endswith("]", start, end) else (PRINTED,))


def _map(text: str, start: int, depth: int) -> tuple[dict[str, Any], int]:
    if depth > DEEPEST:
        raise ParseError(f"the value is nested deeper than {DEEPEST} levels.", text, start)
    members: dict[str, Any] = {}
    position = start + len("map[")
    while name := _NAME.match(text, position):
        members[name["name"]], position = _value(text, name.end(), name["name"], depth)
        position += text.startswith(" ", position)
    if text.startswith("]", position):
        return members, position + 1
    if position < len(text):
        raise ParseError("expected a name with a colon or ']' here.", text, position)
    return members, position


def _value(text: str, start: int, name: str, depth: int) -> tuple[Any, int]:
    """Read the value of a name, up to the bracket or the next name, which comes later in the alphabet."""
    if text.startswith("map[", start):
        return _map(text, start, depth + 1)
    inside, position = 0, start
    while sign := _SIGN.search(text, position):
        position = sign.end()
        if sign[0] == "[":
            inside += 1
        elif sign[0] == "]":
            inside -= 1
            if inside < 0:
                return _plain(text[start : sign.start()]), sign.start()
        elif not inside and (following := _NAME.match(text, position)) and following["name"] > name:
            return _plain(text[start : sign.start()]), sign.start()
    return _plain(text[start:]), len(text)


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return text
    return int(text) if text.lstrip("-").isdigit() else float(text)
