"""The walkthrough with every option, against a small strict server of the tests over real HTTP."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from oauth import flow as flows
from oauth.exchange import Request
from oauth.history.filters import Filters
from oauth.history.store import Row
from oauth.installation import Installation
from oauth_sandbox.testing import serving
from pages.parts.common import session, signing
from pages.parts.walkthrough import authorization, device, diagnosing, sending
from tests.servers.authorization_server import ASSERTION, DEVICE, Server

if TYPE_CHECKING:  # a conftest is no module to import; pytest hands out what is in it
    from tests.pages.conftest import Page


@pytest.fixture
def authorization_server(home: Path) -> Iterator[Server]:
    """The server, with a custom profile for it."""
    server = Server()
    with serving(server.app()) as url:
        server.issuer = url
        (home / "providers").mkdir(parents=True)
        (home / "providers" / "everything.toml").write_text(server.profile())
        yield server


@pytest.fixture
def walk(authorization_server: Server, page: "Page") -> "Page":
    """The walkthrough at that server, with its client."""
    page.pick("walkthrough.provider", "everything")
    page.type("walkthrough.client_id", authorization_server.client_id)
    page.type("walkthrough.client_secret", authorization_server.secret)
    return page


class Clock:
    """A clock that the walkthrough reads and a test can move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        for module in (session, signing, authorization, device, diagnosing, sending):
            monkeypatch.setattr(module, "now", self.now)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def toggle(page: "Page", key: str) -> None:
    widget = page.app.toggle(key=key)
    widget.set_value(not widget.value)
    page.run()


def link(page: "Page", key: str = "authorize.open") -> str:
    return str(next(item.proto.url for item in page.app.link_button if item.key == key))


def approve(page: "Page") -> httpx.Response:
    """Return the response of the authorization endpoint to the browser."""
    return httpx.get(link(page), trust_env=False)


def paste(page: "Page") -> None:
    """Steps 1 and 2, by pasting."""
    page.paste(approve(page).headers["location"])


def exchange(page: "Page") -> None:
    paste(page)
    page.press("token.send")


def click_and_paste(page: "Page") -> None:
    """Steps 1 and 2 as if the link was clicked, so that the flow has its authorization parameters."""
    address = approve(page).headers["location"]
    current = page.app.session_state["console"]
    begin(page)
    assert current.flow.authorization is not None
    page.paste(address)


def begin(page: "Page") -> None:
    """Do what a click on the link does, which AppTest cannot click."""
    current = page.app.session_state["console"]
    fields = [
        flows.Field(item.name, current.vault.resolve(str(page.value(f"authorize.field.{item.name}.value"))), "", "")
        for item in flows.authorization_fields(current.flow)
        if f"authorize.field.{item.name}.send" in keys(page)
        and page.app.checkbox(key=f"authorize.field.{item.name}.send").value
    ]
    authorization.begin(current, Request("GET", link(page)), fields)
    page.run()


def newest(console: Installation, step: str = "") -> Row:
    return next(iter(console.history.rows(Filters(step=step))))


def sent(server: Server, path: str) -> dict[str, str]:
    """Return the form that an endpoint received last."""
    return next(form for where, form in reversed(server.received) if where == path)


def keys(page: "Page") -> set[str]:
    kinds = ("button", "toggle", "text_input", "checkbox", "segmented_control")
    return {str(item.key) for kind in kinds for item in page.app.get(kind)}


def test_sandbox_shows_none_of_the_options(page: "Page") -> None:
    page.press("rail.token")
    page.press("rail.call")
    assert not {"rail.par", "rail.device", "authorize.pkce", "authorize.dpop", "authorize.field.prompt.value"} & keys(
        page
    )
    assert page.app.segmented_control(key="call.action").options == [
        "Call the API", "Refresh the token", "Application token"
    ]  # fmt: skip
    assert page.app.segmented_control(key="token.secret_in").options == ["Body", "Basic"]


def test_pkce_of_the_profile_is_used_by_default(
    walk: "Page", authorization_server: Server, console: Installation
) -> None:
    exchange(walk)
    assert "scope granted   openid" in walk.text()
    assert "email" in walk.text().partition("Missing:")[2]
    verifier = walk.app.session_state["console"].flow.verifier
    assert sent(authorization_server, "/token")["code_verifier"] == verifier
    assert verifier not in walk.text()
    assert b"code_verifier=\xc2\xabcode_verifier #" in newest(console, "token").exchange.request.body


def test_typed_verifier_is_challenged_and_sent(walk: "Page", authorization_server: Server) -> None:
    verifier = "my-own-verifier-of-more-than-forty-three-characters"
    toggle(walk, "walkthrough.options")
    walk.type("authorize.verifier", verifier)
    assert verifier not in walk.text()
    walk.press("authorize.reveal.code_verifier")
    assert verifier in walk.text()
    exchange(walk)
    assert sent(authorization_server, "/token")["code_verifier"] == verifier
    assert "200 OK" in walk.text()


def test_short_verifier_is_reported(walk: "Page") -> None:
    toggle(walk, "walkthrough.options")
    walk.type("authorize.verifier", "short")
    assert "It must have 43 to 128" in walk.text()


@pytest.mark.parametrize("method", ["off", "plain"])
def test_pkce_can_be_off_or_plain(walk: "Page", authorization_server: Server, method: str) -> None:
    toggle(walk, "walkthrough.options")
    walk.choose("authorize.pkce", method)
    exchange(walk)
    assert ("code_verifier" in sent(authorization_server, "/token")) is (method == "plain")
    assert "200 OK" in walk.text()
    assert walk.app.session_state["console"].flow.verifier not in walk.text()


def test_wrong_verifier_is_proven_before_sending_and_fixed_with_one_button(walk: "Page") -> None:
    click_and_paste(walk)
    walk.type("token.field.code_verifier.value", "another-verifier-of-more-than-forty-three-characters")
    assert "The verifier does not match the code challenge" in walk.text()
    walk.press("token.send")
    text = walk.text()
    assert "invalid\\_grant" in text
    assert "differs from the code_challenge of the authorization" in text
    walk.press("token.fix.1")
    assert "The fix worked" in walk.text()
    assert "after: 200" in walk.text()


@pytest.mark.parametrize(
    ("chosen", "fields"),
    [
        ("client_secret_post", {"client_id", "client_secret"}),
        ("client_secret_basic", set()),
        ("none", {"client_id"}),
    ],
)
def test_client_authenticates_as_chosen(
    walk: "Page", authorization_server: Server, chosen: str, fields: set[str]
) -> None:
    authorization_server.secret = authorization_server.secret if chosen != "none" else ""
    toggle(walk, "walkthrough.options")
    paste(walk)
    walk.choose("token.secret_in", chosen)
    walk.press("token.send")
    assert "200 OK" in walk.text()
    received = sent(authorization_server, "/token")
    assert {"client_id", "client_secret", "client_assertion"} & set(received) == fields


def test_client_authentication_applies_to_other_requests(walk: "Page") -> None:
    toggle(walk, "walkthrough.options")
    walk.press("rail.token")
    walk.choose("token.secret_in", "none")
    walk.press("rail.device")
    assert walk.app.segmented_control(key="device.secret_in").value == "none"


def test_signed_assertion_replaces_a_secret(
    walk: "Page", authorization_server: Server, console: Installation, home: Path
) -> None:
    key = ECKey.generate_key("P-256", parameters={"kid": "client-key"})
    pasted = json.dumps(key.as_dict(private=True))
    authorization_server.client_key = key.as_dict(private=False)
    toggle(walk, "walkthrough.options")
    paste(walk)
    walk.choose("token.secret_in", "private_key_jwt")
    walk.app.text_area(key="token.assertion.key").set_value("this is no key")
    walk.run()
    assert "not a valid private key" in walk.text()
    walk.app.text_area(key="token.assertion.key").set_value(pasted)
    walk.run()
    text = walk.text()
    assert "The key signs with ES256" in text
    assert f'"aud": "{authorization_server.issuer}"' in text
    assert '"kid": "client-key"' in text
    walk.type("token.assertion.lifetime", "90")
    found = re.search(r'"iat": (\d+),\s+"exp": (\d+)', walk.text())
    assert found is not None
    assert int(found[2]) - int(found[1]) == 90
    walk.press("token.send")
    assert "200 OK" in walk.text()
    received = sent(authorization_server, "/token")
    assert received["client_assertion_type"] == ASSERTION
    assert "client_secret" not in received
    walk.choose("call.action", "refresh")
    walk.press("refresh.send")  # with an assertion of its own: the server takes each once
    assert "The refresh token was replaced" in walk.text()
    assert sent(authorization_server, "/token")["client_assertion"] != received["client_assertion"]
    private = str(key.as_dict(private=True)["d"])
    database = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    for secret in (private, received["client_assertion"]):
        assert secret not in walk.text()
        assert secret.encode() not in database
    walk.press("token.assertion.forget")
    assert walk.value("token.field.client_assertion.value") == ""


def test_optional_parameters_are_sent_and_the_resource_again_with_the_code(
    walk: "Page", authorization_server: Server
) -> None:
    toggle(walk, "walkthrough.options")
    for name, value in (("prompt", "login"), ("audience", "api"), ("resource", "https://api.example/")):
        walk.app.checkbox(key=f"authorize.field.{name}.send").check()
        walk.type(f"authorize.field.{name}.value", value)
    toggle(walk, "walkthrough.options")
    assert "authorize.field.prompt.value" in keys(walk), "a field that is sent stays visible"
    assert "authorize.field.login_hint.value" not in keys(walk)
    assert {"prompt=login", "audience=api"} <= set(link(walk).partition("?")[2].split("&"))
    click_and_paste(walk)
    walk.press("token.send")
    assert sent(authorization_server, "/token")["resource"] == "https://api.example/"


def test_pushed_request_leaves_a_reference_in_the_link(
    walk: "Page", authorization_server: Server, console: Installation
) -> None:
    walk.press("rail.par")
    walk.press("par.send")
    assert "201 Created" in walk.text()
    assert sent(authorization_server, "/par")["client_id"] == authorization_server.client_id
    reference = walk.app.session_state["console"].flow.pushed.request_uri
    names = {part.partition("=")[0] for part in link(walk).partition("?")[2].split("&")}
    assert names == {"client_id", "request_uri"}
    assert reference not in walk.text()
    click_and_paste(walk)
    walk.press("token.send")
    assert "200 OK" in walk.text()
    assert sent(authorization_server, "/token")["redirect_uri"].endswith("/callback")
    row = newest(console, "par")
    assert row.exchange.response is not None
    assert b'"request_uri": "\xc2\xabrequest_uri #' in row.exchange.response.body.replace(b'":"', b'": "')


def test_pushed_request_can_be_discarded(walk: "Page") -> None:
    walk.press("rail.par")
    walk.press("par.send")
    walk.press("par.forget")
    assert "redirect_uri=" in link(walk)


def test_nonce_of_the_server_is_sent_with_one_button(
    walk: "Page", authorization_server: Server, console: Installation
) -> None:
    authorization_server.demands_nonce = True
    toggle(walk, "walkthrough.options")
    toggle(walk, "authorize.dpop")
    paste(walk)
    walk.press("token.send")
    text = walk.text()
    assert "The DPoP proof needs a nonce" in text
    assert "The server requires a nonce" in text
    assert authorization_server.nonce not in text
    walk.run()
    assert [path for path, _ in authorization_server.received].count("/token") == 1
    walk.press("token.dpop.again")
    assert "The access token is bound to the DPoP key" in walk.text()
    assert sent(authorization_server, "/token")["code"]
    walk.press("api.send")
    assert "seven@example.com" in walk.text()
    assert sent(authorization_server, "/userinfo")["scheme"] == "DPoP"
    for row in console.history.rows(Filters()):
        exchange = str(row.exchange)
        assert authorization_server.nonce not in exchange
        assert not re.search(r"eyJ[\w-]{20}", exchange)


def test_each_request_has_its_own_proof(walk: "Page", authorization_server: Server) -> None:
    toggle(walk, "walkthrough.options")
    toggle(walk, "authorize.dpop")
    exchange(walk)
    walk.press("api.send")
    first = sent(authorization_server, "/userinfo")["proof"]
    walk.press("api.send")
    assert "200 OK" in walk.text()
    assert sent(authorization_server, "/userinfo")["proof"] != first


def test_old_proof_is_renewed_when_it_is_sent(walk: "Page", authorization_server: Server, clock: Clock) -> None:
    toggle(walk, "walkthrough.options")
    toggle(walk, "authorize.dpop")
    paste(walk)
    before = walk.value("token.field.DPoP.value")
    clock.move(30)
    walk.run()
    assert walk.value("token.field.DPoP.value") == before, "drawing it does not change it"
    walk.press("token.send")
    assert "200 OK" in walk.text()
    assert walk.app.session_state["console"].shown["token"].exchange.request.headers != before
    rows = [value for name, value in walk.app.session_state["console"].sent["token"].headers if name == "DPoP"]
    assert walk.app.session_state["console"].vault.placeholder("dpop", rows[0]) != before


def test_unbound_token_is_reported(walk: "Page", authorization_server: Server) -> None:
    toggle(walk, "walkthrough.options")
    toggle(walk, "authorize.dpop")
    paste(walk)
    walk.untick("token.field.DPoP.send")
    walk.press("token.send")
    assert "The access token is not bound to the DPoP key" in walk.text()
    assert "token_type is Bearer, not DPoP" in walk.text()


def test_device_code_is_shown_and_never_polled_too_often(
    walk: "Page", authorization_server: Server, console: Installation, clock: Clock
) -> None:
    authorization_server.polls = ["authorization_pending", "slow_down", ""]
    walk.press("rail.device")
    walk.press("device.send")
    assert "WDJB-MJHT" in walk.text()
    assert link(walk, "device.open").endswith("/activate?user_code=WDJB-MJHT")
    assert walk.app.button(key="poll.send").disabled
    sending.press(walk.app.session_state["console"], "poll")
    walk.run()
    assert "/token" not in [path for path, _ in authorization_server.received], "not before its interval is over"
    clock.move(5.1)
    walk.run()
    walk.press("poll.send")
    assert sent(authorization_server, "/token")["grant_type"] == DEVICE
    assert "The user has not finished yet" in walk.text()
    assert not any("card" in str(item.key) for item in walk.app.get("container"))
    clock.move(5.1)
    walk.run()
    walk.press("poll.send")
    assert "Minimum interval 10 s" in walk.text()
    clock.move(6)  # more than the first interval, and seconds to spare on a busy machine
    walk.run()
    assert walk.app.button(key="poll.send").disabled
    clock.move(4.1)
    walk.run()
    walk.press("poll.send")
    assert "The user approved, and the server issued the tokens" in walk.text()
    assert "WDJB-MJHT" not in walk.text()
    polls = [row for row in console.history.rows(Filters()) if row.exchange.step == "token"]
    assert [row.error for row in polls] == ["", "slow_down", "authorization_pending"]
    device_code = walk.app.session_state["console"].flow.device.device_code
    assert not any(device_code in str(row.exchange) or "WDJB" in str(row.exchange) for row in polls)


def test_device_polls_automatically_as_often_as_allowed(
    walk: "Page", authorization_server: Server, clock: Clock
) -> None:
    authorization_server.polls = ["authorization_pending", "authorization_pending", "access_denied"]
    walk.press("rail.device")
    walk.press("device.send")
    toggle(walk, "device.by_itself")
    for polls in (1, 2, 3):
        clock.move(5.1)
        walk.run()
        walk.run()
        assert [path for path, _ in authorization_server.received].count("/token") == polls
    assert "The user denied the request" in walk.text()
    assert "token (2 times) · POST" in walk.text()


def test_userinfo_matches_the_id_token(walk: "Page", authorization_server: Server) -> None:
    exchange(walk)
    walk.choose("call.action", "userinfo")
    walk.press("userinfo.send")
    assert "sub: Same user as in the id_token." in walk.text()
    assert sent(authorization_server, "/userinfo")["scheme"] == "Bearer"


def test_userinfo_of_another_user_is_reported(walk: "Page", authorization_server: Server) -> None:
    authorization_server.change_id_token = lambda claims: claims | {"sub": "8"}
    exchange(walk)
    walk.choose("call.action", "userinfo")
    walk.press("userinfo.send")
    assert "do not use this response" in walk.text()


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoked_token_is_inactive_by_introspection(
    walk: "Page", authorization_server: Server, console: Installation, kind: str
) -> None:
    exchange(walk)
    walk.choose("call.action", "introspect")
    walk.choose("introspect.kind", kind)
    walk.press("introspect.send")
    assert "The token is active" in walk.text()
    assert "exp: expires" in walk.text()
    walk.choose("call.action", "revoke")
    walk.choose("revoke.kind", kind)
    walk.press("revoke.send")
    assert "no longer valid" in walk.text()
    token = getattr(walk.app.session_state["console"].flow.tokens, kind)
    assert sent(authorization_server, "/revoke")["token"] == token
    walk.choose("call.action", "introspect")
    walk.press("introspect.send")
    assert "The token is not active" in walk.text()
    assert not any(token in str(row.exchange) for row in console.history.rows(Filters()))


def test_revoked_access_token_is_a_proven_cause(walk: "Page") -> None:
    exchange(walk)
    walk.choose("call.action", "revoke")
    walk.press("revoke.send")
    walk.choose("call.action", "api")
    walk.press("api.send")
    assert "The access token was revoked" in walk.text()
    assert "It was revoked before: row" in walk.text()


def test_revoked_refresh_token_is_a_proven_cause(walk: "Page") -> None:
    exchange(walk)
    walk.choose("call.action", "revoke")
    walk.choose("revoke.kind", "refresh_token")
    walk.press("revoke.send")
    walk.choose("call.action", "refresh")
    walk.press("refresh.send")
    assert "The refresh token was revoked" in walk.text()


def test_opaque_token_is_named_and_id_token_is_checked(
    walk: "Page", authorization_server: Server, console: Installation
) -> None:
    click_and_paste(walk)
    walk.press("token.send")
    text = walk.text()
    assert "`access_token` is opaque" in text
    assert f'"iss": "{authorization_server.issuer}"' in text
    assert "nonce: Matches the nonce of the request." in text
    assert "at_hash: Matches the access token in the same response." in text
    assert "signature:" not in text
    walk.press("tokens.jwks.send")
    assert "signature: The RS256 signature is valid (the server's key server-key)" in walk.text()
    assert newest(console, "jwks").exchange.request.url == f"{authorization_server.issuer}/jwks"
    flow = walk.app.session_state["console"].flow
    assert flow.nonce not in walk.text()
    assert flow.tokens.id_token.rpartition(".")[2] not in walk.text()
    walk.press("tokens.reveal.id_token")
    assert flow.tokens.id_token in walk.text()


def test_jwt_access_token_is_inspected(walk: "Page", authorization_server: Server) -> None:
    authorization_server.opaque = False
    toggle(walk, "walkthrough.options")
    toggle(walk, "authorize.dpop")
    exchange(walk)
    text = walk.text()
    assert "is opaque" not in text
    assert '"jkt"' in text
    assert "The access token is bound to the DPoP key" in text


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({"nonce": "another"}, "nonce: Differs from the nonce of the request"),
        ({"aud": "another"}, "aud: Issued for another, not this client, app"),
        ({"iss": "https://evil.example"}, "iss: Issued by https://evil.example"),
        ({"exp": 1}, "exp: Expired"),
        ({"at_hash": "AAAA"}, "at_hash: Does not match"),
    ],
)
def test_invalid_id_token_is_reported(
    walk: "Page", authorization_server: Server, change: dict[str, Any], result: str
) -> None:
    authorization_server.change_id_token = lambda claims: claims | change
    click_and_paste(walk)
    walk.press("token.send")
    text = walk.text() + str([item.label for item in walk.app.expander])
    assert result in text
    assert "Content of the id_token: 1 of 6 checks failed" in text


def test_signature_of_another_key_is_invalid(walk: "Page", authorization_server: Server) -> None:
    other = RSAKey.generate_key(2048, parameters={"kid": "server-key"})
    authorization_server.published[:] = [other.as_dict(private=False)]
    exchange(walk)
    walk.press("tokens.jwks.send")
    assert "signature: The RS256 signature is not valid" in walk.text()


def test_empty_key_set_is_reported(walk: "Page", authorization_server: Server) -> None:
    exchange(walk)
    flow = walk.app.session_state["console"].flow
    authorization_server.published.clear()
    assert flow.provider.jwks_uri
    walk.press("tokens.jwks.send")
    assert "signature: The server's key set is empty." in walk.text()


def test_content_of_a_token_is_never_markup(walk: "Page", authorization_server: Server) -> None:
    attack = "**bold** :red[x] <img src=x onerror=alert(1)> [a](http://evil.example)"
    authorization_server.change_id_token = lambda claims: claims | {"iss": attack, "aud": attack, "name": attack}
    exchange(walk)
    rendered = [
        str(getattr(item, "value", "")) for kind in ("markdown", "caption", "header") for item in walk.app.get(kind)
    ]
    assert not any("evil.example" in text for text in [*rendered, *(item.label for item in walk.app.expander)])
    assert attack in walk.text()


def test_pasted_callback_of_another_issuer_is_refused(
    walk: "Page", authorization_server: Server, console: Installation
) -> None:
    authorization_server.answers_as = "https://evil.example"
    walk.paste(approve(walk).headers["location"])
    text = walk.text()
    assert "refused, and nothing changed" in text
    assert "mix-up attack" in text
    assert list(console.history.rows(Filters())) == []


def test_received_callback_of_another_issuer_is_not_used(walk: "Page", authorization_server: Server) -> None:
    authorization_server.answers_as = "https://evil.example"
    address = approve(walk).headers["location"]
    begin(walk)
    assert httpx.get(address, trust_env=False).status_code == 200
    walk.run()
    text = walk.text()
    assert "The callback comes from another issuer. Its code is not used." in text
    assert "received https://evil.example" in text
    assert walk.app.session_state["console"].flow.code == ""
    walk.press("rail.token")
    assert walk.value("token.field.code.value") == ""


def test_refused_authorization_is_told_once_and_offers_no_empty_code(walk: "Page") -> None:
    begin(walk)
    state = walk.app.session_state["console"].flow.state
    walk.paste(f"https://app.example/callback?error=invalid_scope&state={state}")
    assert walk.text().count("A requested scope is unknown") == 1
    assert "token.send" not in keys(walk)


def test_matching_issuer_is_reported(walk: "Page") -> None:
    paste(walk)
    assert "The issuer matches the profile" in walk.text()


def test_form_post_is_received(walk: "Page", console: Installation) -> None:
    toggle(walk, "walkthrough.options")
    walk.app.checkbox(key="authorize.field.response_mode.send").check()
    walk.type("authorize.field.response_mode.value", "form_post")
    html = approve(walk).text
    begin(walk)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', html))
    target = re.findall(r'action="([^"]*)"', html)[0]
    assert httpx.post(target, data=fields, trust_env=False).status_code == 200
    walk.run()
    assert "The state matches the request" in walk.text()
    assert newest(console, "callback").exchange.request.method == "POST"
    walk.press("token.send")
    assert "200 OK" in walk.text()


def test_fragment_has_to_be_pasted(walk: "Page") -> None:
    toggle(walk, "walkthrough.options")
    walk.app.checkbox(key="authorize.field.response_mode.send").check()
    walk.type("authorize.field.response_mode.value", "fragment")
    address = approve(walk).headers["location"]
    assert "#code=" in address
    begin(walk)
    assert "which a browser sends to no server" in walk.text()
    walk.paste(address)
    assert "The state matches the request" in walk.text()
    walk.press("token.send")
    assert "200 OK" in walk.text()
