"""The rules for an advert's content, with the documented texts where there are any.

Refusals come in two forms: one with a list of fields (``InvalidData``), and one text for the whole request.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from oauth_sandbox.behaviour import Behaviour, ExtraFields
from oauth_sandbox.errors import ApiError, InvalidData, InvalidJson, Problem
from oauth_sandbox.partner.reference import Category, Item, Places, categories, distance_km, document

INVALID = "Invalid value"
MISSING = "This field is required"
FARTHEST_KM = 50
FARTHEST = {"latitude": 90, "longitude": 180}
"""The largest value of each coordinate, in degrees."""
LARGEST_AMOUNT = 99_999_999_999_999
SHORTEST = {"title": 16, "description": 80}
LONGEST_DESCRIPTION = 9_000

EMAIL_OR_WWW = re.compile(r"(?<=[^\s@])@[^\s@]+\.[^\s@]|\bwww\.|https?://", re.I)
PHONE_IN_TEXT = re.compile(r"(?:\+|\b)(?:[0-9][ -]?){8,}[0-9]\b")
CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Any but tabs and the ends of lines."""
PUNCTUATION = re.compile(r"([!?.,\-=+#%&@*_><:()|])\1\1")
PHONE = re.compile(r"\+?(?:[ ()-]*[0-9]){7,14}")
NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
TEXT_RULES: Mapping[str, Callable[[str], bool]] = {
    "Too many capital letters": lambda text: 2 * sum(map(str.isupper, text)) > len(text),
    "Field is not valid. Emails and www addresses are not allowed": lambda text: EMAIL_OR_WWW.search(text) is not None,
    "Field is not valid. Phone numbers are not allowed": lambda text: PHONE_IN_TEXT.search(text) is not None,
    "Field contains to much punctuation": lambda text: PUNCTUATION.search(text) is not None,
}
"""The documented refusals of a title and a description."""

DEFAULTS: Mapping[str, Any] = {
    "title": None,
    "description": None,
    "category_id": None,
    "advertiser_type": None,
    "external_id": None,
    "external_url": None,
    "contact": None,
    "location": None,
    "images": (),
    "price": None,
    "salary": None,
    "attributes": None,
    "courier": False,
    "auto_extend_enabled": False,
}
"""The members of an advert that its owner sets, in the order in which the API returns them."""
REQUIRED = ("title", "description", "category_id", "advertiser_type", "contact", "location", "attributes")
FLAGS = ("courier", "auto_extend_enabled")
READ_ONLY = frozenset({"id", "status", "url", "created_at", "activated_at", "valid_to"})
OTHER_FIELDS = frozenset({"ad_delivery", "product_safety_regulation"})
"""Documented fields of an advert that the sandbox does nothing with."""
MEMBERS: Mapping[str, Mapping[str, Any]] = {
    "contact": {"name": None, "phone": None},
    "location": {"city_id": None, "district_id": None, "latitude": None, "longitude": None},
    "price": {"value": None, "currency": None, "negotiable": False, "trade": False, "budget": False},
    "salary": {"value_from": None, "value_to": None, "currency": None, "negotiable": False, "type": "monthly"},
}


def checked(body: Mapping[str, Any], behaviour: Behaviour, places: Places) -> dict[str, Any]:
    """Return the content of an advert. Raises ``ApiError``, which is ``InvalidData`` for problems of fields."""
    if behaviour.extra_fields is ExtraFields.REFUSED and _has_extra_fields(body):
        raise InvalidJson
    content = {name: default if body.get(name) is None else body[name] for name, default in DEFAULTS.items()}
    for name, members in MEMBERS.items():
        if isinstance(content[name], dict):
            content[name] = {member: content[name].get(member, default) for member, default in members.items()}
    category = _by_id("Category", categories(), content["category_id"])
    location = content["location"]
    city = _by_id("City", places.cities, location["city_id"] if isinstance(location, dict) else None)
    if content["external_url"] is not None and not (category and category.is_for_jobs):
        raise ApiError(400, "Partner is not allowed to use external URL")
    draft = _Draft(content, behaviour, places, category, city)
    if problems := list(draft.problems()):
        raise InvalidData(*problems)
    _check_images(content["images"], category)
    content["category_id"] = category.shown["id"]
    content["images"] = [{"url": image["url"]} for image in content["images"]]
    content["attributes"] = [_shown(attribute) for attribute in content["attributes"]]
    for money in filter(None, (content["price"], content["salary"])):
        money["currency"] = money["currency"] or _currencies()[0]
    return content


def _has_extra_fields(body: Mapping[str, Any]) -> bool:
    inner = ((body[name], members) for name, members in MEMBERS.items() if isinstance(body.get(name), dict))
    known = DEFAULTS.keys() | READ_ONLY | OTHER_FIELDS
    return any(given.keys() - allowed for given, allowed in ((body, known), *inner))


def _by_id(what: str, items: Mapping[int, Any], id: object) -> Any:
    """Return the thing with this id, ``None`` without an id. Raises ``ApiError`` for an unknown one."""
    if id is None:
        return None
    # A client may send a number as text; True is no number here.
    number = int(id) if isinstance(id, str) and id.isascii() and id.isdigit() and len(id) < 10 else id
    if isinstance(number, bool) or not isinstance(number, int) or number not in items:
        raise ApiError(400, f"{what} with given ID doesn't exists")
    return items[number]


@dataclass(slots=True)
class _Draft:
    content: dict[str, Any]
    behaviour: Behaviour
    places: Places
    category: Category | None
    city: Item | None

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong, field by field."""
        for name in REQUIRED:
            if self.content[name] in (None, ""):
                yield Problem(name, MISSING, MISSING)
        for name, value in self.content.items():
            if value is None or value == "":
                continue
            if name in FLAGS:
                if not isinstance(value, bool):
                    yield Problem(name, INVALID)
            else:
                yield from getattr(self, f"_{name}")(value)

    def _title(self, text: object) -> Iterator[Problem]:
        yield from _text_problems("title", text, self.behaviour.longest_title)

    def _description(self, text: object) -> Iterator[Problem]:
        yield from _text_problems("description", text, LONGEST_DESCRIPTION)

    def _category_id(self, _id: object) -> Iterator[Problem]:
        if self.category is not None and not self.category.is_leaf:
            yield Problem("category_id", "Fix the category", "Fix the category")

    def _advertiser_type(self, value: object) -> Iterator[Problem]:
        if value not in ("private", "business"):
            yield Problem("advertiser_type", INVALID)

    def _external_id(self, value: object) -> Iterator[Problem]:
        if not isinstance(value, str | int) or isinstance(value, bool):
            yield Problem("external_id", INVALID)
        else:
            self.content["external_id"] = str(value)

    def _external_url(self, value: object) -> Iterator[Problem]:
        if not is_url(value):
            yield Problem("external_url", INVALID)

    def _contact(self, contact: object) -> Iterator[Problem]:
        if not isinstance(contact, dict):
            yield Problem("contact", INVALID)
            return
        if contact["name"] is not None and not isinstance(contact["name"], str):
            yield Problem("name", INVALID)
        elif not (contact["name"] or "").strip():
            yield Problem("name", MISSING, MISSING)
        phone = contact["phone"]
        if phone is not None and not PHONE.fullmatch(str(phone)):
            yield Problem("phone", "Invalid phone format")

    def _location(self, location: object) -> Iterator[Problem]:
        if not isinstance(location, dict):
            yield Problem("location", INVALID)
            return
        if self.city is None:
            yield Problem("city_id", MISSING, MISSING)
            return
        location["city_id"] = self.city["id"]
        districts = [district["id"] for district in self.places.districts_of(self.city["id"])]
        if location["district_id"] not in (None, *districts):
            yield Problem("district_id", INVALID)
        for name in FARTHEST:  # as they may have come from the API, too
            if isinstance(location[name], str) and NUMBER.fullmatch(location[name]):
                location[name] = float(location[name])
        wrong = [
            name for name, most in FARTHEST.items() if not (_is_number(location[name]) and abs(location[name]) <= most)
        ]
        if location["latitude"] is location["longitude"] is None:
            location |= {name: self.city[name] for name in FARTHEST}
        elif wrong:
            yield from (Problem(name, INVALID) for name in wrong)
        else:
            location |= {name: float(location[name]) for name in FARTHEST}
            if distance_km(self.city, location["latitude"], location["longitude"]) > FARTHEST_KM:
                yield Problem("district/city_id", "Your coordinates are too far from picked location.")

    def _images(self, images: object) -> Iterator[Problem]:
        if not isinstance(images, list | tuple) or not all(
            isinstance(image, dict) and isinstance(image.get("url"), str) for image in images
        ):
            yield Problem("images", INVALID)

    def _price(self, price: object) -> Iterator[Problem]:
        yield from _money_problems("price", price, ("value",), ("negotiable", "trade", "budget"))

    def _salary(self, salary: object) -> Iterator[Problem]:
        yield from _money_problems("salary", salary, ("value_from", "value_to"), ("negotiable",))
        if isinstance(salary, dict) and salary["type"] not in ("monthly", "hourly"):
            yield Problem("salary", INVALID)

    def _attributes(self, attributes: object) -> Iterator[Problem]:
        if not isinstance(attributes, list) or not all(map(_is_attribute, attributes)):
            yield Problem("attributes", "This value is not valid.", code=400)
            return
        if self.category is None or not self.category.is_leaf:  # which attributes there are depends on it
            return
        defined = self.category.attributes
        values = {attribute["code"]: _values(attribute) for attribute in attributes}
        for code in values:
            repeated = sum(attribute["code"] == code for attribute in attributes) > 1
            if repeated or code not in defined or not _fits(defined[code], values[code]):
                yield Problem(f"params.{code}", INVALID)
        for code, attribute in defined.items():
            if attribute["validation"]["required"] and code not in values:
                yield Problem(f"params.{code}", MISSING, MISSING)


def _text_problems(name: str, text: object, longest: int) -> Iterator[Problem]:
    if not isinstance(text, str) or CONTROL_CHARACTER.search(text):
        yield Problem(name, INVALID)
        return
    if len(text.strip()) < SHORTEST[name]:
        yield Problem(name, f"At least {SHORTEST[name]} characters are required")
    if len(text) > longest:
        yield Problem(name, f"At most {longest} characters are allowed")
        return
    yield from (Problem(name, title) for title, is_broken in TEXT_RULES.items() if is_broken(text))


def _money_problems(name: str, money: object, amounts: tuple[str, ...], flags: tuple[str, ...]) -> Iterator[Problem]:
    if not isinstance(money, dict):
        yield Problem(name, INVALID)
        return
    if not all(_is_number(money[amount]) and 0 <= money[amount] <= LARGEST_AMOUNT for amount in amounts):
        yield Problem(name, INVALID)
    if money["currency"] not in (None, *_currencies()):
        yield Problem("currency", INVALID)
    if not all(isinstance(money[flag], bool) for flag in flags):
        yield Problem(name, INVALID)


def _currencies() -> list[str]:
    return [currency["code"] for currency in document()["currencies"]]


def _check_images(images: list[dict[str, str]], category: Category | None) -> None:
    """Check images as if they were fetched. Raises ``ApiError``."""
    if category is not None and len(images) > category.shown["photos_limit"]:
        raise ApiError(400, "Image error: Image limit exceeded")
    if not all(is_url(image["url"]) for image in images):
        raise ApiError(400, "Image error: Remote file not exists")


def is_url(text: object) -> bool:
    """Return true for the URL of a file that there may be (RFC 6761 §6.4: none is at ``.invalid``)."""
    try:
        url = urlsplit(text) if isinstance(text, str) else None
        host = url.hostname if url else None
        _ = url and url.port  # raises for a number beyond the ports
    except ValueError:
        return False
    return url is not None and url.scheme in ("http", "https") and bool(host) and not f".{host}".endswith(".invalid")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_attribute(attribute: object) -> bool:
    return (
        isinstance(attribute, dict)
        and isinstance(attribute.get("code"), str)
        and not (attribute.keys() - {"code", "value", "values"})
    )


def _values(attribute: Mapping[str, Any]) -> list[Any]:
    value, values = attribute.get("value"), attribute.get("values")
    return values if isinstance(values, list) else [value]


def _fits(attribute: Item, values: list[Any]) -> bool:
    validation = attribute["validation"]
    codes = [value["code"] for value in attribute["values"]]
    if not values or (len(values) > 1 and not validation["allow_multiple_values"]):
        return False
    if codes:
        return all(value in codes for value in values)
    if not validation["numeric"]:
        return all(isinstance(value, str) and value.strip() for value in values)
    numbers = [str(value) for value in values if _is_number(value) or isinstance(value, str)]
    return len(numbers) == len(values) and all(
        NUMBER.fullmatch(number) and validation["min"] <= float(number) <= validation["max"] for number in numbers
    )


def _shown(attribute: Mapping[str, Any]) -> dict[str, Any]:
    """Return an attribute as the API returns it: values are text."""
    values = [str(value) for value in _values(attribute)]
    several = isinstance(attribute.get("values"), list)
    return {"code": attribute["code"], "value": None if several else values[0], "values": values if several else None}
