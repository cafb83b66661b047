"""Validation of a profile's values, with every problem named by its field."""

import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from oauth.providers.profile import Kind, Provider
from oauth.redaction.names import secret_kind

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
SEPARATORS = {" ": "a space", ",": "a comma", "+": "a plus sign", ";": "a semicolon"}
"""Separators between two scopes. RFC 6749 §3.3 says a space; the others are found in use."""

RESPONSE_MODES = ("query", "fragment", "form_post")
"""Ways to return an authorization response that the callback reads."""

LARGEST = 3_153_600_000
"""The largest number of a profile: a hundred years in seconds."""

MAX_QUOTED = 60
"""Characters of an invalid value that a problem quotes."""


class ProfileError(ValueError):
    """A profile is invalid; the text names the file and the fields, and ``problems`` has one entry for each."""

    def __init__(self, where: str, problems: "tuple[Problem, ...]") -> None:
        super().__init__(f"{where}: {'; '.join(f'{item.field}: {item.text}' for item in problems)}")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with one field, such as ``headers[1].name``."""

    field: str
    text: str


def provider(values: Mapping[str, Any], where: str) -> Provider:
    """Build a profile from values. Raises ``ProfileError`` with every invalid field; ``where`` names the file."""
    problems: list[Problem] = []
    profile = _table(Provider, values, "", problems)
    if problems or not isinstance(profile, Provider):
        raise ProfileError(where, tuple(problems))
    return profile


def _table(kind: Any, values: Mapping[str, Any], prefix: str, problems: list[Problem]) -> Any:
    by_name = {item.name: item for item in fields(kind)}
    types_of = get_type_hints(kind)
    for name in sorted(values.keys() - by_name):
        problems.append(Problem(prefix + name, f"is not a field. Fields: {', '.join(sorted(by_name))}"))
    before = len(problems)
    arguments: dict[str, Any] = {}
    for name, item in by_name.items():
        if name in values:
            arguments[name] = _value(types_of[name], values[name], prefix + name, problems)
            problems += (Problem(prefix + name, text) for text in _faults(item, arguments[name]))
        elif item.default is MISSING and item.default_factory is MISSING:
            problems.append(Problem(prefix + name, "is missing"))
    return kind(**arguments) if len(problems) == before else None


def _value(kind: Any, value: Any, where: str, problems: list[Problem]) -> Any:
    if get_origin(kind) is tuple:
        row = get_args(kind)[0]
        if not isinstance(value, list | tuple):
            problems.append(Problem(where, "must be a list of tables"))
            return ()
        return tuple(_value(row, item, f"{where}[{number}]", problems) for number, item in enumerate(value, 1))
    if is_dataclass(kind):
        if isinstance(value, Mapping):
            return _table(kind, value, f"{where}.", problems)
        problems.append(Problem(where, "must be a table"))
        return None
    if get_origin(kind) in (Union, types.UnionType):
        return _value(get_args(kind)[0], value, where, problems)
    if issubclass(kind, StrEnum):
        if value in tuple(kind):
            return kind(value)
        problems.append(Problem(where, f"is {_quoted(value)}, and must be one of: {', '.join(kind)}"))
        return None
    words = {str: "a string", bool: "true or false", int: "a whole number", float: "a number"}
    types_allowed = (int, float) if kind is float else kind
    # In Python a bool is an int.
    if not isinstance(value, types_allowed) or (isinstance(value, bool) and kind is not bool):
        problems.append(Problem(where, f"is {_quoted(value)}, and must be {words[kind]}"))
        return None
    try:
        return kind(value)
    except OverflowError:  # a whole number beyond every fraction
        problems.append(Problem(where, f"is {_quoted(value)}, which is too large"))
        return None


def _quoted(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"


def _faults(item: "Field[Any]", value: Any) -> Iterator[str]:
    """Yield the faults of a value that has the right type."""
    kind = item.metadata.get("kind")
    if value is None:
        return
    if kind is Kind.ADDRESS and value:
        yield from address_faults(value)
    elif kind is Kind.NAME and not (value.strip() and value.isprintable()):
        yield "must be one line of text, and not empty"
    elif kind is Kind.PATH and not value.startswith("/"):
        yield "must begin with /"
    elif kind is Kind.SECRET_HEADER and not value:
        return
    elif kind in (Kind.HEADER_NAME, Kind.SECRET_HEADER) and not HEADER_NAME.fullmatch(value):
        yield "is not a header name (RFC 9110 §5.1). Use letters, digits and hyphens"
    elif kind is Kind.SECRET_HEADER and secret_kind(value) is None:
        yield "is not a name that this console knows as a secret's, such as X-API-KEY, so the history would not hide it"
    elif kind is Kind.HEADER_VALUE and not (value.isprintable() and value.isascii()):
        yield "must be one line of ASCII text (RFC 9110 §5.5)"
    elif kind is Kind.SEPARATOR and value not in SEPARATORS:
        yield f"must be one of: {', '.join(SEPARATORS.values())}"
    elif kind is Kind.RESPONSE_MODE and value not in ("", *RESPONSE_MODES):
        yield f"must be empty or one of: {', '.join(RESPONSE_MODES)}"
    elif kind is Kind.SECONDS and not 0 < value <= LARGEST:
        yield f"must be more than 0 and at most {LARGEST:,} seconds"
    elif kind is Kind.COUNT and not 0 < value <= LARGEST:
        yield f"must be more than 0 and at most {LARGEST:,}"


def address_faults(value: str) -> Iterator[str]:
    """Yield the reason that a string is not a valid endpoint address (RFC 6749 §3.1, §3.2)."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises for an invalid port
    except ValueError as error:
        yield f"is not an address: {error}"
        return
    if parts.scheme not in ("http", "https") or not parts.hostname:
        yield "must begin with https:// or http:// and name a host"
    elif parts.fragment:
        yield "must not have a fragment, the part after # (RFC 6749 §3.1)"
    elif any(character.isspace() for character in value):
        yield "contains whitespace"
