"""What a sandbox starts with: clients, users, scopes, settings. A TOML file, ``sandbox.toml`` if none is given."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from oauth.sandbox.clients import CLIENT, SCOPE_NAME, Client, client_from
from oauth.sandbox.json_schema import Schema, Shape, ShapeError, table
from oauth.sandbox.rate_limit import RequestLimit

READY_MADE = Path(__file__).with_name("sandbox.toml")
LONGEST = 3_155_760_000  # seconds: a hundred years

User = Mapping[str, Any]
"""As the API answers it; it has an ``id`` and a ``name``."""


class Replacement(StrEnum):
    """When the use of a refresh token replaces it: RFC 6749 §6 leaves that to the provider."""

    ALWAYS = "always"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long each lives, in seconds."""

    code: int
    access_token: int
    refresh_token: int


@dataclass(frozen=True, slots=True)
class Configuration:
    """``refresh_ends_access_tokens`` says whether a refresh ends the access tokens before it. ``scopes`` are names with
    their words for people. The first of ``users`` is signed in on the consent page."""

    refresh_token_replaced: Replacement
    refresh_ends_access_tokens: bool
    request_limit: RequestLimit
    lifetimes: Lifetimes
    scopes: Mapping[str, str]
    users: Mapping[int, User]
    clients: Mapping[str, Client]


class ConfigurationError(ValueError):
    """The file cannot be used; the text is one line that names the file, the table, the field and what to do."""


REPLACED: Schema = {
    "enum": list(Replacement),
    "description": "Write one of: " + ", ".join(f'"{value}"' for value in Replacement) + ".",
}
ENDED: Schema = {
    "type": "boolean",
    "description": "Whether a refresh ends the access tokens that the same client had for the same user.",
}
LIMIT: Schema = table(
    {
        "requests": {
            "type": "integer",
            "minimum": 0,
            "maximum": 100_000,
            "description": "Requests from one address, a whole number up to 100000; 0: no limit.",
        },
        "seconds": {
            "type": "integer",
            "minimum": 1,
            "maximum": 86_400,
            "description": "Seconds in which they are counted, a whole number from 1 to 86400.",
        },
        "pause": {
            "type": "integer",
            "minimum": 1,
            "maximum": 86_400,
            "description": "Seconds that the refusal holds, a whole number from 1 to 86400.",
        },
    },
    description="The request limit.",
)
LIFETIME: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": LONGEST,
    "description": f"Seconds, a whole number from 1 to {LONGEST}.",
}
LIFETIMES = table(dict.fromkeys(("code", "access_token", "refresh_token"), LIFETIME), description="Lifetimes.")
USER_ID: Schema = {"type": "integer", "minimum": 1, "maximum": 2**53 - 1, "description": "The user's number."}
SHAPE = Shape(
    table(
        {
            "refresh_token_replaced": REPLACED,
            "refresh_ends_access_tokens": ENDED,
            "request_limit": LIMIT,
            "lifetimes": LIFETIMES,
            "scopes": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": SCOPE_NAME,
                "additionalProperties": {
                    "type": "string",
                    "minLength": 1,
                    "description": "Say for people what the scope allows.",
                },
                "description": 'Lines like: read = "See your profile".',
            },
            "users": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {"id": USER_ID, "name": {"type": "string", "minLength": 1}},
                    "required": ["id", "name"],
                    "additionalProperties": {
                        "type": ["string", "number", "boolean", "array", "object"],
                        "description": "It is answered as JSON: write a date in quotes.",
                    },
                    "description": "A user has an id, which is a number, and a name; the rest is free.",
                },
                "description": "Give [[users]], at least one.",
            },
            "clients": {"type": "array", "items": CLIENT, "description": "Give [[clients]]."},
        }
    )
)


@functools.cache
def ready_made() -> Configuration:
    """What the sandbox has without a file."""
    return _read(_parsed(READY_MADE), READY_MADE.name)


def load(path: Path) -> Configuration:
    """Read a file; a table that it leaves out is the ready-made one. Raises ``ConfigurationError``."""
    document = _parsed(path)
    basis = _parsed(READY_MADE)
    merged = basis | document
    for name in ("lifetimes", "request_limit"):
        if isinstance(document.get(name), dict):
            merged[name] = basis[name] | document[name]
    return _read(merged, str(path))


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}. Give the path of a TOML file.") from error
    except ValueError as error:
        raise ConfigurationError(f"{path}: is not TOML in UTF-8: {error}.") from error


def _read(document: Mapping[str, Any], name: str) -> Configuration:
    try:
        SHAPE.check(document)
    except ShapeError as error:
        raise ConfigurationError(f"{name}: {_place(error.path)}{error.problem}") from error
    scopes = document["scopes"]
    clients: dict[str, Client] = {}
    for number, entry in enumerate(document["clients"], start=1):
        place = f"{name}: [[clients]] number {number}"
        try:
            client = client_from(entry, scopes)
        except ValueError as error:
            raise ConfigurationError(f"{place}, field scopes: {error} Add it to [scopes], or leave it out.") from error
        if client.client_id in clients:
            raise ConfigurationError(
                f"{place}, field client_id: {client.client_id!r} was there before. Give each client its own."
            )
        clients[client.client_id] = client
    users: dict[int, User] = {}
    for number, user in enumerate(document["users"], start=1):
        if user["id"] in users:
            raise ConfigurationError(
                f"{name}: [[users]] number {number}, field id: {user['id']} was there before. Give each user its own."
            )
        users[user["id"]] = user
    return Configuration(
        refresh_token_replaced=Replacement(document["refresh_token_replaced"]),
        refresh_ends_access_tokens=document["refresh_ends_access_tokens"],
        request_limit=RequestLimit(**document["request_limit"]),
        lifetimes=Lifetimes(**document["lifetimes"]),
        scopes=scopes,
        users=users,
        clients=clients,
    )


def _place(path: tuple[str | int, ...]) -> str:
    """From ``("clients", 2, "grants")`` to ``[[clients]] number 3, field grants: ``."""
    match path:
        case ():
            return ""
        case (table_name, int(index), *fields):
            place = f"[[{table_name}]] number {index + 1}"
        case ("lifetimes" | "request_limit" | "scopes" as table_name, *fields):
            place = f"[{table_name}]"
        case (field, *_):
            return f"field {field}: "
    return f"{place}, field {fields[0]}: " if fields else f"{place}: "
