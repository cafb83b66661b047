"""The sister API's sandbox in the walkthrough: chosen by its profile, and each of its four errors fixed there."""

import json
from typing import TYPE_CHECKING

import pytest

from oauth.history.filters import Filters
from oauth.installation import Installation
from oauth_sandbox import Api, embedded
from oauth_sandbox.configuration import Lifetimes, ready_made
from oauth_sandbox.faults.kinds import fault_from
from pages.parts.common.session import OWN_CLIENT

if TYPE_CHECKING:
    from tests.pages.conftest import Page

CLIENT = ready_made(Api.OLXGROUP).clients["crm-app"]


@pytest.fixture
def walk(page: "Page") -> "Page":
    page.pick("walkthrough.provider", "sandbox-olxgroup")
    return page


def headers(console: Installation) -> dict[str, str]:
    """The headers of the last request, as the history keeps them."""
    return dict(next(iter(console.history.rows(Filters()))).exchange.request.headers)


def exchange(walk: "Page") -> None:
    walk.paste(walk.decide())
    walk.press("token.send")


def test_walkthrough_works_by_choosing_the_profile(walk: "Page", console: Installation) -> None:
    exchange(walk)
    sent = headers(console)
    assert sent["Content-Type"] == "application/json"
    assert sent["Authorization"].startswith("Basic crm-app:«client_secret ")
    assert sent["X-API-KEY"].startswith("«x_api_key #")
    walk.press("api.send")
    assert "Advert status information" in walk.text()
    assert headers(console)["X-API-KEY"] == sent["X-API-KEY"]
    assert headers(console)["User-Agent"] == "OAuth-Console"
    walk.choose("call.action", "refresh")
    walk.press("refresh.send")
    assert "The refresh token was not replaced" in walk.text()
    assert headers(console)["X-API-KEY"] == sent["X-API-KEY"]
    assert CLIENT.api_key not in walk.text() + repr(list(console.history.rows(Filters())))


def test_unknown_key_is_proven_and_fixed_with_one_button(walk: "Page") -> None:
    walk.paste(walk.decide())
    walk.type("token.field.X-API-KEY.value", "a-key-of-another-partner-0123")
    assert walk.value("token.field.X-API-KEY.value").startswith("«x_api_key #")
    assert "The API key is not the one of this client" in walk.text(), "it is known before sending"
    walk.press("token.send")
    assert ":red[The API key is not known]" in walk.text()
    assert "**Proven**" in walk.text()
    ticket = next(code.value for code in walk.app.code if code.value.startswith("The API key is not known"))
    transaction = json.loads(ticket[ticket.rindex("{") :])["transaction_id"]
    assert f"Request ID: {transaction}\n" in ticket, "the support asks for it"
    walk.press("token.fix.1")
    assert "The fix worked" in walk.text()


def test_fix_after_which_another_error_came_is_not_said_to_be_of_no_help(walk: "Page") -> None:
    walk.paste(walk.decide())
    walk.choose("token.secret_in", "client_secret_post")
    walk.press("token.send")
    embedded(Api.OLXGROUP).faults.add(fault_from("server-error", {}))
    walk.press("token.fix.1")
    assert "The first error is gone; now there is another one" in walk.text()
    assert "did not help" not in walk.text()


def test_refused_basic_is_proven_and_fixed_with_one_button(walk: "Page") -> None:
    walk.paste(walk.decide())
    walk.choose("token.secret_in", "client_secret_post")
    walk.press("token.send")
    assert ":red[The client ID or the client secret is not valid]" in walk.text()
    assert "The credentials are in the body, and this provider reads them from HTTP Basic only." in walk.text()
    walk.press("token.fix.1")
    assert "The fix worked" in walk.text()


def test_used_code_is_proven_and_the_fix_starts_again(walk: "Page") -> None:
    exchange(walk)
    walk.press("token.send")
    assert ":red[The authorization code is unknown or has expired]" in walk.text()
    assert "The code was already exchanged" in walk.text()
    walk.press("token.fix.1")
    exchange(walk)
    assert "The fix worked" in walk.text()


def test_expired_token_is_proven_refreshed_and_accepted(walk: "Page") -> None:
    sandbox = embedded(Api.OLXGROUP)
    sandbox.set_lifetimes(Lifetimes(60, 1, 31_536_000))
    exchange(walk)
    sandbox.set_lifetimes(Lifetimes(60, 3600, 31_536_000))
    walk.press("api.send")
    while "**Proven**" not in walk.text():  # a second later at most
        walk.press("api.send")
    assert ":red[The access token has expired]" in walk.text()
    assert "The access token had expired" in walk.text()
    walk.press("api.fix.1")
    walk.press("refresh.send")
    walk.choose("call.action", "api")
    walk.press("api.send")
    assert "The fix worked" in walk.text()


def test_your_own_client_has_a_key_that_is_kept_in_memory_only(walk: "Page", console: Installation) -> None:
    walk.pick("walkthrough.client.sandbox-olxgroup", OWN_CLIENT)
    walk.type("walkthrough.client_id", CLIENT.client_id)
    walk.type("walkthrough.client_secret", CLIENT.secret)
    walk.type("walkthrough.api_key", CLIENT.api_key)
    assert walk.value("walkthrough.api_key").startswith("«x_api_key #")
    exchange(walk)
    assert "«access_token #" in walk.text()
    assert CLIENT.api_key not in walk.text() + repr(list(console.history.rows(Filters())))


def test_another_provider_asks_for_no_key(page: "Page") -> None:
    page.pick("walkthrough.client.sandbox", OWN_CLIENT)
    assert "walkthrough.api_key" not in [field.key for field in page.app.text_input]
    assert not [field.key for field in page.app.text_input if "X-API-KEY" in str(field.key)]


def test_sandbox_page_shows_one_api_at_a_time(page: "Page") -> None:
    page.go("sandbox.py")
    page.choose("sandbox.api", Api.OLXGROUP)
    text = page.text()
    assert f"client_secret {CLIENT.secret}\nAPI key {CLIENT.api_key}" in text
    assert "/sandbox/olxgroup" in text
    assert "demo-secret" not in text
    page.press("sandbox.clock.600")
    assert embedded(Api.OLXGROUP).clock.offset.total_seconds() == 600
    assert embedded().clock.offset.total_seconds() == 0
    page.choose("sandbox.api", Api.PARTNER)
    assert "demo-secret" in page.text()


def test_pasted_request_opens_with_its_key(walk: "Page", console: Installation) -> None:
    address = walk.app.session_state["console"].flow.provider.token_endpoint
    walk.go("diagnose.py")
    walk.app.text_area(key="diagnose.text").set_value(
        f"curl {address} -u {CLIENT.client_id}:{CLIENT.secret} "
        f'-H \'X-API-KEY: {CLIENT.api_key}\' --json \'{{"grant_type": "authorization_code", "code": "4f1b"}}\''
    )
    walk.press("diagnose.read")
    walk.press("diagnose.1.open")
    walk.go("walkthrough.py")
    assert walk.app.session_state["console"].flow.provider.id == "sandbox-olxgroup"
    for key in ("walkthrough.api_key", "token.field.X-API-KEY.value"):
        assert walk.value(key).startswith("«x_api_key #")
    walk.press("token.send")
    assert ":red[The authorization code is unknown or has expired]" in walk.text(), "the key is known"
    assert CLIENT.api_key not in walk.text() + repr(list(console.history.rows(Filters())))
