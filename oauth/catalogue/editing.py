"""Change your own catalogues: TOML files that keep their comments, written atomically (``own_files``).

The text of a file is changed only where a value is another, and what comes out is read again before it takes the
place of the old file. Each change is made on the file as it is then, so that two writers lose nothing.
"""

import re
import sqlite3
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from oauth import own_files, toml
from oauth.catalogue import catalogues
from oauth.catalogue.entries import CatalogueError
from oauth.catalogue.examples import words_in
from oauth.catalogue.provider_errors import FILE_ID, MAX_BYTES, Catalogue, ProviderError, read
from oauth.redaction.placeholders import storable

_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*error[ \t]*\]\]", re.MULTILINE)
_KEY = re.compile(r"^[ \t]*([A-Za-z0-9_-]+)[ \t]*=[ \t]*", re.MULTILINE)
_SIGN = re.compile(r"[\[{]|[\]}]|\n")
_LITERAL = re.compile("[\t\n -~\x80-\U0010ffff]*")
"""A text that a literal string may hold, but for apostrophes: it has no control character."""

SECONDS = 5.0
"""Time for which a writer waits for another one."""

LINE = 120
"""Characters of a line within which a list is written."""

Values = Mapping[str, Any]


def path_of(id: str) -> Path:
    """Return the path of your own catalogue with this id."""
    return catalogues.own_folder() / f"{id}.toml"


def content(id: str) -> str:
    """Return the text of your own catalogue. Raises ``CatalogueError`` where it cannot be read."""
    path = path_of(id)
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        return text.decode("utf-8-sig")
    except OSError as error:
        raise CatalogueError(f"{path.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path.name} is not UTF-8 text.") from error


def create(id: str, text: str, *, replaces: bool = False) -> Catalogue:
    """Write a new file with this text. Raises ``CatalogueError``, also for an existing one, unless it ``replaces``."""

    def change(before: str | None) -> str:
        if before is not None and not replaces:
            raise CatalogueError(f"{id}.toml exists already; choose another name.")
        return text

    return _write(id, change)


def put_entry(id: str, values: Values, before: ProviderError | None = None) -> Catalogue:
    """Add an entry to a catalogue, or replace the entry ``before``. Raises ``CatalogueError``.

    It is refused where ``before`` is no longer what the file says: somebody else has changed it.
    """
    return _write(id, lambda text: with_entry(_existing(id, text), id, values, before))


def put_head(id: str, values: Values, before: Catalogue) -> Catalogue:
    """Replace the fields above the entries of a catalogue. Raises ``CatalogueError``, also if somebody changed them."""

    def change(text: str | None) -> str:
        text = _existing(id, text)
        now = read(text, id, f"{id}.toml")
        if any(
            getattr(now, name) != getattr(before, name) for name in ("name", "documentation", "hosts", "request_id")
        ):
            raise CatalogueError(f"{id}.toml was changed meanwhile. Nothing was saved: open it again.")
        end = _headers(text, len(now.errors))[0]
        shapes = {"shapes": list(now.shapes)} if now.shapes else {}
        return _changed(text, 0, end, {**values, **shapes})

    return _write(id, change)


def delete_entry(id: str, entry: ProviderError) -> Catalogue:
    """Delete an entry, not the last one of a file. Raises ``CatalogueError``, also if somebody has changed it."""
    return _write(id, lambda text: without_entry(_existing(id, text), id, entry))


def delete(id: str) -> None:
    """Delete a catalogue. Raises ``CatalogueError``."""
    try:
        with _locked():
            own_files.delete(catalogues.home(), own_files.Kind.CATALOGUE, id)
    except OSError as error:
        raise CatalogueError(f"{id}.toml cannot be deleted: {error.strerror}.") from error


def new_text(head: Values, entry: Values) -> str:
    """Return the text of a file with one entry."""
    return f"{_lines(head)}\n[[error]]\n{_lines(entry)}"


def with_entry(text: str, id: str, values: Values, before: ProviderError | None = None) -> str:
    """Return the text of a file with an entry more, or with another in the place of ``before``.

    A new one goes before the first that its example would be taken for. Raises ``CatalogueError``.
    """
    errors = read(text, id, f"{id}.toml").errors
    starts = _headers(text, len(errors))
    if before is not None:
        place = _place(errors, before, id)
        return _changed(text, starts[place], [*starts, len(text)][place + 1], values)
    words = words_in(str(values.get("example", "")), values.get("status"))
    similar = catalogues.first_match(errors, words)
    block = f"[[error]]\n{_lines(values)}"
    if similar is None:
        return f"{text.rstrip()}\n\n{block}"
    at = _with_comments(text, starts[errors.index(similar)])
    return f"{text[:at]}{block}\n{text[at:]}"


def without_entry(text: str, id: str, entry: ProviderError) -> str:
    """Return the text of a file without an entry and the comments on it. Raises ``CatalogueError``."""
    errors = read(text, id, f"{id}.toml").errors
    starts = _headers(text, len(errors))
    place = _place(errors, entry, id)
    if len(errors) == 1:
        raise CatalogueError(f"{entry.id} is the last entry of {id}.toml; delete the catalogue.")
    start, end = starts[place], [*starts, len(text)][place + 1]
    last = max(it.end for it in _statements(text, start, end))
    return text[: _with_comments(text, start)] + text[last:].lstrip("\r\n")


def new_id(name: str, used: Sequence[str]) -> str:
    """Return an unused id for a catalogue, derived from a name or a host."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:36].strip("-") or "catalogue"
    numbered = (f"{stem}-{number}" for number in range(2, len(used) + 3))
    return next(id for id in (stem, *numbered) if id not in used)


def used_ids() -> tuple[str, ...]:
    """Return the ids that no new catalogue may have."""
    files = (file.id for file in catalogues.own())
    return (*catalogues.reserved(), *files)


def fields_of(entry: ProviderError) -> dict[str, Any]:
    """Return the fields of an entry as a file has them, without the empty ones."""
    values = {name: getattr(entry, name) for name in ProviderError.__struct_fields__ if name != "catalogue"}
    return {name: list(it) if isinstance(it, tuple) else it for name, it in values.items() if it not in ("", None, ())}


# The file.


def _write(id: str, change: Callable[[str | None], str]) -> Catalogue:
    """Replace a file by what ``change`` makes of its text, ``None`` without one, if that is a valid catalogue."""
    path = path_of(id)
    if id in catalogues.reserved():
        raise CatalogueError(f"{path.name} would have the name of a built-in catalogue; choose another name.")
    if not FILE_ID.fullmatch(id):
        raise CatalogueError(f"The name {id!r} must be at most 40 lower-case letters, digits and hyphens.")
    try:
        with _locked():
            text = change(content(id) if path.exists() else None)
            catalogue = read(text, id, path.name)
            own_files.write(catalogues.home(), own_files.Kind.CATALOGUE, id, text.encode())
    except OSError as error:
        raise CatalogueError(f"{path.name} cannot be written: {error.strerror}. Nothing was saved.") from error
    return catalogue


@contextmanager
def _locked() -> Iterator[None]:
    """Hold the lock of the folder, which works between threads and processes, and ends with its process."""
    folder = catalogues.own_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with closing(sqlite3.connect(folder / ".lock", SECONDS, isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            with own_files.locked(catalogues.home()):
                yield
    except sqlite3.Error as error:
        raise CatalogueError("Another program is writing the catalogues. Nothing was saved: try again.") from error


def _existing(id: str, text: str | None) -> str:
    if text is None:
        raise CatalogueError(f"{id}.toml is no longer there. Nothing was saved.")
    return text


# The text of a file.


@dataclass(frozen=True, slots=True)
class _Statement:
    """A field in the text: its lines, and its value within them. ``end`` is behind the line break."""

    name: str
    start: int
    value: int
    value_end: int
    end: int


def _headers(text: str, count: int) -> list[int]:
    """Return where the entries begin. Raises ``CatalogueError`` for entries that are written in another way."""
    starts = [match.start() for match in _HEADER.finditer(toml.outline(text))]
    if len(starts) != count:
        raise CatalogueError("The file's entries are not written under [[error]] each; change it in a text editor.")
    return starts


def _statements(text: str, start: int, end: int) -> list[_Statement]:
    outline = toml.outline(text[start:end])
    statements = []
    position = 0
    while match := _KEY.search(outline, position):
        stop = _end_of_value(outline, match.end())
        line_end = outline.find("\n", stop) + 1 or len(outline)
        places = (match.start(), match.end(), stop, line_end)
        statements.append(_Statement(match[1], *(start + place for place in places)))
        position = line_end
    return statements


def _end_of_value(outline: str, position: int) -> int:
    depth, stop = 0, len(outline)
    for sign in _SIGN.finditer(outline, position):
        if sign[0] == "\n" and not depth:
            stop = sign.start()
            break
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(sign[0], 0)
    return position + len(outline[position:stop].rstrip())


def _changed(text: str, start: int, end: int, values: Values) -> str:
    """Return the text with these values for the fields between two places; comments stay with those that stay."""
    header = _HEADER.match(toml.outline(text[start:end]))
    body = start + header.end() if header else start
    old = tomllib.loads(text[body:end])
    statements = _statements(text, body, end)
    edits: list[tuple[int, int, str]] = []
    for it in statements:
        if it.name not in values:
            edits.append((it.start, it.end, ""))
        elif old.get(it.name) != values[it.name]:
            edits.append((it.value, it.value_end, _value(values[it.name])))
    new = {name: value for name, value in values.items() if name not in {it.name for it in statements}}
    if new:
        last = max((it.end for it in statements), default=end)
        lead = "" if text[:last].endswith("\n") else "\n"
        edits.append((last, last, lead + _lines(new)))
    for begin, stop, value in sorted(edits, reverse=True):
        text = text[:begin] + value + text[stop:]
    return text


def _with_comments(text: str, start: int) -> int:
    """Return where the comment lines directly above a place begin."""
    while start and text[text.rfind("\n", 0, start - 1) + 1 : start].lstrip().startswith("#"):
        start = text.rfind("\n", 0, start - 1) + 1
    return start


def _place(errors: Sequence[ProviderError], entry: ProviderError, id: str) -> int:
    if entry not in errors:
        raise CatalogueError(
            f"{entry.id} in {id}.toml was changed or deleted meanwhile. Nothing was saved: open it again."
        )
    return list(errors).index(entry)


def _lines(values: Values) -> str:
    return "".join(f"{name} = {_value(value)}\n" for name, value in values.items())


def _value(value: Any) -> str:
    """Return a value as TOML, in the writing of the built-in catalogues."""
    if isinstance(value, list | tuple):
        items = [_value(item) for item in value]
        line = f"[{', '.join(items)}]"
        return line if len(line) < LINE else "[\n" + "".join(f"    {item},\n" for item in items) + "]"
    if isinstance(value, str):
        value = storable(value).replace("\r\n", "\n")
        if "\n" in value and _LITERAL.fullmatch(value) and "'''" not in value and not value.endswith("'"):
            return f"'''\n{value}'''"
        if ('"' in value or "\\" in value) and "\n" not in value and "'" not in value and _LITERAL.fullmatch(value):
            return f"'{value}'"
    return tomli_w.dumps({"it": value}).partition("=")[2].strip()
