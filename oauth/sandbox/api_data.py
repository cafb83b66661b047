"""Data of the sandbox's partner API apart from its users: a few cities from ``api_data.toml``."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("api_data.toml")


def load(path: Path = DATA) -> Sequence[Mapping[str, Any]]:
    """Read the cities. Raises ``ValueError`` naming the file and the problem."""
    cities = tomllib.loads(path.read_text(encoding="utf-8")).get("cities")
    if not isinstance(cities, list) or not all(isinstance(city, dict) and "id" in city for city in cities):
        raise ValueError(f"{path.name}: give [[cities]], each with an id.")
    return cities


CITIES = load()
