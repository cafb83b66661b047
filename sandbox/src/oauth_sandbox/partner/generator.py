"""The first adverts and threads of a user: the same ones for the same seed and user, whatever happened before.

Only their times differ: they count back from the day on which they are generated, so that some adverts are active.
"""

import random
import zlib
from datetime import datetime, timedelta
from typing import Any

from oauth_sandbox.configuration import User
from oauth_sandbox.partner.reference import Category, Places, categories, document, places
from oauth_sandbox.partner.state import Advert, Message, PartnerData, Status, Thread

STATUSES = (
    *(Status.ACTIVE,) * 8,
    Status.LIMITED,
    Status.REMOVED_BY_USER,
    Status.OUTDATED,
    Status.MODERATED,
)
"""The status of each advert of a user, the newest first."""
THREADS = 3
"""Number of the newest adverts that someone has asked about."""
BLOCK = 1_000
"""Ids that a user's first data may have."""
BLOCKS = range(10_000, 900_000)


def generate(data: PartnerData, seed: int, user: User, today: datetime) -> None:
    """Add the first data of a user."""
    chance = random.Random(f"{seed}/{user['id']}")  # noqa: S311 (no secret: it must come out the same again)
    block = BLOCKS[zlib.crc32(f"{seed}/{user['id']}".encode()) % len(BLOCKS)]
    while any(item in data.adverts for item in range(block * BLOCK + 1, block * BLOCK + 1 + len(STATUSES))):
        block += 1
    first = block * BLOCK + 1
    leaves = [category for category in categories().values() if category.is_leaf]
    adverts = [
        _advert(chance, first + place, user, leaves[place % len(leaves)], status, today, places(seed))
        for place, status in enumerate(reversed(STATUSES))
    ]
    threads = [
        _thread(chance, first + 100 * place, advert)
        for place, advert in enumerate(reversed(adverts[-THREADS:]), start=1)
    ]
    data.adverts.update((advert.id, advert) for advert in adverts)
    data.threads.update((thread.id, thread) for thread in threads)
    data.generated.add(user["id"])


def _advert(
    chance: random.Random, id: int, user: User, category: Category, status: Status, today: datetime, places: Places
) -> Advert:
    age = timedelta(days=chance.randint(31, 90) if status is Status.OUTDATED else chance.randint(1, 20))
    created_at = today - age + timedelta(seconds=chance.randrange(86_400))
    advert = Advert(id, user["id"], status, *(created_at,) * 4, _content(chance, id, user, category, places))
    advert.activate(created_at)
    advert.status = status
    advert.advert_views = chance.randint(20, 900)
    advert.phone_views = chance.randint(0, advert.advert_views // 10)
    advert.users_observing = chance.randint(0, advert.advert_views // 20)
    return advert


def _content(chance: random.Random, id: int, user: User, category: Category, places: Places) -> dict[str, Any]:
    words = document()["words"]
    city = chance.choice(list(places.cities.values()))
    districts = places.districts_of(city["id"])
    district = chance.choice(districts) if districts else None
    low, high = category.price
    amount = round(chance.uniform(low, high))
    item = chance.choice(category.items)
    return {
        "title": item if category.is_for_jobs else f"{item}, {chance.choice(words['endings'])}",
        "description": " ".join([f"{item}.", *chance.sample(words["sentences"], 3)]),
        "category_id": category.shown["id"],
        "advertiser_type": "business" if user.get("is_business") else "private",
        "external_id": f"item-{id}",
        "external_url": None,
        "contact": {"name": user["name"], "phone": user.get("phone")},
        "location": {
            "city_id": city["id"],
            "district_id": district and district["id"],
            "latitude": (district or city)["latitude"],
            "longitude": (district or city)["longitude"],
        },
        "images": [
            {"url": f"https://images.olx.example/{id}/{number}.jpg"}
            for number in range(1, min(3, category.shown["photos_limit"]) + 1)
        ],
        "price": None
        if category.is_for_jobs
        else {"value": amount, "currency": "PLN", "negotiable": chance.random() < 0.5, "trade": False, "budget": False},
        "salary": {
            "value_from": amount,
            "value_to": amount + 1_000,
            "currency": "PLN",
            "negotiable": False,
            "type": "monthly",
        }
        if category.is_for_jobs
        else None,
        "attributes": [_attribute(chance, attribute) for attribute in category.attributes.values()],
        "courier": False,
        "auto_extend_enabled": False,
    }


def _attribute(chance: random.Random, attribute: Any) -> dict[str, Any]:
    validation = attribute["validation"]
    codes = [value["code"] for value in attribute["values"]]
    if validation["allow_multiple_values"]:
        return {"code": attribute["code"], "value": None, "values": sorted(chance.sample(codes, 2))}
    if validation["numeric"]:
        value = str(chance.randint(validation["min"], validation["max"]))
    else:
        value = chance.choice(codes) if codes else "Steel and wood"
    return {"code": attribute["code"], "value": value, "values": None}


def _thread(chance: random.Random, id: int, advert: Advert) -> Thread:
    words = document()["words"]
    questions = chance.sample(words["questions"], 2)
    texts = [(False, questions[0]), (True, chance.choice(words["answers"])), (False, questions[1])]
    times = [advert.created_at + timedelta(hours=hour) for hour in range(1, 4)]
    messages = [
        Message(id + 1 + number, sent, at, text, sent or number == 0, [])
        for number, ((sent, text), at) in enumerate(zip(texts, times, strict=True))
    ]
    return Thread(id, advert.user_id, advert.id, id + 50, chance.choice(words["buyers"]), times[0], False, messages)
