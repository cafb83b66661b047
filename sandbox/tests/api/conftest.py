"""Calls of the partner API with a user's token."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Api = Callable[..., httpx.Response]

ADVERT: dict[str, Any] = {
    "title": "Garden bench made of larch",
    "description": "A bench for three people that stood under a roof. It is dry and firm, and was oiled in spring.",
    "category_id": 21,
    "advertiser_type": "private",
    "external_id": "bench-1",
    "contact": {"name": "Demo user", "phone": "+48500100200"},
    "location": {"city_id": 1, "district_id": 1001},
    "images": [{"url": "https://shop.example/bench.jpg"}],
    "price": {"value": 120, "currency": "PLN", "negotiable": True},
    "attributes": [{"code": "state", "value": "used"}],
}


def refusal(response: httpx.Response) -> list[tuple[str, str]]:
    """Return the fields that a response names, each with its text."""
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert (error["status"], error["title"]) == (400, "Invalid request")
    assert error["detail"] == "Data validation error occurred"
    return [(problem["field"], problem["title"]) for problem in error["validation"]]


@pytest.fixture
def token(tokens: Callable[..., dict[str, Any]]) -> str:
    """The token of the demo user, with every scope."""
    return str(tokens()["access_token"])


@pytest.fixture
def api(http: httpx.Client, token: str) -> Api:
    """Call the API; ``token`` and headers are those of the demo user unless given, and one that is None is left out."""
    own = token

    def go(
        method: str, path: str, body: object = None, token: str | None = None, **headers: str | None
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {token or own}", "Version": "2.0", **headers}
        kept = {name.replace("_", "-"): value for name, value in sent.items() if value is not None}
        content: dict[str, Any] = {} if body is None else {"content" if isinstance(body, bytes) else "json": body}
        return http.request(method, f"/api/partner{path}", headers=kept, **content)

    return go


@pytest.fixture
def create(api: Api) -> Callable[..., dict[str, Any]]:
    """Create an advert, with members of its own, and return it."""

    def go(**members: object) -> dict[str, Any]:
        response = api("POST", "/adverts", ADVERT | members)
        assert response.status_code == 200, response.text
        advert: dict[str, Any] = response.json()["data"]
        return advert

    return go
