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
def test_missing_client_id_is_proven(walk: Walk) -> None:
    diagnosis = refused(walk, setting(client_id=None))
    missing = cause(diagnosis, "authorization.client_id_missing")
    assert missing.verdict == "proven"
    assert missing.fix is not None
    assert missing.fix.changes[0].after == "demo-app"


@pytest.mark.proves("error_page", "client.id_differs")
@pytest.mark.rules_out("error_page", "authorization.client_id_missing", "authorization.response_type")
def test_unknown_client_is_possible(walk: Walk) -> None:
    diagnosis = refused(walk, setting(client_id="demo-ap"))
    assert verdict(diagnosis, "client.id_differs") == "proven"
    assert verdict(diagnosis, "authorization.client_id_missing") == "ruled out"
    assert verdict(diagnosis, "authorization.response_type") == "ruled out"


@pytest.mark.suspects("error_page", "authorization.client_not_active")
def test_inactive_client_is_possible(new_walk: Callable[..., Walk]) -> None:
    diagnosis = refused(new_walk("inactive-app"), setting())
    assert verdict(diagnosis, "authorization.client_not_active") == "possible"


@pytest.mark.proves("error_page", "authorization.redirect_uri")
def test_redirect_uri_with_a_fragment_is_proven(walk: Walk) -> None:
    diagnosis = refused(walk, setting(redirect_uri="http://localhost:8501/callback#top"))
    assert verdict(diagnosis, "authorization.redirect_uri") == "proven"
    assert "has a fragment" in text(cause(diagnosis, "authorization.redirect_uri"))


def test_redirect_uri_other_than_the_earlier_one_is_possible(walk: Walk) -> None:
    worked = walk.got_tokens()
    walk.begin()
    diagnosis = refused(walk, setting(redirect_uri="https://localhost:8501/callback"))
    uri = cause(diagnosis, "authorization.redirect_uri")
    assert uri.verdict == "possible"
    assert uri.evidence[0].row == worked.id
    assert uri.fix is not None
    assert uri.fix.changes[0].after == "http://localhost:8501/callback"


@pytest.mark.parametrize("uri", ["http://localhost:8501/callback", "http://127.0.0.1/cb", "http://shop.example/cb"])
def test_loopback_or_plain_redirect_uri_is_proven_where_refused(walk: Walk, uri: str) -> None:
    """The sandbox takes loopback addresses; the profile of a provider that does not says what it would do."""
    walk.provider = replace(walk.provider, accepts_loopback=False)
    walk.begin()
    exchange = walk.authorize(setting(redirect_uri=uri))
    diagnosis = never_came_back(walk.flow, exchange, past=walk.past, vault=walk.vault, now=walk.now)
    assert verdict(diagnosis, "authorization.redirect_uri") == "proven"


@pytest.mark.suspects("error_page", "authorization.not_finished")
@pytest.mark.rules_out("error_page", "authorization.redirect_uri", "authorization.came_elsewhere")
def test_loopback_redirect_uri_is_ruled_out_on_the_sandbox(walk: Walk) -> None:
    diagnosis = refused(walk, setting(client_id="nobody"))
    assert verdict(diagnosis, "authorization.redirect_uri") == "ruled out"
    assert verdict(diagnosis, "authorization.came_elsewhere") == "ruled out"
    assert verdict(diagnosis, "authorization.not_finished") == "possible"


def came_back(walk: Walk, edit: Edit, decision: str = "approve") -> Diagnosis:
    """The provider sent the browser back with an error."""
    walk.authorize(edit, decision=decision)
    assert walk.came is not None
    return walk.diagnosed(walk.came)


@pytest.mark.proves("unsupported_response_type", "authorization.response_type")
def test_other_response_type_is_proven(walk: Walk) -> None:
    diagnosis = cause(came_back(walk, setting(response_type="token")), "authorization.response_type")
    assert diagnosis.verdict == "proven"
    assert "response_type is 'token'" in text(diagnosis)
    assert diagnosis.fix is not None
    assert diagnosis.fix.label_text == "start again at step 1"
    assert diagnosis.fix.changes[0].after == "code"


@pytest.mark.proves("access_denied", "authorization.denied")
def test_denied_access_is_proven(walk: Walk) -> None:
    diagnosis = came_back(walk, setting(), decision="deny")
    assert verdict(diagnosis, "authorization.denied") == "proven"
    assert diagnosis.headline == "The user denied access"


def test_comma_separated_scopes_are_proven_at_authorization(walk: Walk) -> None:
    diagnosis = came_back(walk, setting(scope="read,write,v2"))
    assert verdict(diagnosis, "scope.separators") == "proven"
    assert verdict(diagnosis, "scope.letter_case") == "ruled out"


def test_client_without_the_grant_is_diagnosed_at_authorization(new_walk: Callable[..., Walk]) -> None:
    walk = new_walk("machine-app")
    worked = walk.application()
    others = cause(came_back(walk, setting()), "grant.never_worked_for_client")
    assert others.verdict == "proven"
    assert f"client_credentials worked for this client: row {worked.id}" in text(others)


@pytest.mark.rules_out("error_page", "authorization.not_finished")
def test_earlier_callback_rules_out_an_open_page(walk: Walk) -> None:
    walk.authorize()
    exchange = walk.authorize(setting(client_id="nobody"))
    assert "A callback arrived" in text(cause(walk.never_came_back(exchange), "authorization.not_finished"))


@pytest.mark.suspects("error_page", "authorization.came_elsewhere")
def test_callback_to_another_url_is_possible(walk: Walk) -> None:
    diagnosis = walk.never_came_back(
        walk.authorize(setting(client_id="nobody", redirect_uri="https://shop.example/back"))
    )
    assert "paste the URL it lands on" in text(cause(diagnosis, "authorization.came_elsewhere"))
