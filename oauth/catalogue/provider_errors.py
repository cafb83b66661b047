"""The errors that one provider documents, read from TOML, and the words by which an answer is one of them."""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from oauth import toml
from oauth.catalogue.entries import CatalogueError, Endpoint, Lines, Text, read_entry, registered
from oauth.catalogue.folding import fold
from oauth.catalogue.shapes import bare

MAX_BYTES = 1 << 20
"""Largest file that is read: one to import may come from anywhere."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,79}")
FILE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
"""The id of a catalogue, which is the name of its file."""
_HOST = re.compile(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?")
_VALUE = re.compile(r"\{([a-z_]+)\}")
_NUMBER = re.compile(r"[A-Za-z]{2,16}[_-]?[0-9]{2,9}")
"""An error number with letters, such as ``AADSTS700082``, which words can contain."""
_LITERALS = 12
"""Characters that a pattern must have beside its values, so that it fits its own words only."""
BEGINNING = 8
"""Characters of a text by which the catalogues that may have it are looked up."""
_LONGEST = 4096
_MOST_VALUES = 8


class ProviderError(Struct, frozen=True, forbid_unknown_fields=True):
    """One error that a provider documents.

    ``code``, ``number``, ``description`` and ``pattern`` tell it, and all that are set must hold. A ``number`` is in
    the code, in the words, or in members of its own (``190/460`` is a code with its subcode). ``{name}`` in a
    ``pattern`` stands for a value in one line, and ``{rest}`` at its end for anything more. ``spec`` is the registered
    code that the error specialises. ``example`` is the response body, the callback's query or the words, as documented.
    ``request_id`` names what support asks for, where it is another than the catalogue's.
    """

    id: Text
    title: Text
    cause: Text
    remedy: Lines
    source: Annotated[str, Meta(pattern=r"^https?://\S+$")]
    date: date
    example: Text
    code: str = ""
    number: str = ""
    description: str = ""
    pattern: str = ""
    status: Annotated[int, Meta(ge=100, le=599)] | None = None
    endpoint: Endpoint | None = None
    grant: str = ""
    request_id: str = ""
    spec: str = ""
    catalogue: str = ""

    @property
    def entry(self) -> str:
        """The entry's stable id, such as ``github/bad_verification_code``."""
        return f"{self.catalogue}/{self.id}"


class Head(Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of a file that hold for all its entries; ``Catalogue`` has them."""

    name: Text
    documentation: Annotated[str, Meta(pattern=r"^https?://\S+$")]
    hosts: tuple[Text, ...] = ()
    shapes: tuple[Text, ...] = ()
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The documented errors of one provider.

    ``hosts`` are those whose answers it speaks for, and ``*.`` stands for any subdomain. ``shapes`` names the shapes
    of a body that are this provider's alone. ``request_id`` is what its support asks for, and where that is.
    """

    id: str
    name: str
    documentation: str
    errors: tuple[ProviderError, ...]
    hosts: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    request_id: str = ""

    def speaks_for(self, host: str) -> bool:
        """Return whether a host, with or without its port, is this provider's."""
        return speaks_for(self.hosts, host)


@dataclass(frozen=True, slots=True)
class Words:
    """The error code and description of an answer, all its texts, its numbers, and the endpoints it may be from."""

    code: str = ""
    description: str = ""
    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()

    def all_numbers(self) -> frozenset[str]:
        """Return the numbers, with those inside the code and the words."""
        inside = (number for text in (self.code, *self.all_texts()) for number in _NUMBER.findall(text[:_LONGEST]))
        return frozenset((*self.numbers, *inside))

    def all_texts(self) -> tuple[str, ...]:
        """Return the texts once each, the description first."""
        return tuple(dict.fromkeys(text for text in (self.description, *self.texts) if text))


def read(text: str, id: str, file: str) -> Catalogue:
    """Read a catalogue's TOML. Raises ``CatalogueError`` naming ``file``, the entry and the field."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise CatalogueError(f"{file} is larger than {MAX_BYTES >> 20} MiB.")
    if not FILE_ID.fullmatch(id):
        raise CatalogueError(f"{file}: the id {id!r} must be at most 40 lower-case letters, digits and hyphens.")
    try:
        values = toml.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{file} is not valid TOML: {error}.") from error
    rows = values.pop("error", None)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise CatalogueError(f"{file} must contain its errors under [[error]].")
    head = read_entry(Head, values, file)
    entries = [
        read_entry(ProviderError, row, f"{file}, error {row.get('id', f'number {place}')}")
        for place, row in enumerate(rows, 1)
    ]
    if fault := host_fault(head.hosts):
        raise CatalogueError(f"{file}: hosts: {fault}")
    ids: set[str] = set()
    for entry in entries:
        if fault := next(faults(entry, ids), ""):
            raise CatalogueError(f"{file}, error {entry.id}: {fault}")
        ids.add(entry.id)
    errors = tuple(msgspec.structs.replace(entry, catalogue=id) for entry in entries)
    return Catalogue(id, head.name, head.documentation, errors, head.hosts, head.shapes, head.request_id)


def host_fault(hosts: Iterable[str]) -> str:
    """Return the problem of the first invalid host, empty without one."""
    wrong = next((host for host in hosts if not _HOST.fullmatch(host)), "")
    return f"{wrong!r} is not a host such as api.example.com or *.example.com." if wrong else ""


def faults(entry: ProviderError, ids: Collection[str]) -> Iterator[str]:
    """Yield the faults of an entry whose fields are valid one by one; ``ids`` are those of the entries before it."""
    if entry.catalogue:
        yield "catalogue: the file's name says it; remove this field."
    if not _ID.fullmatch(entry.id):
        yield "id: use at most 80 letters, digits and . _ - /"
    if entry.id in ids:
        yield "id: another entry has the same one."
    if not (entry.code or entry.number or entry.description or entry.pattern):
        yield "one of code, number, description and pattern is needed to recognise it."
    if entry.description and entry.pattern:
        yield "pattern: set it in place of description, not beside it."
    if entry.spec and entry.spec not in registered():
        yield f"spec: {entry.spec!r} is not a registered code."
    if entry.pattern and len("".join(literals(entry.pattern))) < _LITERALS:
        yield f"pattern: it must have at least {_LITERALS} characters of text beside its values."
    if len(_VALUE.findall(entry.pattern)) > _MOST_VALUES:
        yield f"pattern: it has more than {_MOST_VALUES} values."


def matches(entry: ProviderError, words: Words) -> bool:
    """Return whether an answer with these words is this error."""
    if entry.code and entry.code != words.code:
        return False
    if entry.number and entry.number not in words.all_numbers():
        return False
    has_words = bool(entry.description or entry.pattern)
    return not has_words or any(_has_text(entry, text) for text in words.all_texts())


def _has_text(entry: ProviderError, text: str) -> bool:
    if len(text) > _LONGEST:
        return False
    return bare(text) == bare(entry.description) if entry.description else _in_order(entry.pattern, fold(text))


@lru_cache(maxsize=4096)
def literals(pattern: str) -> tuple[str, ...]:
    """Return the texts between the values of a pattern, folded, with the spaces at their ends."""
    parts = [f"|{part}|" for part in _VALUE.split(pattern)[::2]]
    return tuple(fold(part).removeprefix("|").removesuffix("|") for part in parts)


def _in_order(pattern: str, text: str) -> bool:
    """Return whether a folded text has the pattern's texts in their order, from its beginning, in linear time."""
    first, *others = literals(pattern)
    if not text.startswith(first):
        return False
    position = len(first)
    is_open = pattern.rstrip().endswith("{rest}")
    for number, literal in enumerate(others, 1):
        is_last = number == len(others)
        if is_last and not literal.rstrip(". "):
            return is_open or position < len(text)
        if is_last and not is_open:
            return text.rstrip(". ").endswith(literal.rstrip(". ")) and position < len(text) - len(literal.rstrip(". "))
        place = text.find(literal, position + 1)
        if place < 0:
            return False
        position = place + len(literal)
    return text.rstrip(". ") == first.rstrip(". ") if not others else True


def beginning(text: str) -> str:
    """Return the first characters of a text, folded, up to a sign that TOML may spell in another way."""
    return re.split(r"[\"'\\{]", fold(text[:200]))[0][:BEGINNING].strip()


def speaks_for(hosts: Iterable[str], host: str) -> bool:
    """Return whether one of these hosts, in which ``*.`` stands for any subdomain, is this host."""
    name = without_port(host)
    return any(
        pattern in (host, name) or (pattern.startswith("*.") and name.endswith(pattern[1:])) for pattern in hosts
    )


def without_port(host: str) -> str:
    """Return a host without its port."""
    return host.rpartition(":")[0] if _PORT.search(host) else host


_PORT = re.compile(r":[0-9]+$")
