"""The initial state of a sandbox (clients, users, scopes, settings) from a TOML file, by default ``sandbox.toml``."""

import functools
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from oauth_sandbox.behaviour import PRESETS, Behaviour, Preset
from oauth_sandbox.clients import Client, NewClient, ScopeName, UnknownScope, client_from
from oauth_sandbox.openid.settings import OpenId
from oauth_sandbox.rate_limit import RequestLimit
from oauth_sandbox.validation import Fields, InvalidInput, quoted, validated

READY_MADE = Path(__file__).with_name("sandbox.toml")
LONGEST_LIFETIME = 3_155_760_000  # seconds: a hundred years

User = Mapping[str, Any]
"""A user as the API returns it, with an ``id`` and a ``name`` at least."""

UserId = Annotated[int, Meta(ge=1, le=2**53 - 1, description="The user's number.")]
Lifetime = Annotated[int, Meta(ge=1, le=LONGEST_LIFETIME, description=f"Seconds, from 1 to {LONGEST_LIFETIME}.")]


class Api(StrEnum):
    """The APIs that a sandbox can behave like: the partner API, its sister for real estate and car parts, or an OpenID
    provider by the standards alone.
    """

    PARTNER = "partner"
    OLXGROUP = "olxgroup"
    GENERIC = "generic"


OF_PARTNER = frozenset({"content_type_on_get", "coordinates", "longest_title", "moderation_seconds", "extra_fields"})
"""The assumptions (``behaviour``) about the partner API behind the token."""

_OF_ONE_API = ("seed", "behaviour", "openid")

INITIAL: Mapping[Api, Path] = {
    Api.PARTNER: READY_MADE,
    Api.OLXGROUP: READY_MADE.with_name("olxgroup.toml"),
    Api.GENERIC: READY_MADE.with_name("generic.toml"),
}
"""The default configuration of each API."""


class Replacement(StrEnum):
    """The times at which use replaces a refresh token; RFC 6749 §6 leaves them to the provider."""

    ALWAYS = "always"
    DAILY = "daily"


Seed = Annotated[
    int, Meta(ge=0, le=2**31 - 1, description="The partner API's first data are the same for the same seed.")
]
EndsAccessTokens = Annotated[
    bool, Meta(description="A refresh ends the access tokens that the same client had for the same user.")
]


class Lifetimes(Struct, frozen=True, forbid_unknown_fields=True):
    """Lifetimes in seconds."""

    code: Lifetime
    access_token: Lifetime
    refresh_token: Lifetime


Subject = Annotated[
    str, Meta(min_length=1, max_length=255, description="The identifier at the OpenID provider, by default the id.")
]


class KnownUser(Struct):
    """A user: an id, a name and any other fields."""

    id: UserId
    name: Annotated[str, Meta(min_length=1)]
    sub: Subject | msgspec.UnsetType = msgspec.UNSET


def subject(user: User) -> str:
    """Return the identifier of a user at the OpenID provider: a field ``sub``, or the id."""
    return str(user.get("sub", user["id"]))


class ConfigurationFile(Fields):
    """The content of a configuration file, with the defaults filled in."""

    preset: Preset
    refresh_token_replaced: Replacement
    refresh_ends_access_tokens: EndsAccessTokens
    request_limit: RequestLimit
    lifetimes: Lifetimes
    behaviour: Behaviour
    scopes: Annotated[
        dict[ScopeName, Annotated[str, Meta(min_length=1)]],
        Meta(min_length=1, description='Name scopes and say what they allow: read = "See your profile".'),
    ]
    users: Annotated[list[KnownUser], Meta(min_length=1, description="Give [[users]], at least one.")]
    clients: Annotated[list[NewClient], Meta(description="Give [[clients]].")]
    openid: OpenId = OpenId()
    seed: Seed = 1


@dataclass(frozen=True, slots=True)
class Configuration:
    """The initial state of a sandbox, and the API that it behaves like.

    ``scopes`` maps names to their words on the consent page, where the first of ``users`` is signed in.
    """

    refresh_token_replaced: Replacement
    refresh_ends_access_tokens: bool
    seed: int
    request_limit: RequestLimit
    lifetimes: Lifetimes
    behaviour: Behaviour
    scopes: Mapping[str, str]
    users: Mapping[int, User]
    clients: Mapping[str, Client]
    openid: OpenId
    api: Api = Api.PARTNER


class NoEffectError(ValueError):
    """A setting or a fault that changes nothing at the API of the sandbox; the text says which, and what to do."""


class ConfigurationError(ValueError):
    """An unusable file; the text is one line that names the file, the table, the field and the remedy."""


@functools.cache
def ready_made(api: Api = Api.PARTNER, preset: Preset = Preset.USUAL) -> Configuration:
    """Return the default configuration of an API."""
    return _read(_with_preset(api, preset), INITIAL[api].name, api)


def load(path: Path, api: Api = Api.PARTNER, preset: Preset | None = None) -> Configuration:
    """Read a file; tables that it leaves out are those of the API's default. Raises ``ConfigurationError``.

    ``preset`` goes before the file's own; what the file sets goes before either.
    """
    document = _parsed(path)
    if preset is not None:
        document["preset"] = preset
    configuration = _read(_merged(document, api), str(path), api)
    try:
        check_effect(api, document, {name: msgspec.to_builtins(getattr(ready_made(api), name)) for name in _OF_ONE_API})
    except NoEffectError as error:
        raise ConfigurationError(f"{path}: {error}") from error
    return configuration


def from_fields(document: Mapping[str, Any], server: Configuration, api: Api) -> Configuration:
    """Return a configuration from the fields of a file. Raises ``ConfigurationError``.

    What they leave out is as at the ``server`` when it has the same API, and else as in the API's default.
    """
    if server.api is api:
        document = _inherited(server, document)
    return _read(_merged(document, api), "configuration", api)


def check_effect(api: Api, change: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise ``NoEffectError`` for a setting of another API; one with the value of ``now`` is accepted."""
    for name, value in change.items():
        fields = value if isinstance(value, dict) else {"": value}
        before = now.get(name, {}) if isinstance(value, dict) else {"": now.get(name)}
        for field, new in fields.items():
            of_partner = name == "seed" or (name == "behaviour" and field in OF_PARTNER)
            needed = Api.GENERIC if name == "openid" else Api.PARTNER if of_partner else api
            if needed is not api and new != before.get(field):
                setting = f"{name}.{field}".rstrip(".")
                raise NoEffectError(f"{setting} is a setting of the API {needed}; this sandbox is {api}. Leave it out.")


def _inherited(server: Configuration, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with what it leaves out as at the server; a preset of its own sets what presets set."""
    names = ["lifetimes", "request_limit", "scopes", "seed", "openid"]
    if "preset" not in document:
        names += ["behaviour", "refresh_token_replaced", "refresh_ends_access_tokens"]
    basis = {name: msgspec.to_builtins(getattr(server, name)) for name in names}
    basis |= {name: msgspec.to_builtins(list(getattr(server, name).values())) for name in ("users", "clients")}
    merged = basis | dict(document)
    for name in {"lifetimes", "request_limit", "behaviour", "openid"} & basis.keys() & document.keys():
        merged[name] = basis[name] | document[name]
    return merged


def _merged(document: Mapping[str, Any], api: Api) -> dict[str, Any]:
    """Return a document with what it leaves out as in the API's default."""
    basis = _with_preset(api, document.get("preset"))
    merged = basis | dict(document)
    for name in ("lifetimes", "request_limit", "behaviour", "openid"):
        if isinstance(document.get(name), dict):
            merged[name] = basis.get(name, {}) | document[name]
    return merged


def _with_preset(api: Api, preset: object) -> dict[str, Any]:
    """Return an API's default with the values of a preset; an unknown one is refused when the result is read."""
    document = _parsed(INITIAL[api])
    strict = preset == Preset.STRICT
    return document | {
        "preset": preset or Preset.USUAL,
        "behaviour": msgspec.to_builtins(PRESETS[Preset.STRICT if strict else Preset.USUAL])
        | document.get("behaviour", {}),
        **({"refresh_token_replaced": Replacement.ALWAYS, "refresh_ends_access_tokens": True} if strict else {}),
    }


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}. Give the path of a TOML file.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not in UTF-8, at byte {error.start}.") from error
    except ValueError as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}. Begin with a line such as: seed = 1") from error


def _read(document: Mapping[str, Any], name: str, api: Api) -> Configuration:
    try:
        file: ConfigurationFile = validated(document, ConfigurationFile)
    except InvalidInput as error:
        raise ConfigurationError(f"{name}: {_place(error.path)}{error.problem}") from error
    clients: dict[str, Client] = {}
    for number, entry in enumerate(file.clients, start=1):
        place = f"{name}: [[clients]] number {number}"
        try:
            client = client_from(entry, file.scopes)
        except UnknownScope as error:
            raise ConfigurationError(f"{place}, field scopes: {error} Add it to [scopes], or leave it out.") from error
        except ValueError as error:
            raise ConfigurationError(f"{place}, field redirect_uris: {error}") from error
        if client.client_id in clients:
            raise ConfigurationError(
                f"{place}, field client_id: {quoted(client.client_id)} is used already. Give each client its own."
            )
        clients[client.client_id] = client
    return Configuration(
        refresh_token_replaced=file.refresh_token_replaced,
        refresh_ends_access_tokens=file.refresh_ends_access_tokens,
        seed=file.seed,
        request_limit=file.request_limit,
        lifetimes=file.lifetimes,
        behaviour=file.behaviour,
        scopes=file.scopes,
        users=_users(document["users"], name),
        clients=clients,
        api=api,
        openid=file.openid,
    )


def _users(users: Iterable[User], name: str) -> Mapping[int, User]:
    by_id: dict[int, User] = {}
    for number, user in enumerate(users, start=1):
        place = f"{name}: [[users]] number {number}"
        for field, value in user.items():
            try:
                json.dumps(value, allow_nan=False)
            except TypeError as error:
                raise ConfigurationError(f"{place}, field {field}: is a date or time. Write it in quotes.") from error
            except ValueError as error:
                raise ConfigurationError(
                    f"{place}, field {field}: has nan or inf, which are not valid JSON. Give a finite number."
                ) from error
        if user["id"] in by_id:
            raise ConfigurationError(f"{place}, field id: {user['id']} is used already. Give each user its own.")
        if subject(user) in map(subject, by_id.values()):
            raise ConfigurationError(
                f"{place}, field sub: {quoted(subject(user))} is another user's. Give each its own."
            )
        by_id[user["id"]] = user
    return by_id


def _place(path: tuple[str | int, ...]) -> str:
    """Turn ``("clients", 2, "grants")`` into ``[[clients]] number 3, field grants: ``."""
    match path:
        case ():
            return ""
        case (table_name, int(index), *fields):
            place = f"[[{table_name}]] number {index + 1}"
        case ("lifetimes" | "request_limit" | "behaviour" | "openid" | "scopes" as table_name, *fields):
            place = f"[{table_name}]"
        case (field, *_):
            return f"field {field}: "
    return f"{place}, field {fields[0]}: " if fields else f"{place}: "
