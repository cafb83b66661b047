"""Documented error 10 and ``unsupported_grant_type``."""

from collections.abc import Callable

import pytest

from oauth.sandbox.faults.kinds import fault_from
from tests.diagnosis.harness import Walk, cause, setting, text, verdict


@pytest.mark.proves("unsupported_grant_type", "grant.misspelt")
@pytest.mark.rules_out("unsupported_grant_type", "grant.unsupported")
@pytest.mark.parametrize(
    "sent", ["authorisation_code", "authorization-code", "Authorization_Code", " authorization_code"]
)
def test_a_misspelt_grant_type(walk: Walk, sent: str) -> None:
    walk.authorize()
    found = walk.diagnosed(walk.token(setting(grant_type=sent)))
    misspelt = cause(found, "grant.misspelt")
    assert misspelt.verdict == "proven"
    assert misspelt.fix is not None
    assert misspelt.fix.label == "ready"
    assert misspelt.fix.changes[0].after == "authorization_code"
    assert verdict(found, "grant.unsupported") == "ruled out"


@pytest.mark.proves(10, "grant.misspelt")
@pytest.mark.suspects(10, "grant.none_worked")
def test_a_misspelt_grant_type_that_is_answered_as_error_10(walk: Walk) -> None:
    """The sandbox has a code of its own for it; a fault has it answer as other servers do."""
    walk.running.sandbox.faults.add(fault_from("documented", {"number": 10}))
    found = walk.diagnosed(walk.application(setting(grant_type="client-credentials")))
    misspelt = cause(found, "grant.misspelt")
    assert misspelt.verdict == "proven"
    assert "grant_type is 'client-credentials'; the provider knows client_credentials" in text(misspelt)


@pytest.mark.proves("unsupported_grant_type", "grant.unsupported")
@pytest.mark.rules_out("unsupported_grant_type", "grant.misspelt")
def test_a_grant_type_that_is_not_offered(walk: Walk) -> None:
    found = walk.diagnosed(walk.token(setting(grant_type="password")))
    assert verdict(found, "grant.unsupported") == "proven"
    assert verdict(found, "grant.misspelt") == "ruled out"


@pytest.mark.proves(10, "grant.never_worked_for_client")
@pytest.mark.rules_out(10, "grant.misspelt", "grant.taken_away", "grant.none_worked")
def test_another_grant_worked_and_this_one_never(new_walk: Callable[..., Walk]) -> None:
    walk = new_walk("website-app")
    worked = walk.got_tokens()
    found = walk.diagnosed(walk.application())
    others = cause(found, "grant.never_worked_for_client")
    assert others.verdict == "proven"
    assert "client_credentials never worked" in text(others)
    assert f"authorization_code worked for this client: row {worked.id}" in text(others)
    assert {verdict(found, id) for id in ("grant.misspelt", "grant.taken_away", "grant.none_worked")} == {"ruled out"}


@pytest.mark.proves(10, "grant.none_worked")
@pytest.mark.rules_out(10, "grant.never_worked_for_client")
def test_no_grant_worked_yet(new_walk: Callable[..., Walk]) -> None:
    walk = new_walk("website-app")
    found = walk.diagnosed(walk.application())
    none = cause(found, "grant.none_worked")
    assert none.verdict == "proven"
    assert "grant_type is spelt right: client_credentials" in text(none)
    assert "No grant of this client worked here, in the newest 20,000 rows" in text(none)
    assert verdict(found, "grant.never_worked_for_client") == "ruled out"


@pytest.mark.proves(10, "grant.taken_away")
def test_a_grant_that_was_taken_away(walk: Walk) -> None:
    worked = walk.application()
    walk.running.sandbox.set_grants("demo-app", ["authorization_code"])
    found = walk.diagnosed(walk.application())
    taken = cause(found, "grant.taken_away")
    assert taken.verdict == "proven"
    assert taken.evidence[0].row == worked.id
    assert verdict(found, "grant.never_worked_for_client") == "ruled out"
