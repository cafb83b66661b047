"""Provider profiles: where a provider's endpoints are, and what its requests look like.

A profile is a TOML file in this folder; adding a provider touches no Python.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from oauth.providers.profile import (
    ApiHeader,
    BodyFormat,
    ClientAuthentication,
    Endpoint,
    Kind,
    Lifetimes,
    Link,
    Pkce,
    Provider,
    ReadyClient,
    RequestLimit,
    StepNote,
    addresses,
    meaning_of,
)
from oauth.providers.validation import Problem, ProfileError, provider

FOLDER = Path(__file__).parent

__all__ = [
    "ApiHeader",
    "BodyFormat",
    "ClientAuthentication",
    "Endpoint",
    "Kind",
    "Lifetimes",
    "Link",
    "Pkce",
    "Problem",
    "ProfileError",
    "Provider",
    "ReadyClient",
    "RequestLimit",
    "StepNote",
    "addresses",
    "load",
    "meaning_of",
]


def load(origin: str, folder: Path = FOLDER) -> dict[str, Provider]:
    """Every provider by its id, in the order they are offered; ``{origin}`` becomes the console's own address.

    Raises ``ProfileError`` for a file that is not TOML, or that lacks a field, has an unknown one or a wrong one.
    """
    found = [provider for path in sorted(folder.glob("*.toml")) for provider in _read(path, origin)]
    return {provider.id: provider for provider in sorted(found, key=lambda provider: provider.order)}


def _read(path: Path, origin: str) -> Iterator[Provider]:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(path.name, (Problem("file", f"is not valid TOML: {error}"),)) from error
    sites = data.pop("sites", None)
    if sites is None:
        yield provider({"id": path.stem} | _filled(data, "{origin}", origin), path.name)
        return
    for position, site in enumerate(sites):
        own = {
            "id": f"{path.stem}-{site['host'].rpartition('.')[2]}",
            "family": path.stem,
            "site": site["title"],
            "order": data["order"] + position,
        }
        yield provider(_filled(data, "{site}", site["host"]) | own, path.name)


def _filled(data: Mapping[str, Any], place: str, text: str) -> dict[str, Any]:
    return {name: value.replace(place, text) if isinstance(value, str) else value for name, value in data.items()}
