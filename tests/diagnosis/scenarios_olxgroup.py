"""One thing done wrong at the sister API, and its documented answers, in the order of its documentation."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import quote

from oauth.exchange import Request, Step
from tests.diagnosis.scenarios import ID, JSON, SECRET, Answer, Made, Scenario, World, basic, call

KEY = "f3a9c1d2-7b8e-40aa-9c55-of-an-app-of-ours"
TOKEN = "https://api.olxgroup.com/oauth/v1/token"
API = "https://api.olxgroup.com/advert/v1/f7695d17-8ee2-4409-89ac-74c673630edb/meta"
OTHER = "another-app-of-ours"

Headers = tuple[tuple[str, str], ...]
BY_BASIC: Headers = (basic(f"{ID}:{SECRET}"),)


def refusal(status: int, message: str) -> Answer:
    return status, json.dumps({"transaction_id": "5b1f6a30-7c52-4d0e-9a83-0f2c61d7e4b9", "message": message})


UNKNOWN_PARTNER = (refusal(403, "Invalid API Key - unknown Partner"),)
CREDENTIALS = (refusal(403, "The client credentials are invalid"),)
CODE = (refusal(400, "Authorization code doesn't exist or is invalid for the client"),)
EXPIRED = (refusal(403, "The access token provided has expired"),)


def asking(world: World, flow: str = "now", key: str | None = KEY, by: Headers = BY_BASIC, **fields: str) -> Request:
    """A token request as documented, with other headers or more fields."""
    body = {"grant_type": "authorization_code", "code": world.value("code", flow)} | fields
    headers = by if key is None else (("X-API-KEY", key), *by)
    return Request("POST", TOKEN, (("Content-Type", JSON), *headers), json.dumps(body).encode())


def past(world: World) -> None:
    """A flow that worked yesterday."""
    world.vault.add("x_api_key", KEY)
    world.asked("old")
    world.issued("old", asking(world, "old"))
    world.now += timedelta(days=1)


def exchanging(
    key: str | None = KEY, by: Headers = BY_BASIC, seconds: int = 0, **fields: str
) -> Callable[[World], Made]:
    def make(world: World) -> Made:
        past(world)
        world.asked()
        world.now += timedelta(seconds=seconds)
        return Step.TOKEN, asking(world, "now", key, by, **fields)

    return make


def used(world: World) -> Made:
    past(world)
    world.asked()
    world.issued("now", asking(world))
    return Step.TOKEN, asking(world)


def of_another_client(world: World) -> Made:
    past(world)
    world.asked(client_id=OTHER)
    return Step.TOKEN, asking(world)


def calling(key: str | None = KEY, seconds: int = 0) -> Callable[[World], Made]:
    def make(world: World) -> Made:
        past(world)
        world.asked()
        world.issued("now", asking(world))
        world.now += timedelta(seconds=seconds)
        headers = () if key is None else (("X-API-KEY", key),)
        return Step.API, call(f"Bearer {world.value('access_token', 'now')}", *headers, url=API)

    return make


def scenarios() -> Iterator[Scenario]:
    """Every scenario."""
    for make in (exchanging, calling):
        yield Scenario("api_key.missing", make(key=None), UNKNOWN_PARTNER)
        yield Scenario("api_key.missing", make(key=""), UNKNOWN_PARTNER)
        yield Scenario("api_key.differs", make(key="0d5b7f14-the-key-of-a-test-account"), UNKNOWN_PARTNER)
        for wrong in (
            f"{KEY}\N{NO-BREAK SPACE}",
            f"{KEY}%20",
            f'"{KEY}"',
            f"{KEY}\N{ZERO WIDTH SPACE}",
            f"%22{KEY}%22",
        ):
            yield Scenario("api_key.white_space", make(key=wrong), UNKNOWN_PARTNER)
    yield Scenario("client.credentials_missing", exchanging(by=()), CREDENTIALS)
    yield Scenario("client.not_by_basic", exchanging(by=(), client_id=ID, client_secret=SECRET), CREDENTIALS)
    yield Scenario("client.secret_differs", exchanging(by=(basic(f"{ID}:another-secret-of-nobody"),)), CREDENTIALS)
    yield Scenario("client.white_space", exchanging(by=(basic(f"{ID}:{SECRET} "),)), CREDENTIALS)
    yield Scenario("client.swapped", exchanging(by=(basic(f"{SECRET}:{ID}"),)), CREDENTIALS)
    for wrong in (f"Basic {ID}:{SECRET}", f"Basic {quote(SECRET)}"):
        yield Scenario("client.basic_encoding", exchanging(by=(("Authorization", wrong),)), CREDENTIALS)
    yield Scenario("code.expired", exchanging(seconds=61), CODE)
    yield Scenario("code.used", used, CODE)
    yield Scenario("code.other_client", of_another_client, CODE)
    yield Scenario("access_token.expired", calling(seconds=3601), EXPIRED)


def right() -> Iterator[tuple[Callable[[World], Made], Answer]]:
    """Requests in which nothing is wrong, and each of the answers: no cause may be proven."""
    for make in (exchanging(), exchanging(seconds=45)):
        yield from ((make, answer) for answer in (*UNKNOWN_PARTNER, *CREDENTIALS, *CODE))
    yield from ((calling(seconds=3500), answer) for answer in (*UNKNOWN_PARTNER, *EXPIRED))
