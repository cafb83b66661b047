"""Adverts: their rules, each with the documented text where there is one, their commands, and their owner."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from oauth_sandbox.testing import SteeredSandbox

from .conftest import ADVERT, refusal

Api = Callable[..., httpx.Response]
Create = Callable[..., dict[str, Any]]
CAPITALS = "Too many capital letters"
NO_EMAIL = "Field is not valid. Emails and www addresses are not allowed"
NO_PHONE = "Field is not valid. Phone numbers are not allowed"
PUNCTUATION = "Field contains to much punctuation"
MISSING = "This field is required"
DRY = ADVERT["description"]


def test_created_advert_has_the_documented_members(create: Create, api: Api) -> None:
    advert = create()
    id = advert.pop("id")
    assert advert == {
        "status": "new",
        "url": f"https://www.olx.example/d/oferta/{id}.html",
        "created_at": "2026-11-23 10:00:00",
        "activated_at": "2026-11-23 10:00:00",
        "valid_to": "2026-12-23 10:00:00",
        "title": "Garden bench made of larch",
        "description": DRY,
        "category_id": 21,
        "advertiser_type": "private",
        "external_id": "bench-1",
        "external_url": None,
        "contact": {"name": "Demo user", "phone": "+48500100200"},
        "location": {"city_id": 1, "district_id": 1001, "latitude": 50.0619, "longitude": 19.9369},
        "images": [{"url": "https://shop.example/bench.jpg"}],
        "price": {"value": 120, "currency": "PLN", "negotiable": True, "trade": False, "budget": False},
        "salary": None,
        "attributes": [{"code": "state", "value": "used", "values": None}],
        "courier": False,
        "auto_extend_enabled": False,
    }
    assert api("GET", f"/adverts/{id}").json()["data"] == {"id": id, **advert, "status": "active"}


@pytest.mark.parametrize(
    "name", ["title", "description", "category_id", "advertiser_type", "contact", "location", "attributes"]
)
@pytest.mark.parametrize("value", ["left out", None])
def test_missing_field_is_named_with_a_detail(api: Api, name: str, value: object) -> None:
    body = {key: it for key, it in ADVERT.items() if key != name} | ({} if value else {name: None})
    response = api("POST", "/adverts", body)
    assert refusal(response)[0] == (name, MISSING)
    assert response.json()["error"]["validation"][0]["detail"] == MISSING


def test_every_missing_field_is_named_at_once(api: Api) -> None:
    assert [field for field, _ in refusal(api("POST", "/adverts", {}))] == [
        "title",
        "description",
        "category_id",
        "advertiser_type",
        "contact",
        "location",
        "attributes",
    ]


def attributes(**values: object) -> dict[str, Any]:
    return {"attributes": [{"code": code, "value": value} for code, value in values.items()]}


def place(**location: object) -> dict[str, Any]:
    return {"location": {"city_id": 1, **location}}


def price(**members: object) -> dict[str, Any]:
    return {"price": {"value": 1, **members}}


def job(**salary: object) -> dict[str, Any]:
    return {
        "category_id": 51,
        "images": [],
        "price": None,
        "salary": {"value_from": 1, "value_to": 2, **salary},
        **attributes(contract="b2b", worktime="fulltime"),
    }


SHOES = {"category_id": 31}
CAR = {"category_id": 41}
INVALID = "Invalid value"


@pytest.mark.parametrize(
    ("members", "problems"),
    [
        ({"title": "Too short"}, [("title", "At least 16 characters are required")]),
        ({"title": "Long " * 31}, [("title", "At most 150 characters are allowed")]),
        ({"title": 17}, [("title", INVALID)]),
        ({"title": "GARDEN BENCH made of larch"}, []),
        ({"title": "GARDEN BENCH MADE of larch"}, [("title", CAPITALS)]),
        ({"title": "Bench, write to a@b.example"}, [("title", NO_EMAIL)]),
        ({"title": "Bench, see www.shop.example"}, [("title", NO_EMAIL)]),
        ({"title": "Bench, call 500 100 200 now"}, [("title", NO_PHONE)]),
        ({"title": "Bench, call +48500100200 now"}, [("title", NO_PHONE)]),
        ({"title": "Bench 120 x 40 x 45 cm, larch"}, []),
        ({"title": "Garden bench!!! Larch wood"}, [("title", PUNCTUATION)]),
        ({"title": "Garden bench!! Larch wood.."}, []),
        ({"description": "Dry and firm."}, [("description", "At least 80 characters are required")]),
        ({"description": "Dry. " * 1801}, [("description", "At most 9000 characters are allowed")]),
        ({"description": DRY.upper()}, [("description", CAPITALS)]),
        ({"description": f"{DRY} a@b.example"}, [("description", NO_EMAIL)]),
        ({"description": f"{DRY} 500100200 ???"}, [("description", NO_PHONE), ("description", PUNCTUATION)]),
        ({"category_id": 2}, [("category_id", "Fix the category")]),
        ({"advertiser_type": "shop"}, [("advertiser_type", INVALID)]),
        ({"external_id": ["x"]}, [("external_id", INVALID)]),
        ({"contact": "Demo user"}, [("contact", INVALID)]),
        ({"category_id": None}, [("category_id", MISSING)]),
        ({"title": "\0" * 20}, [("title", INVALID)]),
        ({"description": f"{DRY}\n\x1b"}, [("description", INVALID)]),
        ({"description": f"{DRY}\r\n\tDry."}, []),
        ({"contact": {"name": " "}}, [("name", MISSING)]),
        ({"contact": {"name": 5}}, [("name", INVALID)]),
        ({"contact": {"name": None}}, [("name", MISSING)]),
        ({"contact": {"name": "D", "phone": "call me"}}, [("phone", "Invalid phone format")]),
        ({"contact": {"name": "D", "phone": 500100200}}, []),
        ({"contact": {"name": "D"}}, []),
        ({"location": {}}, [("city_id", MISSING)]),
        ({"location": 1}, [("location", INVALID)]),
        (place(district_id=1020), [("district_id", INVALID)]),
        (place(district_id=None), []),
        (place(latitude=50.1, longitude=19.9), []),
        (
            place(latitude=54.3, longitude=18.6),
            [("district/city_id", "Your coordinates are too far from picked location.")],
        ),
        (place(latitude="50.1", longitude=19.9), []),
        (place(latitude="north", longitude=19.9), [("latitude", INVALID)]),
        (place(latitude=50.1), [("longitude", INVALID)]),
        (place(latitude=10**400, longitude=-181), [("latitude", INVALID), ("longitude", INVALID)]),
        ({"images": {"url": "x"}}, [("images", INVALID)]),
        ({"images": ["https://shop.example/bench.jpg"]}, [("images", INVALID)]),
        ({"images": None}, []),
        (price(), []),
        (price(currency="EUR"), []),
        (price(currency="eur"), [("currency", INVALID)]),
        (price(value="120"), [("price", INVALID)]),
        (price(value=-1), [("price", INVALID)]),
        (price(value=10**14), [("price", INVALID)]),
        (price(negotiable="yes"), [("price", INVALID)]),
        ({"price": 120}, [("price", INVALID)]),
        ({"price": {}}, [("price", INVALID)]),
        ({"price": None}, []),
        (job(), []),
        (job(value_to=10**14), [("salary", INVALID)]),
        (job(currency="pln"), [("currency", INVALID)]),
        (job(type="daily"), [("salary", INVALID)]),
        ({"courier": "yes"}, [("courier", INVALID)]),
        ({"auto_extend_enabled": 1}, [("auto_extend_enabled", INVALID)]),
        ({"attributes": []}, [("params.state", MISSING)]),
        (attributes(state="broken"), [("params.state", INVALID)]),
        (attributes(state=["used"]), [("params.state", INVALID)]),
        (attributes(state="used", colour="red"), [("params.colour", INVALID)]),
        (attributes(state="used", material="Larch"), []),
        (attributes(state="used", material=5), [("params.material", INVALID)]),
        (SHOES | attributes(state="used", size=35, type="woman"), []),
        (SHOES | attributes(state="used", size="35.5", type="woman"), []),
        (SHOES | attributes(state="used", size=99, type="woman"), [("params.size", INVALID)]),
        (SHOES | attributes(state="used", size="1_7", type="woman"), [("params.size", INVALID)]),
        (SHOES | attributes(state="used", size=True, type="woman"), [("params.size", INVALID)]),
        (SHOES | attributes(size=35), [("params.state", MISSING), ("params.type", MISSING)]),
        (
            CAR | {"attributes": [{"code": "features", "values": ["abs", "wings"]}]},
            [
                ("params.features", INVALID),
                ("params.state", MISSING),
                ("params.year", MISSING),
                ("params.petrol", MISSING),
            ],
        ),
        ({"attributes": [{"code": "state", "values": ["used", "new"]}]}, [("params.state", INVALID)]),
        ({"attributes": [{"code": "state", "value": it} for it in ("used", "new")]}, [("params.state", INVALID)]),
    ],
)
def test_content_is_checked(api: Api, members: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    response = api("POST", "/adverts", ADVERT | members)
    if problems:
        assert refusal(response) == problems
    else:
        assert response.status_code == 200, response.text


def test_longest_description_may_be_escaped(api: Api) -> None:
    body = json.dumps(ADVERT | {"description": "\U0001f600" * 9_000}).encode()
    assert len(body) > 108_000
    response = api("POST", "/adverts", body, Content_Type="application/json")
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    "attributes", ["state", [{"code": "state", "value": "used", "label": "Used"}], [{"value": "used"}]]
)
def test_attributes_have_two_keys_only(api: Api, attributes: object) -> None:
    response = api("POST", "/adverts", ADVERT | {"attributes": attributes})
    assert refusal(response) == [("attributes", "This value is not valid.")]
    assert response.json()["error"]["code"] == 400


@pytest.mark.parametrize(
    ("members", "detail"),
    [
        ({"category_id": 999}, "Category with given ID doesn't exists"),
        ({"category_id": "shoes"}, "Category with given ID doesn't exists"),
        ({"category_id": True}, "Category with given ID doesn't exists"),
        ({"location": {"city_id": 9999}}, "City with given ID doesn't exists"),
        ({"external_url": "https://shop.example/1"}, "Partner is not allowed to use external URL"),
        ({"images": [{"url": "https://shop.invalid/1.jpg"}]}, "Image error: Remote file not exists"),
        ({"images": [{"url": "ftp://shop.example/1.jpg"}]}, "Image error: Remote file not exists"),
        ({"images": [{"url": "https://shop.example:99999999/1.jpg"}]}, "Image error: Remote file not exists"),
        ({"images": [{"url": "https://shop.example/1.jpg"}] * 9}, "Image error: Image limit exceeded"),
    ],
)
def test_refusals_of_the_whole_request(api: Api, members: dict[str, Any], detail: str) -> None:
    response = api("POST", "/adverts", ADVERT | members)
    assert response.status_code == 400
    assert response.json() == {"error": {"status": 400, "title": "Bad Request", "detail": detail}}


def test_ids_may_be_text_and_come_back_as_numbers(create: Create) -> None:
    advert = create(category_id="21", location={"city_id": "1"})
    assert (advert["category_id"], advert["location"]["city_id"]) == (21, 1)


def test_currency_is_the_sites_without_one_and_jobs_may_have_a_url(create: Create) -> None:
    assert create(price={"value": 12.5})["price"] | {"trade": 0} == {
        "value": 12.5,
        "currency": "PLN",
        "negotiable": False,
        "trade": False,
        "budget": False,
    }
    advert = create(**job(), external_url="https://jobs.example/1")
    assert advert["external_url"] == "https://jobs.example/1"
    assert advert["salary"] == {
        "value_from": 1,
        "value_to": 2,
        "currency": "PLN",
        "negotiable": False,
        "type": "monthly",
    }


def test_longest_title_and_extra_fields_are_settings(api: Api, steered_sandbox: SteeredSandbox) -> None:
    longer = {"title": "Garden bench made of larch, for three people, oiled in spring, dry and firm"}
    assert api("POST", "/adverts", ADVERT | longer | {"colour": "red"}).status_code == 200
    steered_sandbox.control.settings(behaviour={"longest_title": 70, "extra_fields": "refused"})
    assert refusal(api("POST", "/adverts", ADVERT | longer)) == [("title", "At most 70 characters are allowed")]
    for extra in ({"colour": "red"}, price(vat=23), place(street="Long Street")):
        refused = api("POST", "/adverts", ADVERT | extra)
        assert refused.json()["data"]["error"]["detail"] == "Error while decoding JSON data: Syntax error"
    shown = api("GET", "/adverts?limit=1").json()["data"][0]
    assert api("PUT", f"/adverts/{shown['id']}", shown | {"title": "Garden bench made of oak"}).status_code == 200


@pytest.mark.parametrize("kind", ["number", "text"])
def test_every_generated_advert_keeps_the_rules(api: Api, steered_sandbox: SteeredSandbox, kind: str) -> None:
    steered_sandbox.control.settings(behaviour={"coordinates": kind})
    adverts = api("GET", "/adverts").json()["data"]
    assert {it["status"] for it in adverts} == {"active", "limited", "removed_by_user", "outdated", "moderated"}
    for advert in adverts:
        assert isinstance(advert["location"]["latitude"], str) is (kind == "text")
        changed = api("PUT", f"/adverts/{advert['id']}", advert)
        status = "new" if advert["status"] == "moderated" else advert["status"]
        assert changed.json()["data"] == advert | {"status": status}


# Lists.


def test_list_has_the_newest_first_in_pages(api: Api, create: Create, steered_sandbox: SteeredSandbox) -> None:
    steered_sandbox.clock.move(60)
    newest = [create(external_id=str(number))["id"] for number in range(3)][::-1]
    everything = [advert["id"] for advert in api("GET", "/adverts").json()["data"]]
    assert len(everything) == 15
    assert everything[:3] == newest
    pages = [api("GET", f"/adverts?limit=4&offset={offset}").json()["data"] for offset in range(0, 16, 4)]
    assert [advert["id"] for page in pages for advert in page] == everything


def test_list_without_a_limit_has_100(api: Api, create: Create) -> None:
    for _ in range(100):
        create()
    assert len(api("GET", "/adverts").json()["data"]) == 100
    assert len(api("GET", "/adverts?limit=1000").json()["data"]) == 112
    assert len(api("GET", "/adverts?offset=100").json()["data"]) == 12


def test_list_is_filtered_by_external_id_and_categories(api: Api, create: Create) -> None:
    wanted = create(external_id="mine 1")["id"]
    found = api("GET", "/adverts?external_id=mine+1").json()["data"]
    assert [advert["id"] for advert in found] == [wanted]
    found = api("GET", "/adverts?category_ids=21,31").json()["data"]
    assert {advert["category_id"] for advert in found} == {21, 31}
    assert api("GET", "/adverts?category_ids=999").json()["data"] == []
    for name, value in (("category_ids", "x"), ("category_ids", "21,"), ("category_ids[]", "21")):
        assert refusal(api("GET", f"/adverts?{name}={value}")) == [(name, INVALID)]


# Life cycle.


def command(api: Api, id: int, name: str, **more: object) -> httpx.Response:
    return api("POST", f"/adverts/{id}/commands", {"command": name, **more})


def test_deactivate_delete_and_activate_again(api: Api, create: Create, steered_sandbox: SteeredSandbox) -> None:
    id = create()["id"]
    assert refusal(api("DELETE", f"/adverts/{id}")) == [("ad", "Invalid status")]
    assert refusal(command(api, id, "activate")) == [("ad", "Invalid status")]
    assert refusal(command(api, id, "deactivate")) == [("is_success", MISSING)]
    assert refusal(command(api, id, "deactivate", is_success="yes")) == [("is_success", INVALID)]
    done = command(api, id, "deactivate", is_success=True)
    assert (done.status_code, done.content) == (204, b"")
    assert "content-length" not in done.headers
    assert api("GET", f"/adverts/{id}").json()["data"]["status"] == "removed_by_user"
    assert refusal(command(api, id, "deactivate", is_success=True)) == [("ad", "Ad has to be active")]
    steered_sandbox.clock.move(86_000)
    assert command(api, id, "activate").status_code == 204
    again = api("GET", f"/adverts/{id}").json()["data"]
    assert (again["status"], again["created_at"]) == ("active", "2026-11-23 10:00:00")
    assert (again["activated_at"], again["valid_to"]) == ("2026-11-24 09:53:20", "2026-12-24 09:53:20")
    assert command(api, id, "finish").status_code == 204
    assert api("DELETE", f"/adverts/{id}").status_code == 204
    assert api("GET", f"/adverts/{id}").json()["error"]["detail"] == "Advert not found"
    assert api("DELETE", f"/adverts/{id}").status_code == 404


def test_advert_becomes_outdated_and_can_be_extended(
    api: Api, create: Create, steered_sandbox: SteeredSandbox, tokens: Callable[..., dict[str, Any]]
) -> None:
    id = create()["id"]
    steered_sandbox.clock.move(29 * 86_400)
    token = tokens()["access_token"]
    assert api("POST", f"/adverts/{id}/commands", {"command": "extend"}, token=token).status_code == 204
    steered_sandbox.clock.move(29 * 86_400)
    token = tokens()["access_token"]
    assert api("GET", f"/adverts/{id}", token=token).json()["data"]["status"] == "active"
    steered_sandbox.clock.move(86_400)
    token = tokens()["access_token"]
    assert api("GET", f"/adverts/{id}", token=token).json()["data"]["status"] == "outdated"
    assert api("POST", f"/adverts/{id}/commands", {"command": "activate"}, token=token).status_code == 204


def test_refresh_is_possible_once_in_14_days(
    api: Api, create: Create, steered_sandbox: SteeredSandbox, tokens: Callable[..., dict[str, Any]]
) -> None:
    id = create()["id"]
    too_often = [("time", "You cannot refresh ad more often than once in 14 days")]
    assert refusal(command(api, id, "refresh")) == too_often
    steered_sandbox.clock.move(14 * 86_400)
    token = tokens()["access_token"]
    path = f"/adverts/{id}/commands"
    assert api("POST", path, {"command": "refresh"}, token=token).status_code == 204
    assert refusal(api("POST", path, {"command": "refresh"}, token=token)) == too_often


@pytest.mark.parametrize(("name", "text"), [(None, MISSING), ("explode", INVALID), ([], INVALID)])
def test_unknown_command_is_refused(api: Api, create: Create, name: object, text: str) -> None:
    response = api("POST", f"/adverts/{create()['id']}/commands", {"command": name})
    assert refusal(response) == [("command", text)]


def test_moderation_takes_time_when_it_is_set(api: Api, create: Create, steered_sandbox: SteeredSandbox) -> None:
    steered_sandbox.control.settings(behaviour={"moderation_seconds": 30})
    id = create()["id"]
    steered_sandbox.clock.move(29)
    assert api("GET", f"/adverts/{id}").json()["data"]["status"] == "new"
    assert refusal(command(api, id, "deactivate", is_success=False)) == [("ad", "Ad has to be active")]
    steered_sandbox.clock.move(1)
    advert = api("GET", f"/adverts/{id}").json()["data"]
    assert (advert["status"], advert["activated_at"]) == ("active", "2026-11-23 10:00:30")


def test_change_brings_a_rejected_advert_back_to_moderation(
    api: Api, create: Create, steered_sandbox: SteeredSandbox
) -> None:
    id, control = create()["id"], steered_sandbox.control
    control.request("PATCH", f"adverts/{id}", {"status": "moderated"})
    control.settings(behaviour={"moderation_seconds": 30})
    steered_sandbox.clock.move(3600)
    assert api("GET", f"/adverts/{id}").json()["data"]["status"] == "moderated"
    assert api("PUT", f"/adverts/{id}", ADVERT).json()["data"]["status"] == "new"
    assert api("GET", f"/adverts/{id}").json()["data"]["status"] == "new"
    steered_sandbox.clock.move(30)
    advert = api("GET", f"/adverts/{id}").json()["data"]
    assert (advert["status"], advert["activated_at"]) == ("active", "2026-11-23 11:00:30")


def test_change_replaces_the_content_and_keeps_the_rest(api: Api, create: Create) -> None:
    id = create()["id"]
    changed = api("PUT", f"/adverts/{id}", ADVERT | {"title": "Garden bench made of oak", "external_id": None})
    assert changed.status_code == 200
    advert = changed.json()["data"]
    assert (advert["id"], advert["status"], advert["title"]) == (id, "active", "Garden bench made of oak")
    assert advert["external_id"] is None
    assert api("GET", f"/adverts/{id}").json()["data"] == advert
    assert refusal(api("PUT", f"/adverts/{id}", {"auto_extend_enabled": True}))[0] == ("title", MISSING)
    assert api("GET", f"/adverts/{id}").json()["data"] == advert


def test_statistics_can_be_read_and_reset(api: Api, create: Create) -> None:
    assert api("GET", f"/adverts/{create()['id']}/statistics").json()["data"] == {
        "advert_views": 0,
        "phone_views": 0,
        "users_observing": 0,
    }
    id = api("GET", "/adverts").json()["data"][-1]["id"]
    before = api("GET", f"/adverts/{id}/statistics").json()["data"]
    assert before["advert_views"] > before["phone_views"]
    assert api("DELETE", f"/adverts/{id}/statistics/advert-views").status_code == 204
    assert api("GET", f"/adverts/{id}/statistics").json()["data"] == before | {"advert_views": 0}
    assert api("DELETE", f"/adverts/{id}/statistics/phone-views").status_code == 204
    after = api("GET", f"/adverts/{id}/statistics").json()["data"]
    assert after == before | {"advert_views": 0, "phone_views": 0}


# Owners.


@pytest.fixture
def other(steered_sandbox: SteeredSandbox) -> str:
    """The token of a second user."""
    control = steered_sandbox.control
    control.request("POST", "users", {"id": 7, "name": "Seven"})
    body = {"client_id": "demo-app", "user_id": 7, "scope": "read write v2"}
    return str(control.request("POST", "access-tokens", body)["secret"])


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("POST", "/commands"),
        ("GET", "/statistics"),
        ("DELETE", "/statistics/phone-views"),
    ],
)
def test_advert_of_another_user_is_refused(api: Api, create: Create, other: str, method: str, rest: str) -> None:
    id = create()["id"]
    body = {"POST": {"command": "finish"}, "PUT": ADVERT | {"title": "Another user was here"}}.get(method)
    response = api(method, f"/adverts/{id}{rest}", body, token=other)
    assert refusal(response) == [("ad", "You are not the owner of this ad")]
    advert = api("GET", f"/adverts/{id}").json()["data"]
    assert (advert["title"], advert["status"]) == (ADVERT["title"], "active")


def test_each_user_has_adverts_of_their_own(api: Api, create: Create, other: str) -> None:
    create()
    mine = {advert["id"] for advert in api("GET", "/adverts").json()["data"]}
    theirs = api("GET", "/adverts", token=other).json()["data"]
    assert (len(mine), len(theirs)) == (13, 12)
    assert mine.isdisjoint(advert["id"] for advert in theirs)
    assert {advert["contact"]["name"] for advert in theirs} == {"Seven"}
