"""What adverts refer to: places, categories with their attributes, languages and currencies."""

import functools
import math
import random
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("data.toml")
TOWNS = 12
"""Number of smaller towns in a region, beside its larger cities."""
FIRST_TOWN = 101
FIRST_DISTRICT = 1001
KM_PER_DEGREE = 111.2

Item = Mapping[str, Any]
"""A thing as the API returns it."""


@functools.cache
def document() -> Mapping[str, Any]:
    """Return the file with what the data is made of, read when it is needed first."""
    return tomllib.loads(DATA.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Category:
    """A category: as the API returns it, its attributes, and what adverts in it are made of."""

    shown: Item
    attributes: Mapping[str, Item]
    items: tuple[str, ...]
    price: tuple[int, int]
    is_for_jobs: bool

    @property
    def is_leaf(self) -> bool:
        """True for a category that adverts can be in."""
        return bool(self.shown["is_leaf"])


@functools.cache
def categories() -> Mapping[int, Category]:
    """Return the categories by their id."""
    return {row["id"]: _category(row) for row in document()["categories"]}


def _category(row: Mapping[str, Any]) -> Category:
    codes = row.get("attributes", ())
    shown = {
        "id": row["id"],
        "name": row["name"],
        "parent_id": row.get("parent_id", 0),
        "photos_limit": row.get("photos_limit", 0),
        "is_leaf": bool(codes),
    }
    attributes = {code: _attribute(code, document()["attributes"][code]) for code in codes}
    low, high = row.get("price", (0, 0))
    return Category(shown, attributes, tuple(row.get("items", ())), (low, high), row.get("jobs", False))


def _attribute(code: str, row: Mapping[str, Any]) -> Item:
    values = row.get("values", {})
    return {
        "code": code,
        "label": row["label"],
        "unit": row.get("unit"),
        "validation": {
            "type": "select" if values else "input",
            "required": row.get("required", False),
            "numeric": "min" in row,
            "min": row.get("min"),
            "max": row.get("max"),
            "allow_multiple_values": row.get("multiple", False),
        },
        "values": [{"code": value, "label": label} for value, label in values.items()],
    }


@functools.cache
def regions() -> Mapping[int, Item]:
    """Return the regions by their id."""
    return {int(id): {"id": int(id), "name": name} for id, name in document()["regions"].items()}


@dataclass(frozen=True, slots=True)
class Places:
    """The cities and their districts, by id."""

    cities: Mapping[int, Item]
    districts: Mapping[int, Item]

    def districts_of(self, city_id: int) -> list[Item]:
        """Return the districts of a city; most cities have none."""
        return [district for district in self.districts.values() if district["city_id"] == city_id]

    def at(self, latitude: float, longitude: float) -> tuple[Item, Item | None]:
        """Return the nearest city, with its nearest district if it has any."""
        city = _nearest(self.cities.values(), latitude, longitude)
        districts = self.districts_of(city["id"])
        return city, _nearest(districts, latitude, longitude) if districts else None


def distance_km(place: Item, latitude: float, longitude: float) -> float:
    """Return the distance to a place, near enough for a country's size."""
    east = math.cos(math.radians(place["latitude"])) * (longitude - place["longitude"])
    return KM_PER_DEGREE * math.hypot(latitude - place["latitude"], east)


def _nearest(places: Iterable[Item], latitude: float, longitude: float) -> Item:
    return min(places, key=lambda place: distance_km(place, latitude, longitude))


@functools.lru_cache(maxsize=32)
def places(seed: int) -> Places:
    """Return the places; the smaller towns, and where districts are, come from the seed."""
    chance = random.Random(f"{seed}/places")  # noqa: S311 (no secret: it must come out the same again)
    cities: dict[int, Item] = {}
    districts: dict[int, Item] = {}
    for id, row in enumerate(document()["cities"], start=1):
        cities[id] = _city(id, row["region_id"], row["name"], row["name"], row["latitude"], row["longitude"])
        for name in row.get("districts", ()):
            district_id = FIRST_DISTRICT + len(districts)
            around = _around(chance, row, 0.05)
            districts[district_id] = {"id": district_id, "city_id": id, "name": name, **around}
    for center in list(cities.values()):
        for name in _town_names(chance):
            town_id = FIRST_TOWN + len(cities) - len(document()["cities"])
            around = _around(chance, center, 0.4)
            cities[town_id] = _city(town_id, center["region_id"], name, center["name"], **around)
    return Places(cities, districts)


def _town_names(chance: random.Random) -> list[str]:
    words = document()["words"]
    names = [beginning + ending for beginning in words["town_beginnings"] for ending in words["town_endings"]]
    return sorted(chance.sample(names, TOWNS))


def _around(chance: random.Random, center: Item, degrees: float) -> dict[str, float]:
    return {name: round(center[name] + chance.uniform(-degrees, degrees), 4) for name in ("latitude", "longitude")}


def _city(id: int, region_id: int, name: str, county: str, latitude: float, longitude: float) -> Item:
    return {
        "id": id,
        "region_id": region_id,
        "name": name,
        "county": county,
        "municipality": name,
        "latitude": latitude,
        "longitude": longitude,
    }
