"""What the lint says of each thing that an integration can do wrong, over HTTP."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from oauth_sandbox.control_client import Control, SteeringError
from oauth_sandbox.lint.checks import CHECKS, CHECKS_OF_PRESENTED
from oauth_sandbox.lint.findings import RULES
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint
from oauth_sandbox.testing import SteeredSandbox

Send = Callable[..., httpx.Response]
Tokens = Callable[..., dict[str, Any]]
TOKEN = "/api/open/oauth/token"
REDIRECT_URI = "http://localhost:8501/callback"
CREDENTIALS = {"client_id": "demo-app", "client_secret": "demo-secret"}
FLAWLESS = {
    "client_id": "demo-app",
    "response_type": "code",
    "redirect_uri": REDIRECT_URI,
    "scope": "read write v2",
    "state": "8c7dd922ad47494fc02c388e12c00eac",
}


@pytest.fixture
def visit(http: httpx.Client) -> Callable[..., None]:
    """Open the authorization page; a parameter that is None is left out."""

    def go(**parameters: str | None) -> None:
        query = {name: value for name, value in {**FLAWLESS, **parameters}.items() if value is not None}
        http.get("/oauth/authorize/", params=query)

    return go


def test_every_rule_has_texts_and_every_text_a_rule() -> None:
    checked = {name for checks in (CHECKS, CHECKS_OF_PRESENTED) for by_name in checks.values() for name in by_name}
    assert checked == set(RULES)
    assert all(rule.title and rule.why and rule.remedy and rule.reference for rule in RULES.values())
    for rule, of_one_api in (("scope-missing", "v2"), ("code-late", "few minutes"), ("verifier-wrong", "This one")):
        assert of_one_api not in RULES[rule].why + RULES[rule].remedy, "the rule is for every API"
    assert [endpoint for endpoint, by_name in CHECKS.items() if "state-missing" in by_name] == [Endpoint.AUTHORIZE]


def test_a_flawless_integration_has_no_findings(
    control: Control, http: httpx.Client, visit: Callable[..., None], call: Send
) -> None:
    visit()
    url = f"{http.base_url}/oauth/authorize/?{urlencode(FLAWLESS | {'state': 'f' * 32})}"
    code = control.approve(url).split("code=")[1].split("&")[0]
    exchange = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "scope": "read write v2",
    }
    given = http.post(TOKEN, data=exchange | CREDENTIALS).json()
    assert call("users/me", given["access_token"]).status_code == 200
    refresh = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    assert http.post(TOKEN, json=refresh, auth=("demo-app", "demo-secret")).status_code == 200
    assert http.post(TOKEN, json={"grant_type": "client_credentials", **CREDENTIALS}).status_code == 200
    assert control.lint() == []


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({"state": None}, "state-missing"),
        ({"state": "short"}, "state-short"),
        ({"redirect_uri": None}, "redirect-uri-missing"),
        ({"redirect_uri": REDIRECT_URI + "/"}, None),
        ({"redirect_uri": "https://app.example/"}, "redirect-uri-unregistered"),
        ({"scope": None}, "scope-missing"),
        ({"scope": "read,write"}, "scope-separator"),
        ({"scope": "read+write"}, "scope-separator"),
        ({"client_secret": "demo-secret"}, "secret-in-query"),
    ],
)
def test_the_authorization_request(
    control: Control, visit: Callable[..., None], parameters: dict[str, str | None], rule: str | None
) -> None:
    visit(**parameters)
    assert control.lint("demo-app") == ([rule] if rule else [])


def test_reused_state_is_found(control: Control, visit: Callable[..., None]) -> None:
    visit()
    visit()
    assert control.lint() == [], "a reload of the page"
    visit(scope="read")
    assert control.lint() == ["state-reused"]


def test_repeated_parameter_is_found(control: Control, http: httpx.Client) -> None:
    http.get(f"/oauth/authorize/?{urlencode(FLAWLESS)}&scope=read")
    http.post(TOKEN, content="scope=a&scope=b", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert control.lint("demo-app") == ["parameter-repeated"]
    assert [found["client_id"] for found in control.findings()] == ["demo-app", None]


def test_decision_is_not_linted(control: Control, authorize: Callable[..., str]) -> None:
    authorize()
    assert control.lint() == []


def test_codes(steered_sandbox: SteeredSandbox, ask: Send, authorize: Callable[..., str]) -> None:
    control = steered_sandbox.control
    code = authorize()
    exchange = {"grant_type": "authorization_code", "code": code}
    ask(**exchange)
    ask(**exchange, redirect_uri=REDIRECT_URI + "/")
    assert [(found["rule"], found["count"]) for found in control.findings()] == [("redirect-uri-differs", 2)]
    ask(**exchange, redirect_uri=REDIRECT_URI)
    control.clear_lint()
    ask(**exchange, redirect_uri=REDIRECT_URI)
    assert control.lint() == ["code-reused"]
    late = authorize()
    steered_sandbox.clock.move(600)
    control.clear_lint()
    ask(grant_type="authorization_code", code=late, redirect_uri=REDIRECT_URI)
    assert control.lint() == ["code-late"]


def test_a_code_of_another_client(control: Control, ask: Send, authorize: Callable[..., str]) -> None:
    website = {"client_id": "website-app", "client_secret": "website-secret"}
    ask(grant_type="authorization_code", code=authorize(), redirect_uri=REDIRECT_URI, **website)
    assert control.lint("website-app") == ["credentials-of-another"]
    assert control.lint("demo-app") == []


def test_replaced_refresh_token_is_found(
    control: Control, ask: Send, tokens: Tokens, steered_sandbox: SteeredSandbox
) -> None:
    old = tokens()["refresh_token"]
    ask(grant_type="refresh_token", refresh_token=old)
    assert control.lint() == []
    steered_sandbox.clock.move(10)
    ask(grant_type="refresh_token", refresh_token=old)
    assert control.lint() == ["refresh-token-reused"]


def test_token_request_mistakes_are_found(control: Control, http: httpx.Client) -> None:
    grant = {"grant_type": "client_credentials"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    def found(method: str = "POST", **request: Any) -> list[str]:
        control.clear_lint()
        http.request(method, TOKEN, **request)
        return control.lint()

    assert found(data=grant | CREDENTIALS) == []
    assert found(data=grant | CREDENTIALS, auth=("demo-app", "demo-secret")) == ["credentials-twice"]
    assert found(params=grant | CREDENTIALS) == ["secret-in-query"]
    assert found("GET", params=grant | CREDENTIALS) == ["secret-in-query", "token-request-not-post"]
    assert found(data={**grant, **CREDENTIALS, "scope": "read;write"}) == ["scope-separator"]
    assert found(content=json.dumps(grant), headers=form) == ["body-unreadable"]
    assert found(content="{", headers={"Content-Type": "application/json"}) == ["body-unreadable"]
    assert found(content="x", headers={"Content-Type": "text/plain"}) == ["body-unreadable"]


def test_api_call_mistakes_are_found(
    steered_sandbox: SteeredSandbox, http: httpx.Client, call: Send, ask: Send, tokens: Tokens
) -> None:
    control, token = steered_sandbox.control, tokens()["access_token"]

    def found(made: object) -> list[str]:
        assert made is not None
        rules = control.lint()
        control.clear_lint()
        return rules

    assert found(call("users/me", token)) == []
    assert found(call("users/me", token, Version=None)) == ["version-missing"]
    assert found(call("users/me", token, Version="1.0")) == ["version-missing"]
    assert found(call("users/me", token, Content_Type="application/json")) == ["content-type-on-get"]
    assert found(call("users/me", None, Authorization=token)) == ["bearer-missing"]
    in_query = http.get("/api/partner/cities", params={"access_token": token}, headers={"Version": "2.0"})
    assert found(in_query) == ["secret-in-query", "bearer-missing"]
    application = ask(grant_type="client_credentials").json()["access_token"]
    assert found(call("users/me", application)) == ["application-token-for-user"]
    steered_sandbox.clock.move(86_400)
    assert found(call("cities", token)) == ["token-late"]


def test_finding_has_reason_and_remedy(steered_sandbox: SteeredSandbox, visit: Callable[..., None]) -> None:
    control = steered_sandbox.control
    visit(state=None)
    steered_sandbox.clock.move(60)
    visit(state=None)
    (found,) = control.findings("demo-app")
    assert (found["rule"], found["count"], found["endpoint"]) == ("state-missing", 2, "authorize")
    assert found["first_at"] < found["last_at"]
    assert found["request_id"] == control.requests()[0]["request_id"]
    assert "state" in found["title"]
    assert "RFC 6749" in found["reference"]
    assert found["remedy"]


def test_findings_of_one_client_can_be_cleared(control: Control, visit: Callable[..., None]) -> None:
    visit(state=None)
    visit(state=None, client_id="website-app")
    control.clear_lint("demo-app")
    assert (control.lint("demo-app"), control.lint("website-app")) == ([], ["state-missing"])
    control.clear_lint()
    assert control.lint() == []


def test_a_client_that_is_neither_registered_nor_was_ever_sent_is_refused(
    control: Control, visit: Callable[..., None], sandbox: Sandbox
) -> None:
    refused = '409 .*There is no client "demo-ap", and no request named one. Known clients: demo-app, '
    for method, path in (("GET", "lint"), ("DELETE", "lint"), ("GET", "requests")):
        with pytest.raises(SteeringError, match=refused):
            control.request(method, path, client_id="demo-ap")
    visit(client_id="demo-ap")
    assert control.lint("demo-ap") == [], "the tested program sent it"
    assert control.request("GET", "requests", client_id="demo-ap") == []
    visit(state=None)
    sandbox.remove_client("demo-app")
    assert control.lint("demo-app") == ["state-missing"], "of a removed client"
    control.reset()
    with pytest.raises(SteeringError, match=refused):
        control.lint("demo-ap")


def test_unknown_clients_are_bounded(sandbox: Sandbox) -> None:
    unknown = sandbox.lint.unknown_clients
    for number in range(unknown.MOST + 1):
        unknown.add(str(number))
    assert ("0" in unknown, "1" in unknown) == (False, True)
    unknown.add("a" * 101)
    assert "a" * 101 not in unknown


def test_recent_states_are_bounded(sandbox: Sandbox) -> None:
    states = sandbox.lint.states
    for number in range(states.MOST + 5):
        assert not states.is_reused("demo-app", str(number), f"first {number}")
    assert not states.is_reused("demo-app", "0", "second"), "forgotten"
    assert states.is_reused("demo-app", str(states.MOST), "second")


def test_unreadable_credentials_are_found(control: Control, http: httpx.Client) -> None:
    broken = base64.b64encode(b"\xff:").decode()
    http.post(TOKEN, data={"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {broken}"})
    assert control.requests()[0]["client_id"] is None
