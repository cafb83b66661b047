"""An authorization that never came back, and refusals that came by redirect."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from oauth.diagnosis import Diagnosis, never_came_back
from tests.diagnosis.harness import Edit, Walk, cause, setting, text, verdict


def refused(walk: Walk, edit: Edit) -> Diagnosis:
    """The provider answered with a page of its own, or the browser landed nowhere."""
    exchange = walk.authorize(edit)
    assert walk.flow.callback is None, "it came back"
    return walk.never_came_back(exchange)


@pytest.mark.proves("error_page", "authorization.client_id_missing")
def test_no_client_id(walk: Walk) -> None:
    found = refused(walk, setting(client_id=None))
    missing = cause(found, "authorization.client_id_missing")
    assert missing.verdict == "proven"
    assert missing.fix is not None
    assert missing.fix.changes[0].after == "demo-app"


@pytest.mark.proves("error_page", "client.id_differs")
@pytest.mark.rules_out("error_page", "authorization.client_id_missing", "authorization.response_type")
def test_an_unknown_client(walk: Walk) -> None:
    found = refused(walk, setting(client_id="demo-ap"))
    assert verdict(found, "client.id_differs") == "proven"
    assert verdict(found, "authorization.client_id_missing") == "ruled out"
    assert verdict(found, "authorization.response_type") == "ruled out"


@pytest.mark.suspects("error_page", "authorization.client_not_active")
def test_an_inactive_client(new_walk: Callable[..., Walk]) -> None:
    found = refused(new_walk("inactive-app"), setting())
    assert verdict(found, "authorization.client_not_active") == "possible"


@pytest.mark.proves("error_page", "authorization.redirect_uri")
def test_a_redirect_uri_with_a_fragment(walk: Walk) -> None:
    found = refused(walk, setting(redirect_uri="http://localhost:8501/callback#top"))
    assert verdict(found, "authorization.redirect_uri") == "proven"
    assert "has a fragment" in text(cause(found, "authorization.redirect_uri"))


def test_a_redirect_uri_that_is_not_the_one_that_came_back_before(walk: Walk) -> None:
    worked = walk.got_tokens()
    walk.begin()
    found = refused(walk, setting(redirect_uri="https://localhost:8501/callback"))
    uri = cause(found, "authorization.redirect_uri")
    assert uri.verdict == "possible"
    assert uri.evidence[0].row == worked.id
    assert uri.fix is not None
    assert uri.fix.changes[0].after == "http://localhost:8501/callback"


@pytest.mark.parametrize("uri", ["http://localhost:8501/callback", "http://127.0.0.1/cb", "http://shop.example/cb"])
def test_a_provider_that_takes_no_local_or_plain_address(walk: Walk, uri: str) -> None:
    """The sandbox takes loopback addresses; the profile of a provider that does not says what it would do."""
    walk.provider = replace(walk.provider, accepts_loopback=False)
    walk.begin()
    exchange = walk.authorize(setting(redirect_uri=uri))
    found = never_came_back(walk.flow, exchange, past=walk.past, vault=walk.vault, now=walk.now)
    assert verdict(found, "authorization.redirect_uri") == "proven"


@pytest.mark.suspects("error_page", "authorization.not_finished")
@pytest.mark.rules_out("error_page", "authorization.redirect_uri", "authorization.came_elsewhere")
def test_the_consoles_own_address_is_ruled_out_on_the_sandbox(walk: Walk) -> None:
    found = refused(walk, setting(client_id="nobody"))
    assert verdict(found, "authorization.redirect_uri") == "ruled out"
    assert verdict(found, "authorization.came_elsewhere") == "ruled out"
    assert verdict(found, "authorization.not_finished") == "possible"


def came_back(walk: Walk, edit: Edit, decision: str = "approve") -> Diagnosis:
    """The provider sent the browser back with an error."""
    walk.authorize(edit, decision=decision)
    assert walk.came is not None
    return walk.diagnosed(walk.came)


@pytest.mark.proves("unsupported_response_type", "authorization.response_type")
def test_another_response_type(walk: Walk) -> None:
    found = cause(came_back(walk, setting(response_type="token")), "authorization.response_type")
    assert found.verdict == "proven"
    assert "response_type is 'token'" in text(found)
    assert found.fix is not None
    assert found.fix.label_text == "start again at step 1"
    assert found.fix.changes[0].after == "code"


@pytest.mark.proves("access_denied", "authorization.denied")
def test_the_user_refused(walk: Walk) -> None:
    found = came_back(walk, setting(), decision="deny")
    assert verdict(found, "authorization.denied") == "proven"
    assert found.headline == "The user denied access"


def test_scopes_with_commas_at_the_authorization_endpoint(walk: Walk) -> None:
    found = came_back(walk, setting(scope="read,write,v2"))
    assert verdict(found, "scope.separators") == "proven"
    assert verdict(found, "scope.letter_case") == "ruled out"


def test_a_client_that_may_not_authorize(new_walk: Callable[..., Walk]) -> None:
    walk = new_walk("machine-app")
    worked = walk.application()
    others = cause(came_back(walk, setting()), "grant.never_worked_for_client")
    assert others.verdict == "proven"
    assert f"client_credentials worked for this client: row {worked.id}" in text(others)


@pytest.mark.rules_out("error_page", "authorization.not_finished")
def test_a_callback_that_came_before_was_not_left_open(walk: Walk) -> None:
    walk.authorize()
    exchange = walk.authorize(setting(client_id="nobody"))
    assert "A callback came" in text(cause(walk.never_came_back(exchange), "authorization.not_finished"))


@pytest.mark.suspects("error_page", "authorization.came_elsewhere")
def test_an_answer_that_goes_to_the_customers_own_address(walk: Walk) -> None:
    found = walk.never_came_back(walk.authorize(setting(client_id="nobody", redirect_uri="https://shop.example/back")))
    assert "paste the address it lands on" in text(cause(found, "authorization.came_elsewhere"))
