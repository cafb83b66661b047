"""Consent: the page, the decision, and what is refused with and without a redirect."""

from collections.abc import Callable
from html import escape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from oauth_sandbox.configuration import ready_made
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.store import Kind

AUTHORIZE = "/oauth/authorize/"
REDIRECT_URI = "http://localhost:8501/callback"
QUERY = {"client_id": "demo-app", "response_type": "code", "redirect_uri": REDIRECT_URI, "state": "s-1"}


def redirected(answer: httpx.Response) -> dict[str, str]:
    """What the redirect carries to the client."""
    assert answer.status_code == 302, answer.text
    assert answer.headers["cache-control"] == "no-store"
    parts = urlsplit(answer.headers["location"])
    return {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}


def refused(answer: httpx.Response, text: str) -> None:
    """An error page that says the text, and no redirect."""
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert answer.headers["content-type"].startswith("text/html")
    assert escape(text) in answer.text
    assert "What to do" in answer.text


@pytest.mark.parametrize("path", [AUTHORIZE, "/oauth/authorize"])
def test_page_names_the_client_and_the_scopes(http: httpx.Client, path: str) -> None:
    page = http.get(path, params=QUERY | {"scope": "read v2"})
    assert page.status_code == 200
    for text in ("Demo app", "demo-app", "See your profile", "Use version 2", "Approve", "Deny", REDIRECT_URI):
        assert text in page.text
    assert "Create and change" not in page.text
    assert http.post(path, params=QUERY, data={"decision": "approve"}).status_code == 302


def test_the_page_is_guarded(http: httpx.Client) -> None:
    for page in (http.get(AUTHORIZE, params=QUERY), http.get(AUTHORIZE)):
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"
        assert "<script" not in page.text
        assert "src=" not in page.text


def test_visiting_the_page_issues_nothing(http: httpx.Client, sandbox: Sandbox) -> None:
    http.get(AUTHORIZE, params=QUERY)
    assert sandbox.issued(Kind.CODE) == ()


def test_approve(http: httpx.Client, sandbox: Sandbox) -> None:
    answer = http.post(AUTHORIZE, params=QUERY, data={"decision": "approve"})
    members = redirected(answer)
    assert set(members) == {"code", "state"}
    assert members["state"] == "s-1"
    assert answer.headers["location"].startswith(REDIRECT_URI + "?")
    assert [(code.client_id, code.state.value) for code in sandbox.issued(Kind.CODE)] == [("demo-app", "live")]


def test_deny(http: httpx.Client, sandbox: Sandbox) -> None:
    members = redirected(http.post(AUTHORIZE, params=QUERY, data={"decision": "deny"}))
    assert members["error"] == "access_denied"
    assert members["state"] == "s-1"
    assert sandbox.issued(Kind.CODE) == ()


@pytest.mark.parametrize("decision", [{}, {"decision": ""}, {"decision": "perhaps"}])
def test_no_decision(http: httpx.Client, sandbox: Sandbox, decision: dict[str, str]) -> None:
    refused(http.post(AUTHORIZE, params=QUERY, data=decision), "neither approve nor deny")
    assert sandbox.issued(Kind.CODE) == ()


def test_missing_state_is_not_returned(http: httpx.Client) -> None:
    query = {name: value for name, value in QUERY.items() if name != "state"}
    assert set(redirected(http.post(AUTHORIZE, params=query, data={"decision": "approve"}))) == {"code"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=st.text(min_size=1, max_size=50).filter(lambda text: "\x00" not in text))
def test_state_is_returned_unchanged(http: httpx.Client, state: str) -> None:
    members = redirected(http.post(AUTHORIZE, params=QUERY | {"state": state}, data={"decision": "approve"}))
    assert members["state"] == state


def test_state_that_is_not_utf8_comes_back_byte_for_byte(http: httpx.Client) -> None:
    address = f"{AUTHORIZE}?client_id=demo-app&response_type=code&redirect_uri={REDIRECT_URI}&state=%FF%00a"
    location = http.post(address, data={"decision": "approve"}).headers["location"]
    assert location.endswith("&state=%FF%00a")


@pytest.mark.parametrize(
    ("redirect_uri", "start"),
    [
        ("http://localhost:1/cb?tenant=a%20b", "http://localhost:1/cb?tenant=a%20b&code="),
        ("http://localhost:1/cb?", "http://localhost:1/cb?code="),
        ("http://127.0.0.1", "http://127.0.0.1?code="),
        ("http://[::1]:65000/a/b", "http://[::1]:65000/a/b?code="),
        ("http://LOCALHOST:1234/", "http://LOCALHOST:1234/?code="),
    ],
)
def test_any_loopback_redirect_uri_is_accepted(http: httpx.Client, redirect_uri: str, start: str) -> None:
    answer = http.post(AUTHORIZE, params=QUERY | {"redirect_uri": redirect_uri}, data={"decision": "approve"})
    assert answer.headers["location"].startswith(start)


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://example.com/callback",
        "https://localhost:8501/callback",
        "http://localhost.example.com/",
        "http://127.0.0.1.example.com/",
        "http://localhost@example.com/",
        "http://example.com@localhost/",
        "http://example.com\\@localhost/",
        "http://localhost\\.example.com/",
        "http://localhost/#fragment",
        "http://localhost/a b",
        "http://localhost/\r\nSet-Cookie: a=b",
        "http://localhost:99999999/",
        "http://10.0.0.1/",
        "javascript:alert(1)",
        "//localhost/",
        "localhost",
        "\udcff",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_bad_redirect_uri_is_never_redirected_to(http: httpx.Client, redirect_uri: str, method: str) -> None:
    raw = redirect_uri.encode(errors="surrogateescape")
    address = f"{AUTHORIZE}?client_id=demo-app&response_type=code&redirect_uri=" + "".join(f"%{b:02X}" for b in raw)
    data = {"decision": "approve"} if method == "POST" else None
    refused(http.request(method, address, data=data), "The redirect_uri is not registered")


@pytest.mark.parametrize("client_id", [None, "", "nobody", "DEMO-APP", "demo-app "])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_bad_client_is_never_redirected(http: httpx.Client, client_id: str | None, method: str) -> None:
    query = {name: value for name, value in (QUERY | {"client_id": client_id}).items() if value is not None}
    data = {"decision": "approve"} if method == "POST" else None
    refused(http.request(method, AUTHORIZE, params=query, data=data), "client_id")


def test_an_inactive_client_is_never_redirected(http: httpx.Client, sandbox: Sandbox) -> None:
    refused(http.get(AUTHORIZE, params=QUERY | {"client_id": "inactive-app"}), "Client is not active")
    sandbox.change_client("demo-app", active=False)
    refused(http.post(AUTHORIZE, params=QUERY, data={"decision": "approve"}), "Client is not active")


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_client_or_redirect_uri_sent_twice_is_never_redirected(http: httpx.Client, name: str) -> None:
    refused(http.get(AUTHORIZE, params=[*QUERY.items(), (name, QUERY[name])]), "is repeated")


def test_redirect_uri_left_out_where_several_are_registered(
    http: httpx.Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = replace(sandbox.client("demo-app"), redirect_uris=("https://a.example/", "https://b.example/"))
    monkeypatch.setitem(sandbox._clients, "demo-app", several)
    query = {name: value for name, value in QUERY.items() if name != "redirect_uri"}
    refused(http.get(AUTHORIZE, params=query), "The redirect_uri is missing")
    registered = http.post(
        AUTHORIZE, params=QUERY | {"redirect_uri": "https://b.example/"}, data={"decision": "approve"}
    )
    assert registered.headers["location"].startswith("https://b.example/?code=")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": ""}, "invalid_request"),
        ({"client_id": "machine-app"}, "unauthorized_client"),
        ({"scope": "read admin"}, "invalid_scope"),
        ({"scope": "read,write"}, "invalid_scope"),
        ({"client_id": "machine-app", "response_type": "token", "scope": "admin"}, "unsupported_response_type"),
        ({"client_id": "machine-app", "scope": "admin"}, "unauthorized_client"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_errors_are_redirected_to_the_client(
    http: httpx.Client, sandbox: Sandbox, change: dict[str, str], error: str, method: str
) -> None:
    data = {"decision": "approve"} if method == "POST" else None
    members = redirected(http.request(method, AUTHORIZE, params=QUERY | change, data=data))
    assert members["error"] == error
    assert members["error_description"]
    assert members["state"] == "s-1"
    assert sandbox.issued(Kind.CODE) == ()


def test_repeated_parameter_is_redirected_to_the_client(http: httpx.Client) -> None:
    members = redirected(http.get(AUTHORIZE, params=[*QUERY.items(), ("scope", "read"), ("scope", "read")]))
    assert (members["error"], members["state"]) == ("invalid_request", "s-1")
    twice = redirected(http.get(AUTHORIZE, params=[*QUERY.items(), ("state", "s-2")]))
    assert twice["error"] == "invalid_request"
    assert "state" not in twice


XSS = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "decision"])
def test_text_from_outside_is_escaped(http: httpx.Client, name: str) -> None:
    if name == "decision":
        page = http.post(AUTHORIZE, params=QUERY, data={"decision": XSS})
    else:
        page = http.get(AUTHORIZE, params=QUERY | {name: XSS})
    refused(page, XSS)
    assert "<script" not in page.text
    assert "<img" not in page.text


def test_state_and_extra_parameters_are_not_on_the_page(http: httpx.Client) -> None:
    page = http.get(
        AUTHORIZE, params=QUERY | {"state": XSS, "extra": XSS, "redirect_uri": "http://localhost/?a='b&c=d"}
    )
    assert page.status_code == 200
    assert "alert" not in page.text
    assert escape("http://localhost/?a='b&c=d") in page.text


def test_scope_with_markup_goes_back_encoded(http: httpx.Client) -> None:
    answer = http.get(AUTHORIZE, params=QUERY | {"scope": XSS})
    assert redirected(answer)["error"] == "invalid_scope"
    assert "<" not in answer.headers["location"]


def test_a_client_name_with_markup_is_escaped(
    http: httpx.Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sandbox._clients, "demo-app", replace(sandbox.client("demo-app"), name=XSS))
    page = http.get(AUTHORIZE, params=QUERY)
    assert page.status_code == 200
    assert escape(XSS) in page.text
    assert "<script" not in page.text


def test_every_ready_made_client_has_the_consoles_callback() -> None:
    assert all(client.may_redirect_to(REDIRECT_URI) for client in ready_made().clients.values())


def test_the_code_is_bound_to_the_scope_approved(authorize: Callable[..., str], sandbox: Sandbox) -> None:
    authorize(scope="read")
    assert sandbox.issued(Kind.CODE)[0].scope == ("read",)


def test_words_of_the_last_refusals_are_kept_with_their_query_until_a_reset(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    for number in range(150):
        http.get(AUTHORIZE, params={"client_id": f"unknown-{number}"})
    assert http.get(AUTHORIZE, params=QUERY).status_code == 200
    query, words = sandbox.refused[-1]
    assert query == "client_id=unknown-149"
    assert words.startswith("The client_id is unknown.")
    assert len(sandbox.refused) == 100
    sandbox.reset()
    assert not sandbox.refused
