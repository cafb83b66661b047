"""Documented error 10 and ``unsupported_grant_type``."""

from collections.abc import Callable

import pytest

from oauth_sandbox.faults.kinds import fault_from
from tests.diagnosis.harness import Walk, cause, setting, text, verdict


@pytest.mark.proves("unsupported_grant_type", "grant.misspelt")
@pytest.mark.rules_out("unsupported_grant_type", "grant.unsupported")
@pytest.mark.parametrize(
    "sent", ["authorisation_code", "authorization-code", "Authorization_Code", " authorization_code"]
)
def test_misspelled_grant_type_is_proven(walk: Walk, sent: str) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(grant_type=sent)))
    misspelt = cause(diagnosis, "grant.misspelt")
    assert misspelt.verdict == "proven"
    assert misspelt.fix is not None
    assert misspelt.fix.label == "ready"
    assert misspelt.fix.changes[0].after == "authorization_code"
    assert verdict(diagnosis, "grant.unsupported") == "ruled out"


@pytest.mark.proves(10, "grant.misspelt")
@pytest.mark.suspects(10, "grant.none_worked")
def test_misspelled_grant_type_is_proven_for_error_10(walk: Walk) -> None:
    """The sandbox has a code of its own for it; a fault has it answer as other servers do."""
    walk.running.sandbox.faults.add(fault_from("documented", {"number": 10}))
    diagnosis = walk.diagnosed(walk.application(setting(grant_type="client-credentials")))
    misspelt = cause(diagnosis, "grant.misspelt")
    assert misspelt.verdict == "proven"
    assert "grant_type is 'client-credentials'; the provider supports client_credentials" in text(misspelt)


@pytest.mark.proves("unsupported_grant_type", "grant.unsupported")
@pytest.mark.rules_out("unsupported_grant_type", "grant.misspelt")
def test_unsupported_grant_type_is_proven(walk: Walk) -> None:
    diagnosis = walk.diagnosed(walk.token(setting(grant_type="password")))
    assert verdict(diagnosis, "grant.unsupported") == "proven"
    assert verdict(diagnosis, "grant.misspelt") == "ruled out"


@pytest.mark.proves(10, "grant.never_worked_for_client")
@pytest.mark.rules_out(10, "grant.misspelt", "grant.taken_away", "grant.none_worked")
def test_grant_that_never_worked_is_proven_by_others(new_walk: Callable[..., Walk]) -> None:
    walk = new_walk("website-app")
    worked = walk.got_tokens()
    diagnosis = walk.diagnosed(walk.application())
    others = cause(diagnosis, "grant.never_worked_for_client")
    assert others.verdict == "proven"
    assert "client_credentials has never worked" in text(others)
    assert f"authorization_code worked for this client: row {worked.id}" in text(others)
    assert {verdict(diagnosis, id) for id in ("grant.misspelt", "grant.taken_away", "grant.none_worked")} == {
        "ruled out"
    }


@pytest.mark.proves(10, "grant.none_worked")
@pytest.mark.rules_out(10, "grant.never_worked_for_client")
def test_client_without_any_working_grant_is_diagnosed(new_walk: Callable[..., Walk]) -> None:
    walk = new_walk("website-app")
    diagnosis = walk.diagnosed(walk.application())
    none = cause(diagnosis, "grant.none_worked")
    assert none.verdict == "proven"
    assert "grant_type is spelled correctly: client_credentials" in text(none)
    assert "No grant of this client has worked here, in the newest 20,000 rows" in text(none)
    assert verdict(diagnosis, "grant.never_worked_for_client") == "ruled out"


@pytest.mark.proves(10, "grant.taken_away")
def test_withdrawn_grant_is_proven(walk: Walk) -> None:
    worked = walk.application()
    walk.running.sandbox.change_client("demo-app", grants=["authorization_code"])
    diagnosis = walk.diagnosed(walk.application())
    taken = cause(diagnosis, "grant.taken_away")
    assert taken.verdict == "proven"
    assert taken.evidence[0].row == worked.id
    assert verdict(diagnosis, "grant.never_worked_for_client") == "ruled out"
