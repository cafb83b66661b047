"""Read ``Invoke-RestMethod`` and ``Invoke-WebRequest`` of PowerShell, with the variables and hash tables in front."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from oauth.exchange import Request, header
from oauth.lenient_json import ParseError
from oauth.paste import literals
from oauth.paste.body import encoded
from oauth.paste.result import Block, Pasted, check_count
from oauth.paste.step_guess import step_of

_CALL = re.compile(r"(?i)(?<![\w-])(?:Invoke-(?:RestMethod|WebRequest)|irm|iwr)(?=[ \t]+(?:[-@`$\"']|https?:))")
_ASSIGNED = re.compile(r"(?m)^[^\S\n]*\$(?P<name>\w{1,60})[ \t]*=[ \t]*")
_OPTION = re.compile(r"(?:[ \t]|`[ \t]*\r?\n)+(?:-(?P<name>[A-Za-z]{1,40})(?::|\b))?(?:[ \t]|`[ \t]*\r?\n)*")
_STRING = re.compile(r"'(?P<plain>(?:[^'\n]|'')*+)'|\"(?P<text>(?:[^\"`]|`.)*+)\"")
_VARIABLE = re.compile(r"[$@](?P<name>\w{1,60})\b(?!:)")
_WORD = re.compile(r"[^\s|;)'\"`-][^\s|;)]*")
_CONVERTED = re.compile(r"(?i)\(\s*\$(?P<name>\w{1,60})\s*\|\s*ConvertTo-Json\b[^()\n]{0,60}\)")
_TO_JSON = re.compile(r"(?i)[ \t]*\|[ \t]*ConvertTo-Json\b[^\n]{0,60}")

_FAR = 4_000
"""Characters in front of a call in which its variables are looked for, and of a hash table."""

_MOST_UNREADABLE = 20
"""Hash tables of a text that cannot be read, after which no more are tried: each may take as long as the whole text."""

_FORM = "application/x-www-form-urlencoded"
"""The type that PowerShell sends where none is set."""


@dataclass(frozen=True, slots=True)
class _Variable:
    """The value of a variable, and the place of its assignment."""

    value: Any
    start: int
    end: int


_Variables = dict[str, _Variable]


def find(text: str) -> Iterator[Block]:
    """Yield each call as a request; it begins where the first of its variables is assigned."""
    calls = list(_CALL.finditer(text))
    check_count(calls)
    script = _Script(text)
    end = 0
    for call in calls:
        variables = script.variables(max(end, call.start() - _FAR), call.start())
        options, end = script.options(call.end(), variables)
        request = _request(options)
        if request is not None:
            start = _first_assignment(text, call.start(), end, variables)
            yield Block(start, end, (Pasted(request, step=step_of(request, None), source="PowerShell command"),))


class _Script:
    """The text, and how many of its hash tables could not be read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._unreadable = 0

    def variables(self, start: int, stop: int) -> _Variables:
        """Return the variables assigned in a part of the text."""
        variables: _Variables = {}
        while assigned := _ASSIGNED.search(self._text, start, stop):
            value, start = self._value(assigned.end(), variables)
            if value is not None:
                value = json.dumps(value) if _TO_JSON.match(self._text, start) else value
                variables[assigned["name"].lower()] = _Variable(value, assigned.start(), start)
        return variables

    def options(self, at: int, variables: _Variables) -> tuple[dict[str, Any], int]:
        """Return the options of a call by name, and its end."""
        options: dict[str, Any] = {}
        while (option := _OPTION.match(self._text, at)) and option.end() < len(self._text):
            value, at = self._value(option.end(), variables)
            if option["name"] is None and value is None:
                break
            if option["name"] is None and isinstance(value, dict):  # all options as a hash table: @parameters
                options |= {name.lower(): inner for name, inner in value.items()}
            else:
                options[(option["name"] or "uri").lower()] = value
        return options, at

    def _value(self, at: int, variables: _Variables) -> tuple[Any, int]:
        """Return the value at a place and its end; ``None`` where there is not one."""
        text = self._text
        if text.startswith("@{", at):
            return self._table(at, variables)
        if string := _STRING.match(text, at):
            plain = string["plain"]
            return string["text"] if plain is None else plain.replace("''", "'"), string.end()
        if variable := _VARIABLE.match(text, at):
            entry = variables.get(variable["name"].lower())
            return entry.value if entry else variable[0], variable.end()
        if converted := _CONVERTED.match(text, at):
            return json.dumps(_resolved(f"${converted['name']}", variables)), converted.end()
        word = _WORD.match(text, at)
        return (word[0], word.end()) if word else (None, at)

    def _table(self, at: int, variables: _Variables) -> tuple[Any, int]:
        if self._unreadable >= _MOST_UNREADABLE:
            return None, at
        try:
            reading = literals.read(self._text[at + 1 : at + _FAR])
        except ParseError:
            self._unreadable += 1
            return None, at
        table = reading.value if isinstance(reading.value, dict) else {}
        return {name: _resolved(inner, variables) for name, inner in table.items()}, at + 1 + reading.end


def _first_assignment(text: str, start: int, end: int, variables: _Variables) -> int:
    """Return the first place where a variable of a call is assigned, or one that is in its value."""
    places, first = [(start, end)], start
    for place in places:
        for name in _VARIABLE.findall(text, *place):
            variable = variables.get(name.lower())
            if variable is not None and (span := (variable.start, variable.end)) not in places:
                places.append(span)
                first = min(first, variable.start)
    return first


def _resolved(value: Any, variables: _Variables) -> Any:
    """Return the value of a variable that is the value of an item."""
    variable = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
    entry = variables.get(variable["name"].lower()) if variable else None
    return entry.value if entry else value


def _request(options: dict[str, Any]) -> Request | None:
    url, method, body = options.get("uri"), str(options.get("method") or "Get").upper(), options.get("body")
    if not isinstance(url, str) or "://" not in url:
        return None
    named = options.get("headers")
    headers = [(name, str(value)) for name, value in named.items()] if isinstance(named, dict) else []
    content_type = options.get("contenttype")
    if body is not None and header(tuple(headers), "content-type") is None:
        headers.append(("Content-Type", content_type if isinstance(content_type, str) else _FORM))
    return Request(method, url, tuple(headers), encoded(urlencode(body) if isinstance(body, dict) else str(body or "")))
