"""Provider profiles: where a provider's endpoints are, and what its requests look like.

A profile is a TOML file in this folder; adding a provider touches no Python.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


class ProfileError(ValueError):
    """A profile cannot be used; the text names the file and the field."""


@dataclass(frozen=True, slots=True)
class ApiHeader:
    """A header that every call of the API needs."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path of the API that is worth calling with a fresh token."""

    path: str
    title: str


@dataclass(frozen=True, slots=True)
class ReadyClient:
    """Published test credentials. Only a provider without real users has any."""

    id: str
    secret: str
    title: str


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things live, in seconds."""

    code: int
    access_token: int
    refresh_token: int


@dataclass(frozen=True, slots=True)
class Provider:
    """One authorization server and its API (RFC 6749 §3).

    ``control`` is where a sandbox can be told what to do, for example to move its clock; other providers have none.
    """

    id: str
    name: str
    order: int
    authorization_endpoint: str
    token_endpoint: str
    api: str
    scope: str
    accepts_loopback: bool
    notes: str
    lifetimes: Lifetimes
    headers: tuple[ApiHeader, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    clients: tuple[ReadyClient, ...] = field(default=(), repr=False)
    control: str = ""


def load(origin: str, folder: Path = FOLDER) -> dict[str, Provider]:
    """Every provider by its id, in the order they are offered; ``{origin}`` becomes the console's own address.

    Raises ``ProfileError`` for a file that is not TOML, or that lacks a field or has an unknown one.
    """
    found = [provider for path in sorted(folder.glob("*.toml")) for provider in _read(path, origin)]
    return {provider.id: provider for provider in sorted(found, key=lambda provider: provider.order)}


def _read(path: Path, origin: str) -> Iterator[Provider]:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path.name} is not valid TOML: {error}") from error
    sites = data.pop("sites", None)
    if sites is None:
        yield _provider(path, path.stem, data, {"{origin}": origin})
        return
    for position, site in enumerate(sites):
        named = data | {"name": f"{data['name']} {site['title']}", "order": data["order"] + position}
        yield _provider(path, f"{path.stem}-{site['host'].rpartition('.')[2]}", named, {"{site}": site["host"]})


def _provider(path: Path, identifier: str, data: Mapping[str, Any], places: Mapping[str, str]) -> Provider:
    values: dict[str, Any] = {"id": identifier}
    for name, value in data.items():
        if isinstance(value, str):
            for place, filled in places.items():
                value = value.replace(place, filled)
        values[name] = value
    parts: dict[str, type] = {"headers": ApiHeader, "endpoints": Endpoint, "clients": ReadyClient}
    for name, kind in parts.items():
        rows = values.get(name, [])
        values[name] = tuple(_build(kind, row, f"{path.name}, {name}[{i}]") for i, row in enumerate(rows))
    values["lifetimes"] = _build(Lifetimes, values.get("lifetimes", {}), f"{path.name}, lifetimes")
    provider: Provider = _build(Provider, values, path.name)
    return provider


def _build(kind: type, values: Mapping[str, Any], where: str) -> Any:
    known = {item.name for item in fields(kind)}
    if unknown := sorted(values.keys() - known):
        raise ProfileError(f"{where} has the unknown field {unknown[0]!r}. Known are: {', '.join(sorted(known))}.")
    try:
        return kind(**values)
    except TypeError as error:
        needed = {item.name for item in fields(kind) if item.default is MISSING and item.default_factory is MISSING}
        missing = sorted(needed - values.keys())
        raise ProfileError(f"{where} lacks the field {missing[0]!r}.") from error
