"""Challenges in a ``WWW-Authenticate`` header (RFC 9110 §11.6.1, RFC 6750 §3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAMETER = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))', re.DOTALL)
_SCHEME = re.compile(rf"({_TOKEN})(?:[ \t]+(?!=)|(?=[ \t]*(?:,|$)))")
_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))")
_SEPARATOR = re.compile(r"[ \t,]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_REST = re.compile(r"[^,]*")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate that a server offers. Parameter names are in lower case; ``text`` is unchanged."""

    scheme: str
    parameters: Mapping[str, str]
    text: str


def parse(value: str) -> tuple[Challenge, ...]:
    """Parse the challenges of one header value, in order. Skip unreadable parts and never raise."""
    parsed: list[tuple[str, dict[str, str], int, int]] = []
    position = _after(_SEPARATOR, value, 0)
    while position < len(value):
        if parsed and (parameter := _PARAMETER.match(value, position)):
            scheme, parameters, start, _ = parsed[-1]
            name, quoted, plain = parameter.groups()
            # The first of two parameters with one name counts: a later one was not written by the server's library.
            parameters.setdefault(name.lower(), plain if quoted is None else _ESCAPED.sub(r"\1", quoted))
            parsed[-1] = (scheme, parameters, start, parameter.end())
            position = parameter.end()
        elif scheme_match := _SCHEME.match(value, position):
            parsed.append((scheme_match[1], {}, position, scheme_match.end(1)))
            position = scheme_match.end()
            if not _PARAMETER.match(value, position) and (opaque := _TOKEN68.match(value, position)):
                position = opaque.end()
        else:
            position = _after(_REST, value, position)
        position = _after(_SEPARATOR, value, position)
    return tuple(Challenge(scheme, parameters, value[start:end]) for scheme, parameters, start, end in parsed)


def _after(pattern: re.Pattern[str], value: str, position: int) -> int:
    match = pattern.match(value, position)
    return match.end() if match else position
