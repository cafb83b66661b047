"""Documented error 11."""

from collections.abc import Callable

import pytest

from oauth_sandbox.store import Kind
from tests.diagnosis.harness import Site, Walk, cause, setting, text, verdict


def refresh_token(walk: Walk) -> str:
    assert walk.flow.tokens is not None
    return walk.flow.tokens.refresh_token


@pytest.mark.proves(11, "refresh_token.replaced")
@pytest.mark.rules_out(11, "refresh_token.expired")
def test_replaced_token_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    old = refresh_token(walk)
    refreshed = walk.refresh()
    diagnosis = walk.diagnosed(walk.refresh(setting(refresh_token=old)))
    replaced = cause(diagnosis, "refresh_token.replaced")
    assert replaced.verdict == "proven"
    assert replaced.evidence[0].row == refreshed.id
    assert "replaced by «refresh_token #" in text(replaced)
    assert replaced.fix is not None
    assert walk.vault.resolve(str(replaced.fix.changes[0].after)) == refresh_token(walk)
    assert verdict(diagnosis, "refresh_token.expired") == "ruled out"
    assert verdict(walk.kept(walk.refresh(setting(refresh_token=old))), "refresh_token.replaced") == "proven"


@pytest.mark.proves(11, "refresh_token.expired")
@pytest.mark.rules_out(11, "refresh_token.replaced")
def test_expired_token_is_proven(walk: Walk) -> None:
    row = walk.got_tokens()
    walk.wait(2_592_000 + 60)
    diagnosis = walk.diagnosed(walk.refresh())
    expired = cause(diagnosis, "refresh_token.expired")
    assert expired.verdict == "proven"
    assert "refresh tokens live 30 d" in text(expired)
    assert expired.evidence[0].row == row.id
    assert expired.fix is not None
    assert expired.fix.label_text == "start again at step 1"
    assert verdict(diagnosis, "refresh_token.replaced") == "ruled out"


@pytest.mark.proves(11, "refresh_token.mistaken")
def test_access_token_sent_as_refresh_token_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    assert walk.flow.tokens is not None
    diagnosis = walk.diagnosed(walk.refresh(setting(refresh_token=walk.flow.tokens.access_token)))
    mistaken = cause(diagnosis, "refresh_token.mistaken")
    assert mistaken.verdict == "proven"
    assert "The value is the access token" in text(mistaken)
    assert mistaken.fix is not None
    assert walk.vault.resolve(str(mistaken.fix.changes[0].after)) == refresh_token(walk)


def test_what_was_typed_as_an_access_token_before_proves_nothing(walk: Walk) -> None:
    walk.got_tokens()
    gibberish = "gibberish-of-a-person-0123456789"
    walk.call(setting(Authorization=f"Bearer {gibberish}"))
    diagnosis = walk.diagnosed(walk.refresh(setting(refresh_token=gibberish)))
    assert verdict(diagnosis, "refresh_token.mistaken") != "proven"


@pytest.mark.proves(11, "refresh_token.mistaken")
def test_code_sent_as_refresh_token_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.refresh(setting(refresh_token=walk.flow.code)))
    assert "The value is the code" in text(cause(diagnosis, "refresh_token.mistaken"))


@pytest.mark.proves(11, "refresh_token.other_client")
def test_token_of_another_client_is_proven(walk: Walk) -> None:
    row = walk.got_tokens()
    diagnosis = walk.diagnosed(walk.refresh(setting(client_id="website-app", client_secret="website-secret")))
    other = cause(diagnosis, "refresh_token.other_client")
    assert other.verdict == "proven"
    assert "Issued to demo-app, but website-app presents it" in text(other)
    assert other.evidence[0].row == row.id


@pytest.mark.proves(11, "refresh_token.other_host")
def test_token_of_another_site_is_proven(new_walk: Callable[..., Walk], walk: Walk, other_site: Site) -> None:
    """Two sandboxes on two ports: a token of the one is sent to the other."""
    other = new_walk(at=other_site)
    row = other.got_tokens()
    diagnosis = walk.diagnosed(walk.refresh(setting(refresh_token=refresh_token(other))))
    foreign = cause(diagnosis, "refresh_token.other_host")
    assert foreign.verdict == "proven"
    assert foreign.evidence[0].row == row.id
    assert verdict(diagnosis, "refresh_token.other_client") == "ruled out"
    assert foreign.fix is not None
    assert foreign.fix.label_text == "start again at step 1"
    assert other.refresh(setting(refresh_token=refresh_token(other))).response is not None


@pytest.mark.proves(11, "refresh_token.cut")
def test_truncated_token_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.refresh(setting(refresh_token=refresh_token(walk)[:30])))
    assert "30 of 40 characters were sent: the beginning of it" in text(cause(diagnosis, "refresh_token.cut"))


@pytest.mark.proves(11, "refresh_token.padded")
def test_whitespace_around_a_token_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.refresh(setting(refresh_token=f"{refresh_token(walk)}\n")))
    assert "1 whitespace character after it" in text(cause(diagnosis, "refresh_token.padded"))


@pytest.mark.proves(11, "refresh_token.encoded_twice")
def test_token_encoded_twice_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    first, rest = refresh_token(walk)[0], refresh_token(walk)[1:]
    diagnosis = walk.diagnosed(walk.refresh(setting(refresh_token=f"%{ord(first):02X}{rest}")))
    assert "Decoded once more, it is the issued refresh token" in text(cause(diagnosis, "refresh_token.encoded_twice"))


@pytest.mark.suspects(11, "refresh_token.replaced", "refresh_token.another")
def test_token_of_another_flow_is_a_possible_replacement(new_walk: Callable[..., Walk]) -> None:
    """The newest refresh token counts, and the same user may have approved in another flow since."""
    first, second = new_walk(), new_walk()
    first.got_tokens()
    later = second.got_tokens()
    first.running.sandbox.revoke(Kind.REFRESH_TOKEN, first.running.sandbox.issued(Kind.REFRESH_TOKEN)[1].serial)
    replaced = cause(first.diagnosed(first.refresh()), "refresh_token.replaced")
    assert replaced.verdict == "possible"
    assert replaced.evidence[0].row == later.id
    diagnosis = second.diagnosed(second.refresh(setting(refresh_token=refresh_token(first))))
    assert verdict(diagnosis, "refresh_token.another") == "possible"
    assert first.vault.placeholder("refresh_token", refresh_token(first)) in text(
        cause(diagnosis, "refresh_token.another")
    )


@pytest.mark.suspects(11, "refresh_token.expired")
def test_token_close_to_expiry_is_possibly_expired(walk: Walk) -> None:
    walk.got_tokens()
    walk.wait(2_592_000 - 2)
    walk.running.sandbox.revoke(Kind.REFRESH_TOKEN, walk.running.sandbox.issued(Kind.REFRESH_TOKEN)[0].serial)
    assert verdict(walk.diagnosed(walk.refresh()), "refresh_token.expired") == "possible"


@pytest.mark.rules_out(
    11,
    "refresh_token.replaced",
    "refresh_token.expired",
    "refresh_token.other_client",
    "refresh_token.other_host",
    "refresh_token.cut",
    "refresh_token.padded",
    "refresh_token.encoded_twice",
    "refresh_token.mistaken",
    "refresh_token.another",
)
def test_withdrawn_token_has_every_cause_ruled_out(walk: Walk) -> None:
    walk.got_tokens()
    walk.running.sandbox.revoke(Kind.REFRESH_TOKEN, walk.running.sandbox.issued(Kind.REFRESH_TOKEN)[0].serial)
    diagnosis = walk.diagnosed(walk.refresh())
    assert {item.verdict.value for item in diagnosis.causes} == {"ruled out"}, diagnosis.causes
