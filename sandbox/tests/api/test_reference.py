"""Places, categories, languages and currencies, which an application's token opens too."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from oauth_sandbox.partner.routes import TABLE

Api = Callable[..., httpx.Response]


def data(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()["data"]


def test_places_refer_to_each_other(api: Api) -> None:
    regions = {region["id"] for region in data(api("GET", "/regions"))}
    cities = {city["id"]: city for city in data(api("GET", "/cities"))}
    districts = data(api("GET", "/districts"))
    assert len(regions) == 16
    assert len(cities) > 200
    assert {city["region_id"] for city in cities.values()} == regions
    assert {district["city_id"] for district in districts} < cities.keys()
    assert cities[1] == {
        "id": 1,
        "region_id": 4,
        "name": "Kraków",
        "county": "Kraków",
        "municipality": "Kraków",
        "latitude": 50.0619,
        "longitude": 19.9369,
    }
    assert data(api("GET", "/cities/1")) == cities[1]
    assert data(api("GET", "/regions/4")) == {"id": 4, "name": "Małopolskie"}
    assert data(api("GET", "/cities/1/districts")) == [it for it in districts if it["city_id"] == 1]
    assert data(api("GET", f"/districts/{districts[0]['id']}")) == districts[0]
    assert data(api("GET", "/cities/101/districts")) == []


def test_location_is_the_nearest_city_with_its_nearest_district(api: Api) -> None:
    district = data(api("GET", "/districts/1002"))
    (found,) = data(api("GET", f"/locations?latitude={district['latitude']}&longitude={district['longitude']}"))
    assert (found["city"]["name"], found["district"]) == ("Kraków", district)
    town = data(api("GET", "/cities/150"))
    (found,) = data(api("GET", f"/locations/?latitude={town['latitude']}&longitude={town['longitude']}"))
    assert (found["city"], found["district"]) == (town, None)


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("", ["latitude", "longitude"]),
        ("latitude=50", ["longitude"]),
        ("latitude=50&longitude=east", ["longitude"]),
        ("latitude=nan&longitude=1", ["latitude"]),
        ("latitude=91&longitude=-181", ["latitude", "longitude"]),
    ],
)
def test_location_without_coordinates_is_refused(api: Api, query: str, wrong: list[str]) -> None:
    response = api("GET", f"/locations?{query}")
    assert response.status_code == 400
    assert [problem["field"] for problem in response.json()["error"]["validation"]] == wrong


def test_pages_of_cities_are_all_of_them_once(api: Api) -> None:
    everything = data(api("GET", "/cities"))
    pages = [data(api("GET", f"/cities?limit=50&offset={offset}")) for offset in range(0, 300, 50)]
    assert [city for page in pages for city in page] == everything
    assert data(api("GET", "/cities?offset=100000")) == []


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=-1", "limit=ten", "offset=-1", "offset=1.5"])
def test_invalid_page_is_refused(api: Api, query: str) -> None:
    response = api("GET", f"/cities?{query}")
    assert response.status_code == 400
    assert response.json()["error"]["validation"] == [{"field": query.partition("=")[0], "title": "Invalid value"}]


def test_categories_form_a_tree_whose_leaves_have_attributes(api: Api) -> None:
    categories = data(api("GET", "/categories"))
    assert {"id": 31, "name": "Shoes", "parent_id": 3, "photos_limit": 8, "is_leaf": True} in categories
    by_id = {category["id"]: category for category in categories}
    for category in categories:
        children = data(api("GET", f"/categories?parent_id={category['id']}"))
        assert bool(children) is not category["is_leaf"]
        assert category["parent_id"] == 0 or category["parent_id"] in by_id
        assert data(api("GET", f"/categories/{category['id']}")) == category
        assert bool(data(api("GET", f"/categories/{category['id']}/attributes"))) is category["is_leaf"]


def test_attributes_of_a_category(api: Api) -> None:
    state, size, *_ = data(api("GET", "/categories/31/attributes"))
    assert state["values"][0] == {"code": "new", "label": "New"}
    assert size == {
        "code": "size",
        "label": "Size",
        "unit": None,
        "validation": {
            "type": "input",
            "required": True,
            "numeric": True,
            "min": 16,
            "max": 52,
            "allow_multiple_values": False,
        },
        "values": [],
    }


def test_category_is_suggested_for_a_title(api: Api) -> None:
    assert data(api("GET", "/categories/suggestion?q=oak+table")) == [
        {"id": 21, "name": "Furniture", "path": [{"id": 2, "name": "Home and garden"}, {"id": 21, "name": "Furniture"}]}
    ]
    assert data(api("GET", "/categories/suggestion?q=xylophone")) == data(api("GET", "/categories/suggestion")) == []


def test_languages_and_currencies(api: Api) -> None:
    assert data(api("GET", "/languages")) == [{"code": "pl", "is_default": True}]
    assert [currency["code"] for currency in data(api("GET", "/currencies"))] == ["PLN", "EUR"]


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/cities/999", "City"),
        ("/cities/999/districts", "City"),
        ("/regions/99", "Region"),
        ("/districts/1", "District"),
        ("/categories/999", "Category"),
        ("/categories/999/attributes", "Category"),
        ("/adverts/999999999999", "Advert"),
        ("/threads/1", "Thread"),
        ("/users/1", "User"),
    ],
)
def test_unknown_id_is_not_found(api: Api, path: str, what: str) -> None:
    response = api("GET", path)
    assert response.status_code == 404
    assert response.json() == {"error": {"status": 404, "title": "Not Found", "detail": f"{what} not found"}}


def test_application_token_opens_what_belongs_to_nobody_and_nothing_else(
    api: Api, ask: Callable[..., httpx.Response]
) -> None:
    own = ask(grant_type="client_credentials").json()["access_token"]
    for route in TABLE:
        path = route.path.replace("{id}", "1")
        response = api(route.method, path, {} if route.method in ("POST", "PUT") else None, token=own)
        if route.user_needed:
            assert response.status_code == 400, path
            assert response.json()["error"]["detail"] == "Invalid owner in token", path
        elif path != "/districts/1" and path != "/locations":
            assert response.status_code == 200 or path == "/categories/1", path
    assert {route.path.split("/")[1] for route in TABLE if route.user_needed} == {"users", "adverts", "threads"}
