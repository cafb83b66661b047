"""The language of drills: the content of ``drills.toml``, validated when it is read.

A drill is a table under ``[[drill]]``::

    id = "2-used"                      # short: its address
    title = "A code is exchanged twice"
    shows = "One sentence: what is to be seen."
    number = 2                         # what has to come back: a documented error,
    entry = "olxgroup/unknown_partner" # or an entry of another provider's catalogue,
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
``form``), ``authentication`` (the provider's if left out), ``header`` (an empty value takes a
header out), ``query``, ``method``, and ``body``, a text that is sent in the fields' place.

In such a value ``{name}`` stands for one of ``VALUES``, ``{name:.8}`` for its first eight characters, ``{{`` for a
brace.
"""

import re
import string
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeAlias

import msgspec

from oauth.catalogue import answers, documented, registered
from oauth.catalogue.catalogues import PARTNER, find_entry
from oauth.catalogue.provider_errors import ProviderError
from oauth.conversion import convert
from oauth.flow import Grant
from oauth.providers import BodyFormat, ClientAuthentication

FILE = "drills.toml"
SOURCE = "oauth/drills/schema.py"

VALUES = (
    "client_id",
    "client_secret",
    "api_key",
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

PLACE = re.compile(r"\$(?:\.steps\[(\d+)\])?(?:\.(\w+))?")
"""The place that msgspec names in an error: the number of a step from 0, and a field."""

Names: TypeAlias = tuple[str, ...]
Texts: TypeAlias = Mapping[str, str]


class DrillError(ValueError):
    """An invalid drill file; the text names the file, the drill and the field."""


class _Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """A step of a drill, by the name that ``do`` gives it."""


class Changes(_Step, frozen=True):
    """The differences between a request and what the walkthrough would send."""

    set: Texts = {}
    rename: Texts = {}
    leave_out: Names = ()
    extra: Texts = {}
    client: str = ""

    def __post_init__(self) -> None:
        for name, value in msgspec.structs.asdict(self).items():
            for text in value.values() if isinstance(value, Mapping) else ():
                _check_placeholders(name, text)


class Authorize(Changes, frozen=True, tag="authorize"):
    """An authorization request, and the user's decision."""

    decision: Literal["approve", "deny"] = "approve"


class TokenRequest(Changes, frozen=True):
    """A token request by one of the grants. ``body`` replaces the fields."""

    grant: ClassVar[Grant]
    body_format: BodyFormat = BodyFormat.JSON
    authentication: ClientAuthentication | None = None
    header: Texts = {}
    query: Texts = {}
    method: Literal["POST", "GET"] = "POST"
    body: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_placeholders("body", self.body or "")


class CodeExchange(TokenRequest, frozen=True, tag="token"):
    """A token request with a code."""

    grant = Grant.AUTHORIZATION_CODE


class Refresh(TokenRequest, frozen=True, tag="refresh"):
    """A token request with a refresh token."""

    grant = Grant.REFRESH_TOKEN


class ApplicationToken(TokenRequest, frozen=True, tag="application"):
    """A token request for the application itself."""

    grant = Grant.CLIENT_CREDENTIALS


class Call(Changes, frozen=True, tag="api"):
    """An API call."""

    path: str = ""
    token: Literal["user", "application"] = "user"


class MoveClock(_Step, frozen=True, tag="clock"):
    """A move of the sandbox's clock, and the drill's with it, by ``seconds``."""

    seconds: int


class ChangeClient(_Step, frozen=True, tag="client"):
    """A change of a ready-made client; ``None`` changes nothing."""

    id: str
    active: bool | None = None
    grants: Names | None = None
    scopes: Names | None = None


class ChangeSettings(_Step, frozen=True, tag="settings"):
    """A change of the sandbox's settings; ``None`` changes nothing."""

    refresh_ends_access_tokens: bool | None = None


class Revoke(_Step, frozen=True, tag="revoke"):
    """The revocation of the newest code or token."""

    what: Literal["code", "access_token", "refresh_token"]


class Fault(_Step, frozen=True, tag="fault"):
    """A fault for the next request."""

    name: str
    fields: Mapping[str, str | int] = {}


Sent: TypeAlias = Authorize | TokenRequest | Call
Controlled: TypeAlias = MoveClock | ChangeClient | ChangeSettings | Revoke | Fault
ScriptStep: TypeAlias = Authorize | CodeExchange | Refresh | ApplicationToken | Call | Controlled


class Drill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A script that produces an error on purpose.

    Exactly one of ``number``, ``entry``, ``code`` and ``answer`` is set.
    """

    id: str
    title: str
    shows: str
    steps: Annotated[tuple[ScriptStep, ...], msgspec.Meta(min_length=1)]
    number: int | None = None
    entry: str = ""
    code: str = ""
    answer: str = ""
    proven: Names = ()
    possible: Names = ()
    client: str = ""
    spends_code: bool = False
    could_lock_account: bool = False

    def __post_init__(self) -> None:
        if sum((self.number is not None, bool(self.entry), bool(self.code), bool(self.answer))) != 1:
            raise ValueError("set exactly one of the fields number, entry, code and answer")
        if self.number is not None and self.number not in documented():
            raise ValueError(f"the field number is {self.number}, which is not a documented error")
        if self.entry and not isinstance(find_entry(self.entry), ProviderError):
            raise ValueError(f"the field entry is {self.entry!r}, which is in no provider's catalogue")
        if self.code and self.code not in registered():
            raise ValueError(f"the field code is {self.code!r}, which is not in the catalogue")
        if self.answer and self.answer not in answers():
            raise ValueError(f"the field answer is {self.answer!r}; allowed: {', '.join(answers())}")
        if not isinstance(self.steps[-1], Sent):
            raise ValueError("the last of the steps must be a request: it is the one that is judged")

    @property
    def catalogue(self) -> str:
        """The id of the catalogue whose provider has this error, the partner API's where it is not an entry's."""
        return self.entry.partition("/")[0] or PARTNER


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
        try:
            drill = convert(entry, Drill)
        except msgspec.ValidationError as error:
            raise DrillError(
                f"{where}{_place_and_text(error)}. See {SOURCE} for the steps and their fields."
            ) from error
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


def _place_and_text(error: msgspec.ValidationError) -> str:
    """Return msgspec's error with its place, such as ``, step 2, field set: Expected `object`, got `int```."""
    text, _, path = str(error).partition(" - at ")
    match = PLACE.search(path)
    step, field = match.groups() if match else (None, None)
    return f"{f', step {int(step) + 1}' if step else ''}{f', field {field}' if field else ''}: {text}"


def _check_placeholders(field: str, text: str) -> None:
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"the field {field} has unbalanced braces: {error}. Write {{{{ for a brace") from error
    for _, name, form, conversion in parts:
        if name is not None and (name not in VALUES or conversion or not PRECISION.fullmatch(form or "")):
            raise ValueError(f"the field {field} has {{{name}}}, which is unknown; allowed: {', '.join(VALUES)}")
