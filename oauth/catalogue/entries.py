"""Entries of the catalogue, read from TOML and validated."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from oauth import toml
from oauth.catalogue.subject import Subject
from oauth.conversion import convert

Endpoint = Literal["authorization", "token", "resource", "revocation", "registration", "pushed_authorization"]
"""An endpoint that returns errors: RFC 6749 §3.1, §3.2 and §7, RFC 7009 §2, RFC 7591 §3, RFC 9126 §2."""

Text = Annotated[str, Meta(pattern=r"\S")]
"""A text that is not blank."""

Lines = Annotated[tuple[Text, ...], Meta(min_length=1)]


class CatalogueError(ValueError):
    """An invalid file of the catalogue; the message names the file, the entry and the field."""


class DocumentedError(Struct, frozen=True, forbid_unknown_fields=True):
    """One of the provider's numbered errors.

    ``error`` and ``human_title`` are empty and ``status`` is ``None`` where the documentation has none. ``description``
    is the text on the wire. ``example`` is the response body exactly as printed there, which is not always valid JSON;
    so is ``example_request``. ``newer`` are the facts that a newer page adds, ``newer_source`` on ``newer_date``.
    """

    number: int
    title: Text
    description: Text
    endpoint: Literal["token", "api"]
    cause: Text
    remedy: Lines
    example: Text
    error: Text = ""
    status: int | None = None
    human_title: Text = ""
    example_request: Text = ""
    newer: tuple[Text, ...] = ()
    newer_source: str = ""
    newer_date: date | None = None

    @property
    def entry(self) -> str:
        """The entry's stable id, such as ``partner/2``."""
        return f"partner/{self.number}"


class Meaning(Struct, frozen=True, forbid_unknown_fields=True):
    """The meaning of a code where the provider's words speak of one credential."""

    title: Text
    cause: Text
    remedy: Lines


class RegisteredError(Struct, frozen=True, forbid_unknown_fields=True):
    """The meaning of an error code in one specification. ``where`` names the endpoints that return it.

    ``registered`` is false for a widespread code that is in no specification; it then has no section. ``id`` is set
    where a specification gives one code several meanings, and replaces the default of ``entry``. ``about`` has the
    narrower meanings, by the credential that the provider's words speak of.
    """

    code: Text
    where: Annotated[tuple[Endpoint, ...], Meta(min_length=1)]
    title: Text
    cause: Text
    remedy: Lines
    specification: Text = ""
    section: Text = ""
    registered: bool = True
    note: Text = ""
    id: Text = ""
    about: dict[Subject, Meaning] = {}

    @property
    def entry(self) -> str:
        """The entry's stable id, such as ``rfc6749/invalid_grant``."""
        source = self.specification.lower().replace(" ", "") or "unregistered"
        return self.id or f"{source}/{self.code}"

    @property
    def reference(self) -> str:
        """Specification and section, such as ``RFC 6749 §5.2``, or ``Not registered``."""
        return f"{self.specification} §{self.section}" if self.specification else "Not registered"


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """A failure, or a response that is not an OAuth error. ``Failure.kind`` names such an entry.

    ``text`` identifies a refusal of this kind anywhere in the body; empty if the kind is not recognised by a text.
    ``sent`` is set for the kinds of ``Failure``: how likely the server has processed the request.
    With ``danger`` the exchange itself needs attention, and is marked red.
    """

    kind: Text
    title: Text
    cause: Text
    remedy: Lines
    text: Text = ""
    sent: Literal["", "no", "perhaps", "yes"] = ""
    danger: bool = False

    @property
    def entry(self) -> str:
        """The entry's stable id, such as ``answer/html``."""
        return f"answer/{self.kind}"


Entry = DocumentedError | RegisteredError | Answer
_Struct = TypeVar("_Struct", bound=Struct)


@cache
def documented() -> Mapping[int, DocumentedError]:
    """Return the documented errors by number. Raises ``CatalogueError`` when the file is invalid."""
    return read_documented(file_text("documented.toml"), "documented.toml")


@cache
def registered() -> Mapping[str, tuple[RegisteredError, ...]]:
    """Return the registered errors by code, those of one code in file order. Raises ``CatalogueError``."""
    return read_registered(file_text("rfc.toml"), "rfc.toml")


@cache
def answers() -> Mapping[str, Answer]:
    """Return the entries for all other failures, by kind. Raises ``CatalogueError`` when the file is invalid."""
    return read_answers(file_text("answers.toml"), "answers.toml")


@cache
def by_id() -> Mapping[str, Entry]:
    """Return every entry but those of providers' catalogues, by its id. Raises ``CatalogueError``."""
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
    return _by_key(DocumentedError, text, file, "error", "number")


def read_registered(text: str, file: str) -> Mapping[str, tuple[RegisteredError, ...]]:
    """Read the TOML of registered errors. Raises ``CatalogueError`` naming ``file``."""
    entries = read_tables(text, file, {"error": (RegisteredError, "code")})["error"]
    meanings: dict[str, tuple[RegisteredError, ...]] = {}
    ids: set[str] = set()
    for entry in entries:
        if entry.registered and not (entry.specification and entry.section):
            raise CatalogueError(f"{file}, error {entry.code}: specification or section is missing.")
        if entry.entry in ids:
            raise CatalogueError(f"{file}, error {entry.code}: another entry has the id {entry.entry}; set id.")
        ids.add(entry.entry)
        meanings[entry.code] = (*meanings.get(entry.code, ()), entry)
    return MappingProxyType(meanings)


def read_answers(text: str, file: str) -> Mapping[str, Answer]:
    """Read the TOML of answers. Raises ``CatalogueError`` naming ``file``."""
    return _by_key(Answer, text, file, "answer", "kind")


def file_text(name: str) -> str:
    """Return the text of a file of the catalogue."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _by_key(kind: type[_Struct], text: str, file: str, table: str, key: str) -> Mapping[Any, _Struct]:
    """Read the tables of one name, by a field that is another in each."""
    entries = read_tables(text, file, {table: (kind, key)})[table]
    by_key = {getattr(entry, key): entry for entry in entries}
    if len(by_key) < len(entries):
        raise CatalogueError(f"{file}: two entries have the same {key}.")
    return MappingProxyType(by_key)


def read_tables(text: str, file: str, kinds: Mapping[str, tuple[type[Struct], str]]) -> dict[str, list[Any]]:
    """Read the tables of a TOML file by their names, each into its kind; its key names it in an error.

    Raises ``CatalogueError`` naming ``file``, also for a missing table and one of another name.
    """
    try:
        tables = toml.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{file} is not valid TOML: {error}.") from error
    entries: dict[str, list[Any]] = {}
    for table in kinds:
        values = tables.pop(table, None)
        entries[table] = [values] if isinstance(values, dict) else values if isinstance(values, list) else [None]
    if tables or not all(isinstance(entry, dict) for values in entries.values() for entry in values):
        names = ", ".join(f"[[{table}]]" for table in kinds)
        raise CatalogueError(f"{file} must contain entries under {names} and nothing else.")
    return {
        table: [
            read_entry(kind, entry, f"{file}, {table} {entry.get(key, f'number {place}')}")
            for place, entry in enumerate(entries[table], 1)
        ]
        for table, (kind, key) in kinds.items()
    }


def read_entry(kind: type[_Struct], values: Mapping[str, object], name: str) -> _Struct:
    """Build one entry from its values. Raises ``CatalogueError`` with ``name``, the field and its problem."""
    try:
        return convert(values, kind)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `$.")
        if not place:  # a field is missing or unknown
            raise CatalogueError(f"{name}: {problem}; the fields are {', '.join(kind.__struct_fields__)}.") from error
        raise CatalogueError(f"{name}: {place.removesuffix('`')}: {problem}.") from error
