"""Errors of real calls: 7, 8 and 9, and what a request can have wrong beside the content of an advert."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from oauth_sandbox.partner.routes import TABLE
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.testing import SteeredSandbox

from .conftest import ADVERT

Api = Callable[..., httpx.Response]
ROUTES = [pytest.param(route, id=f"{route.method} {route.path}") for route in TABLE]


def called(api: Api, route: Any, **more: Any) -> httpx.Response:
    body: dict[str, Any] | None = {} if route.method in ("POST", "PUT") else None
    return api(route.method, route.path.replace("{id}", "1"), body, **more)


@pytest.mark.parametrize("route", ROUTES)
def test_7_and_8_and_9_of_every_call(api: Api, ask: Callable[..., httpx.Response], route: Any) -> None:
    invalid = called(api, route, token="unknown")
    assert (invalid.status_code, invalid.json()["error"]) == (401, "invalid_token")
    assert invalid.json()["error_description"] == "The access token provided is invalid"

    needed, *others = {"read": ("read", "write"), "write": ("write", "read")}[route.scope[0]]
    for scope in (f"{others[0]} v2", needed):
        narrow = ask(grant_type="client_credentials", scope=scope).json()["access_token"]
        refused = called(api, route, token=narrow)
        assert (refused.status_code, refused.json()["error"]) == (401, "insufficient_scope"), scope
        assert f'scope="{needed} v2"' in refused.headers["www-authenticate"]

    wide = ask(grant_type="client_credentials", scope=f"{needed} v2").json()["access_token"]
    answer = called(api, route, token=wide)
    owner = {"error": {"status": 400, "title": "Bad Request", "detail": "Invalid owner in token"}}
    assert (answer.content != b"" and answer.json() == owner) is route.user_needed


def test_expired_and_revoked_tokens_are_error_7(api: Api, steered_sandbox: SteeredSandbox) -> None:
    assert api("GET", "/adverts").status_code == 200
    steered_sandbox.clock.move(86_400)
    assert api("POST", "/adverts", ADVERT).json()["error"] == "invalid_token"
    steered_sandbox.clock.reset()
    serial = steered_sandbox.control.request("GET", "access-tokens")[0]["serial"]
    steered_sandbox.control.request("POST", f"access-tokens/{serial}/revoke", {})
    assert api("GET", "/threads").json()["error"] == "invalid_token"


def test_read_token_reads_and_cannot_write(api: Api, tokens: Callable[..., dict[str, Any]], sandbox: Sandbox) -> None:
    reader = tokens(scope="read v2")["access_token"]
    assert api("GET", "/adverts", token=reader).status_code == 200
    assert api("POST", "/adverts", ADVERT, token=reader).json()["error"] == "insufficient_scope"
    assert all(advert.content["external_id"] != "bench-1" for advert in sandbox.partner.adverts.values())


@pytest.mark.parametrize("content", [b"", b"{", b'{"title": "\\ud800"}', b"[]", b"\xff", b"[" * 30_000, b'{"a": NaN}'])
def test_body_that_is_no_json_object_is_refused_in_the_documented_form(api: Api, content: bytes) -> None:
    response = api("POST", "/adverts", content, Content_Type="application/json")
    assert response.status_code == 400
    assert response.json() == {
        "data": {
            "error": {
                "status": 400,
                "title": "Bad Request",
                "detail": "Error while decoding JSON data: Syntax error",
            }
        }
    }


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_body_of_another_type_is_unsupported(api: Api, content_type: str | None) -> None:
    response = api("POST", "/adverts", b'{"title": "x"}', Content_Type=content_type)
    assert response.status_code == 415
    assert response.json()["error"]["title"] == "Unsupported Media Type"


def test_charset_is_no_other_type(api: Api) -> None:
    response = api("POST", "/adverts", b"{}", Content_Type="Application/JSON; charset=utf-8")
    assert response.json()["error"]["title"] == "Invalid request"


def test_oversized_body_is_refused(api: Api) -> None:
    response = api("POST", "/adverts", ADVERT | {"description": "x" * 140_000})
    assert response.status_code == 413
    assert response.json()["error"]["status"] == 413


@pytest.mark.parametrize("path", ["/advert", "/adverts/mine", "/adverts/1/statistic", "/adverts/{id}", "/adverts/-1"])
def test_unknown_path_of_the_api_has_the_documented_words(api: Api, path: str) -> None:
    response = api("GET", path)
    assert response.status_code == 404
    assert response.json() == {"error": {"type": "NotFoundException", "message": "Unsupported API version"}}


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PATCH", "/adverts/1", "GET, PUT, DELETE, HEAD"),
        ("GET", "/adverts/1/commands", "POST"),
        ("DELETE", "/cities", "GET, HEAD"),
    ],
)
def test_another_method_is_not_allowed(api: Api, method: str, path: str, allow: str) -> None:
    response = api(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allow)


def test_head_is_a_get_without_a_body(api: Api) -> None:
    response = api("HEAD", "/adverts")
    assert (response.status_code, response.content) == (200, b"")


def test_browser_may_ask_before_a_change_when_cors_is_open(http: httpx.Client, steered_sandbox: SteeredSandbox) -> None:
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT"}
    assert http.options("/api/partner/adverts/1", headers=asked).status_code == 405
    steered_sandbox.control.settings(behaviour={"cors": "open"})
    allowed = http.options("/api/partner/adverts/1", headers=asked)
    assert allowed.status_code == 204
    assert {"PUT", "DELETE"} < set(allowed.headers["access-control-allow-methods"].split(", "))


def test_version_is_needed_for_changes_too(api: Api) -> None:
    missing = api("POST", "/adverts", ADVERT, Version=None)
    assert missing.json()["data"]["error"]["detail"] == "Missing required 'Version' header!"
    other = api("DELETE", "/adverts/1", Version="1.0")
    assert other.json()["error"]["detail"] == "Unsupported API version: 1.0"


def test_content_type_on_a_get_can_be_accepted_and_stays_a_finding(api: Api, steered_sandbox: SteeredSandbox) -> None:
    assert api("GET", "/adverts", Content_Type="application/json").status_code == 400
    steered_sandbox.control.settings(behaviour={"content_type_on_get": "accepted"})
    assert api("GET", "/adverts", Content_Type="application/json").status_code == 200
    assert steered_sandbox.control.lint() == ["content-type-on-get"]


def test_faults_log_and_lint_see_the_calls(api: Api, steered_sandbox: SteeredSandbox) -> None:
    control = steered_sandbox.control
    control.fault("server-error", endpoint="adverts")
    assert api("GET", "/cities").status_code == 200
    assert api("POST", "/adverts", ADVERT).status_code == 503
    created = api("POST", "/adverts", ADVERT).json()["data"]
    control.fault("connection-reset", endpoint="threads")
    with pytest.raises(httpx.HTTPError):
        api("GET", "/threads")
    api("GET", f"/adverts/{created['id']}", Content_Type="application/json", Version=None)
    assert [(entry["path"], entry["endpoint"], entry["status"]) for entry in control.requests(3)] == [
        ("/api/partner/adverts/{id}", "adverts", 400),
        ("/api/partner/threads", "threads", 200),
        ("/api/partner/adverts", "adverts", 200),
    ]
    assert control.requests(1)[0]["client_id"] == "demo-app"
    assert control.lint() == ["version-missing", "content-type-on-get"]


def test_lint_names_an_application_token_at_a_users_endpoint(
    api: Api, ask: Callable[..., httpx.Response], steered_sandbox: SteeredSandbox
) -> None:
    own = ask(grant_type="client_credentials").json()["access_token"]
    api("GET", "/categories", token=own)
    assert steered_sandbox.control.lint() == []
    api("GET", "/threads", token=own)
    assert steered_sandbox.control.lint() == ["application-token-for-user"]
