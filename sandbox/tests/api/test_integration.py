"""A whole integration: consent, tokens, an advert from its creation to its deletion, and an answer to a buyer."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from oauth_sandbox.testing import SteeredSandbox

from .conftest import ADVERT


def test_an_integration(steered_sandbox: SteeredSandbox, ask: Callable[..., httpx.Response]) -> None:
    control, callback = steered_sandbox.control, "http://localhost:8501/callback"
    query = {
        "client_id": "demo-app",
        "response_type": "code",
        "redirect_uri": callback,
        "scope": "read write v2",
        "state": "b1946ac92492d2347c6235b4d2611184",
    }
    location = control.approve(f"{steered_sandbox.url}/oauth/authorize/?{urlencode(query)}")
    code = parse_qs(urlsplit(location).query)["code"][0]
    tokens = ask(grant_type="authorization_code", code=code, redirect_uri=callback).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "Version": "2.0"}
    with httpx.Client(base_url=f"{steered_sandbox.url}/api/partner", headers=headers, trust_env=False) as api:

        def data(response: httpx.Response) -> Any:
            assert response.is_success, response.text
            return response.json()["data"] if response.content else None

        parent = next(it for it in data(api.get("/categories")) if it["name"] == "Fashion")
        (leaf,) = data(api.get("/categories", params={"parent_id": parent["id"]}))
        values: dict[str, Any] = {}
        for attribute in data(api.get(f"/categories/{leaf['id']}/attributes")):
            if attribute["validation"]["required"]:
                values[attribute["code"]] = attribute["values"][0]["code"] if attribute["values"] else "42"
        city = data(api.get("/cities", params={"limit": 1}))[0]
        body = ADVERT | {
            "category_id": leaf["id"],
            "location": {"city_id": city["id"]},
            "attributes": [{"code": code, "value": value} for code, value in values.items()],
        }
        assert api.post("/adverts", json=body | {"title": "Too short"}).status_code == 400
        id = data(api.post("/adverts", json=body))["id"]
        assert data(api.get("/adverts", params={"external_id": "bench-1"}))[0]["status"] == "active"
        assert data(api.put(f"/adverts/{id}", json=body | {"price": {"value": 99}}))["price"]["value"] == 99

        control.request("POST", "threads", {"advert_id": id, "text": "Is it still available?"})
        (thread,) = data(api.get("/threads", params={"advert_id": id}))
        question = data(api.get(f"/threads/{thread['id']}/messages"))[-1]
        assert question["text"] == "Is it still available?"
        data(api.post(f"/threads/{thread['id']}/messages", json={"text": "Yes, it is."}))
        data(api.post(f"/threads/{thread['id']}/commands", json={"command": "mark-as-read"}))

        assert api.delete(f"/adverts/{id}").status_code == 400
        data(api.post(f"/adverts/{id}/commands", json={"command": "deactivate", "is_success": True}))
        data(api.delete(f"/adverts/{id}"))
        assert api.get(f"/adverts/{id}").status_code == 404
    assert control.lint() == []
