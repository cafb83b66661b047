"""The walkthrough at the sandbox as an OpenID provider: from its issuer through the id_token to the user."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from oauth_sandbox.testing import RunningSandbox
from oauth_sandbox.testing import running as run_sandbox
from tests.browser.canaries import leaks

if TYPE_CHECKING:
    from tests.browser.conftest import Console, Walk

WRONG = {
    "expired": "exp: Expired 1 h",
    "wrong-issuer": "iss: Issued by https://another-issuer.example, but",
    "wrong-audience": "aud: Issued for another-",
    "several-audiences": "azp: Authorized for another-",
    "wrong-nonce": "nonce: Differs from the nonce of the request",
    "no-nonce": "nonce: Missing, although the request had one",
    "wrong-at-hash": "at_hash: Does not match the access token",
    "issued-in-the-future": "in the future: one of the two clocks is wrong",
    "unknown-kid": "signature: The server has no key with the kid",
    "bad-signature": "signature: The RS256 signature is not valid",
    "alg-none": "signature: alg is none",
    "hmac-with-public-key": "signature: The HS256 signature is not valid with the client secret",
}
"""What the console says of each flaw."""


@pytest.fixture
def provider() -> Iterator[RunningSandbox]:
    with run_sandbox(provider="generic") as sandbox:
        yield sandbox


def test_from_the_issuer_through_the_id_token_to_the_user(
    provider: RunningSandbox, walk: "Walk", running: "Console"
) -> None:
    walk.pick("walkthrough.provider", "Any OAuth server")
    walk.type("walkthrough.issuer", provider.url)
    walk.press("walkthrough.discover")
    expect(walk.at("walkthrough.server")).to_contain_text("The server's metadata is filled in")
    walk.type("walkthrough.client_id", "web-app")
    walk.type("walkthrough.client_secret", "web-secret")
    walk.authorize()
    walk.exchange()
    expect(walk.at("tokens.inside.id_token")).to_contain_text("no check failed")
    walk.press("tokens.jwks.send")
    inside = walk.at("tokens.inside.id_token")
    inside.locator("summary").click()
    for check in ("signature: The RS256 signature is valid", "iss: Issued by", "nonce: Matches", "at_hash: Matches"):
        expect(inside).to_contain_text(check)
    for time in inside.get_by_text("exp: expires").all():
        expect(time).not_to_have_text(time.inner_text())
    walk.press("rail.call")
    walk.pick("call.action", "UserInfo")
    walk.press("userinfo.send")
    expect(walk.at("userinfo.exchange")).to_contain_text("Ada Example")
    walk.pick("call.action", "Introspect")
    walk.press("introspect.send")
    expect(walk.at("introspect.exchange")).to_contain_text('"active": true')
    walk.pick("call.action", "Refresh the token")
    walk.press("refresh.send")
    expect(walk.at("refreshed_tokens.inside.id_token")).to_be_visible()
    assert provider.control.lint() == []
    tokens = {kind: provider.control.snapshot()[kind]["content"][0]["secret"] for kind in ("codes", "access_tokens")}
    for path in (running.log, *(path for path in running.home.rglob("*") if path.is_file())):
        assert leaks(tokens, path.read_bytes()) == [], f"{path.name} has a secret"


def test_each_flaw_of_an_id_token_is_named(walk: "Walk") -> None:
    walk.pick("walkthrough.provider", "Sandbox (embedded), OpenID Connect")
    faults = f"{walk.url}/sandbox/generic/control/faults"
    inside = walk.at("tokens.inside.id_token")
    for number, (flaw, words) in enumerate(WRONG.items()):
        if number:
            walk.press("rail.authorize")
            walk.press("authorize.again")
        walk.authorize()
        answer = walk.page.request.post(faults, data={"fault": "wrong-id-token", "flaw": flaw})
        assert answer.ok, answer.text()
        walk.exchange()
        expect(inside).to_be_visible()
        if walk.at("tokens.jwks.send").count():
            walk.press("tokens.jwks.send")
        expect(inside).to_contain_text("checks failed")
        expect(inside, flaw).to_contain_text(words)


def test_a_pushed_request_and_a_device_without_a_secret(walk: "Walk") -> None:
    walk.pick("walkthrough.provider", "Sandbox (embedded), OpenID Connect")
    walk.pick("walkthrough.client.sandbox-generic", "public")
    walk.untick("walkthrough.options")
    walk.press("rail.par")
    walk.press("par.send")
    walk.at("par.exchange").wait_for(state="attached")
    walk.authorize()
    walk.exchange()
    expect(walk.at("tokens.inside.id_token")).to_contain_text("no check failed")
    walk.press("rail.device")
    walk.press("device.send")
    walk.at("device.open").wait_for()
    with walk.page.context.expect_page() as opened:
        walk.at("device.open").locator("a").click()
    opened.value.locator("button[value=approve]").click()
    expect(opened.value.get_by_text("You can go back to the device")).to_be_visible()
    opened.value.close()
    button = walk.at("poll.send").locator("button")
    expect(button).to_be_enabled()
    button.click()
    expect(walk.at("device_tokens.inside.id_token")).to_be_visible()


def test_a_client_that_registered_itself_signs_in_and_is_deleted(provider: RunningSandbox, walk: "Walk") -> None:
    walk.pick("walkthrough.provider", "Any OAuth server")
    walk.type("walkthrough.issuer", provider.url)
    walk.press("walkthrough.discover")
    expect(walk.at("walkthrough.server")).to_contain_text("The server's metadata is filled in")
    walk.press("register.send")
    expect(walk.step("register")).to_contain_text("The client is registered")
    walk.authorize()
    walk.exchange()
    expect(walk.at("tokens.inside.id_token")).to_contain_text("no check failed")
    walk.press("rail.register")
    walk.press("unregister.send")
    expect(walk.step("register")).to_contain_text("Register a client here")
    assert len(provider.clients.all()) == 3
