"""What is assumed of the provider: every setting both ways, the preset, and the table of what is known."""

import argparse
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from oauth_sandbox.behaviour import PRESETS, Behaviour, Preset, known
from oauth_sandbox.command import add_arguments
from oauth_sandbox.configuration import Configuration, ConfigurationFile, Replacement, load, ready_made
from oauth_sandbox.control.settings import Settings
from oauth_sandbox.control_client import Control, SteeringError
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.testing import SteeredSandbox, running

Authorize = Callable[..., str]
Tokens = Callable[..., dict[str, Any]]
Send = Callable[..., httpx.Response]

VERIFIER = "dBjftJeZ4CVP-mBYHMM7qNCTuwJG2K3aVHG-NcfHjFE"
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
S256 = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
REDIRECT_URI = "http://localhost:8501/callback"


@pytest.fixture
def assume(control: Control) -> Callable[..., None]:
    """Set parts of the behaviour."""

    def go(**behaviour: object) -> None:
        control.settings(behaviour=behaviour)

    return go


def exchange(ask: Send, code: str, **more: str | None) -> httpx.Response:
    return ask(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI, **more)


def refresh(ask: Send, tokens: dict[str, Any]) -> httpx.Response:
    return ask(grant_type="refresh_token", refresh_token=tokens["refresh_token"])


@pytest.mark.parametrize("challenges", [True, False])
def test_challenges(assume: Callable[..., None], ask: Send, call: Send, control: Control, challenges: bool) -> None:
    assume(challenges=challenges)
    answers = [call("users/me", "unknown"), call("users/me", None), ask(client_id="inactive-app", grant_type="x")]
    control.fault("error", error="invalid_token", status=401)
    answers.append(call("users/me", "unknown"))
    assert [answer.status_code for answer in answers] == [401, 401, 400, 401]
    assert ["www-authenticate" in answer.headers for answer in answers] == [challenges, challenges, False, challenges]
    assert answers[0].json()["error"] == "invalid_token", "the body says it alone"


@pytest.mark.parametrize(("kind", "value"), [("number", 86_400), ("text", "86400")])
def test_expires_in(assume: Callable[..., None], tokens: Tokens, kind: str, value: object) -> None:
    assume(expires_in=kind)
    assert tokens()["expires_in"] == value


@pytest.mark.parametrize(("order", "scope"), [("requested", "write v2 read"), ("documented", "v2 read write")])
def test_scope_order(assume: Callable[..., None], tokens: Tokens, order: str, scope: str) -> None:
    assume(scope_order=order)
    assert tokens(scope="write v2 read")["scope"] == scope


@pytest.mark.parametrize(
    ("shape", "pattern"), [("hex", r"[0-9a-f]{40}"), ("url-safe", r"[\w-]{43}"), ("long", r"[\w-]{36}\.[\w-]+\.[\w-]+")]
)
def test_token_shape(
    assume: Callable[..., None], tokens: Tokens, call: Send, control: Control, shape: str, pattern: str
) -> None:
    assume(token_shape=shape)
    given = tokens()
    for name in ("access_token", "refresh_token"):
        assert re.fullmatch(pattern, given[name])
    assert call("users/me", given["access_token"]).status_code == 200
    control.restore(control.snapshot())
    assert call("users/me", given["access_token"]).status_code == 200, "a snapshot has it whole"


def test_a_replaced_refresh_token_is_accepted_within_the_grace_and_not_after(
    assume: Callable[..., None], tokens: Tokens, ask: Send, steered_sandbox: SteeredSandbox
) -> None:
    assume(refresh_grace_seconds=30)
    given = tokens()
    first, second = refresh(ask, given).json(), refresh(ask, given).json()
    assert first["refresh_token"] != second["refresh_token"]
    assert refresh(ask, second).status_code == refresh(ask, first).status_code == 200
    assert steered_sandbox.control.lint() == [], "nobody did anything wrong"
    steered_sandbox.clock.move(29)
    assert refresh(ask, given).status_code == 200
    steered_sandbox.clock.move(1)
    assert refresh(ask, given).json()["error_description"] == "Invalid refresh token"
    assert steered_sandbox.control.lint() == ["refresh-token-reused"]


@pytest.mark.parametrize("reuse", ["refuse", "revoke-family"])
def test_refresh_reuse(assume: Callable[..., None], tokens: Tokens, ask: Send, call: Send, reuse: str) -> None:
    assume(refresh_reuse=reuse)
    other = tokens()
    given = tokens()
    newer = refresh(ask, given).json()
    assert refresh(ask, given).status_code == 400
    lost = reuse == "revoke-family"
    assert call("users/me", newer["access_token"]).status_code == (401 if lost else 200)
    assert refresh(ask, newer).status_code == (400 if lost else 200)
    assert call("users/me", other["access_token"]).status_code == 200, "another consent"


@pytest.mark.parametrize("reuse", ["refuse", "revoke-family"])
def test_code_reuse(assume: Callable[..., None], authorize: Authorize, ask: Send, call: Send, reuse: str) -> None:
    assume(code_reuse=reuse)
    code = authorize()
    given = exchange(ask, code).json()
    assert exchange(ask, code).json()["error"] == "invalid_grant"
    assert call("users/me", given["access_token"]).status_code == (401 if reuse == "revoke-family" else 200)


def test_a_token_issued_over_the_control_has_no_family(
    assume: Callable[..., None], control: Control, ask: Send, call: Send
) -> None:
    assume(refresh_reuse="revoke-family")
    first, second = (control.request("POST", "refresh-tokens", {"client_id": "demo-app"}) for _ in range(2))
    refresh(ask, {"refresh_token": first["secret"]})
    assert refresh(ask, {"refresh_token": first["secret"]}).status_code == 400
    assert refresh(ask, {"refresh_token": second["secret"]}).status_code == 200


@pytest.mark.parametrize("pkce", ["ignored", "enforced"])
@pytest.mark.parametrize(
    ("challenge", "verifier", "fits"),
    [
        (S256, VERIFIER, True),
        ({"code_challenge": VERIFIER}, VERIFIER, True),  # plain is the default (RFC 7636 §4.3)
        ({}, None, True),
        (S256, VERIFIER[:-1], False),
        (S256, CHALLENGE, False),
        (S256, None, False),
        ({}, VERIFIER, False),
    ],
)
def test_pkce(
    assume: Callable[..., None],
    authorize: Authorize,
    ask: Send,
    control: Control,
    pkce: str,
    challenge: dict[str, str],
    verifier: str | None,
    fits: bool,
) -> None:
    assume(pkce=pkce)
    answer = exchange(ask, authorize(state="f" * 32, scope="read", **challenge), code_verifier=verifier)
    assert answer.status_code == (200 if fits or pkce == "ignored" else 400)
    if answer.is_error:
        assert answer.json()["error"] == "invalid_grant"
    assert control.lint() == ([] if fits else ["verifier-wrong"]), "also where nobody checks it"


def test_an_unknown_method_of_pkce_is_refused_where_it_is_enforced(
    assume: Callable[..., None], http: httpx.Client
) -> None:
    query = {"client_id": "demo-app", "response_type": "code", "redirect_uri": REDIRECT_URI}
    unknown = query | {"code_challenge": "x", "code_challenge_method": "S512"}
    assert http.get("/oauth/authorize/", params=unknown).status_code == 200
    assume(pkce="enforced")
    location = http.get("/oauth/authorize/", params=unknown).headers["location"]
    assert "error=invalid_request" in location


PREFLIGHT = {"Origin": "https://spa.example", "Access-Control-Request-Method": "POST"}


def test_cors_is_closed_and_a_call_from_a_browser_is_one_finding(http: httpx.Client, control: Control) -> None:
    asked = http.options("/api/open/oauth/token", headers=PREFLIGHT)
    assert not asked.is_success
    assert "access-control-allow-origin" not in asked.headers
    assert control.lint() == ["called-from-browser"]
    control.clear_lint()
    body = {"grant_type": "client_credentials", "client_id": "demo-app", "client_secret": "demo-secret"}
    answer = http.post("/api/open/oauth/token", data=body, headers={"Origin": "https://spa.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert control.lint() == ["called-from-browser"]


def test_open_cors_lets_a_page_read_tokens_and_the_api(
    assume: Callable[..., None], http: httpx.Client, control: Control
) -> None:
    assume(cors="open")
    for path in ("/api/open/oauth/token", "/api/partner/users/me"):
        asked = http.options(path, headers=PREFLIGHT)
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "*")
        assert {"authorization", "version"} <= set(asked.headers["access-control-allow-headers"].lower().split(", "))
    answer = http.get("/api/partner/users/me", headers={"Origin": "https://spa.example"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, "*")
    assert "called-from-browser" not in control.lint()


def test_consent_at_another_path_is_refused_and_at_another_server_is_a_finding(
    control: Control, address: tuple[str, Sandbox]
) -> None:
    query = f"client_id=demo-app&response_type=code&redirect_uri={REDIRECT_URI}&state={'f' * 32}&scope=read"
    with pytest.raises(SteeringError, match=r"is not the authorization page\. It is http"):
        control.approve(f"https://www.olx.pl/oauth/autorise?{query}")
    assert "code=" in control.approve(f"https://www.olx.pl/oauth/authorize/?{query}")
    assert control.lint() == ["authorize-elsewhere"]
    control.clear_lint()
    port = httpx.URL(address[0]).port
    for url in (f"{address[0]}/oauth/authorize", f"http://localhost:{port}/oauth/authorize/", "/oauth/authorize/", ""):
        assert "code=" in control.approve(f"{url}?{query}")
    assert "authorize-elsewhere" not in control.lint()


@pytest.mark.parametrize("uri", ["javascript:alert(1)", " JavaScript :x", "data:text/html,x", "file:///etc/passwd"])
def test_a_redirect_uri_that_leads_to_no_server_is_refused(control: Control, uri: str) -> None:
    with pytest.raises(SteeringError, match=r"400 .*would run or open in the browser"):
        control.request("POST", "clients", {"client_id": "x", "secret": "y", "redirect_uris": [uri]})
    with pytest.raises(SteeringError, match=r"400 .*would run or open in the browser"):
        control.request("PATCH", "clients/demo-app", {"redirect_uris": [uri]})


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("x", "is not absolute"),
        ("//evil", "is not absolute"),
        ("/back", "is not absolute"),
        ("https://", "is not absolute"),
        ("https:///back", "is not absolute"),
        ("https://app.example:99999/", "is not absolute"),
        ("https://app.example/a b", "is not absolute"),
        ("https://app.example/back#part", "has a fragment"),
        ("https://app.example/back#", "has a fragment"),
    ],
)
def test_a_redirect_uri_is_absolute_and_has_no_fragment(control: Control, uri: str, problem: str) -> None:
    """RFC 6749 section 3.1.2."""
    for method, path, body in (
        ("POST", "clients", {"client_id": "x", "secret": "y", "redirect_uris": [uri]}),
        ("PATCH", "clients/demo-app", {"redirect_uris": [uri]}),
        ("POST", "sandboxes", {"redirect_uris": [uri]}),
    ):
        with pytest.raises(SteeringError, match=problem):
            control.request(method, path, body)
    assert control.request("GET", "sandboxes") == []


def test_an_app_may_have_a_scheme_of_its_own(control: Control) -> None:
    added = control.request("POST", "clients", {"client_id": "x", "secret": "y", "redirect_uris": ["com.app:/back"]})
    assert added["redirect_uris"] == ["com.app:/back"]


def test_the_date_is_that_of_the_clock() -> None:
    with running() as sandbox:
        sandbox.clock.move(timedelta(days=2))
        for path in ("/health", "/api/partner/users/me", "/control/clock", "/unknown"):
            response = httpx.get(sandbox.url + path, trust_env=False)
            assert len(response.headers.get_list("date")) == 1
            assert abs(parsedate_to_datetime(response.headers["date"]) - sandbox.clock.now()) < timedelta(seconds=30)


# The preset and the table


def is_strict(configuration: Configuration) -> bool:
    refresh = configuration.refresh_token_replaced is Replacement.ALWAYS and configuration.refresh_ends_access_tokens
    return refresh and configuration.behaviour == PRESETS[Preset.STRICT]


def test_strict_turns_every_assumption_against_the_client(tmp_path: Path) -> None:
    strict, usual = PRESETS[Preset.STRICT], PRESETS[Preset.USUAL]
    same = {name for name in Behaviour.__struct_fields__ if getattr(strict, name) == getattr(usual, name)}
    assert same == {"refresh_grace_seconds", "cors", "content_type_on_get"}, "which are the hardest already"
    assert is_strict(ready_made(preset=Preset.STRICT))
    assert not is_strict(ready_made())
    path = tmp_path / "mine.toml"
    path.write_text('preset = "strict"\n', encoding="utf-8")
    assert is_strict(load(path))
    path.write_text("refresh_ends_access_tokens = false\n[behaviour]\nchallenges = true\n", encoding="utf-8")
    mine = load(path, preset=Preset.STRICT)
    assert mine.behaviour == msgspec.structs.replace(strict, challenges=True)
    assert not mine.refresh_ends_access_tokens, "what the file says goes before"


def test_the_command_takes_the_preset() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert parser.parse_args(["--preset", "strict"]).preset is Preset.STRICT


def test_every_assumption_has_its_setting_in_the_table_and_every_setting_its_evidence() -> None:
    settings = {row.setting for row in known() if row.setting}
    of_files = set(ConfigurationFile.__struct_fields__) & set(Settings.__struct_fields__)
    assert settings == set(Behaviour.__struct_fields__) | of_files - {"behaviour"}
    assert {row.evidence for row in known()} == {"documented", "observed", "assumed"}
