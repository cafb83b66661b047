"""The four errors of the sister API in a browser: recognised, proven and fixed with one button."""

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from oauth_sandbox.configuration import Api, ready_made
from tests.browser.canaries import leaks

if TYPE_CHECKING:
    from tests.browser.conftest import Console, Walk

CLIENT = ready_made(Api.OLXGROUP).clients["crm-app"]
WRONG = "canary-a-key-of-another-partner-77"


def set_lifetime(walk: "Walk", seconds: int) -> None:
    """Set the lifetime of the access tokens that the sandbox issues from now on."""
    body = {"lifetimes": {"code": 60, "access_token": seconds, "refresh_token": 31_536_000}}
    answer = walk.page.request.patch(f"{walk.url}/sandbox/olxgroup/control/settings", data=body)
    assert answer.ok, answer.text()


def test_unknown_key_and_expired_token_are_proven_and_fixed(walk: "Walk", running: "Console") -> None:
    walk.pick("walkthrough.provider", "Sandbox (embedded), OLX Group API")
    walk.pick("walkthrough.client.sandbox-olxgroup", "Your own client")
    for key, text in (("client_id", CLIENT.client_id), ("client_secret", CLIENT.secret), ("api_key", WRONG)):
        walk.type(f"walkthrough.{key}", text)
    set_lifetime(walk, 1)
    walk.authorize()
    walk.exchange()
    card = walk.card("token")
    assert "The API key is not known" in card
    assert "Proven\n\nThe API key is not the one of this client" in card
    walk.press("token.fix.1")
    expect(walk.at("token.fixed")).to_contain_text("The fix worked")
    set_lifetime(walk, 3600)
    expect(walk.page.get_by_text("Access token expired").first).to_be_visible()
    walk.press("api.send")
    card = walk.card("api")
    assert "The access token has expired" in card
    assert "Proven\n\nThe access token had expired" in card
    walk.press("api.fix.1")
    walk.press("refresh.send")
    expect(walk.at("refreshed_tokens")).to_be_visible()
    walk.pick("call.action", "Call the API")
    walk.press("api.send")
    expect(walk.at("api.fixed")).to_contain_text("The fix worked")
    expect(walk.at("api.exchange")).to_contain_text("Advert status information")
    secrets = {"wrong key": WRONG, "key": CLIENT.api_key}
    assert leaks(secrets, walk.page.content().encode()) == []
    # The exports are made of what is in here.
    for path in (running.log, *(path for path in running.home.rglob("*") if path.is_file())):
        assert leaks(secrets, path.read_bytes()) == [], f"{path.name} has a secret"


def test_refused_client_and_used_code_are_proven_and_fixed(walk: "Walk") -> None:
    walk.pick("walkthrough.provider", "Sandbox (embedded), OLX Group API")
    walk.authorize()
    walk.pick("token.secret_in", "Body")
    walk.exchange()
    card = walk.card("token")
    assert "The client ID or the client secret is not valid" in card
    assert "Proven\n\nThe credentials are in the body, and this provider reads them from HTTP Basic only" in card
    walk.press("token.fix.1")
    expect(walk.at("token.fixed")).to_contain_text("The fix worked")
    walk.exchange()
    card = walk.card("token")
    assert "The authorization code is unknown or has expired" in card
    assert "Proven\n\nThe code was already exchanged" in card
    walk.press("token.fix.1")
    walk.authorize()
    walk.exchange()
    expect(walk.at("token.fixed")).to_contain_text("The fix worked")
