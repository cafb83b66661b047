"""Threads and messages, users, and what the control does in place of moderation and buyers."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from oauth_sandbox.control_client import SteeringError
from oauth_sandbox.testing import SteeredSandbox

from .conftest import refusal

Api = Callable[..., httpx.Response]
MISSING = "This field is required"
INVALID = "Invalid value"


@pytest.fixture
def thread(api: Api) -> dict[str, Any]:
    """The newest of the demo user's threads."""
    first: dict[str, Any] = api("GET", "/threads").json()["data"][0]
    return first


def test_thread_and_its_messages(api: Api, thread: dict[str, Any]) -> None:
    assert thread.keys() == {
        "id",
        "advert_id",
        "interlocutor_id",
        "total_count",
        "unread_count",
        "created_at",
        "is_favourite",
    }
    assert (thread["total_count"], thread["unread_count"], thread["is_favourite"]) == (3, 1, False)
    assert api("GET", f"/threads/{thread['id']}").json()["data"] == thread
    messages = api("GET", f"/threads/{thread['id']}/messages").json()["data"]
    assert [(it["type"], it["is_read"]) for it in messages] == [("received", True), ("sent", True), ("received", False)]
    assert messages[0].keys() == {
        "id",
        "thread_id",
        "created_at",
        "type",
        "text",
        "attachments",
        "is_read",
        "cvs",
        "phone",
    }
    assert messages[0]["created_at"] == thread["created_at"]
    assert thread["created_at"].endswith("+00:00")
    one = api("GET", f"/threads/{thread['id']}/messages/{messages[1]['id']}").json()["data"]
    assert one == messages[1]
    assert api("GET", f"/threads/{thread['id']}/messages/1").json()["error"]["detail"] == "Message not found"
    page = api("GET", f"/threads/{thread['id']}/messages?offset=1&limit=1").json()["data"]
    assert page == [messages[1]]
    assert api("GET", f"/adverts/{thread['advert_id']}").status_code == 200


def test_interlocutor_is_a_user_with_a_name(api: Api, thread: dict[str, Any]) -> None:
    user = api("GET", f"/users/{thread['interlocutor_id']}").json()["data"]
    assert user == {"id": thread["interlocutor_id"], "name": user["name"], "avatar": None}
    assert user["name"].isalpha()
    assert api("GET", "/users/402215").json()["data"]["name"] == "Demo user"


def test_threads_are_filtered(api: Api, thread: dict[str, Any]) -> None:
    assert len(api("GET", "/threads").json()["data"]) == 3
    assert api("GET", f"/threads?advert_id={thread['advert_id']}").json()["data"] == [thread]
    assert api("GET", f"/threads?interlocutor_id={thread['interlocutor_id']}").json()["data"] == [thread]
    assert api("GET", "/threads?advert_id=1").json()["data"] == []
    assert refusal(api("GET", "/threads?advert_id=x")) == [("advert_id", INVALID)]
    assert len(api("GET", "/threads?limit=2").json()["data"]) == 2


def test_reply_with_an_attachment(api: Api, thread: dict[str, Any], steered_sandbox: SteeredSandbox) -> None:
    steered_sandbox.clock.move(0.25)
    path = f"/threads/{thread['id']}/messages"
    body = {"text": "Yes, on Saturday.", "attachments": [{"url": "https://shop.example/map.png"}]}
    sent = api("POST", path, body)
    assert sent.status_code == 200
    message = sent.json()["data"]
    assert (message["type"], message["text"], message["is_read"]) == ("sent", "Yes, on Saturday.", True)
    assert message["attachments"] == [{"name": "map.png", "url": "https://shop.example/map.png"}]
    assert message["created_at"] == "2026-11-23T10:00:00+00:00", "clients read it without fractions of a second"
    assert api("GET", path).json()["data"][-1] == message
    assert api("GET", f"/threads/{thread['id']}").json()["data"]["total_count"] == 4


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, ("text", MISSING)),
        ({"text": ""}, ("text", MISSING)),
        ({"text": "  "}, ("text", INVALID)),
        ({"text": 5}, ("text", INVALID)),
        ({"text": "Hi", "attachments": "map.png"}, ("attachments", INVALID)),
        ({"text": "Hi", "attachments": 5}, ("attachments", INVALID)),
        ({"text": "Hi", "attachments": ["https://shop.example/map.png"]}, ("attachments", INVALID)),
        ({"text": "Hi", "attachments": [{"url": "map.png"}]}, ("attachments", INVALID)),
    ],
)
def test_invalid_message_is_refused(
    api: Api, thread: dict[str, Any], body: dict[str, Any], problem: tuple[str, str]
) -> None:
    assert refusal(api("POST", f"/threads/{thread['id']}/messages", body)) == [problem]
    assert api("GET", f"/threads/{thread['id']}").json()["data"] == thread


def test_thread_commands(api: Api, thread: dict[str, Any]) -> None:
    path = f"/threads/{thread['id']}"
    assert api("POST", f"{path}/commands", {"command": "mark-as-read"}).status_code == 204
    assert api("POST", f"{path}/commands", {"command": "set-favourite", "is_favourite": True}).status_code == 204
    assert api("GET", path).json()["data"] == thread | {"unread_count": 0, "is_favourite": True}
    assert refusal(api("POST", f"{path}/commands", {"command": "set-favourite"})) == [("is_favourite", MISSING)]
    assert refusal(api("POST", f"{path}/commands", {"command": "delete"})) == [("command", INVALID)]


def test_thread_of_another_user_is_not_found(api: Api, thread: dict[str, Any], steered_sandbox: SteeredSandbox) -> None:
    control = steered_sandbox.control
    control.request("POST", "users", {"id": 7, "name": "Seven"})
    body = {"client_id": "demo-app", "user_id": 7, "scope": "read write v2"}
    other = control.request("POST", "access-tokens", body)["secret"]
    for method, rest, sent in (("GET", "", None), ("GET", "/messages", None), ("POST", "/messages", {"text": "Hi"})):
        response = api(method, f"/threads/{thread['id']}{rest}", sent, token=other)
        assert (response.status_code, response.json()["error"]["detail"]) == (404, "Thread not found")


def test_account_of_the_user(api: Api) -> None:
    assert api("GET", "/users/me/account-balance").json()["data"] == {
        "sum": 0,
        "wallet": 0,
        "bonus": 0,
        "refund": 0,
        "currency": "PLN",
    }
    assert api("GET", "/users/me/payment-methods").json()["data"] == ["account"]


def test_buyers_write_over_the_control(
    api: Api, create: Callable[..., dict[str, Any]], steered_sandbox: SteeredSandbox
) -> None:
    control, advert = steered_sandbox.control, create()
    asked = control.request("POST", "threads", {"advert_id": advert["id"], "text": "Is it dry?"})
    (thread,) = api("GET", f"/threads?advert_id={advert['id']}").json()["data"]
    assert asked == thread | {"user_id": 402215}
    assert (thread["total_count"], thread["unread_count"]) == (1, 1)
    api("POST", f"/threads/{thread['id']}/messages", {"text": "It is."})
    control.request("POST", f"threads/{thread['id']}/messages", {"text": "Thank you."})
    messages = api("GET", f"/threads/{thread['id']}/messages").json()["data"]
    assert [(it["type"], it["text"]) for it in messages] == [
        ("received", "Is it dry?"),
        ("sent", "It is."),
        ("received", "Thank you."),
    ]
    assert control.request("GET", "threads", user_id=402215, limit=1)[0]["id"] == thread["id"]
    with pytest.raises(SteeringError, match=r"409 .*no advert 5"):
        control.request("POST", "threads", {"advert_id": 5, "text": "Hi"})
    with pytest.raises(SteeringError, match=r"404 .*no thread 5"):
        control.request("POST", "threads/5/messages", {"text": "Hi"})


def test_moderation_decides_over_the_control(
    api: Api, create: Callable[..., dict[str, Any]], steered_sandbox: SteeredSandbox
) -> None:
    control, id = steered_sandbox.control, create()["id"]
    assert control.request("PATCH", f"adverts/{id}", {"status": "blocked"})["status"] == "blocked"
    assert api("GET", f"/adverts/{id}").json()["data"]["status"] == "blocked"
    assert refusal(api("POST", f"/adverts/{id}/commands", {"command": "finish"})) == [("ad", "Ad has to be active")]
    control.request("PATCH", f"adverts/{id}", {"status": "active"})
    assert control.request("GET", "adverts", limit=1)[0] == {
        **api("GET", f"/adverts/{id}").json()["data"],
        "user_id": 402215,
    }
    assert len(control.request("GET", "adverts")) == 13
    assert control.request("GET", "adverts", user_id=5) == []
    with pytest.raises(SteeringError, match=r"404 .*no advert 5"):
        control.request("PATCH", "adverts/5", {"status": "active"})


def test_moderation_begins_when_the_control_makes_an_advert_new(
    api: Api, create: Callable[..., dict[str, Any]], steered_sandbox: SteeredSandbox
) -> None:
    control, id = steered_sandbox.control, create()["id"]
    with pytest.raises(SteeringError, match=r"409 .*active at once while behaviour.moderation_seconds is 0"):
        control.request("PATCH", f"adverts/{id}", {"status": "new"})
    control.settings(behaviour={"moderation_seconds": 30})
    control.request("PATCH", f"adverts/{id}", {"status": "new"})
    steered_sandbox.clock.move(29)
    assert api("GET", f"/adverts/{id}").json()["data"]["status"] == "new"


def test_the_bodies_of_the_readme_are_accepted(api: Api, thread: dict[str, Any]) -> None:
    page = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (advert,) = re.findall(r'^```json\n(\{"title".*?)^```$', page, re.M | re.S)
    created = api("POST", "/adverts", advert.encode(), content_type="application/json").json()["data"]
    assert created["external_id"] == "bench-1"
    assert api("GET", f"/adverts/{created['id']}").json()["data"]["status"] == "active"
    ids = {"adverts": created["id"], "threads": thread["id"]}
    sent = [
        api("POST", f"/{kind}/{ids[kind]}/{part}", json.loads(body)).status_code
        for kind, part, cell in re.findall(r"^\| `POST /(\w+)/\{id\}/(\w+)` \| (`\{.*) \|$", page, re.M)
        for body in re.findall(r"`(\{.*?\})`", cell)
    ]
    assert sent == [204, 200, 204, 204]
