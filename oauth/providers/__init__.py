"""Provider profiles: a provider's endpoints and the format of its requests.

A built-in profile is a TOML file in this folder; adding a provider needs no Python.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
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


def load(origin: str, folder: Path = FOLDER, *, having: str = "", sandbox: str = "") -> dict[str, Provider]:
    """Return the built-in profiles by id, in display order; ``{sandbox}`` becomes the sandbox's address.

    That is one below the console's own, ``origin``, unless ``sandbox`` is given.

    With ``having``, files without this text are left out: reading all of them takes longer than a diagnosis. Raises
    ``ProfileError`` for a file that is not valid TOML, or that has a missing, unknown or invalid field.
    """
    paths = [path for path in sorted(folder.glob("*.toml")) if not having or having in path.read_text("utf-8")]
    profiles = [profile for path in paths for profile in _read(path, sandbox or f"{origin}/sandbox")]
    return {profile.id: profile for profile in sorted(profiles, key=lambda profile: profile.order)}


# Every run of a page asks for the profiles, and a built-in file changes only with the console.
@lru_cache(maxsize=64)
def _read(path: Path, sandbox: str) -> tuple[Provider, ...]:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(path.name, (Problem("file", f"is not valid TOML: {error}"),)) from error
    sites = data.pop("sites", None)
    if sites is None:
        return (provider({"id": path.stem} | _replace(data, "{sandbox}", sandbox), path.name),)
    profiles = []
    for position, site in enumerate(sites):
        identity = {
            "id": f"{path.stem}-{site['host'].rpartition('.')[2]}",
            "family": path.stem,
            "site": site["title"],
            "order": data["order"] + position,
        }
        profiles.append(provider(_replace(data, "{site}", site["host"]) | identity, path.name))
    return tuple(profiles)


def _replace(data: Mapping[str, Any], variable: str, text: str) -> dict[str, Any]:
    return {name: value.replace(variable, text) if isinstance(value, str) else value for name, value in data.items()}
