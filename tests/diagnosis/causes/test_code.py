"""Documented error 2: every cause of it, brought about over HTTP, and ruled out where it was not that."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from oauth_sandbox.store import Kind
from tests.diagnosis.harness import Walk, cause, setting, text, verdict


def nearly_right(walk: Walk) -> dict[str, str]:
    """The verdicts for a code that was withdrawn by the provider: nothing that can be checked is wrong."""
    walk.authorize()
    walk.running.sandbox.revoke(Kind.CODE, walk.running.sandbox.issued(Kind.CODE)[0].serial)
    diagnosis = walk.diagnosed(walk.token())
    return {item.id: item.verdict.value for item in diagnosis.causes}


@pytest.mark.proves(2, "code.expired")
@pytest.mark.rules_out(2, "code.used")
def test_expired_code_is_proven_by_its_age(walk: Walk) -> None:
    walk.authorize()
    walk.wait(852)
    diagnosis = walk.diagnosed(walk.token())
    expired = cause(diagnosis, "code.expired")
    assert expired.verdict == "proven"
    assert "14 min 12 s old" in text(expired)
    assert "codes live 10 min" in text(expired)
    assert expired.evidence[0].row == walk.history.flow(walk.flow.id)[1].exchange.id
    assert expired.fix is not None
    assert expired.fix.label_text == "start again at step 1"
    assert verdict(diagnosis, "code.used") == "ruled out"
    assert "The code had expired" in diagnosis.most_likely


@pytest.mark.proves(2, "code.used")
@pytest.mark.rules_out(2, "code.expired")
def test_used_code_is_proven_by_the_earlier_row(walk: Walk) -> None:
    first = walk.got_tokens()
    diagnosis = walk.diagnosed(walk.token())
    used = cause(diagnosis, "code.used")
    assert used.verdict == "proven"
    assert used.evidence[0].row == first.id
    assert f"row {first.id}" in text(used)
    assert "200" in text(used)
    assert used.fix is not None
    assert used.fix.label_text == "start again at step 1"
    assert verdict(diagnosis, "code.expired") == "ruled out"
    assert f"(row {first.id})" in diagnosis.most_likely


def test_used_code_is_proven_from_the_history_alone(walk: Walk) -> None:
    first = walk.got_tokens()
    walk.wait(700)
    diagnosis = walk.kept(walk.token())
    assert cause(diagnosis, "code.used").evidence[0].row == first.id
    assert verdict(diagnosis, "code.expired") == "proven"


@pytest.mark.proves(2, "code.other_client")
def test_another_clients_code_is_proven(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(client_id="website-app", client_secret="website-secret")))
    other = cause(diagnosis, "code.other_client")
    assert other.verdict == "proven"
    assert "issued to demo-app, but website-app presents it" in text(other)
    assert other.fix is not None
    assert [(change.name, change.after) for change in other.fix.changes] == [("client_id", "demo-app")]


@pytest.mark.proves(2, "code.cut")
def test_truncated_code_is_proven_by_its_length(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(code=walk.flow.code[:32])))
    cut = cause(diagnosis, "code.cut")
    assert cut.verdict == "proven"
    assert f"32 of {len(walk.flow.code)} characters were sent: the beginning of it" in text(cut)
    assert cut.fix is not None
    assert cut.fix.label == "ready"
    assert walk.vault.resolve(str(cut.fix.changes[0].after)) == walk.flow.code


@pytest.mark.proves(2, "code.padded")
def test_whitespace_around_a_code_is_proven(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(code=f" {walk.flow.code}\n")))
    padded = cause(diagnosis, "code.padded")
    assert padded.verdict == "proven"
    assert "1 whitespace character before it, 1 whitespace character after it" in text(padded)
    assert padded.fix is not None
    assert walk.vault.resolve(str(padded.fix.changes[0].after)) == walk.flow.code


def test_rest_of_the_url_after_a_code_is_proven(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(code=f"{walk.flow.code}&state=x")))
    assert "8 more characters after it" in text(cause(diagnosis, "code.padded"))


@pytest.mark.proves(2, "code.encoded_twice")
def test_code_encoded_twice_is_proven(walk: Walk) -> None:
    walk.authorize()
    first, rest = walk.flow.code[0], walk.flow.code[1:]
    diagnosis = walk.diagnosed(walk.token(setting(code=f"%{ord(first):02X}{rest}")))
    twice = cause(diagnosis, "code.encoded_twice")
    assert twice.verdict == "proven"
    assert "1 percent-encoded characters" in text(twice)
    assert quote(walk.flow.code) not in text(twice)


@pytest.mark.proves(2, "code.mistaken")
def test_state_sent_as_code_is_proven(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(code=walk.flow.state)))
    mistaken = cause(diagnosis, "code.mistaken")
    assert mistaken.verdict == "proven"
    assert "The value is the state: «state #" in text(mistaken)


@pytest.mark.proves(2, "code.mistaken")
def test_token_of_another_flow_sent_as_code_is_proven(new_walk: Callable[..., Walk]) -> None:
    before, walk = new_walk(), new_walk()
    row = before.got_tokens()
    assert before.flow.tokens is not None
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(code=before.flow.tokens.access_token)))
    mistaken = cause(diagnosis, "code.mistaken")
    assert mistaken.verdict == "proven"
    assert "access token" in text(mistaken)
    assert mistaken.evidence[0].row == row.id


@pytest.mark.rules_out(
    2,
    "code.used",
    "code.expired",
    "code.other_client",
    "code.cut",
    "code.padded",
    "code.encoded_twice",
    "code.mistaken",
    "code.another",
    "redirect_uri.left_out",
    "redirect_uri.differs",
)
def test_withdrawn_code_has_every_cause_ruled_out(walk: Walk) -> None:
    verdicts = nearly_right(walk)
    assert set(verdicts.values()) == {"ruled out"}, verdicts


def test_pasted_code_is_possibly_exchanged_by_another_server(walk: Walk) -> None:
    walk.authorize(pasted=True)
    walk.running.sandbox.revoke(Kind.CODE, walk.running.sandbox.issued(Kind.CODE)[0].serial)
    diagnosis = walk.diagnosed(walk.token())
    used = cause(diagnosis, "code.used")
    assert used.verdict == "possible"
    assert "may have exchanged it" in text(used)


def test_code_age_is_unknown_without_a_callback(walk: Walk) -> None:
    walk.begin()
    diagnosis = walk.diagnosed(walk.token(setting(code="0123456789012345678901234567890123456789")))
    assert verdict(diagnosis, "code.expired") == "unknown"
    assert "no callback with it is known" in text(cause(diagnosis, "code.expired"))


@pytest.mark.proves(2, "code.used")
@pytest.mark.suspects(2, "code.another")
def test_a_code_of_another_flow_is_judged_by_its_own_history(new_walk: Callable[..., Walk]) -> None:
    before, walk = new_walk(), new_walk()
    spent = before.got_tokens()
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(code=before.flow.code)))
    assert cause(diagnosis, "code.used").evidence[0].row == spent.id
    another = cause(diagnosis, "code.another")
    assert another.verdict == "possible"
    assert before.vault.placeholder("code", before.flow.code) in text(another)
    assert walk.vault.placeholder("code", walk.flow.code) in text(another)


@pytest.mark.proves(2, "code.expired")
def test_expired_code_of_another_flow_is_proven_by_its_own_age(new_walk: Callable[..., Walk]) -> None:
    before, walk = new_walk(), new_walk()
    before.authorize()
    assert before.came is not None
    walk.wait(700)
    walk.authorize()
    expired = cause(walk.diagnosed(walk.token(setting(code=before.flow.code))), "code.expired")
    assert "11 min 40 s old" in text(expired)
    assert expired.evidence[0].row == before.came.id
