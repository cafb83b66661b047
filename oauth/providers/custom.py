"""Profiles of one's own: TOML files in ``CONSOLE_HOME/providers``, without secrets, written in one piece.

The page makes and edits them, and a person may edit a file too: one that became invalid is listed with what is wrong.
"""

import os
import re
import secrets
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tomli_w

from oauth.providers.profile import RESERVED_FIELDS, Provider
from oauth.providers.validation import Problem, ProfileError, provider
from oauth.redaction import PLACEHOLDER, Vault
from oauth.redaction.names import secret_kind

LARGEST = 256 * 1024
"""Bytes of a profile that are read: a file to import may come from anywhere."""

LONGEST_ID = 40
"""Characters of a profile's id."""

ELSEWHERE = (
    "Secrets are never written to a profile: a client goes into the environment or into Streamlit's secrets, and "
    "another secret into the request, in the walkthrough"
)

SHORTEST_SECRET = 16
"""Characters below which a text in the field of a lifetime is a mistyped number, and no token."""

FREE_TEXT = {"scope", "scope_separator"}
"""Fields whose text may look like ``name: value`` and holds no secret."""


@dataclass(frozen=True, slots=True)
class CustomProfile:
    """One file: the profile, or what is wrong with it."""

    id: str
    provider: Provider | None
    problems: tuple[Problem, ...] = ()


def folder(home: Path) -> Path:
    """Where the files are."""
    return home / "providers"


def load(home: Path, reserved: Collection[str] = ()) -> list[CustomProfile]:
    """Every profile of one's own, by name of the file. A file that cannot be used is in the list with its problems.

    ``reserved`` are ids of other profiles, which no file may have for its name.
    """
    return [_own(path, reserved) for path in sorted(folder(home).glob("*.toml"))]


def _own(path: Path, reserved: Collection[str]) -> CustomProfile:
    if path.stem in reserved:
        return CustomProfile(path.stem, None, (Problem("file", "has the name of a profile of the console; rename it"),))
    try:
        return CustomProfile(path.stem, read(path.stem, path.read_bytes(), path.name))
    except ProfileError as error:
        return CustomProfile(path.stem, None, error.problems)
    except OSError as error:
        return CustomProfile(path.stem, None, (Problem("file", f"cannot be read: {error.strerror}"),))


def read(identifier: str, content: bytes, where: str) -> Provider:
    """The profile in a file's content. Raises ``ProfileError`` with every field that is wrong or holds a secret."""
    if len(content) > LARGEST:
        raise ProfileError(where, (Problem("file", f"is larger than {LARGEST // 1024} KiB"),))
    try:
        values = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ProfileError(where, (Problem("file", "is not UTF-8 text"),)) from error
    except RecursionError as error:
        raise ProfileError(where, (Problem("file", "is nested too deeply"),)) from error
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(where, (Problem("file", f"is not valid TOML: {error}"),)) from error
    return check(identifier, values, where)


def check(identifier: str, values: Mapping[str, Any], where: str) -> Provider:
    """The profile of these values. Raises ``ProfileError`` with every field that is wrong or holds a secret."""
    problems = list(_secrets(values, ""))
    found: Provider | None = None
    named = {item.field for item in problems}
    given = {name: value for name, value in values.items() if name not in RESERVED_FIELDS}
    problems += (
        Problem(name, "is not a field of a profile of one's own") for name in values if name in RESERVED_FIELDS
    )
    try:
        found = provider(given | {"id": identifier}, where)
    except ProfileError as error:
        problems += (item for item in error.problems if item.field not in named)
    if problems or found is None:
        raise ProfileError(where, tuple(problems))
    return found


def _secrets(values: Mapping[str, Any], prefix: str) -> Iterator[Problem]:
    """Every place in which a secret stands, by the name of its field, header or parameter, or by its own look."""
    known = {item.name for item in fields(Provider)} | {"code", "access_token", "refresh_token"}
    for name, value in values.items():
        place = f"{prefix}{name}"
        mistyped = isinstance(value, int) or (isinstance(value, str) and len(value) < SHORTEST_SECRET)
        if secret_kind(name) and not (name in known and mistyped):
            yield Problem(place, f"holds a secret. {ELSEWHERE}")
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
        yield Problem(f"{prefix}value", f"is the value of {header}, which is a secret. {ELSEWHERE}")
        row = {name: value for name, value in row.items() if name != "value"}
    yield from _secrets(row, prefix)


def _text_secrets(place: str, text: str) -> Iterator[Problem]:
    if place == "connection.proxy" and "@" in text:
        yield Problem(
            place,
            "has a user or a password, and secrets are never written to a profile: leave this empty, and put the whole "
            "address into the environment, in CONSOLE_PROXY_PROVIDER with the id of this profile for PROVIDER",
        )
        return
    vault = Vault(b"a key for nothing but looking")
    try:
        is_address = bool(urlsplit(text).netloc)
    except ValueError:
        is_address = False
    redacted = vault.redact_url(text) if is_address else vault.redact_text(text)
    if PLACEHOLDER.findall(redacted) != PLACEHOLDER.findall(text):
        yield Problem(place, f"has what looks like a secret in it. {ELSEWHERE}")


def write(home: Path, found: Provider) -> None:
    """Keep a profile, replacing the one with its id in one piece; readable by its owner only.

    Raises ``ProfileError`` when it may not be kept, or when the folder cannot be written.
    """
    place = folder(home)
    path = place / f"{found.id}.toml"
    content = toml(found).encode()
    read(found.id, content, path.name)
    draft = place / f".{found.id}.{secrets.token_hex(4)}"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ProfileError(path.name, (Problem("file", f"cannot be written: {error.strerror}"),)) from error


def delete(home: Path, identifier: str) -> None:
    """Remove a profile. Raises ``ProfileError`` when its file cannot be removed."""
    path = folder(home) / f"{identifier}.toml"
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ProfileError(path.name, (Problem("file", f"cannot be removed: {error.strerror}"),)) from error


def toml(found: Provider) -> str:
    """The file of a profile: what differs from the standard, and no secret."""
    return tomli_w.dumps(_written(found, RESERVED_FIELDS))


def _written(table: Any, left_out: Sequence[str] = ()) -> dict[str, Any]:
    """The fields of a table that are not what they are by themselves."""
    written: dict[str, Any] = {}
    for item in fields(table):
        value = getattr(table, item.name)
        usual = item.default_factory() if item.default_factory is not MISSING else item.default
        if item.name in left_out or value == usual:
            continue
        if is_dataclass(value):
            written[item.name] = _written(value)
        elif isinstance(value, tuple):
            written[item.name] = [_written(row) for row in value]
        else:
            written[item.name] = value.value if isinstance(value, StrEnum) else value
    return written


def duplicate(found: Provider, identifier: str, name: str) -> Provider:
    """A profile of one's own that begins as another: without its published clients and its control."""
    kept = {item.name: getattr(found, item.name) for item in fields(found) if item.name not in RESERVED_FIELDS}
    return Provider(**kept | {"id": identifier, "name": name})


def new_id(name: str, taken: Collection[str]) -> str:
    """An id for a new profile, from its name, that no other has."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:LONGEST_ID].strip("-") or "provider"
    others = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
    return next(item for item in (stem, *others) if item not in taken)
