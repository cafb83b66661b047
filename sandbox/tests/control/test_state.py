"""Control of the clock, clients, codes and tokens, consent, settings and the whole state, over HTTP."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from oauth_sandbox.control_client import Control, SteeringError
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.testing import SteeredSandbox

Send = Callable[..., httpx.Response]
REDIRECT_URI = "http://localhost:8501/callback"


def authorization(url: str = "http://anywhere", **parameters: str) -> str:
    query = {
        "client_id": "demo-app",
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "read write v2",
        "state": "b1946ac92492d2347c6235b4d2611184",
        **parameters,
    }
    return f"{url}/oauth/authorize/?{urlencode(query)}"


def test_client_of_its_own_grant_alone_gets_no_token_of_a_user(control: Control) -> None:
    tokens = "access-tokens"
    assert control.request("POST", tokens, {"client_id": "machine-app"})["user_id"] is None
    for path, fields in (
        (tokens, {"user_id": 402215}),
        ("refresh-tokens", {}),
        ("codes", {"redirect_uri": "http://a"}),
    ):
        with pytest.raises(
            SteeringError, match=r'409 .*The client "machine-app" has only the grant client_credentials'
        ):
            control.request("POST", path, {"client_id": "machine-app", **fields})


def test_the_clock(steered_sandbox: SteeredSandbox, ask: Send) -> None:
    clock = steered_sandbox.clock
    start = clock.now()
    clock.move(timedelta(minutes=5))
    clock.move(-60)
    assert (clock.now() - start).total_seconds() == 240
    clock.set(start + timedelta(days=1))
    assert clock.now() == start + timedelta(days=1)
    clock.reset()
    assert clock.now() == start


@pytest.mark.parametrize("body", [{"now": "2026-11-23"}, {"now": "2026-11-23T10:00:00"}, {"now": "soon"}])
def test_invalid_time_is_refused(control: Control, body: dict[str, str]) -> None:
    with pytest.raises(SteeringError, match=r"400 .*now: .* with a time zone, such as"):
        control.request("PUT", "clock", body)


def test_the_clock_stays_within_a_hundred_years(control: Control) -> None:
    with pytest.raises(SteeringError, match=r"409 .*100 years"):
        control.request("PUT", "clock", {"now": "2300-01-01T00:00:00Z"})
    control.request("POST", "clock/move", {"seconds": 3_155_760_000})
    with pytest.raises(SteeringError, match=r"409 .*100 years"):
        control.request("POST", "clock/move", {"seconds": 1})


def test_a_client_is_added_changed_deactivated_and_removed(steered_sandbox: SteeredSandbox, ask: Send) -> None:
    clients = steered_sandbox.clients
    mine = {"client_id": "mine", "client_secret": "first"}
    clients.add("mine", "first", scopes=["read"], grants=["client_credentials"])
    assert ask(grant_type="client_credentials", **mine).json()["scope"] == "read"
    clients.change("mine", secret="second", scopes=["read", "v2"], redirect_uris=["https://app.example/back"])
    assert ask(grant_type="client_credentials", **mine).json()["error_description"].startswith("The client credent")
    mine["client_secret"] = "second"
    assert ask(grant_type="client_credentials", **mine).json()["scope"] == "read v2"
    clients.change("mine", active=False)
    assert ask(grant_type="client_credentials", **mine).json()["error_description"] == "Client is not active"
    assert clients["mine"]["redirect_uris"] == ["https://app.example/back"]
    clients.remove("mine")
    assert [client["client_id"] for client in clients.all()] == [
        "demo-app",
        "inactive-app",
        "machine-app",
        "website-app",
    ]
    with pytest.raises(KeyError):
        clients["mine"]


def test_tokens_of_a_removed_client_are_invalid(
    steered_sandbox: SteeredSandbox, tokens: Callable[..., dict[str, Any]], call: Send
) -> None:
    token = tokens()["access_token"]
    steered_sandbox.clients.remove("demo-app")
    assert call("users/me", token).status_code == 401


def test_invalid_clients_are_refused(control: Control) -> None:
    with pytest.raises(SteeringError, match=r"409 .*already"):
        control.request("POST", "clients", {"client_id": "demo-app", "secret": "s"})
    with pytest.raises(SteeringError, match=r'409 .*Unknown scope "admin"'):
        control.request("PATCH", "clients/demo-app", {"scopes": ["admin"]})
    with pytest.raises(SteeringError, match=r'400 .*grants.0: Invalid enum value "password".*Allowed: auth'):
        control.request("PATCH", "clients/demo-app", {"grants": ["password"]})
    with pytest.raises(SteeringError, match=r"404 .*nobody"):
        control.request("GET", "clients/nobody")


def test_codes_and_tokens_are_issued_and_revoked(control: Control, ask: Send, call: Send) -> None:
    code = control.request("POST", "codes", {"client_id": "demo-app", "redirect_uri": REDIRECT_URI, "scope": "read v2"})
    answer = ask(grant_type="authorization_code", code=code["secret"], redirect_uri=REDIRECT_URI)
    assert answer.json()["scope"] == "read v2"
    assert control.request("GET", f"codes/{code['serial']}")["state"] == "used"

    user = control.request("POST", "access-tokens", {"client_id": "demo-app"})
    application = control.request("POST", "access-tokens", {"client_id": "demo-app", "user_id": None})
    assert call("users/me", user["secret"]).status_code == 200
    assert call("users/me", application["secret"]).status_code == 400
    shown = control.request("GET", "access-tokens", limit=2)
    assert [token["serial"] for token in shown] == [application["serial"], user["serial"]]
    assert user["secret"] not in str(shown)
    assert control.request("POST", f"access-tokens/{user['serial']}/revoke", {})["state"] == "revoked"
    assert call("users/me", user["secret"]).status_code == 401

    refresh = control.request("POST", "refresh-tokens", {"client_id": "website-app"})
    assert control.request("GET", "refresh-tokens", client_id="demo-app")[0]["client_id"] == "demo-app"
    control.request("POST", f"refresh-tokens/{refresh['serial']}/revoke", {})
    website = {"client_id": "website-app", "client_secret": "website-secret"}
    answer = ask(grant_type="refresh_token", refresh_token=refresh["secret"], **website)
    assert answer.json()["error_description"] == "Invalid refresh token"


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"client_id": "nobody"}, 'no client "nobody"'),
        ({"client_id": "demo-app", "user_id": 7}, "no user 7"),
        ({"client_id": "demo-app", "scope": "admin"}, 'Unknown scope "admin"'),
    ],
)
def test_invalid_tokens_are_not_issued(control: Control, body: dict[str, Any], part: str) -> None:
    with pytest.raises(SteeringError, match=rf"409 .*{part}"):
        control.request("POST", "access-tokens", body)


def test_consent_without_a_browser(control: Control, ask: Send) -> None:
    location = control.approve(authorization())
    query = parse_qs(urlsplit(location).query)
    assert location.startswith(f"{REDIRECT_URI}?code=")
    assert query["state"] == ["b1946ac92492d2347c6235b4d2611184"]
    answer = ask(grant_type="authorization_code", code=query["code"][0], redirect_uri=REDIRECT_URI)
    assert answer.status_code == 200
    denied = control.deny(authorization())
    assert parse_qs(urlsplit(denied).query)["error"] == ["access_denied"]


def test_consent_with_parameters(control: Control) -> None:
    parameters = {"client_id": "demo-app", "response_type": "token", "redirect_uri": REDIRECT_URI}
    answer = control.request("POST", "consent", {"parameters": parameters, "decision": "approve"})
    assert answer["parameters"]["error"] == "unsupported_response_type"


def test_consent_that_leads_to_an_error_page_is_a_conflict(control: Control) -> None:
    with pytest.raises(SteeringError, match=r"409 .*not registered"):
        control.approve(authorization(redirect_uri="https://elsewhere.example/"))
    with pytest.raises(SteeringError, match=r"409 .*no user 7"):
        control.approve(authorization(), user_id=7)
    with pytest.raises(SteeringError, match=r"400 .*Give url, or parameters"):
        control.request("POST", "consent", {"decision": "approve"})


def test_settings_and_users(control: Control, tokens: Callable[..., dict[str, Any]]) -> None:
    assert control.settings()["lifetimes"] == {"code": 600, "access_token": 86_400, "refresh_token": 2_592_000}
    control.settings(lifetimes={"access_token": 60})
    assert tokens()["expires_in"] == 60
    assert control.settings()["lifetimes"]["code"] == 600
    assert control.request("GET", "users")[0]["name"] == "Demo user"


def test_refresh_tokens_can_be_replaced_daily(
    steered_sandbox: SteeredSandbox, tokens: Callable[..., dict[str, Any]], ask: Send
) -> None:
    steered_sandbox.control.settings(refresh_token_replaced="daily")
    first = tokens()["refresh_token"]
    same = ask(grant_type="refresh_token", refresh_token=first).json()
    assert same["refresh_token"] == first
    steered_sandbox.clock.move(86_399)
    assert ask(grant_type="refresh_token", refresh_token=first).json()["refresh_token"] == first
    steered_sandbox.clock.move(1)
    second = ask(grant_type="refresh_token", refresh_token=first).json()["refresh_token"]
    assert second != first
    assert ask(grant_type="refresh_token", refresh_token=first).json()["error_description"] == "Invalid refresh token"


def test_refresh_ends_older_access_tokens_when_set(
    steered_sandbox: SteeredSandbox, tokens: Callable[..., dict[str, Any]], ask: Send, call: Send
) -> None:
    control = steered_sandbox.control
    assert control.settings()["refresh_ends_access_tokens"] is False
    first = tokens()
    second = ask(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert call("users/me", first["access_token"]).status_code == 200

    control.settings(refresh_ends_access_tokens=True)
    own = ask(grant_type="client_credentials").json()
    third = ask(grant_type="refresh_token", refresh_token=second["refresh_token"]).json()
    for old in (first, second):
        assert call("users/me", old["access_token"]).json()["error"] == "invalid_token"
    assert call("users/me", third["access_token"]).status_code == 200
    assert call("cities", own["access_token"]).status_code == 200, "an application's token is no user's"
    states = [token["state"] for token in control.request("GET", "access-tokens")]
    assert states == ["live", "live", "replaced", "replaced"]
    assert control.lint() == []


def test_older_snapshot_without_a_setting_keeps_it(control: Control) -> None:
    snapshot = control.snapshot()
    for name in ("refresh_ends_access_tokens", "request_limit"):
        del snapshot["settings"][name]
    control.settings(refresh_ends_access_tokens=True)
    control.restore(snapshot)
    assert control.settings()["refresh_ends_access_tokens"] is True


def test_reset(steered_sandbox: SteeredSandbox, sandbox: Sandbox, tokens: Callable[..., dict[str, Any]]) -> None:
    control = steered_sandbox.control
    before = control.snapshot()
    tokens()
    steered_sandbox.clients.change("demo-app", active=False)
    steered_sandbox.clock.move(60)
    control.settings(
        fault_header=True,
        refresh_token_replaced="daily",
        refresh_ends_access_tokens=True,
        request_limit={"requests": 9, "pause": 1},
    )
    control.fault("connection-reset")
    control.reset()
    after = control.snapshot()
    assert after["faults"].pop("last_number") >= before["faults"].pop("last_number")
    assert after == before
    assert (control.lint(), control.requests()) == ([], [])


def test_snapshot_and_restore(
    steered_sandbox: SteeredSandbox, tokens: Callable[..., dict[str, Any]], ask: Send, call: Send
) -> None:
    control, clock = steered_sandbox.control, steered_sandbox.clock
    steered_sandbox.clients.add("mine", "s", redirect_uris=["https://app.example/"])
    control.settings(refresh_token_replaced="daily", lifetimes={"code": 30})
    control.settings(refresh_ends_access_tokens=True, request_limit={"requests": 1000})
    control.fault("latency", seconds=0, share=0.5, client_id="mine", endpoint="token")
    given = tokens()
    snapshot = control.snapshot()
    assert given["access_token"] in str(snapshot)
    clock.move(100_000)
    assert call("users/me", given["access_token"]).status_code == 401
    control.reset()
    control.restore(snapshot)
    assert control.snapshot() == snapshot
    assert call("users/me", given["access_token"]).status_code == 200
    assert ask(grant_type="refresh_token", refresh_token=given["refresh_token"]).status_code == 200
    assert control.request("GET", "access-tokens")[0]["serial"] == snapshot["access_tokens"]["last_serial"] + 1


def test_invalid_snapshot_changes_nothing(control: Control, tokens: Callable[..., dict[str, Any]]) -> None:
    tokens()
    snapshot = control.snapshot()
    wrong = {**snapshot, "clients": [{**snapshot["clients"][0], "scopes": ["admin"]}], "now": "2027-01-01T00:00:00Z"}
    with pytest.raises(SteeringError, match=r"409 .*admin"):
        control.restore(wrong)
    with pytest.raises(SteeringError, match=r"400 .*missing required field `clients`"):
        control.restore({name: value for name, value in snapshot.items() if name != "clients"})
    assert control.snapshot() == snapshot


def test_a_reset_needs_no_body(http: httpx.Client, steered_sandbox: SteeredSandbox) -> None:
    steered_sandbox.clock.move(60)
    assert http.post("/control/reset").status_code == 204
    assert http.get("/control/clock").json()["offset_seconds"] == 0
    assert http.post("/control/clock/move").status_code == 400, "which needs one"
    foreign = http.post("/control/reset", headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
