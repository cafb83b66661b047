"""The walkthrough at a server with everything: a small strict one of the tests, reached over real HTTP."""

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
from oauth.sandbox.testing import serving
from pages.parts.common import session, signing
from pages.parts.walkthrough import authorization, device, diagnosing, sending
from tests.servers.authorization_server import ASSERTION, DEVICE, Server

if TYPE_CHECKING:  # a conftest is no module to import; pytest hands out what is in it
    from tests.pages.conftest import Page


@pytest.fixture
def authorization_server(home: Path) -> Iterator[Server]:
    """The server, with a profile of one's own that names it."""
    made = Server()
    with serving(made.app()) as url:
        made.issuer = url
        (home / "providers").mkdir(parents=True)
        (home / "providers" / "everything.toml").write_text(made.profile())
        yield made


@pytest.fixture
def walk(authorization_server: Server, page: "Page") -> "Page":
    """The walkthrough at that server, with its client."""
    page.pick("walkthrough.provider", "everything")
    page.type("walkthrough.client_id", authorization_server.client_id)
    page.type("walkthrough.client_secret", authorization_server.secret)
    return page


class Clock:
    """Lets time pass in the walkthrough."""

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


def approved(page: "Page") -> httpx.Response:
    """What the browser is answered at the authorization endpoint."""
    return httpx.get(link(page), trust_env=False)


def answered(page: "Page") -> None:
    """Step 1 and 2, by pasting."""
    page.paste(approved(page).headers["location"])


def exchanged(page: "Page") -> None:
    answered(page)
    page.press("token.send")


def answered_and_begun(page: "Page") -> None:
    """As when the link is really clicked, so that the flow knows what was asked."""
    address = approved(page).headers["location"]
    current = page.app.session_state["console"]
    begin(page)
    assert current.flow.authorization is not None
    page.paste(address)


def begin(page: "Page") -> None:
    """What a click on the link does: AppTest cannot click one."""
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
    """The form that an endpoint received last."""
    return next(form for where, form in reversed(server.received) if where == path)


def keys(page: "Page") -> set[str]:
    kinds = ("button", "toggle", "text_input", "checkbox", "segmented_control")
    return {str(item.key) for kind in kinds for item in page.app.get(kind)}


def test_the_sandbox_shows_nothing_of_it(page: "Page") -> None:
    page.press("rail.token")
    page.press("rail.call")
    assert not {"rail.par", "rail.device", "authorize.pkce", "authorize.dpop", "authorize.field.prompt.value"} & keys(
        page
    )
    assert page.app.segmented_control(key="call.action").options == [
        "Call the API", "Refresh the token", "Application token"
    ]  # fmt: skip
    assert page.app.segmented_control(key="token.secret_in").options == ["Body", "Basic"]


def test_a_profile_s_pkce_is_used_without_being_asked_for(
    walk: "Page", authorization_server: Server, console: Installation
) -> None:
    exchanged(walk)
    assert "scope granted openid" in walk.text()
    assert "email" in walk.text().partition("Missing:")[2]
    verifier = walk.app.session_state["console"].flow.verifier
    assert sent(authorization_server, "/token")["code_verifier"] == verifier
    assert verifier not in walk.text()
    assert b"code_verifier=\xc2\xabcode_verifier #" in newest(console, "token").exchange.request.body


def test_a_verifier_of_one_s_own_is_challenged_and_sent(walk: "Page", authorization_server: Server) -> None:
    verifier = "my-own-verifier-of-more-than-forty-three-characters"
    toggle(walk, "walkthrough.options")
    walk.type("authorize.verifier", verifier)
    assert verifier not in walk.text()
    walk.press("authorize.reveal.code_verifier")
    assert verifier in walk.text()
    exchanged(walk)
    assert sent(authorization_server, "/token")["code_verifier"] == verifier
    assert "200 OK" in walk.text()


def test_a_verifier_that_is_too_short_is_said_to_be(walk: "Page") -> None:
    toggle(walk, "walkthrough.options")
    walk.type("authorize.verifier", "short")
    assert "It must have 43 to 128" in walk.text()


@pytest.mark.parametrize("method", ["off", "plain"])
def test_pkce_can_be_off_or_plain(walk: "Page", authorization_server: Server, method: str) -> None:
    toggle(walk, "walkthrough.options")
    walk.choose("authorize.pkce", method)
    exchanged(walk)
    assert ("code_verifier" in sent(authorization_server, "/token")) is (method == "plain")
    assert "200 OK" in walk.text()
    assert walk.app.session_state["console"].flow.verifier not in walk.text()


def test_a_wrong_verifier_is_proven_before_it_is_sent_and_mended_with_one_button(walk: "Page") -> None:
    answered_and_begun(walk)
    walk.type("token.field.code_verifier.value", "another-verifier-of-more-than-forty-three-characters")
    assert "The verifier does not match the code challenge" in walk.text()
    walk.press("token.send")
    text = walk.text()
    assert "invalid\\_grant" in text
    assert "is not the code_challenge of the authorization" in text
    walk.press("token.fix.1")
    assert "It was this" in walk.text()
    assert "after: 200" in walk.text()


@pytest.mark.parametrize(
    ("chosen", "fields"),
    [
        ("client_secret_post", {"client_id", "client_secret"}),
        ("client_secret_basic", set()),
        ("none", {"client_id"}),
    ],
)
def test_the_client_proves_itself_as_chosen(
    walk: "Page", authorization_server: Server, chosen: str, fields: set[str]
) -> None:
    authorization_server.secret = authorization_server.secret if chosen != "none" else ""
    toggle(walk, "walkthrough.options")
    answered(walk)
    walk.choose("token.secret_in", chosen)
    walk.press("token.send")
    assert "200 OK" in walk.text()
    received = sent(authorization_server, "/token")
    assert {"client_id", "client_secret", "client_assertion"} & set(received) == fields


def test_a_choice_holds_for_the_other_requests_of_the_client(walk: "Page") -> None:
    toggle(walk, "walkthrough.options")
    walk.press("rail.token")
    walk.choose("token.secret_in", "none")
    walk.press("rail.device")
    assert walk.app.segmented_control(key="device.secret_in").value == "none"


def test_a_signed_assertion_takes_the_place_of_a_secret(
    walk: "Page", authorization_server: Server, console: Installation, home: Path
) -> None:
    key = ECKey.generate_key("P-256", parameters={"kid": "client-key"})
    pasted = json.dumps(key.as_dict(private=True))
    authorization_server.client_key = key.as_dict(private=False)
    toggle(walk, "walkthrough.options")
    answered(walk)
    walk.choose("token.secret_in", "private_key_jwt")
    walk.app.text_area(key="token.assertion.key").set_value("this is no key")
    walk.run()
    assert "no private key that can be read" in walk.text()
    walk.app.text_area(key="token.assertion.key").set_value(pasted)
    walk.run()
    text = walk.text()
    assert "A key that signs with ES256" in text
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


def test_what_is_asked_for_besides_is_sent_and_the_resource_again_with_the_code(
    walk: "Page", authorization_server: Server
) -> None:
    toggle(walk, "walkthrough.options")
    for name, value in (("prompt", "login"), ("audience", "api"), ("resource", "https://api.example/")):
        walk.app.checkbox(key=f"authorize.field.{name}.send").check()
        walk.type(f"authorize.field.{name}.value", value)
    toggle(walk, "walkthrough.options")
    assert "authorize.field.prompt.value" in keys(walk), "what is sent stays in sight"
    assert "authorize.field.login_hint.value" not in keys(walk)
    assert {"prompt=login", "audience=api"} <= set(link(walk).partition("?")[2].split("&"))
    answered_and_begun(walk)
    walk.press("token.send")
    assert sent(authorization_server, "/token")["resource"] == "https://api.example/"


def test_a_pushed_request_leaves_a_reference_in_the_link(
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
    answered_and_begun(walk)
    walk.press("token.send")
    assert "200 OK" in walk.text()
    assert sent(authorization_server, "/token")["redirect_uri"].endswith("/callback")
    row = newest(console, "par")
    assert row.exchange.response is not None
    assert b'"request_uri": "\xc2\xabrequest_uri #' in row.exchange.response.body.replace(b'":"', b'": "')


def test_a_pushed_request_can_be_taken_back(walk: "Page") -> None:
    walk.press("rail.par")
    walk.press("par.send")
    walk.press("par.forget")
    assert "redirect_uri=" in link(walk)


def test_a_token_bound_to_a_key_takes_a_round_trip_for_its_nonce(
    walk: "Page", authorization_server: Server, console: Installation
) -> None:
    authorization_server.demands_nonce = True
    toggle(walk, "walkthrough.options")
    toggle(walk, "authorize.dpop")
    answered(walk)
    walk.press("token.send")
    text = walk.text()
    assert "The DPoP proof needs a nonce" in text
    assert "The server gave a nonce" in text
    assert authorization_server.nonce not in text
    asked = [path for path, _ in authorization_server.received].count("/token")
    walk.run()
    assert [path for path, _ in authorization_server.received].count("/token") == asked == 1
    walk.press("token.dpop.again")
    assert "The access token is bound to the key of the proofs" in walk.text()
    assert sent(authorization_server, "/token")["code"]
    walk.press("api.send")
    assert "seven@example.com" in walk.text()
    assert sent(authorization_server, "/userinfo")["scheme"] == "DPoP"
    for row in console.history.rows(Filters()):
        exchange = str(row.exchange)
        assert authorization_server.nonce not in exchange
        assert not re.search(r"eyJ[\w-]{20}", exchange)


def test_each_request_has_a_proof_of_its_own(walk: "Page", authorization_server: Server) -> None:
    toggle(walk, "walkthrough.options")
    toggle(walk, "authorize.dpop")
    exchanged(walk)
    walk.press("api.send")
    first = sent(authorization_server, "/userinfo")["proof"]
    walk.press("api.send")
    assert "200 OK" in walk.text()
    assert sent(authorization_server, "/userinfo")["proof"] != first


def test_an_old_proof_is_made_anew_when_it_is_sent(walk: "Page", authorization_server: Server, clock: Clock) -> None:
    toggle(walk, "walkthrough.options")
    toggle(walk, "authorize.dpop")
    answered(walk)
    before = walk.value("token.field.DPoP.value")
    clock.move(30)
    walk.run()
    assert walk.value("token.field.DPoP.value") == before, "looking at it does not change it"
    walk.press("token.send")
    assert "200 OK" in walk.text()
    assert walk.app.session_state["console"].shown["token"].exchange.request.headers != before
    rows = [value for name, value in walk.app.session_state["console"].sent["token"].headers if name == "DPoP"]
    assert walk.app.session_state["console"].vault.placeholder("dpop", rows[0]) != before


def test_a_server_that_binds_nothing_is_said_to(walk: "Page", authorization_server: Server) -> None:
    toggle(walk, "walkthrough.options")
    toggle(walk, "authorize.dpop")
    answered(walk)
    walk.untick("token.field.DPoP.send")
    walk.press("token.send")
    assert "The access token is not bound to the key of the proofs" in walk.text()
    assert "token_type is Bearer and not DPoP" in walk.text()


def test_a_device_shows_its_code_and_is_never_asked_too_often(
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
    assert "At most once every 10 s" in walk.text()
    clock.move(9)
    walk.run()
    assert walk.app.button(key="poll.send").disabled
    clock.move(1.1)
    walk.run()
    walk.press("poll.send")
    assert "The user approved, and the tokens are here" in walk.text()
    assert "WDJB-MJHT" not in walk.text()
    polls = [row for row in console.history.rows(Filters()) if row.exchange.step == "token"]
    assert [row.error for row in polls] == ["", "slow_down", "authorization_pending"]
    device_code = walk.app.session_state["console"].flow.device.device_code
    assert not any(device_code in str(row.exchange) or "WDJB" in str(row.exchange) for row in polls)


def test_a_device_asks_by_itself_as_often_as_it_may(walk: "Page", authorization_server: Server, clock: Clock) -> None:
    authorization_server.polls = ["authorization_pending", "authorization_pending", "access_denied"]
    walk.press("rail.device")
    walk.press("device.send")
    toggle(walk, "device.by_itself")
    for asked in (1, 2, 3):
        clock.move(5.1)
        walk.run()
        walk.run()
        assert [path for path, _ in authorization_server.received].count("/token") == asked
    assert "The user refused" in walk.text()
    diagram = next(str(item.value) for item in walk.app.markdown if "sequenceDiagram" in str(item.value))
    assert "POST token (2 times)" in diagram


def test_who_approved_is_the_user_of_the_id_token(walk: "Page", authorization_server: Server) -> None:
    exchanged(walk)
    walk.choose("call.action", "userinfo")
    walk.press("userinfo.send")
    assert "sub: It is the user of the id_token." in walk.text()
    assert sent(authorization_server, "/userinfo")["scheme"] == "Bearer"


def test_an_answer_about_somebody_else_must_not_be_used(walk: "Page", authorization_server: Server) -> None:
    authorization_server.change_id_token = lambda claims: claims | {"sub": "8"}
    exchanged(walk)
    walk.choose("call.action", "userinfo")
    walk.press("userinfo.send")
    assert "the answer must not be used" in walk.text()


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_revoked_token_is_examined_and_found_inactive(
    walk: "Page", authorization_server: Server, console: Installation, kind: str
) -> None:
    exchanged(walk)
    walk.choose("call.action", "introspect")
    walk.choose("introspect.kind", kind)
    walk.press("introspect.send")
    assert "The token is active" in walk.text()
    assert "exp: ends" in walk.text()
    walk.choose("call.action", "revoke")
    walk.choose("revoke.kind", kind)
    walk.press("revoke.send")
    assert "worth nothing now" in walk.text()
    token = getattr(walk.app.session_state["console"].flow.tokens, kind)
    assert sent(authorization_server, "/revoke")["token"] == token
    walk.choose("call.action", "introspect")
    walk.press("introspect.send")
    assert "The token is not active" in walk.text()
    assert not any(token in str(row.exchange) for row in console.history.rows(Filters()))


def test_a_revoked_access_token_is_a_proven_cause(walk: "Page") -> None:
    exchanged(walk)
    walk.choose("call.action", "revoke")
    walk.press("revoke.send")
    walk.choose("call.action", "api")
    walk.press("api.send")
    assert "The access token was revoked" in walk.text()
    assert "It was revoked before: row" in walk.text()


def test_a_revoked_refresh_token_is_a_proven_cause(walk: "Page") -> None:
    exchanged(walk)
    walk.choose("call.action", "revoke")
    walk.choose("revoke.kind", "refresh_token")
    walk.press("revoke.send")
    walk.choose("call.action", "refresh")
    walk.press("refresh.send")
    assert "The refresh token was revoked" in walk.text()


def test_an_opaque_token_is_called_opaque_and_an_id_token_is_checked(
    walk: "Page", authorization_server: Server, console: Installation
) -> None:
    answered_and_begun(walk)
    walk.press("token.send")
    text = walk.text()
    assert "`access_token` is opaque" in text
    assert f'"iss": "{authorization_server.issuer}"' in text
    assert "nonce: It is the one that was sent." in text
    assert "at_hash: It is the hash of the access token that came with it." in text
    assert "signature:" not in text
    walk.press("tokens.jwks.send")
    assert "signature: The RS256 signature holds with the key server-key" in walk.text()
    assert newest(console, "jwks").exchange.request.url == f"{authorization_server.issuer}/jwks"
    flow = walk.app.session_state["console"].flow
    assert flow.nonce not in walk.text()
    assert flow.tokens.id_token.rpartition(".")[2] not in walk.text()
    walk.press("tokens.reveal.id_token")
    assert flow.tokens.id_token in walk.text()


def test_an_access_token_that_is_a_jwt_is_looked_into(walk: "Page", authorization_server: Server) -> None:
    authorization_server.opaque = False
    toggle(walk, "walkthrough.options")
    toggle(walk, "authorize.dpop")
    exchanged(walk)
    text = walk.text()
    assert "opaque" not in text
    assert '"jkt"' in text
    assert "The access token is bound to the key of the proofs" in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"nonce": "another"}, "nonce: It is not the one that was sent"),
        ({"aud": "another"}, "aud: Made for another, and not for this client, app"),
        ({"iss": "https://evil.example"}, "iss: Issued by https://evil.example"),
        ({"exp": 1}, "exp: It ended"),
        ({"at_hash": "AAAA"}, "at_hash: It is not the hash"),
    ],
)
def test_an_id_token_that_must_not_be_used_is_said_to_be(
    walk: "Page", authorization_server: Server, change: dict[str, Any], told: str
) -> None:
    authorization_server.change_id_token = lambda claims: claims | change
    answered_and_begun(walk)
    walk.press("token.send")
    text = walk.text() + str([item.label for item in walk.app.expander])
    assert told in text
    assert "What the id_token says: 1 of 6 checks speak against it" in text


def test_a_signature_of_another_key_does_not_hold(walk: "Page", authorization_server: Server) -> None:
    other = RSAKey.generate_key(2048, parameters={"kid": "server-key"})
    authorization_server.published[:] = [other.as_dict(private=False)]
    exchanged(walk)
    walk.press("tokens.jwks.send")
    assert "signature: The RS256 signature does not hold" in walk.text()


def test_keys_that_are_not_to_be_had_are_an_exchange_with_its_reason(
    walk: "Page", authorization_server: Server
) -> None:
    exchanged(walk)
    flow = walk.app.session_state["console"].flow
    authorization_server.published.clear()
    assert flow.provider.jwks_uri
    walk.press("tokens.jwks.send")
    assert "signature: The server's key set has no key in it." in walk.text()


def test_nothing_in_a_token_becomes_markup(walk: "Page", authorization_server: Server) -> None:
    attack = "**bold** :red[x] <img src=x onerror=alert(1)> [a](http://evil.example)"
    authorization_server.change_id_token = lambda claims: claims | {"iss": attack, "aud": attack, "name": attack}
    exchanged(walk)
    rendered = [
        str(getattr(item, "value", "")) for kind in ("markdown", "caption", "subheader") for item in walk.app.get(kind)
    ]
    assert not any("evil.example" in text for text in [*rendered, *(item.label for item in walk.app.expander)])
    assert attack in walk.text()


def test_an_answer_of_another_server_is_refused_when_pasted(
    walk: "Page", authorization_server: Server, console: Installation
) -> None:
    authorization_server.answers_as = "https://evil.example"
    walk.paste(approved(walk).headers["location"])
    text = walk.text()
    assert "refused, and nothing changed" in text
    assert "mix-up attack" in text
    assert list(console.history.rows(Filters())) == []


def test_an_answer_of_another_server_that_comes_by_itself_is_not_used(
    walk: "Page", authorization_server: Server
) -> None:
    authorization_server.answers_as = "https://evil.example"
    address = approved(walk).headers["location"]
    begin(walk)
    assert httpx.get(address, trust_env=False).status_code == 200
    walk.run()
    text = walk.text()
    assert "Another server answered than the one that was asked. The code is not used." in text
    assert "answered https://evil.example" in text
    assert walk.app.session_state["console"].flow.code == ""
    assert walk.value("token.field.code.value") == ""


def test_the_issuer_that_answered_is_said_to_be_the_right_one(walk: "Page") -> None:
    answered(walk)
    assert "The issuer that answered is the one that was asked" in walk.text()


def test_a_form_post_comes_back_by_itself(walk: "Page", console: Installation) -> None:
    toggle(walk, "walkthrough.options")
    walk.app.checkbox(key="authorize.field.response_mode.send").check()
    walk.type("authorize.field.response_mode.value", "form_post")
    html = approved(walk).text
    begin(walk)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', html))
    target = re.findall(r'action="([^"]*)"', html)[0]
    assert httpx.post(target, data=fields, trust_env=False).status_code == 200
    walk.run()
    assert "The state is the one that was sent" in walk.text()
    assert newest(console, "callback").exchange.request.method == "POST"
    walk.press("token.send")
    assert "200 OK" in walk.text()


def test_a_fragment_leads_to_pasting(walk: "Page") -> None:
    toggle(walk, "walkthrough.options")
    walk.app.checkbox(key="authorize.field.response_mode.send").check()
    walk.type("authorize.field.response_mode.value", "fragment")
    address = approved(walk).headers["location"]
    assert "#code=" in address
    begin(walk)
    assert "A browser sends that to no server" in walk.text()
    walk.paste(address)
    assert "The state is the one that was sent" in walk.text()
    walk.press("token.send")
    assert "200 OK" in walk.text()
