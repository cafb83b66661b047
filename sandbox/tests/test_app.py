"""The sandbox over HTTP: what goes well, and what is refused beside the eleven."""

import base64
import gzip
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from oauth_sandbox.app import application
from oauth_sandbox.clock import utc_now
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.testing import serving

Send = Callable[..., httpx.Response]
TOKEN = "/api/open/oauth/token"
REDIRECT_URI = "http://localhost:8501/callback"
HEX = re.compile(r"[0-9a-f]{40}")


def basic(client_id: str, secret: str) -> dict[str, str]:
    joined = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": "Basic " + base64.b64encode(joined.encode()).decode()}


@pytest.mark.parametrize("body", ["json", "data"])
@pytest.mark.parametrize("where", ["body", "basic"])
def test_every_grant_in_json_or_a_form_with_credentials_in_the_body_or_by_basic(
    http: httpx.Client, authorize: Callable[..., str], body: str, where: str
) -> None:
    def ask(**parameters: str) -> dict[str, Any]:
        if where == "body":
            parameters |= {"client_id": "demo-app", "client_secret": "demo-secret"}
        headers = basic("demo-app", "demo-secret") if where == "basic" else {}
        kind: dict[str, Any] = {body: parameters}
        answer = http.post(TOKEN, headers=headers, **kind)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["pragma"] == "no-cache"
        members: dict[str, Any] = answer.json()
        assert HEX.fullmatch(members["access_token"])
        assert (members["token_type"], members["expires_in"]) == ("bearer", 86400)
        return members

    code = authorize()
    assert HEX.fullmatch(code)
    first = ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI, scope="v2 read write")
    assert first["scope"] == "v2 read write"
    second = ask(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert second["scope"] == "v2 read write"
    assert len({first["refresh_token"], second["refresh_token"]}) == 2
    application_token = ask(grant_type="client_credentials", scope="read v2")
    assert application_token["scope"] == "read v2"
    assert "refresh_token" not in application_token


def test_a_users_token_opens_both_endpoints(call: Send, tokens: Callable[..., dict[str, Any]]) -> None:
    token = tokens()["access_token"]
    user = call("users/me", token)
    assert user.status_code == 200
    assert {"id", "email", "name"} <= set(user.json()["data"])
    cities = call("cities", token)
    assert [city["name"] for city in cities.json()["data"]][:3] == ["Kraków", "Gdańsk", "Wrocław"]


def test_bearer_in_any_letter_case(call: Send, tokens: Callable[..., dict[str, Any]]) -> None:
    token = tokens()["access_token"]
    assert call("users/me", None, Authorization=f"bearer {token}").status_code == 200


def test_missing_scope_grants_all_scopes(ask: Send, tokens: Callable[..., dict[str, Any]]) -> None:
    assert tokens()["scope"] == "read write v2"
    assert tokens(scope="")["scope"] == "read write v2"
    assert ask(grant_type="client_credentials").json()["scope"] == "read write v2"


def test_token_has_the_requested_and_authorized_scopes(ask: Send, authorize: Callable[..., str]) -> None:
    code = authorize(scope="read write")
    answer = ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI, scope="read write v2")
    assert answer.json()["scope"] == "read write"


def test_a_narrow_refresh_narrows_the_access_token_only(ask: Send, tokens: Callable[..., dict[str, Any]]) -> None:
    narrow = ask(grant_type="refresh_token", refresh_token=tokens()["refresh_token"], scope="read").json()
    assert narrow["scope"] == "read"
    assert ask(grant_type="refresh_token", refresh_token=narrow["refresh_token"]).json()["scope"] == "read write v2"


def test_basic_is_form_decoded(http: httpx.Client) -> None:
    # %2D is the hyphen: RFC 6749 §2.3.1 has both encoded before they are joined.
    credentials = base64.b64encode(b"demo%2Dapp:demo%2Dsecret").decode()
    headers = {"Authorization": f"Basic {credentials}"}
    assert http.post(TOKEN, json={"grant_type": "client_credentials"}, headers=headers).status_code == 200


def test_credentials_twice_must_agree(http: httpx.Client) -> None:
    headers = basic("demo-app", "demo-secret")
    same = {"grant_type": "client_credentials", "client_id": "demo-app", "client_secret": "demo-secret"}
    assert http.post(TOKEN, data=same, headers=headers).status_code == 200
    for differing in ({"client_id": "website-app"}, {"client_secret": "other"}):
        answer = http.post(TOKEN, data=same | differing, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_request"
        assert "differ" in answer.json()["error_description"]


def test_unsupported_grant_type(ask: Send) -> None:
    answer = ask(grant_type="password", client_secret="wrong")
    assert answer.status_code == 400
    assert answer.json()["error"] == "unsupported_grant_type"
    assert "password" in answer.json()["error_description"]


@pytest.mark.parametrize("redirect_uri", [None, "", REDIRECT_URI + "/", "http://127.0.0.1:8501/callback"])
def test_redirect_uri_mismatch(ask: Send, authorize: Callable[..., str], redirect_uri: str | None) -> None:
    code = authorize()
    answer = ask(grant_type="authorization_code", code=code, redirect_uri=redirect_uri)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "redirect_uri_mismatch",
        "error_description": "The redirect URI is missing or do not match",
    }
    right = ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)
    assert right.status_code == 200, "the mismatch spends no code"


def test_redirect_uri_left_out_of_both_requests(http: httpx.Client, ask: Send) -> None:
    query = {"client_id": "demo-app", "response_type": "code"}

    def code() -> str:
        location = http.post("/oauth/authorize/", params=query, data={"decision": "approve"}).headers["location"]
        assert location.startswith(REDIRECT_URI + "?code=")
        return parse_qs(urlsplit(location).query)["code"][0]

    assert ask(grant_type="authorization_code", code=code()).status_code == 200
    assert ask(grant_type="authorization_code", code=code(), redirect_uri=REDIRECT_URI).status_code == 200
    other = ask(grant_type="authorization_code", code=code(), redirect_uri="http://localhost/other")
    assert other.json()["error"] == "redirect_uri_mismatch"


def test_missing_refresh_token(ask: Send) -> None:
    answer = ask(grant_type="refresh_token")
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid_request",
        "error_description": 'Missing parameter: "refresh_token" is required',
    }


@pytest.mark.parametrize(
    ("content", "content_type", "part"),
    [
        (b"grant_type=client_credentials", "text/plain", "text/plain"),
        (b"grant_type=client_credentials", None, "missing"),
        (b"grant_type=client_credentials", "application/json", "application/json"),
        (b'{"grant_type":"client_credentials",}', "application/json", "application/json"),
        (b'["grant_type"]', "application/json", "object"),
        (b'"grant_type"', "application/json", "object"),
        (b"[" * 30_000, "application/json", "application/json"),
        (b'{"client_id": "\\ud800"}', "application/json", "application/json"),
        (b"\xff\xfe\xff", "application/json", "application/json"),
        (b"grant_type=%FF", "application/x-www-form-urlencoded", "x-www-form-urlencoded"),
        (b'{"grant_type":["client_credentials"]}', "application/json", "grant_type"),
        (b'{"grant_type":true}', "application/json", "grant_type"),
        (b'{"grant_type":"a","grant_type":"a"}', "application/json", '"grant_type" must be sent once'),
        (b"code=a&code=b", "application/x-www-form-urlencoded", '"code" must be sent once'),
        (
            gzip.compress(b"a=b", mtime=0),
            "application/x-www-form-urlencoded",
            "compressed with gzip: send it uncompressed",
        ),
    ],
)
def test_unreadable_body_is_refused(http: httpx.Client, content: bytes, content_type: str | None, part: str) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = http.post(TOKEN, content=content, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert part in answer.json()["error_description"]


def test_oversized_body_is_refused(http: httpx.Client) -> None:
    answer = http.post(TOKEN, data={"code": "x" * 140_000})
    assert answer.status_code == 413
    assert answer.json()["error"] == "invalid_request"


def test_json_numbers_become_digits_and_null_is_omitted(ask: Send, http: httpx.Client) -> None:
    answer = http.post(TOKEN, json={"grant_type": "authorization_code", "client_id": 7, "client_secret": "x"})
    assert answer.json()["error"] == "invalid_client"
    nothing = http.post(TOKEN, json={"grant_type": None})
    assert nothing.json()["error_description"] == "The grant type was not specified in the request"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_the_token_endpoint_takes_post_only(http: httpx.Client, method: str) -> None:
    answer = http.request(method, TOKEN)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["error"] == "invalid_request"


def test_no_token_gives_a_challenge_without_an_error(call: Send) -> None:
    for answer in (call("users/me", None), call("cities", None, Authorization="Bearer")):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="sandbox"'
        assert answer.json()["error"]["status"] == 401


def test_missing_version_header(call: Send, tokens: Callable[..., dict[str, Any]]) -> None:
    answer = call("users/me", tokens()["access_token"], Version=None)
    assert answer.status_code == 400
    error = {"status": 400, "title": "Bad Request", "detail": "Missing required 'Version' header!"}
    assert answer.json() == {"data": {"error": error}}


def test_other_version_and_content_type_on_a_get(call: Send, tokens: Callable[..., dict[str, Any]]) -> None:
    token = tokens()["access_token"]
    for answer, part in (
        (call("users/me", token, Version="1.0"), "Unsupported API version: 1.0"),
        (call("users/me", token, Content_Type="application/json"), "Content-Type"),
    ):
        assert answer.status_code == 400
        assert answer.json()["error"]["title"] == "Bad Request"
        assert part in answer.json()["error"]["detail"]


def test_deactivated_client_keeps_its_tokens(
    call: Send, tokens: Callable[..., dict[str, Any]], sandbox: Sandbox
) -> None:
    token = tokens()["access_token"]
    sandbox.change_client("demo-app", active=False)
    assert call("users/me", token).status_code == 200


def test_every_response_has_its_own_request_id(http: httpx.Client) -> None:
    paths = ["/health", "/nowhere", TOKEN, "/oauth/authorize/", "/api/partner/users/me"]
    ids = [http.get(path).headers["x-request-id"] for path in paths]
    assert len(set(ids)) == len(paths)
    assert all(re.fullmatch("[0-9a-f]{32}", value) for value in ids)


def test_health_and_unknown_paths(http: httpx.Client) -> None:
    assert http.get("/health").json() == {"status": "ok"}
    nowhere = http.get("/nowhere")
    assert nowhere.status_code == 404
    assert nowhere.json()["error"]["title"] == "Not Found"
    assert http.get(TOKEN + "/").status_code == 404
    wrong_method = http.post("/api/partner/cities")
    assert wrong_method.status_code == 405
    assert "GET" in wrong_method.headers["allow"]


def test_internal_failure_is_a_500(http: httpx.Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(sandbox, "live", fail)
    answer = http.get("/api/partner/cities", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 500
    assert answer.json()["error"] == {
        "status": 500,
        "title": "Internal Server Error",
        "detail": "The sandbox failed.",
    }
    assert "x-request-id" in answer.headers


def test_mounted_under_a_prefix() -> None:
    app = Starlette(routes=[Mount("/sandbox", application(Sandbox(utc_now)))])
    query = {"client_id": "demo-app", "response_type": "code", "redirect_uri": REDIRECT_URI, "state": "s"}
    with serving(app) as url, httpx.Client(base_url=f"{url}/sandbox", trust_env=False) as http:
        page = http.get("/oauth/authorize/", params=query)
        action = re.search("<form[^>]*>", page.text)
        assert action is not None
        assert "action" not in action[0], "the form posts to the address it came from"
        answer = http.post(page.request.url, data={"decision": "approve"})
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        body = {
            "grant_type": "authorization_code",
            "client_id": "demo-app",
            "client_secret": "demo-secret",
            "code": code,
            "redirect_uri": REDIRECT_URI,
        }
        token = http.post(TOKEN, json=body).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Version": "2.0"}
        assert http.get("/api/partner/users/me", headers=headers).status_code == 200
        assert http.get(TOKEN).status_code == 405
        assert http.get("/nowhere").json()["error"]["status"] == 404
