"""Entries of the catalogue, read from TOML and validated."""

import dataclasses
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

TOKEN = "token"
"""The token endpoint (RFC 6749 §3.2), in ``DocumentedError.endpoint`` and ``RegisteredError.where``."""
API = "api"
"""The provider's API, in ``DocumentedError.endpoint``."""
AUTHORIZATION = "authorization"
"""The authorization endpoint (RFC 6749 §3.1), in ``RegisteredError.where``."""
RESOURCE = "resource"
"""A protected resource (RFC 6749 §7), in ``RegisteredError.where``."""

REVOCATION = "revocation"
"""The revocation endpoint (RFC 7009 §2), in ``RegisteredError.where``."""
PUSHED_AUTHORIZATION = "pushed_authorization"
"""The pushed authorization request endpoint (RFC 9126 §2), in ``RegisteredError.where``."""

ENDPOINTS = (AUTHORIZATION, TOKEN, RESOURCE, REVOCATION, "registration", PUSHED_AUTHORIZATION)

SENT = ("no", "perhaps", "yes")
"""Values of ``Answer.sent``: how likely the server has processed a request that failed."""


class CatalogueError(ValueError):
    """An invalid file of the catalogue; the message names the file, the entry and the field."""


@dataclasses.dataclass(frozen=True, slots=True)
class DocumentedError:
    """One of the provider's numbered errors.

    ``error`` and ``human_title`` are empty and ``status`` is ``None`` where the documentation has none. ``description``
    is the text on the wire. ``endpoint`` is ``token`` or ``api``. ``example`` is the response body exactly as printed
    there, which is not always valid JSON; so is ``example_request``.
    """

    number: int
    title: str
    description: str
    endpoint: str
    cause: str
    remedy: tuple[str, ...]
    example: str
    error: str = ""
    status: int | None = None
    human_title: str = ""
    example_request: str = ""

    @property
    def entry(self) -> str:
        """The entry's stable id, such as ``partner/2``."""
        return f"partner/{self.number}"


@dataclasses.dataclass(frozen=True, slots=True)
class RegisteredError:
    """The meaning of an error code in one specification. ``where`` names the endpoints that return it (``ENDPOINTS``).

    ``registered`` is false for a widespread code that is in no specification; it then has no section. ``id`` is set
    where a specification gives one code several meanings, and replaces the default of ``entry``.
    """

    code: str
    where: tuple[str, ...]
    title: str
    cause: str
    remedy: tuple[str, ...]
    specification: str = ""
    section: str = ""
    registered: bool = True
    note: str = ""
    id: str = ""

    @property
    def entry(self) -> str:
        """The entry's stable id, such as ``rfc6749/invalid_grant``."""
        source = self.specification.lower().replace(" ", "") or "unregistered"
        return self.id or f"{source}/{self.code}"

    @property
    def reference(self) -> str:
        """Specification and section, such as ``RFC 6749 §5.2``, or ``Not registered``."""
        return f"{self.specification} §{self.section}" if self.specification else "Not registered"


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """A failure, or a response that is not an OAuth error. ``Failure.kind`` names such an entry.

    ``text`` identifies a refusal of this kind anywhere in the body; empty if the kind is not recognised by a text.
    ``sent`` is set for the kinds of ``Failure`` and says whether the server may have processed the request (``SENT``).
    With ``danger`` the exchange itself needs attention, and is marked red.
    """

    kind: str
    title: str
    cause: str
    remedy: tuple[str, ...]
    text: str = ""
    sent: str = ""
    danger: bool = False

    @property
    def entry(self) -> str:
        """The entry's stable id, such as ``answer/html``."""
        return f"answer/{self.kind}"


Entry = DocumentedError | RegisteredError | Answer
_Kind = TypeVar("_Kind", DocumentedError, RegisteredError, Answer)
_Key = TypeVar("_Key", int, str)


@cache
def documented() -> Mapping[int, DocumentedError]:
    """Return the documented errors by number. Raises ``CatalogueError`` when the file is invalid."""
    return read_documented(_file("documented.toml"), "documented.toml")


@cache
def registered() -> Mapping[str, tuple[RegisteredError, ...]]:
    """Return the registered errors by code, those of one code in file order. Raises ``CatalogueError``."""
    return read_registered(_file("rfc.toml"), "rfc.toml")


@cache
def answers() -> Mapping[str, Answer]:
    """Return the entries for all other failures, by kind. Raises ``CatalogueError`` when the file is invalid."""
    return read_answers(_file("answers.toml"), "answers.toml")


def find_entry(entry: str) -> Entry | None:
    """Return the catalogue's entry with this id, or ``None`` when there is none."""
    return _by_id().get(entry)


def remedy_of(entry: str) -> tuple[str, ...]:
    """Return the remedy of the entry with this id, a line each; empty when the id is unknown."""
    match = find_entry(entry)
    return match.remedy if match else ()


@cache
def _by_id() -> Mapping[str, Entry]:
    meanings = (meaning for meanings in registered().values() for meaning in meanings)
    entries: tuple[Entry, ...] = (*documented().values(), *meanings, *answers().values())
    return {entry.entry: entry for entry in entries}


def registered_for(code: str, *endpoints: str) -> RegisteredError | None:
    """Return the meaning of a code at the first of these endpoints that has one.

    An endpoint may also return the codes of another: the revocation endpoint returns those of the token endpoint
    (RFC 7009 §2.2.1). Where none of them has the code, return its first meaning; ``None`` for an unknown code.
    """
    meanings = registered().get(code, ())
    matches = (entry for endpoint in endpoints for entry in meanings if endpoint in entry.where)
    return next(matches, meanings[0] if meanings else None)


def read_documented(text: str, file: str) -> Mapping[int, DocumentedError]:
    """Read the TOML of documented errors. Raises ``CatalogueError`` naming ``file``."""
    entries = _read(DocumentedError, text, file, "error", "number")
    for entry in entries:
        if entry.endpoint not in (TOKEN, API):
            raise CatalogueError(f"{file}, error {entry.number}: endpoint is {entry.endpoint!r}, not token or api.")
    return _by_key({entry.number: entry for entry in entries}, entries, file, "number")


def read_registered(text: str, file: str) -> Mapping[str, tuple[RegisteredError, ...]]:
    """Read the TOML of registered errors. Raises ``CatalogueError`` naming ``file``."""
    entries = _read(RegisteredError, text, file, "error", "code")
    meanings: dict[str, tuple[RegisteredError, ...]] = {}
    ids: set[str] = set()
    for entry in entries:
        if not entry.where or not set(entry.where) <= set(ENDPOINTS):
            allowed = ", ".join(ENDPOINTS)
            raise CatalogueError(f"{file}, error {entry.code}: where is {list(entry.where)}, not some of {allowed}.")
        if entry.registered and not (entry.specification and entry.section):
            raise CatalogueError(f"{file}, error {entry.code}: specification or section is missing.")
        if entry.entry in ids:
            raise CatalogueError(f"{file}, error {entry.code}: another entry has the id {entry.entry}; set id.")
        ids.add(entry.entry)
        meanings[entry.code] = (*meanings.get(entry.code, ()), entry)
    return MappingProxyType(meanings)


def read_answers(text: str, file: str) -> Mapping[str, Answer]:
    """Read the TOML of answers. Raises ``CatalogueError`` naming ``file``."""
    entries = _read(Answer, text, file, "answer", "kind")
    for entry in entries:
        if entry.sent and entry.sent not in SENT:
            raise CatalogueError(f"{file}, answer {entry.kind}: sent is {entry.sent!r}, not one of {', '.join(SENT)}.")
    return _by_key({entry.kind: entry for entry in entries}, entries, file, "kind")


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _by_key(by_key: dict[_Key, _Kind], entries: list[_Kind], file: str, key: str) -> Mapping[_Key, _Kind]:
    if len(by_key) < len(entries):
        raise CatalogueError(f"{file}: two entries have the same {key}.")
    return MappingProxyType(by_key)


def _read(kind: type[_Kind], text: str, file: str, table: str, key: str) -> list[_Kind]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{file} is not valid TOML: {error}.") from error
    entries = tables.pop(table, None)
    if tables or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise CatalogueError(f"{file} must contain entries under [[{table}]] and nothing else.")
    return [_entry(kind, entry, f"{file}, {table} {entry.get(key, f'number {place}')}")
            for place, entry in enumerate(entries, 1)]  # fmt: skip


def _entry(kind: type[_Kind], values: dict[str, Any], name: str) -> _Kind:
    fields = {field.name: field for field in dataclasses.fields(kind)}
    if unknown := sorted(values.keys() - fields.keys()):
        raise CatalogueError(f"{name}: the field {unknown[0]} is unknown; the fields are {', '.join(fields)}.")
    for field in fields.values():
        if field.default is dataclasses.MISSING and field.name not in values:
            raise CatalogueError(f"{name}: the field {field.name} is missing.")
    hints = get_type_hints(kind)
    return kind(**{field: _value(hints[field], value, f"{name}: the field {field}") for field, value in values.items()})


def _value(hint: Any, value: Any, name: str) -> Any:
    if hint == tuple[str, ...]:
        if not (isinstance(value, list) and value and all(isinstance(item, str) and item.strip() for item in value)):
            raise CatalogueError(f"{name} must be a non-empty list of non-empty strings.")
        return tuple(value)
    if hint is str:
        if not (isinstance(value, str) and value.strip()):
            raise CatalogueError(f"{name} must be a non-empty string.")
    elif hint is bool:
        if not isinstance(value, bool):
            raise CatalogueError(f"{name} must be true or false.")
    elif not isinstance(value, int) or isinstance(value, bool):
        raise CatalogueError(f"{name} must be an integer.")
    return value
