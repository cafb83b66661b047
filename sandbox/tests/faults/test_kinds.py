"""Each fault over real HTTP, asked for by the control."""

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from oauth_sandbox.control_client import Control, SteeringError
from oauth_sandbox.faults.broken_bodies import WrongIdToken
from oauth_sandbox.faults.kinds import KINDS, fault_from, fault_from_header, field_schemas, fields_of
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.validation import InvalidInput

Send = Callable[..., httpx.Response]
REDIRECT_URI = "http://localhost:8501/callback"


def test_default_flaw_is_described() -> None:
    description = str(field_schemas("wrong-id-token")["flaw"]["description"])
    assert f"by default {WrongIdToken().flaw}" in description
    assert "wrong-subject" in description


@pytest.mark.parametrize("number", range(1, 12))
def test_each_documented_error_at_each_endpoint(control: Control, ask: Send, call: Send, number: int) -> None:
    control.fault("documented", number=number, times=2)
    asked, called = ask(grant_type="client_credentials"), call("cities", "x")
    assert (asked.status_code, asked.content) == (called.status_code, called.content)
    assert asked.headers["content-type"] == "application/json"
    documented = control.requests()[0]
    assert documented["fault"] == "documented"
    assert ask(grant_type="client_credentials").status_code == 200


def test_a_registered_error(control: Control, ask: Send) -> None:
    control.fault("error", error="temporarily_unavailable", error_description="Maintenance", status=503)
    answer = ask(grant_type="client_credentials")
    assert answer.status_code == 503
    assert answer.json() == {"error": "temporarily_unavailable", "error_description": "Maintenance"}
    control.fault("error", error="invalid_token", status=401)
    assert 'error="invalid_token"' in ask(grant_type="client_credentials").headers["www-authenticate"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"name": "error", "error": "server_error"}, "server_error"),
        ({"name": "documented", "number": 4}, "invalid_scope"),
    ],
)
def test_at_the_authorization_endpoint_an_error_is_a_redirect(
    control: Control, http: httpx.Client, fault: dict[str, Any], error: str
) -> None:
    query = {"client_id": "demo-app", "response_type": "code", "redirect_uri": REDIRECT_URI, "state": "s" * 20}
    control.fault(**fault)
    answer = http.get("/oauth/authorize/", params=query)
    assert answer.status_code == 302
    parameters = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (parameters["error"], parameters["state"]) == ([error], ["s" * 20])
    control.fault(**fault)
    assert http.get("/oauth/authorize/", params={**query, "client_id": "nobody"}).status_code == 400
    control.fault(**fault)
    assert f"error={error}" in control.approve(str(http.build_request("GET", "/", params=query).url))


def test_too_many_requests(control: Control, ask: Send) -> None:
    control.fault("too-many-requests", retry_after=7)
    answer = ask(grant_type="client_credentials")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_the_request_limit(control: Control, ask: Send) -> None:
    control.fault("request-limit")
    answer = ask(grant_type="client_credentials")
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")
    assert re.search(r"Request ID: [\w-]{20,}", answer.text)


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504])
def test_a_server_error(control: Control, ask: Send, status: int) -> None:
    control.fault("server-error", status=status)
    answer = ask(grant_type="client_credentials")
    assert answer.status_code == status
    assert answer.json()["error"]["status"] == status


def test_an_html_page(control: Control, ask: Send) -> None:
    control.fault("html-page", status=200)
    answer = ask(grant_type="client_credentials")
    assert answer.status_code == 200
    assert answer.text.startswith("<!doctype html>")


def test_an_empty_body(control: Control, ask: Send) -> None:
    control.fault("empty-body")
    answer = ask(grant_type="client_credentials")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_wrong_content_type(control: Control, ask: Send) -> None:
    control.fault("wrong-content-type")
    answer = ask(grant_type="client_credentials")
    assert answer.headers["content-type"] == "text/html"
    assert answer.json()["token_type"] == "bearer"


def test_latency(control: Control, ask: Send) -> None:
    control.fault("latency", seconds=0.3)
    begun = time.perf_counter()
    assert ask(grant_type="client_credentials").status_code == 200
    assert time.perf_counter() - begun >= 0.29


def test_a_slow_drip(control: Control, http: httpx.Client) -> None:
    control.fault("slow-drip", seconds=0.3)
    body = {"grant_type": "client_credentials", "client_id": "demo-app", "client_secret": "demo-secret"}
    begun = time.perf_counter()
    with http.stream("POST", "/api/open/oauth/token", json=body) as answer:
        headers_after = time.perf_counter() - begun
        chunks = list(answer.iter_raw())
    assert time.perf_counter() - begun >= 0.29
    assert headers_after < time.perf_counter() - begun - 0.1
    assert len(chunks) > 10
    assert b"".join(chunks).startswith(b'{"access_token"')


def test_a_cut_off_body(control: Control, raw: Callable[[], bytes], ask: Send) -> None:
    control.fault("cut-off-body", times=2)
    head, _, body = raw().partition(b"\r\n\r\n")
    announced = re.search(rb"content-length: (\d+)", head.lower())
    assert announced is not None
    assert 0 < len(body) < int(announced[1])
    assert head.startswith(b"HTTP/1.1 200 ")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        ask(grant_type="client_credentials")


def test_a_connection_reset(control: Control, raw: Callable[[], bytes], ask: Send) -> None:
    control.fault("connection-reset", times=2)
    with pytest.raises(ConnectionResetError):
        raw()
    with pytest.raises(httpx.ReadError):
        ask(grant_type="client_credentials")
    assert raw().startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("kind", ["cut-off-body", "connection-reset"])
def test_connection_faults_are_not_logged_as_server_errors(
    control: Control, raw: Callable[[], bytes], caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    control.fault(kind)
    try:
        raw()
    except ConnectionResetError:
        assert kind == "connection-reset"
    raw()
    assert caplog.records == []


@pytest.mark.parametrize("kind", ["empty-body", "cut-off-body", "connection-reset"])
def test_broken_response_has_spent_the_code(
    control: Control, ask: Send, authorize: Callable[..., str], kind: str
) -> None:
    code = authorize()
    control.fault(kind, endpoint="token")
    try:
        ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)
    except httpx.TransportError:
        assert kind != "empty-body"
    again = ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)
    assert again.json()["error"] == "invalid_grant"


def test_replaced_response_spends_nothing(control: Control, ask: Send, authorize: Callable[..., str]) -> None:
    code = authorize()
    control.fault("server-error", endpoint="token")
    ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)
    assert ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI).status_code == 200


def test_response_echoes_the_secret(control: Control, http: httpx.Client, ask: Send, call: Send) -> None:
    control.fault("echo-secret", times=3)
    assert "demo-secret" in ask(grant_type="client_credentials").json()["error_description"]
    assert "token-canary" in call("users/me", "token-canary").text
    answer = http.post("/api/open/oauth/token", auth=("demo-app", "basic-canary"))
    assert "basic-canary" in answer.json()["error_description"]


def test_a_fault_by_request_header_when_enabled(
    control: Control, http: httpx.Client, call: Send, sandbox: Sandbox
) -> None:
    def ask(header: str) -> httpx.Response:
        body = {"grant_type": "client_credentials", "client_id": "demo-app", "client_secret": "demo-secret"}
        return http.post("/api/open/oauth/token", json=body, headers={"X-Sandbox-Fault": header})

    assert ask("server-error").status_code == 200, "off at first"
    control.settings(fault_header=True)
    assert ask("server-error").status_code == 503
    assert ask("server-error; status=500").status_code == 500
    answer = ask('error; error=invalid_grant; error_description="Some text; with a semicolon"; status=418')
    assert answer.status_code == 418
    assert answer.json()["error_description"] == "Some text; with a semicolon"
    assert ask("latency;seconds=0.01").status_code == 200
    for wrong in ("", "no-such-fault", "latency; seconds", "latency; seconds=soon", "latency; second=1"):
        answer = ask(wrong)
        assert answer.status_code == 400
        assert answer.json()["error"]["detail"]


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"fault": "no-such"}, 'fault: Invalid value "no-such". Allowed: documented, error'),
        ({"fault": "documented"}, "missing required field `number`"),
        ({"fault": "documented", "number": 12}, "number: Expected `integer` <= 11"),
        ({"fault": "latency", "second": 1}, "unknown field `second`"),
        ({"fault": "latency", "times": 0}, "times: Expected `integer` >= 1"),
        ({"fault": "latency", "share": 2}, "share: Expected `number` <= 1.0"),
        (
            {"fault": "latency", "endpoint": "tokens"},
            'endpoint: Invalid enum value "tokens". Allowed: activate, adverts, ',
        ),
    ],
)
def test_invalid_fault_is_refused(control: Control, body: dict[str, Any], part: str) -> None:
    with pytest.raises(SteeringError, match="400") as caught:
        control.request("POST", "faults", body)
    assert part in str(caught.value)


def test_every_kind_is_described_and_made_from_its_fields() -> None:
    fields: dict[str, dict[str, Any]] = {"documented": {"number": 2}, "error": {"error": "slow_down"}}
    for name, kind in KINDS.items():
        fault = fault_from(name, fields.get(name, {}))
        assert set(fields_of(fault)) == set(field_schemas(name))
        assert kind.__doc__
        assert fault_from(name, fields_of(fault)) == fault
    assert fault_from_header("documented; number=2") == fault_from("documented", {"number": 2})
    with pytest.raises(InvalidInput):
        fault_from("no-such", {})


@pytest.mark.parametrize(
    ("malformation", "broken"),
    [
        ("no-access-token", lambda members: "access_token" not in members),
        ("no-token-type", lambda members: "token_type" not in members),
        ("expires-in-negative", lambda members: members["expires_in"] == -1),
        ("expires-in-text", lambda members: members["expires_in"] == "86400"),
        ("expires-in-twice", lambda members: members["expires_in"] == 1),
        ("scope-list", lambda members: members["scope"] == ["read", "write", "v2"]),
    ],
)
def test_a_malformed_token_response_has_one_fault(
    control: Control, ask: Send, malformation: str, broken: Callable[[dict[str, Any]], bool]
) -> None:
    control.fault("malformed-token", malformation=malformation)
    answer = ask(grant_type="client_credentials")
    assert (answer.status_code, answer.text.count('"expires_in"')) == (200, 1 + (malformation == "expires-in-twice"))
    assert broken(answer.json())
    assert len(answer.json().keys() ^ ask(grant_type="client_credentials").json().keys()) == malformation.startswith(
        "no-"
    )


def test_a_malformed_token_fault_leaves_refusals_alone(control: Control, ask: Send) -> None:
    control.fault("malformed-token", malformation="no-access-token", times=None)
    assert ask(grant_type="client_credentials", client_secret="wrong").json()["error"] == "invalid_client"
