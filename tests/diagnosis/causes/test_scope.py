"""Documented errors 4 and 8: the scope asked for, and the scope a token has."""

from dataclasses import replace

import pytest

from oauth.recorder import Record
from oauth_sandbox.faults.kinds import fault_from
from tests.diagnosis.harness import Walk, cause, setting, text, verdict


@pytest.mark.proves(4, "scope.separators")
@pytest.mark.rules_out(4, "scope.letter_case")
@pytest.mark.parametrize("sent", ["read,write,v2", "read+write+v2", "read, write, v2"])
def test_wrong_separators_are_proven(walk: Walk, sent: str) -> None:
    diagnosis = walk.diagnosed(walk.application(setting(scope=sent)))
    wrong = cause(diagnosis, "scope.separators")
    assert wrong.verdict == "proven"
    assert wrong.fix is not None
    assert wrong.fix.label == "ready"
    assert wrong.fix.changes[0].after == "read write v2"
    assert verdict(diagnosis, "scope.letter_case") == "ruled out"


@pytest.mark.proves(4, "scope.letter_case")
@pytest.mark.rules_out(4, "scope.separators")
def test_wrong_letter_case_is_proven(walk: Walk) -> None:
    diagnosis = walk.diagnosed(walk.application(setting(scope="Read write V2")))
    wrong = cause(diagnosis, "scope.letter_case")
    assert wrong.verdict == "proven"
    assert "V2 was sent, but the name is v2" in text(wrong)
    assert wrong.fix is not None
    assert wrong.fix.changes[0].after == "read write v2"
    assert verdict(diagnosis, "scope.separators") == "ruled out"


@pytest.mark.proves(4, "scope.never_granted")
@pytest.mark.rules_out(4, "scope.taken_away")
def test_never_granted_scope_is_proven(walk: Walk) -> None:
    walk.running.sandbox.change_client("demo-app", scopes=["read", "write"])
    worked = walk.application(setting(scope="read write"))
    diagnosis = walk.diagnosed(walk.application())
    never = cause(diagnosis, "scope.never_granted")
    assert never.verdict == "proven"
    assert "Never granted to this client in the newest 20,000 rows: v2" in text(never)
    assert f"read was granted before [history, {worked.id}]" in text(never)
    assert never.fix is not None
    assert never.fix.changes[0].after == "read write"
    assert verdict(diagnosis, "scope.taken_away") == "ruled out"


def test_refused_scope_is_unknown_without_a_success(walk: Walk) -> None:
    walk.running.sandbox.change_client("demo-app", scopes=["read"])
    diagnosis = walk.diagnosed(walk.application())
    assert verdict(diagnosis, "scope.never_granted") == "possible"


@pytest.mark.proves(4, "scope.taken_away")
@pytest.mark.rules_out(4, "scope.never_granted")
def test_withdrawn_scopes_are_proven(walk: Walk) -> None:
    worked = walk.application()
    walk.running.sandbox.change_client("demo-app", scopes=["read", "write"])
    diagnosis = walk.diagnosed(walk.application())
    taken = cause(diagnosis, "scope.taken_away")
    assert taken.verdict == "proven"
    assert taken.evidence[0].row == worked.id
    assert verdict(diagnosis, "scope.never_granted") == "ruled out"


@pytest.mark.proves(4, "scope.beyond_consent")
def test_refresh_beyond_the_authorized_scope_is_proven(walk: Walk) -> None:
    walk.authorize(setting(scope="read v2"))
    walk.token()
    diagnosis = walk.diagnosed(walk.refresh(setting(scope="read write v2")))
    wider = cause(diagnosis, "scope.beyond_consent")
    assert wider.verdict == "proven"
    assert "write was not authorized; authorized: read v2" in text(wider)
    assert wider.fix is not None
    assert wider.fix.changes[0].after == "read v2"


@pytest.mark.rules_out(4, "scope.beyond_consent")
def test_refresh_within_the_authorized_scope_is_ruled_out(walk: Walk) -> None:
    walk.got_tokens()
    walk.running.sandbox.change_client("demo-app", scopes=["read", "write"])
    diagnosis = walk.diagnosed(walk.refresh(setting(scope="read write v2")))
    assert verdict(diagnosis, "scope.beyond_consent") == "ruled out"
    assert verdict(diagnosis, "scope.taken_away") == "proven"


@pytest.mark.proves(8, "token.lacks_scope", "token.asked_too_little")
@pytest.mark.rules_out(8, "token.granted_less")
def test_token_without_a_required_scope_is_diagnosed(walk: Walk) -> None:
    walk.authorize(setting(scope="read write"))
    row = walk.token()
    diagnosis = walk.diagnosed(walk.call())
    lacks = cause(diagnosis, "token.lacks_scope")
    assert lacks.verdict == "proven"
    assert "Missing: v2" in text(lacks)
    assert "Granted: read write" in text(lacks)
    assert lacks.evidence[0].row == row.id
    little = cause(diagnosis, "token.asked_too_little")
    assert little.verdict == "proven"
    assert little.fix is not None
    assert little.fix.label_text == "start again at step 1"
    assert little.fix.changes[0].after == "read write v2"
    assert verdict(diagnosis, "token.granted_less") == "ruled out"


@pytest.mark.proves(8, "token.granted_less")
@pytest.mark.rules_out(8, "token.asked_too_little")
def test_smaller_granted_scope_is_proven(walk: Walk) -> None:
    walk.authorize(setting(scope="read write"))
    walk.token(setting(scope="read write v2"))
    diagnosis = walk.diagnosed(walk.call())
    less = cause(diagnosis, "token.granted_less")
    assert less.verdict == "proven"
    assert "Requested read write v2, granted read write" in text(less)
    assert verdict(diagnosis, "token.asked_too_little") == "ruled out"


@pytest.mark.rules_out(8, "token.lacks_scope", "token.granted_less", "token.asked_too_little")
def test_token_with_every_scope_is_ruled_out(walk: Walk) -> None:
    """The sandbox answers error 8 to a token that lacks a scope and to no other, so that the cause cannot be ruled out
    where it answers rightly. Here a fault has it answer wrongly: to a token with every scope, over HTTP."""
    walk.got_tokens()
    walk.running.sandbox.faults.add(fault_from("documented", {"number": 8}))
    diagnosis = walk.diagnosed(walk.call())
    assert "The token has every required scope: read write v2" in text(cause(diagnosis, "token.lacks_scope"))


def test_scopes_never_granted_at_once_are_possible(walk: Walk) -> None:
    """Each was granted once, and together never: whether any was taken away cannot be told."""
    walk.application(setting(scope="read"))
    walk.application(setting(scope="write v2"))
    walk.running.sandbox.change_client("demo-app", scopes=["read", "write"])
    diagnosis = cause(walk.diagnosed(walk.application()), "scope.taken_away")
    assert diagnosis.verdict == "possible"
    assert "never all at once" in text(diagnosis)


def test_scope_of_a_user_says_nothing_about_the_application(walk: Walk) -> None:
    walk.got_tokens()
    walk.running.sandbox.change_client("demo-app", scopes=["read", "write"])
    assert verdict(walk.diagnosed(walk.application()), "scope.taken_away") == "possible"


def test_response_without_scope_granted_the_requested_one(walk: Walk) -> None:
    """RFC 6749 §5.1; the sandbox always names it, so that it is taken out of the kept answer."""
    walk.authorize()
    given = walk.token()
    assert given.response is not None
    silent = given.response.body.replace(b'"scope":"read write v2",', b"")
    walk.recorder.complete(Record(given, given), replace(given, response=replace(given.response, body=silent)))
    walk.running.sandbox.faults.add(fault_from("documented", {"number": 8}))
    assert verdict(walk.kept(walk.call()), "token.lacks_scope") == "ruled out"
