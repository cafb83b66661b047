"""The language of drills: the content of ``drills.toml``, validated when it is read.

A drill is a table under ``[[drill]]``::

    id = "2-used"                      # short: its address
    title = "A code is exchanged twice"
    shows = "One sentence: what is to be seen."
    number = 2                         # what has to come back: a documented error,
    code = "redirect_uri_mismatch"     # or a registered code,
    answer = "missing_version"         # or a kind of the catalogue's answers
    proven = ["code.used"]             # causes that the diagnosis has to prove; ``possible`` likewise
    client = "website-app"             # the ready-made client it runs as; the first one if left out
    spends_code = true                 # a code or refresh token may be spent
    could_lock_account = true          # a server may take it for an attack, and lock the account
    steps = [{ do = "authorize" }, { do = "token" }, { do = "token" }]

Every step says what to ``do``. All requests before the last one have to work; the last one is judged.

``authorize``
    Asks for consent and gives it, or refuses it with ``decision = "deny"``.
``token``, ``refresh``, ``application``
    A token request by ``authorization_code``, ``refresh_token`` or ``client_credentials``.
``api``
    A call of ``path``, the provider's first endpoint if left out, with the ``token`` of ``user`` or ``application``.
``clock``
    Moves the sandbox's clock on by ``seconds``; the drill's own begins that much earlier, and ends at the present.
    Nothing should be issued after it: issuing drops what has expired.
``client``
    Changes the ready-made client ``id``: ``active``, ``grants``, ``scopes``.
``settings``
    Changes the sandbox's ``refresh_ends_access_tokens``.
``revoke``
    Makes the newest ``what`` useless: ``code``, ``access_token`` or ``refresh_token``.
``fault``
    Has the sandbox answer the next request with the fault of this ``name`` and these ``fields``.

A request is the one that the walkthrough would send, changed. ``set`` gives fields a value (those of an API call are
its headers), ``rename`` sends them under another name, ``leave_out`` names those that are not sent, ``extra`` adds one
beside those there are, ``client`` asks as another ready-made client. A token request has ``body_format`` (``json`` or
``form``), ``authentication`` (``client_secret_post`` or ``client_secret_basic``), ``header`` (an empty value takes a
header out), ``query``, ``method``, and ``body``, a text that is sent in the fields' place.

In such a value ``{name}`` stands for one of ``VALUES``, ``{name:.8}`` for its first eight characters, ``{{`` for a
brace.
"""

import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from oauth.catalogue import answers, documented, registered
from oauth.flow import Grant
from oauth.providers import BodyFormat, ClientAuthentication

FILE = "drills.toml"

VALUES = (
    "client_id",
    "client_secret",
    "redirect_uri",
    "state",
    "code",
    "access_token",
    "refresh_token",
    "first_access_token",
    "first_refresh_token",
    "application_token",
)
"""The allowed placeholders. The ``first`` tokens are those before a refresh."""

PRECISION = re.compile(r"(?:\.[0-9]{1,3})?")
"""The format after a placeholder's colon: a number of characters."""

Names: TypeAlias = tuple[str, ...]
Texts: TypeAlias = Mapping[str, str]


class DrillError(ValueError):
    """An invalid drill file; the text names the file, the drill and the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The differences between a request and what the walkthrough would send."""

    set: Texts = field(default_factory=dict)
    rename: Texts = field(default_factory=dict)
    leave_out: Names = ()
    extra: Texts = field(default_factory=dict)
    client: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorize(Changes):
    """An authorization request, and the user's decision."""

    decision: Literal["approve", "deny"] = "approve"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest(Changes):
    """A token request by one of the grants. ``body`` replaces the fields."""

    grant: Grant
    body_format: BodyFormat = BodyFormat.JSON
    authentication: ClientAuthentication = ClientAuthentication.BODY
    header: Texts = field(default_factory=dict)
    query: Texts = field(default_factory=dict)
    method: Literal["POST", "GET"] = "POST"
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Changes):
    """An API call."""

    path: str = ""
    token: Literal["user", "application"] = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveClock:
    """A move of the sandbox's clock, and the drill's with it, by ``seconds``."""

    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeClient:
    """A change of a ready-made client; ``None`` changes nothing."""

    id: str
    active: bool | None = None
    grants: Names | None = None
    scopes: Names | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettings:
    """A change of the sandbox's settings; ``None`` changes nothing."""

    refresh_ends_access_tokens: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """The revocation of the newest code or token."""

    what: Literal["code", "access_token", "refresh_token"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault for the next request."""

    name: str
    fields: Mapping[str, str | int] = field(default_factory=dict)


Sent: TypeAlias = Authorize | TokenRequest | Call
Controlled: TypeAlias = MoveClock | ChangeClient | ChangeSettings | Revoke | Fault
ScriptStep: TypeAlias = Sent | Controlled

STEPS: Mapping[str, tuple[type[ScriptStep], Mapping[str, Any]]] = {
    "authorize": (Authorize, {}),
    "token": (TokenRequest, {"grant": Grant.AUTHORIZATION_CODE}),
    "refresh": (TokenRequest, {"grant": Grant.REFRESH_TOKEN}),
    "application": (TokenRequest, {"grant": Grant.CLIENT_CREDENTIALS}),
    "api": (Call, {}),
    "clock": (MoveClock, {}),
    "client": (ChangeClient, {}),
    "settings": (ChangeSettings, {}),
    "revoke": (Revoke, {}),
    "fault": (Fault, {}),
}
"""The steps by name, each with its type and the fields that the name fixes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A script that produces an error on purpose. Exactly one of ``number``, ``code`` and ``answer`` is set."""

    id: str
    title: str
    shows: str
    steps: tuple[ScriptStep, ...]
    number: int | None = None
    code: str = ""
    answer: str = ""
    proven: Names = ()
    possible: Names = ()
    client: str = ""
    spends_code: bool = False
    could_lock_account: bool = False


@cache
def drills() -> tuple[Drill, ...]:
    """Return every drill, in the order of the file. Raises ``DrillError``."""
    return read(Path(__file__).with_name(FILE).read_text("utf-8"))


def read(text: str, file: str = FILE) -> tuple[Drill, ...]:
    """Read the TOML of drills. Raises ``DrillError`` naming ``file``, the drill and the field."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DrillError(f"{file} is not valid TOML: {error}.") from error
    entries = tables.pop("drill", None)
    if tables or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DrillError(f"{file} must hold drills under [[drill]] and nothing else.")
    by_id: dict[str, Drill] = {}
    for place, entry in enumerate(entries, 1):
        where = f"{file}, drill {entry.get('id', f'at place {place}')}"
        drill = _drill(entry, where)
        if drill.id in by_id:
            raise DrillError(f"{where}: the field id is already used by another drill.")
        by_id[drill.id] = drill
    return tuple(by_id.values())


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders of a text by their values; unknown values are empty."""
    parts = []
    for literal, name, form, _ in string.Formatter().parse(text):
        parts.append(literal)
        if name is not None:
            parts.append(format(values.get(name, ""), form or ""))
    return "".join(parts)


def _drill(entry: Mapping[str, Any], where: str) -> Drill:
    rows = entry.get("steps")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise DrillError(f"{where}: the field steps must be a list of steps, at least one.")
    steps = tuple(_step(row, f"{where}, step {number}") for number, row in enumerate(rows, 1))
    drill: Drill = _built(Drill, {name: value for name, value in entry.items() if name != "steps"}, where, steps=steps)
    if sum((drill.number is not None, bool(drill.code), bool(drill.answer))) != 1:
        raise DrillError(f"{where}: set exactly one of the fields number, code and answer.")
    if drill.number is not None and drill.number not in documented():
        raise DrillError(f"{where}: the field number is {drill.number}, which is not a documented error.")
    if drill.code and drill.code not in registered():
        raise DrillError(f"{where}: the field code is {drill.code!r}, which is not in the catalogue.")
    if drill.answer and drill.answer not in answers():
        raise DrillError(f"{where}: the field answer is {drill.answer!r}; allowed: {', '.join(answers())}.")
    if not isinstance(steps[-1], Sent):
        raise DrillError(f"{where}, step {len(steps)}: the field do must name a request: the last one is judged.")
    return drill


def _step(row: Mapping[str, Any], where: str) -> ScriptStep:
    do = str(row.get("do"))
    if do not in STEPS:
        raise DrillError(f"{where}: the field do is {do!r}; allowed: {', '.join(STEPS)}.")
    kind, fixed = STEPS[do]
    step: ScriptStep = _built(kind, {name: value for name, value in row.items() if name != "do"}, where, **fixed)
    if isinstance(step, TokenRequest) and step.body is not None:
        _fillable(step.body, f"{where}: the field body")
    return step


def _built(kind: type, values: Mapping[str, Any], where: str, **fixed: Any) -> Any:
    known = {item.name: item for item in fields(kind) if item.name not in fixed}
    if unknown := sorted(values.keys() - known.keys()):
        raise DrillError(f"{where}: the field {unknown[0]} is unknown; allowed: {', '.join(known)}.")
    for item in known.values():
        if item.default is MISSING and item.default_factory is MISSING and item.name not in values:
            raise DrillError(f"{where}: the field {item.name} is missing.")
    hints = get_type_hints(kind)
    return kind(
        **{name: _value(hints[name], value, f"{where}: the field {name}") for name, value in values.items()}, **fixed
    )


def _value(kind: Any, value: Any, where: str) -> Any:
    """Return the value, checked against the type of its field."""
    if get_origin(kind) is UnionType:
        kind = next(option for option in get_args(kind) if option is not NoneType)
    if kind == Names:
        return tuple(
            _of(str, item, where, "a list of strings") for item in _of(list, value, where, "a list of strings")
        )
    if kind == Texts:
        table = _of(dict, value, where, "a table")
        return {name: _fillable(_of(str, item, where, "a table of strings"), where) for name, item in table.items()}
    if get_origin(kind) is Mapping:
        return _of(dict, value, where, "a table")
    if get_origin(kind) is Literal:
        return _one_of(get_args(kind), value, where)
    if issubclass(kind, StrEnum):
        return kind(_one_of(tuple(kind), value, where))
    return _of(kind, value, where, {str: "a string", bool: "true or false", int: "a whole number"}[kind])


def _of(kind: type, value: Any, where: str, words: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise DrillError(f"{where} must be {words}.")
    return value


def _one_of(allowed: tuple[str, ...], value: Any, where: str) -> Any:
    if value not in allowed:
        raise DrillError(f"{where} is {value!r}; allowed: {', '.join(allowed)}.")
    return value


def _fillable(text: str, where: str) -> str:
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise DrillError(f"{where} has unbalanced braces: {error}. Write {{{{ for a brace.") from error
    for _, name, form, conversion in parts:
        if name is not None and (name not in VALUES or conversion or not PRECISION.fullmatch(form or "")):
            raise DrillError(f"{where} has {{{name}}}, which is unknown; allowed: {', '.join(VALUES)}.")
    return text
