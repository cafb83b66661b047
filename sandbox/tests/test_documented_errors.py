"""The eleven documented errors on the wire: status, members and texts; and the order in which they are checked."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from oauth_sandbox.provider import Sandbox
from oauth_sandbox.store import Kind

REDIRECT_URI = "http://localhost:8501/callback"

DOCUMENTED: dict[int, tuple[int, dict[str, Any]]] = {
    1: (400, {"error": "invalid_request", "error_description": 'Missing parameter: "code" is required'}),
    2: (
        400,
        {
            "error": "invalid_grant",
            "error_description": "Authorization code doesn't exist or is invalid for the client",
        },
    ),
    3: (400, {"error": "invalid_request", "error_description": "The grant type was not specified in the request"}),
    4: (400, {"error": "invalid_scope", "error_description": "The scope requested is invalid for this client"}),
    5: (401, {"error": "invalid_client", "error_description": "Client is not active"}),
    6: (400, {"error": "invalid_client", "error_description": "The client credentials are invalid"}),
    7: (401, {"error": "invalid_token", "error_description": "The access token provided is invalid"}),
    8: (
        401,
        {
            "error": "insufficient_scope",
            "error_description": "The request requires higher privileges than provided by the access token",
            "error_human_title": "Insufficient scope.",
        },
    ),
    9: (400, {"error": {"status": 400, "title": "Bad Request", "detail": "Invalid owner in token"}}),
    10: (
        400,
        {
            "error": "unauthorized_client",
            "error_description": "The grant type is unauthorized for this client_id",
            "error_human_title": "Unauthorized client.",
        },
    ),
    11: (
        400,
        {
            "error": "invalid_grant",
            "error_description": "Invalid refresh token",
            "error_human_title": "Provided authorization credentials are invalid or expired.",
        },
    ),
}

Send = Callable[..., httpx.Response]
MACHINE = {"client_id": "machine-app", "client_secret": "machine-secret"}
WEBSITE = {"client_id": "website-app", "client_secret": "website-secret"}
INACTIVE = {"client_id": "inactive-app", "client_secret": "inactive-secret"}


def number(answer: httpx.Response) -> int:
    """The documented error that the answer is, to the letter."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    found = [n for n, error in DOCUMENTED.items() if error == (answer.status_code, json.loads(answer.content))]
    assert len(found) == 1, f"{answer.status_code} {answer.text} is none of the eleven"
    return found[0]


def test_1_code_missing_or_empty(ask: Send) -> None:
    assert number(ask(grant_type="authorization_code")) == 1
    assert number(ask(grant_type="authorization_code", code="")) == 1


def test_2_code_unknown(ask: Send) -> None:
    assert number(ask(grant_type="authorization_code", code="0" * 40)) == 2


def test_2_code_used(ask: Send, authorize: Callable[..., str], call: Send) -> None:
    code = authorize()
    first = ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)
    assert number(ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)) == 2
    assert call("users/me", first.json()["access_token"]).status_code == 200, "the first tokens keep working"


def test_2_code_expires_after_600_seconds(ask: Send, authorize: Callable[..., str], sandbox: Sandbox) -> None:
    in_time, late = authorize(), authorize()
    sandbox.clock.move(599)
    assert ask(grant_type="authorization_code", code=in_time, redirect_uri=REDIRECT_URI).status_code == 200
    sandbox.clock.move(1)
    assert number(ask(grant_type="authorization_code", code=late, redirect_uri=REDIRECT_URI)) == 2


def test_2_code_of_another_client(ask: Send, authorize: Callable[..., str]) -> None:
    code = authorize()
    assert number(ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI, **WEBSITE)) == 2
    mine = ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)
    assert mine.status_code == 200, "another client's attempt spends nothing"


def test_2_code_revoked(ask: Send, authorize: Callable[..., str], sandbox: Sandbox) -> None:
    code = authorize()
    sandbox.revoke(Kind.CODE, sandbox.issued(Kind.CODE)[0].serial)
    assert number(ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)) == 2


@pytest.mark.parametrize("grant_type", [None, ""])
def test_3_grant_type_missing(ask: Send, grant_type: str | None) -> None:
    assert number(ask(grant_type=grant_type)) == 3


def test_3_also_with_an_empty_body_and_with_parameters_in_the_query(http: httpx.Client) -> None:
    path = "/api/open/oauth/token"
    assert number(http.post(path)) == 3
    query = {"grant_type": "client_credentials", "client_id": "demo-app", "client_secret": "demo-secret"}
    assert number(http.post(path, params=query)) == 3


def test_3_json_that_is_labelled_a_form(http: httpx.Client) -> None:
    body = json.dumps({"grant_type": "client_credentials"})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert number(http.post("/api/open/oauth/token", content=body, headers=form)) == 3


@pytest.mark.parametrize("scope", ["admin", "read admin", "read,write", "READ", "read+write"])
def test_4_scope_outside_the_clients(ask: Send, authorize: Callable[..., str], scope: str) -> None:
    assert number(ask(grant_type="client_credentials", scope=scope)) == 4
    code = authorize()
    request = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
    assert number(ask(**request, scope=scope)) == 4
    again = ask(**request)
    assert again.status_code == 200, "a refused scope spends no code"


def test_4_scope_the_client_may_have_no_longer(
    ask: Send, authorize: Callable[..., str], tokens: Callable[..., dict[str, Any]], sandbox: Sandbox
) -> None:
    refresh_token, code = tokens()["refresh_token"], authorize()
    sandbox.change_client("demo-app", scopes=["read", "v2"])
    assert number(ask(grant_type="client_credentials", scope="write")) == 4
    assert number(ask(grant_type="refresh_token", refresh_token=refresh_token)) == 4
    assert number(ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)) == 4


def test_4_refresh_asks_more_than_was_authorized(ask: Send, tokens: Callable[..., dict[str, Any]]) -> None:
    refresh_token = tokens(scope="read v2")["refresh_token"]
    assert number(ask(grant_type="refresh_token", refresh_token=refresh_token, scope="read write v2")) == 4
    assert ask(grant_type="refresh_token", refresh_token=refresh_token).status_code == 200, "nothing was spent"


def test_4_nothing_of_what_is_asked_was_authorized(ask: Send, authorize: Callable[..., str]) -> None:
    code = authorize(scope="read")
    assert number(ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI, scope="v2")) == 4


def test_5_client_not_active(ask: Send, sandbox: Sandbox) -> None:
    answer = ask(grant_type="client_credentials", **INACTIVE)
    assert number(answer) == 5
    assert answer.headers["www-authenticate"].startswith("Basic ")
    sandbox.change_client("demo-app", active=False)
    assert number(ask(grant_type="client_credentials")) == 5
    sandbox.change_client("demo-app", active=True)
    assert ask(grant_type="client_credentials").status_code == 200


@pytest.mark.parametrize(
    "credentials",
    [
        {"client_id": "nobody"},
        {"client_secret": "wrong"},
        {"client_secret": "demo-secret "},
        {"client_secret": "päßwort"},
        {"client_id": None},
        {"client_secret": None},
        {"client_id": None, "client_secret": None},
        {"client_id": "demo-secret", "client_secret": "demo-app"},
    ],
)
def test_6_credentials_wrong_or_missing(ask: Send, credentials: dict[str, str | None]) -> None:
    assert number(ask(grant_type="client_credentials", **credentials)) == 6


@pytest.mark.parametrize("header", ["Basic", "Basic ???", "Basic w7Y=", "Basic /w==", "Basic ZGVtby1hcHA=", "Basic ä"])
def test_6_basic_that_cannot_be_read(http: httpx.Client, header: str) -> None:
    answer = http.post(
        "/api/open/oauth/token",
        json={"grant_type": "client_credentials"},
        headers=[(b"Authorization", header.encode("latin-1"))],
    )
    assert number(answer) == 6


def test_7_token_unknown(call: Send) -> None:
    answer = call("users/me", "0" * 40)
    assert number(answer) == 7
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="sandbox", error="invalid_token", error_description="The access token provided is invalid"'
    )
    assert number(call("cities", "0" * 40)) == 7


def test_7_token_expires_after_86400_seconds(
    call: Send, tokens: Callable[..., dict[str, Any]], sandbox: Sandbox
) -> None:
    token = tokens()["access_token"]
    sandbox.clock.move(86_399)
    assert call("users/me", token).status_code == 200
    sandbox.clock.move(1)
    assert number(call("users/me", token)) == 7


def test_7_other_things_in_the_tokens_place(call: Send, tokens: Callable[..., dict[str, Any]]) -> None:
    given = tokens()
    assert number(call("users/me", given["refresh_token"])) == 7
    assert number(call("users/me", f"Bearer {given['access_token']}")) == 7
    assert number(call("users/me", None, Authorization=given["access_token"])) == 7
    assert number(call("users/me", None, Authorization=f"Token {given['access_token']}")) == 7


def test_7_token_revoked(call: Send, tokens: Callable[..., dict[str, Any]], sandbox: Sandbox) -> None:
    token = tokens()["access_token"]
    sandbox.revoke(Kind.ACCESS_TOKEN, sandbox.issued(Kind.ACCESS_TOKEN)[0].serial)
    assert number(call("users/me", token)) == 7


@pytest.mark.parametrize("scope", ["read write", "write v2"])
def test_8_token_without_a_needed_scope(call: Send, tokens: Callable[..., dict[str, Any]], scope: str) -> None:
    answer = call("users/me", tokens(scope=scope)["access_token"])
    assert number(answer) == 8
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="sandbox", error="insufficient_scope", error_description="The request requires higher '
        'privileges than provided by the access token", scope="read v2"'
    )


def test_9_applications_token_on_a_users_endpoint(call: Send, ask: Send) -> None:
    token = ask(grant_type="client_credentials").json()["access_token"]
    answer = call("users/me", token)
    assert number(answer) == 9
    assert answer.headers["www-authenticate"].startswith('Bearer realm="sandbox", error="invalid_request"')
    assert call("cities", token).status_code == 200


def test_10_grant_not_allowed(
    ask: Send, tokens: Callable[..., dict[str, Any]], authorize: Callable[..., str], sandbox: Sandbox
) -> None:
    assert number(ask(grant_type="client_credentials", **WEBSITE)) == 10
    refresh_token, code = tokens()["refresh_token"], authorize()
    sandbox.change_client("demo-app", grants=["client_credentials"])
    assert number(ask(grant_type="refresh_token", refresh_token=refresh_token)) == 10
    assert number(ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)) == 10


def test_11_refresh_token_unknown_or_of_another_kind(ask: Send, tokens: Callable[..., dict[str, Any]]) -> None:
    assert number(ask(grant_type="refresh_token", refresh_token="0" * 40)) == 11
    assert number(ask(grant_type="refresh_token", refresh_token=tokens()["access_token"])) == 11


def test_11_refresh_token_replaced(ask: Send, tokens: Callable[..., dict[str, Any]]) -> None:
    old = tokens()["refresh_token"]
    new = ask(grant_type="refresh_token", refresh_token=old).json()["refresh_token"]
    assert new != old
    assert number(ask(grant_type="refresh_token", refresh_token=old)) == 11
    assert ask(grant_type="refresh_token", refresh_token=new).status_code == 200


def test_11_refresh_token_expires_after_2592000_seconds(
    ask: Send, tokens: Callable[..., dict[str, Any]], sandbox: Sandbox
) -> None:
    first, second = tokens()["refresh_token"], tokens()["refresh_token"]
    sandbox.clock.move(2_591_999)
    assert ask(grant_type="refresh_token", refresh_token=first).status_code == 200
    sandbox.clock.move(1)
    assert number(ask(grant_type="refresh_token", refresh_token=second)) == 11


def test_11_refresh_token_revoked_or_of_another_client(
    ask: Send, tokens: Callable[..., dict[str, Any]], sandbox: Sandbox
) -> None:
    token = tokens()["refresh_token"]
    assert number(ask(grant_type="refresh_token", refresh_token=token, **WEBSITE)) == 11
    sandbox.revoke(Kind.REFRESH_TOKEN, sandbox.issued(Kind.REFRESH_TOKEN)[0].serial)
    assert number(ask(grant_type="refresh_token", refresh_token=token)) == 11


@pytest.mark.parametrize(
    ("expected", "parameters"),
    [
        (3, {"client_id": "nobody"}),
        (3, {**INACTIVE}),
        (6, {"grant_type": "authorization_code", "client_id": "inactive-app"}),
        (6, {"grant_type": "authorization_code", "client_secret": "wrong"}),
        (5, {"grant_type": "authorization_code", **INACTIVE}),
        (5, {"grant_type": "client_credentials", "scope": "admin", **INACTIVE}),
        (1, {"grant_type": "authorization_code", "scope": "admin", **MACHINE}),
        (2, {"grant_type": "authorization_code", "code": "x", "scope": "admin", **MACHINE}),
        (11, {"grant_type": "refresh_token", "refresh_token": "x", "scope": "admin", **MACHINE}),
        (10, {"grant_type": "client_credentials", "scope": "admin", **WEBSITE}),
    ],
)
def test_the_earlier_check_wins(ask: Send, expected: int, parameters: dict[str, str]) -> None:
    assert number(ask(**parameters)) == expected


def test_code_and_refresh_token_are_checked_before_the_grant_is(
    ask: Send, tokens: Callable[..., dict[str, Any]], sandbox: Sandbox
) -> None:
    refresh_token = tokens()["refresh_token"]
    sandbox.change_client("demo-app", grants=[])
    assert number(ask(grant_type="refresh_token", refresh_token=refresh_token, scope="admin")) == 10
    assert number(ask(grant_type="refresh_token", refresh_token="x")) == 11


def test_resources_check_token_then_scope_then_headers_then_owner(call: Send, ask: Send) -> None:
    narrow = ask(grant_type="client_credentials", scope="read").json()["access_token"]
    wide = ask(grant_type="client_credentials").json()["access_token"]
    assert number(call("users/me", "x", Version=None)) == 7
    assert number(call("users/me", narrow, Version=None)) == 8
    both = call("users/me", wide, Version=None, Content_Type="application/json").json()
    assert both["data"]["error"]["detail"] == "Missing required 'Version' header!"
    assert "Content-Type" in call("users/me", wide, Content_Type="application/json").json()["error"]["detail"]
    assert number(call("users/me", wide)) == 9
