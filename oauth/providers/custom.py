"""Custom profiles: TOML files without secrets, in ``CONSOLE_HOME/providers`` or shared (``own_files``).

The Providers page creates and edits them. Files may be edited by hand too; an invalid one is listed with its problems.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tomli_w

from oauth import own_files, toml
from oauth.providers.profile import RESERVED_FIELDS, Provider
from oauth.providers.validation import Problem, ProfileError, provider
from oauth.redaction import PLACEHOLDER, Vault
from oauth.redaction.names import secret_kind

MAX_BYTES = 256 * 1024
"""Largest profile that is read: a file to import may come from anywhere."""

MAX_ID_LENGTH = 40

REMEDY = (
    "A profile never holds secrets: put a client into the environment or Streamlit's secrets, and any other secret "
    "into the request, in the walkthrough"
)

MIN_SECRET_LENGTH = 16
"""A shorter text in a lifetime's field is a mistyped number, not a token."""

FREE_TEXT = {"scope", "scope_separator"}
"""Fields whose text may look like ``name: value`` without being a secret."""

NAMES_OF_SECRETS = {"api_key_header"}
"""Fields that hold the name of a secret, and never its value."""


@dataclass(frozen=True, slots=True)
class CustomProfile:
    """A profile file: the profile, or its problems if it is invalid."""

    id: str
    provider: Provider | None
    problems: tuple[Problem, ...] = ()


def folder(home: Path) -> Path:
    """Return the folder of the files, or of their copies where consoles share them."""
    return own_files.folder(home, own_files.Kind.PROFILE)


def load(home: Path, reserved: Collection[str] = ()) -> list[CustomProfile]:
    """Return every custom profile, ordered by file name, including invalid files with their problems.

    ``reserved`` are the ids of built-in profiles, which no file may have as its name.
    """
    return [_load(path, reserved) for path in sorted(folder(home).glob("*.toml"))]


def _load(path: Path, reserved: Collection[str]) -> CustomProfile:
    if path.stem in reserved:
        return CustomProfile(path.stem, None, (Problem("file", "has the name of a built-in profile; rename it"),))
    try:
        return CustomProfile(path.stem, read(path.stem, path.read_bytes(), path.name))
    except ProfileError as error:
        return CustomProfile(path.stem, None, error.problems)
    except OSError as error:
        return CustomProfile(path.stem, None, (Problem("file", f"cannot be read: {error.strerror}"),))


def read(identifier: str, content: bytes, where: str) -> Provider:
    """Parse a profile file. Raises ``ProfileError`` with every field that is invalid or holds a secret."""
    if len(content) > MAX_BYTES:
        raise ProfileError(where, (Problem("file", f"is larger than {MAX_BYTES // 1024} KiB"),))
    try:
        values = toml.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ProfileError(where, (Problem("file", "is not UTF-8 text"),)) from error
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(where, (Problem("file", f"is not valid TOML: {error}"),)) from error
    return check(identifier, values, where)


def check(identifier: str, values: Mapping[str, Any], where: str) -> Provider:
    """Validate the values of a profile. Raises ``ProfileError`` with every field that is invalid or holds a secret."""
    problems = list(_secrets(values, ""))
    profile: Provider | None = None
    reported = {item.field for item in problems}
    allowed = {name: value for name, value in values.items() if name not in RESERVED_FIELDS}
    problems += (Problem(name, "is not a field of a custom profile") for name in values if name in RESERVED_FIELDS)
    try:
        profile = provider(allowed | {"id": identifier}, where)
    except ProfileError as error:
        problems += (item for item in error.problems if item.field not in reported)
    if problems or profile is None:
        raise ProfileError(where, tuple(problems))
    return profile


def _secrets(values: Mapping[str, Any], prefix: str) -> Iterator[Problem]:
    """Yield a problem for each secret, found by the name of its field, header or parameter, or by its format."""
    names = {item.name for item in fields(Provider)} | {"code", "access_token", "refresh_token"}
    for name, value in values.items():
        place = f"{prefix}{name}"
        is_mistyped = isinstance(value, int) or (isinstance(value, str) and len(value) < MIN_SECRET_LENGTH)
        if secret_kind(name) and name not in NAMES_OF_SECRETS and not (name in names and is_mistyped):
            yield Problem(place, f"holds a secret. {REMEDY}")
        elif isinstance(value, Mapping):
            yield from _secrets(value, f"{place}.")
        elif isinstance(value, list | tuple):
            for number, row in enumerate(value, 1):
                if isinstance(row, Mapping):
                    yield from _row_secrets(row, f"{place}[{number}].")
        elif isinstance(value, str) and name not in FREE_TEXT:
            yield from _text_secrets(place, value)


def _row_secrets(row: Mapping[str, Any], prefix: str) -> Iterator[Problem]:
    header = row.get("name")
    if isinstance(header, str) and "value" in row and secret_kind(header):
        yield Problem(f"{prefix}value", f"is the value of {header}, which is a secret. {REMEDY}")
        row = {name: value for name, value in row.items() if name != "value"}
    yield from _secrets(row, prefix)


def _text_secrets(place: str, text: str) -> Iterator[Problem]:
    if place == "connection.proxy" and "@" in text:
        yield Problem(
            place,
            "has a user or a password, and a profile never holds secrets: leave this empty, and set the environment "
            "variable CONSOLE_PROXY_PROVIDER to the whole address, with this profile's id for PROVIDER",
        )
        return
    vault = Vault(b"a key used only for detection")
    try:
        is_address = bool(urlsplit(text).netloc)
    except ValueError:
        is_address = False
    redacted = vault.redact_url(text) if is_address else vault.redact_text(text)
    if PLACEHOLDER.findall(redacted) != PLACEHOLDER.findall(text):
        yield Problem(place, f"has what looks like a secret in it. {REMEDY}")


def write(home: Path, profile: Provider) -> None:
    """Save a profile, atomically replacing the one with its id; the file is readable by its owner only.

    Raises ``ProfileError`` if the profile is invalid, or the folder cannot be written.
    """
    name = f"{profile.id}.toml"
    content = to_toml(profile).encode()
    read(profile.id, content, name)
    try:
        own_files.write(home, own_files.Kind.PROFILE, profile.id, content)
    except OSError as error:
        raise ProfileError(name, (Problem("file", f"cannot be written: {error.strerror}"),)) from error


def delete(home: Path, identifier: str) -> None:
    """Delete a profile. Raises ``ProfileError`` if its file cannot be deleted."""
    try:
        own_files.delete(home, own_files.Kind.PROFILE, identifier)
    except OSError as error:
        raise ProfileError(f"{identifier}.toml", (Problem("file", f"cannot be deleted: {error.strerror}"),)) from error


def to_toml(profile: Provider) -> str:
    """Return the content of a profile's file: the fields that differ from their defaults."""
    return tomli_w.dumps(_non_defaults(profile, RESERVED_FIELDS))


def _non_defaults(table: Any, excluded: Sequence[str] = ()) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in fields(table):
        value = getattr(table, item.name)
        default = item.default_factory() if item.default_factory is not MISSING else item.default
        if item.name in excluded or value == default:
            continue
        if is_dataclass(value):
            values[item.name] = _non_defaults(value)
        elif isinstance(value, tuple):
            values[item.name] = [_non_defaults(row) for row in value]
        else:
            values[item.name] = value.value if isinstance(value, StrEnum) else value
    return values


def duplicate(profile: Provider, identifier: str, name: str) -> Provider:
    """Return a custom profile that is a copy of another, without its published clients and its control."""
    values = {item.name: getattr(profile, item.name) for item in fields(profile) if item.name not in RESERVED_FIELDS}
    return Provider(**values | {"id": identifier, "name": name})


def new_id(name: str, used_ids: Collection[str]) -> str:
    """Return an unused id for a new profile, derived from its name."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:MAX_ID_LENGTH].strip("-") or "provider"
    numbered = (f"{stem}-{number}" for number in range(2, len(used_ids) + 3))
    return next(item for item in (stem, *numbered) if item not in used_ids)
