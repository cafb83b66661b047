"""Shapes of an error in a parsed body, read from ``shapes.toml``, and readers of the bodies that are not JSON.

Every value comes from a provider, so nothing here raises, whatever was sent.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from http import HTTPStatus
from itertools import chain
from typing import Any, Literal
from urllib.parse import parse_qsl

from msgspec import Struct

from oauth import lenient_json
from oauth.catalogue.entries import CatalogueError, Text, documented, file_text, read_tables, registered
from oauth.catalogue.folding import clean, fold

Paths = tuple[Text, ...]
Path = tuple[str, ...]

_DEEPEST = 6
"""Levels of wrappers that are searched."""
_MOST_MEMBERS = 200
"""Members of an object that may be an error; one with more is data."""
_MOST_VALUES = 50
"""Objects that are searched for an error."""
_MOST_IN_A_LIST = 8
"""Objects of a list that are searched for a reason."""
_LONGEST_TEXT = 1 << 20
_LONGEST_NAME = 48
_MOST_ELEMENTS = 10_000
_UNCERTAIN_NAMES = frozenset({"id", "name", "title", "type", "reason", "category", "status"})
"""Members that hold a code in one body and something else in the next."""


_STATUS_NAMES = ("status", "statuscode", "code")
_STATUS_PATHS = (("statuscode",), ("httpstatuscode",), ("httpstatus",), ("httpcode",), ("status",))
"""Members with the status that any shape may have beside its own."""


class Shape(Struct, frozen=True, forbid_unknown_fields=True):
    """One way to say an error in a parsed body: paths to its members, the first that holds something counts.

    ``reason`` is where further words stand by which a catalogue may know the error, in any object of a list.
    """

    name: Text
    has: Paths
    error: Paths = ()
    description: Paths = ()
    human_title: Paths = ()
    status: Paths = ()
    request_id: Paths = ()
    number: Paths = ()
    reason: Paths = ()
    equals: Mapping[str, str | int | bool] = {}
    is_certain: bool = False


class Signs(Struct, frozen=True, forbid_unknown_fields=True):
    """Names and words that tell an error from another body."""

    wrappers: Paths
    beside: Paths
    log_level: Paths
    log_other: Paths
    code: Paths
    words: Paths
    failed: Paths
    success: Paths


class SharedText(Struct, frozen=True, forbid_unknown_fields=True):
    """A text of servers and libraries beside the provider's own; ``error`` is the code that it stands for.

    ``of`` is the id of the catalogue whose alone the text is.
    """

    text: Text
    error: str = ""
    of: str = ""


class Printed(Struct, frozen=True, forbid_unknown_fields=True):
    """One way in which programs print an error in words; ``oauth.catalogue.words`` reads it."""

    name: Text
    begins: Paths
    pattern: Text
    example: Text
    is_certain: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The content of ``shapes.toml``."""

    signs: Signs
    shapes: tuple[Shape, ...]
    texts: tuple[SharedText, ...]
    printed: tuple[Printed, ...]


@dataclass(frozen=True, slots=True)
class ShapeError:
    """An error in a parsed body, in the provider's words; a text is empty and ``status`` is ``None`` when absent.

    ``numbers`` are the error's numbers in members of their own, each joined with those before it: ``190/460``, ``190``.
    ``shape`` is the name in ``shapes.toml`` and ``path`` the members that lead to the object with the error. ``texts``
    are all the texts of that object, as some providers have the words under an unusual name.
    """

    shape: str
    error: str = ""
    description: str = ""
    human_title: str = ""
    status: int | None = None
    request_id: str = ""
    numbers: tuple[str, ...] = ()
    path: Path = ()
    texts: tuple[str, ...] = ()
    is_certain: bool = False


@cache
def table() -> Table:
    """Return the table of shapes. Raises ``CatalogueError`` when the file is invalid."""
    return read_table(file_text("shapes.toml"), "shapes.toml")


def read_table(text: str, file: str) -> Table:
    """Read the TOML of shapes. Raises ``CatalogueError`` naming ``file``."""
    tables = read_tables(
        text, file, {"signs": (Signs, ""), "shape": (Shape, "name"), "text": (SharedText, "text"),
                     "printed": (Printed, "name")}
    )  # fmt: skip
    if len(tables["signs"]) != 1:
        raise CatalogueError(f"{file} must contain one [signs].")
    for kind in ("shape", "printed"):
        names = [item.name for item in tables[kind]]
        if len(set(names)) < len(names):
            raise CatalogueError(f"{file}: two tables [[{kind}]] have the same name.")
    return Table(tables["signs"][0], tuple(tables["shape"]), tuple(tables["text"]), tuple(tables["printed"]))


def error_in(value: Any, status: int | None = None) -> ShapeError | None:
    """Find the error in the parsed value of a body, also inside wrappers; ``None`` without one.

    ``status`` is the HTTP status of the response, ``None`` if unknown. A generic member such as ``message`` is an
    error only with a sign: an error status, there or in the body, or a code or words that speak of an error.
    """
    if not isinstance(value, dict | list):
        return None
    search = _Search(status)
    error = search.find(value)
    if error is None or not _is_log_record(search.members(value)):
        return error
    return error if _is_known(error.error, error.description) else None


def read_body(text: str) -> tuple[Any, Literal["json", "form", "xml", ""]]:
    """Parse a body as strict JSON, a form with an error, or XML; ``None`` and an empty name for another."""
    text = text.strip("\ufeff \t\r\n")
    if text.startswith(("{", "[", '"')):
        return _json(text), "json"
    if text.startswith("<"):
        return read_xml(text), "xml"
    form = read_form(text)
    return (form, "form") if form else (None, "")


_FORM = re.compile(r"[?#]?[\w.\[\]%+-]{1,64}=[^\s&<>\"{}]*+(?:&[\w.\[\]%+-]{1,64}=[^\s&<>\"{}]*+)*+&?\Z")
_FORM_ERROR = re.compile(r"(?:^|[?#&])error\w{0,20}=", re.IGNORECASE)


def read_form(text: str) -> dict[str, str] | None:
    """Parse a form that names an error (``error=...&error_description=...``); ``None`` for another text."""
    if len(text) > _LONGEST_TEXT or not _FORM_ERROR.search(text) or not _FORM.match(text):
        return None
    try:
        pairs = parse_qsl(text.lstrip("?#"), keep_blank_values=True, max_num_fields=_MOST_MEMBERS)
    except ValueError:
        return None
    return dict(reversed(pairs))


_TAG = re.compile(
    r"<!\[CDATA\[(?P<data>.*?)\]\]>|<!--.*?-->|<\?.*?\?>"
    r"|<(?P<close>/)?(?:[\w.-]{1,80}:)?(?P<name>[A-Za-z_][\w.-]{0,80})(?P<attributes>(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*+)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([\w:.-]{1,80})\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


def read_xml(text: str) -> dict[str, Any] | None:
    """Parse XML, or a run of elements, into a mapping by local names; ``None`` for HTML, a DTD or broken text.

    An element with attributes or other elements is a mapping, with its text under ``value``; no entity but those of
    HTML is known, so that nothing expands.
    """
    text = text.strip("\ufeff \t\r\n")
    head = text[:200].lower()
    if not head.startswith("<") or "<html" in head or "<!doctype" in head or len(text) > _LONGEST_TEXT:
        return None
    root: dict[str, Any] = {}
    open_elements: list[tuple[str, dict[str, Any], list[str]]] = [("", root, [])]
    position = count = 0
    while position < len(text):
        tag_start = text.find("<", position)
        open_elements[-1][2].append(html.unescape(text[position : tag_start if tag_start >= 0 else len(text)]))
        if tag_start < 0:
            break
        tag = _TAG.match(text, tag_start)
        count += 1
        if tag is None or count > _MOST_ELEMENTS or len(open_elements) > _DEEPEST * 4:
            return None
        position = tag.end()
        if tag["data"] is not None:
            open_elements[-1][2].append(tag["data"])
        elif tag["name"] and tag["close"]:
            name, members, texts = open_elements.pop()
            if not open_elements or name != tag["name"]:
                return None
            _add(open_elements[-1][1], name, members, texts)
        elif tag["name"]:
            members = {
                name.rpartition(":")[2]: html.unescape(one or other or "")
                for name, one, other in _ATTRIBUTE.findall(tag["attributes"])
                if not name.lower().startswith(("xmlns", "xsi:"))
            }
            if tag["attributes"].endswith("/"):
                _add(open_elements[-1][1], tag["name"], members, [])
            else:
                open_elements.append((tag["name"], members, []))
    return root if len(open_elements) == 1 and root else None


def _add(parent: dict[str, Any], name: str, members: dict[str, Any], texts: list[str]) -> None:
    """Add an element to its parent; one of the same name as another makes a list."""
    text = "".join(texts).strip()
    value: Any = {**members, "value": text} if members and text else members or text
    if name not in parent:
        parent[name] = value
    elif isinstance(parent[name], list):
        parent[name].append(value)
    else:
        parent[name] = [parent[name], value]


def is_error_code(code: str) -> bool:
    """Return whether a code speaks of an error: a registered one, or one with a word such as ``invalid``."""
    lowered = code.casefold()
    return len(code) <= 120 and (
        canonical_code(code) in registered() or any(part in lowered for part in table().signs.code)
    )


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GAP = re.compile(r"[\s_-]+")


def canonical_code(code: str) -> str:
    """Return a code as OAuth spells it: ``InvalidGrant``, ``INVALID-GRANT`` and ``Invalid grant`` are one code."""
    if code in registered():  # most are spelled so already
        return code
    text = _CAMEL.sub("_", code.strip()) if code[:120] == code else code
    return _GAP.sub("_", text).lower()


@cache
def known_texts(*, but_of: str = "") -> Mapping[str, str]:
    """Return the codes of the known texts, the documented and the shared ones, by the folded text without its stop.

    Those that are alone of the catalogue ``but_of`` are left out.
    """
    shared = {bare(entry.text): entry.error for entry in table().texts if not entry.of or entry.of != but_of}
    return {**shared, **{bare(entry.description): entry.error for entry in documented().values()}}


def bare(text: str) -> str:
    """Fold a text as ``fold`` does, and its HTML entities and last full stop besides."""
    return fold(clean(text)).rstrip(". ")


class _Search:
    """One search for an error in a value."""

    def __init__(self, status: int | None) -> None:
        self.status = status or 0
        self._members: dict[int, dict[str, Any]] = {}
        self._alive: list[Any] = []  # the values whose ids are keys

    def find(self, value: Any) -> ShapeError | None:
        """Return the first error of a certain shape in the value and its wrappers, else the first of any."""
        first: ShapeError | None = None
        queue: list[tuple[Any, Path, int | None]] = [(value, (), None)]
        for place, (item, path, stated) in enumerate(queue):
            members = self.members(item)
            if not members or place > _MOST_VALUES or _is_exchange(members):
                continue
            if error := self.error(members, path):
                if error.status is None and stated is not None:
                    error = replace(error, status=stated)
                if error.is_certain:
                    return error
                first = first or error
            if len(path) < _DEEPEST:
                wrapped = list(_wrapped(members))
                if wrapped:
                    numbers = (self._status(members, (name,)) for name in _STATUS_NAMES)
                    stated = next(filter(None, numbers), stated)
                queue += [(inner, (*path, name), stated) for name, inner in wrapped]
        return first

    def members(self, value: Any) -> dict[str, Any]:
        """Return the members of an object, or of the first of a list, by their plain names."""
        if isinstance(value, list):
            value = next((item for item in value[:3] if isinstance(item, dict)), None)
        if not isinstance(value, dict) or len(value) > _MOST_MEMBERS:
            return {}
        known = self._members.get(id(value))
        if known is None:
            known = {}
            for name, inner in value.items():
                if isinstance(name, str) and len(name) <= _LONGEST_NAME:
                    known.setdefault(_plain(name), inner)
            self._members[id(value)] = known
            self._alive.append(value)
        return known

    def error(self, members: dict[str, Any], path: Path) -> ShapeError | None:
        """Return the error in one object, ``None`` where no shape fits or nothing speaks of an error."""
        if _first_names().isdisjoint(members):
            return None
        for shape in _shapes():
            if shape.first in members and self._has(members, shape):
                error = self._read(members, shape, path)
                if error is not None and (error.is_certain or self._has_sign(error, members, shape)):
                    return error
        return None

    def _has(self, members: dict[str, Any], shape: "_Compiled") -> bool:
        return all(_holds(self._at(members, path)) for path in shape.has) and all(
            members.get(name) == value and isinstance(members.get(name), type(value)) for name, value in shape.equals
        )

    def _read(self, members: dict[str, Any], shape: "_Compiled", path: Path) -> ShapeError | None:
        error = next((code for at in shape.error if at[0] in members and (code := self._code(members, at, shape))), "")
        description = self._words(members, shape.description)
        success = table().signs.success
        is_certain = shape.is_certain
        if error and error.casefold() in success:
            error, is_certain = "", False
        if not error and description and description.casefold() in success:
            description, is_certain = "", False
        if not is_error_code(error) or " " in error:  # a few servers say both in the member of the code
            code, colon, rest = error.partition(": ")
            if colon and code in registered():
                error, description = code, description or rest
        if description in registered() and not error:
            error, description = description, ""
        if " " in error and not description and not (canonical_code(error) in registered() or is_phrase(error)):
            error, description = "", error
        places = (*shape.status, *_STATUS_PATHS)
        status = next((number for at in places if at[0] in members and (number := self._status(members, at))), None)
        if not (error or description or (status or 0) >= 400):
            return None
        if description == error and shape.description and shape.error[:1] == shape.description[:1]:
            description = ""
        return ShapeError(
            shape.name,
            error,
            description,
            self._words(members, shape.human_title),
            status,
            next((text for at in shape.request_id if at[0] in members and (text := _id(self._at(members, at)))), ""),
            _numbers([_id(self._at(members, at)) for at in shape.number if at[0] in members]),
            path,
            tuple(
                text
                for inner in chain(members.values(), *(self._each(members, at) for at in shape.reason))
                if (text := _words(inner))
            ),
            is_certain,
        )

    def _words(self, members: dict[str, Any], paths: tuple[Path, ...]) -> str:
        """Return the first text to which one of these paths leads."""
        return next((text for at in paths if at[0] in members and (text := _words(self._at(members, at)))), "")

    def _has_sign(self, error: ShapeError, members: dict[str, Any], shape: "_Compiled") -> bool:
        if self.status >= 400 or (error.status or 0) >= 400:
            return True
        word = _words(members.get("status")).casefold()
        signs = table().signs
        if members.get("success") is True or members.get("ok") is True or (word and word in signs.success):
            return False
        if any(isinstance(members.get(name), int) and 200 <= members[name] < 300 for name in _STATUS_NAMES):
            return False
        if is_error_code(error.error) or bare(error.description) in known_texts():
            return True
        if members.get("success") is False or members.get("ok") is False or word in signs.failed:
            return True
        if len(error.description) > 200 or not set(members) <= shape.names | _signs("beside"):
            return False
        text = error.description.casefold()
        return any(part in text for part in signs.words)

    def _each(self, members: dict[str, Any], path: Path) -> Iterator[Any]:
        """Yield what a path leads to, in each of the first objects of a list."""
        value = members.get(path[0])
        if len(path) == 1:
            yield value
            return
        for item in value[:_MOST_IN_A_LIST] if isinstance(value, list) else (value,):
            yield from self._each(self.members(item), path[1:])

    def _at(self, members: dict[str, Any], path: Path) -> Any:
        value: Any = members
        for place, name in enumerate(path):
            inner = members if place == 0 else self.members(value)
            value = inner.get(name)
            if value is None:
                return None
        return value

    def _code(self, members: dict[str, Any], path: Path, shape: "_Compiled") -> str:
        value = self._at(members, path)
        if not isinstance(value, str):
            return ""
        code = value.strip().rpartition("#")[2]  # AWS: com.amazonaws.service#NotAuthorizedException
        if "\\" in code:  # the class of an exception of the server
            return ""
        if not code or code.lstrip("-").isdigit() or len(code) > 4 * _LONGEST_NAME * 5 or code[:1] in "{[<":
            return ""
        if path[-1] in _UNCERTAIN_NAMES and not shape.is_certain and not is_error_code(code):
            return ""
        if path[-1] == "status" and code.casefold() in table().signs.failed:
            return ""
        # A code of the authorization endpoint, a token and the like are no error codes: they must not be shown.
        return "" if path[-1] != "error" and is_random(code) else code

    def _status(self, members: dict[str, Any], path: Path) -> int | None:
        value = self._at(members, path)
        if isinstance(value, str) and len(value) <= 40 and (digits := re.match(r"([1-5]\d\d)(?:\b|\Z)", value)):
            value = int(digits[1])
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        lowest = 100 if "status" in path[-1] else 400
        return value if lowest <= value <= 599 else None


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A shape with its paths as plain names."""

    name: str
    first: str
    has: tuple[Path, ...]
    error: tuple[Path, ...]
    description: tuple[Path, ...]
    human_title: tuple[Path, ...]
    status: tuple[Path, ...]
    request_id: tuple[Path, ...]
    number: tuple[Path, ...]
    reason: tuple[Path, ...]
    equals: tuple[tuple[str, object], ...]
    is_certain: bool
    names: frozenset[str]


@cache
def _shapes() -> tuple[_Compiled, ...]:
    return tuple(_compiled(shape) for shape in table().shapes)


def _compiled(shape: Shape) -> _Compiled:
    has, error, description = _paths(shape.has), _paths(shape.error), _paths(shape.description)
    human_title, status, request_id = _paths(shape.human_title), _paths(shape.status), _paths(shape.request_id)
    return _Compiled(
        shape.name,
        has[0][0],
        has,
        error,
        description,
        human_title,
        status,
        request_id,
        _paths(shape.number),
        _paths(shape.reason),
        tuple((_plain(name), value) for name, value in shape.equals.items()),
        shape.is_certain,
        frozenset(path[0] for path in (*has, *error, *description, *human_title, *status, *request_id)),
    )


def _paths(paths: Paths) -> tuple[Path, ...]:
    return tuple(tuple(_plain(part) for part in path.split(".")) for path in paths)


@cache
def _first_names() -> frozenset[str]:
    return frozenset(shape.first for shape in _shapes())


@cache
def _signs(name: str) -> frozenset[str]:
    """Return the names of one kind of sign as plain names."""
    return frozenset(map(_plain, getattr(table().signs, name)))


def _wrapped(members: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the values that may wrap a body: by their name, the only member, or JSON in a text."""
    wrappers = _signs("wrappers")
    for name, value in members.items():
        if name not in wrappers and len(members) > 1:
            continue
        if isinstance(value, str) and value[:1] == "{" and len(value) <= _LONGEST_TEXT:
            value = _json(value)
        if isinstance(value, dict | list):
            yield name, value


def _is_exchange(members: dict[str, Any]) -> bool:
    """Return whether an object is an exchange, as in a HAR, and so no body."""
    return isinstance(members.get("request"), dict) and isinstance(members.get("response"), dict)


def _is_log_record(members: dict[str, Any]) -> bool:
    return not any(members.keys().isdisjoint(_signs(name)) for name in ("log_level", "log_other"))


def _is_known(error: str, description: str) -> bool:
    return canonical_code(error) in registered() or bare(description) in known_texts()


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _holds(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip() not in ("", "0")
    return bool(value)


def _words(value: Any, depth: int = 0) -> str:
    """Return a text, the first of a list, or the one that an object holds."""
    if isinstance(value, str):
        return value if value.strip() else ""
    if depth < 3 and isinstance(value, list):
        return next((text for item in value[:5] if (text := _words(item, depth + 1))), "")
    if depth < 3 and isinstance(value, dict):
        return next((text for name in ("value", "text", "message") if (text := _words(value.get(name), 3))), "")
    return ""


def _numbers(parts: list[str]) -> tuple[str, ...]:
    """Return an error's number with its subcodes, and each without its last one."""
    digits = [part for part in parts if part.isdigit() and len(part) <= 12]
    return tuple("/".join(digits[:end]) for end in range(len(digits), 0, -1))


def _id(value: Any) -> str:
    """Return a request id: a short text, or a number."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _words(value)
    return text if len(text) <= 200 else ""


_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def is_random(text: str) -> bool:
    """Return whether a text in the place of a code looks like a secret: long, of pieces that are no words."""
    for word in re.split(r"[^A-Za-z0-9]+", text):
        if len(word) >= 12:
            pieces = _PIECES.findall(word)
            if len(word) < 3 * len(pieces) or (len(word) >= 20 and any(map(str.isdigit, word))):
                return True
    return False


def is_phrase(error: str) -> bool:
    """Return whether an error is the reason phrase of a status, such as ``Bad Request``, and so says no code."""
    return canonical_code(error).replace("http_", "").lstrip("0123456789_") in _phrases()


@cache
def _phrases() -> frozenset[str]:
    return frozenset(canonical_code(status.phrase) for status in HTTPStatus)


def _json(text: str) -> Any:
    try:
        return lenient_json.loads(text)
    except (ValueError, RecursionError):
        return None
