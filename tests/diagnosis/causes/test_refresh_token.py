"""Documented error 11."""

from collections.abc import Callable

import pytest

from tests.diagnosis.harness import Site, Walk, cause, setting, text, verdict


def refresh_token(walk: Walk) -> str:
    assert walk.flow.tokens is not None
    return walk.flow.tokens.refresh_token


@pytest.mark.proves(11, "refresh_token.replaced")
@pytest.mark.rules_out(11, "refresh_token.expired")
def test_a_token_that_was_replaced(walk: Walk) -> None:
    walk.got_tokens()
    old = refresh_token(walk)
    refreshed = walk.refresh()
    found = walk.diagnosed(walk.refresh(setting(refresh_token=old)))
    replaced = cause(found, "refresh_token.replaced")
    assert replaced.verdict == "proven"
    assert replaced.evidence[0].row == refreshed.id
    assert "replaced by «refresh_token #" in text(replaced)
    assert replaced.fix is not None
    assert walk.vault.resolve(str(replaced.fix.changes[0].after)) == refresh_token(walk)
    assert verdict(found, "refresh_token.expired") == "ruled out"
    assert verdict(walk.kept(walk.refresh(setting(refresh_token=old))), "refresh_token.replaced") == "proven"


@pytest.mark.proves(11, "refresh_token.expired")
@pytest.mark.rules_out(11, "refresh_token.replaced")
def test_an_old_token(walk: Walk) -> None:
    row = walk.got_tokens()
    walk.wait(2_592_000 + 60)
    found = walk.diagnosed(walk.refresh())
    expired = cause(found, "refresh_token.expired")
    assert expired.verdict == "proven"
    assert "refresh tokens live 30 d" in text(expired)
    assert expired.evidence[0].row == row.id
    assert expired.fix is not None
    assert expired.fix.label_text == "start again at step 1"
    assert verdict(found, "refresh_token.replaced") == "ruled out"


@pytest.mark.proves(11, "refresh_token.mistaken")
def test_an_access_token_in_its_place(walk: Walk) -> None:
    walk.got_tokens()
    assert walk.flow.tokens is not None
    found = walk.diagnosed(walk.refresh(setting(refresh_token=walk.flow.tokens.access_token)))
    mistaken = cause(found, "refresh_token.mistaken")
    assert mistaken.verdict == "proven"
    assert "What was sent is the access token" in text(mistaken)
    assert mistaken.fix is not None
    assert walk.vault.resolve(str(mistaken.fix.changes[0].after)) == refresh_token(walk)


@pytest.mark.proves(11, "refresh_token.mistaken")
def test_a_code_in_its_place(walk: Walk) -> None:
    walk.got_tokens()
    found = walk.diagnosed(walk.refresh(setting(refresh_token=walk.flow.code)))
    assert "What was sent is the code" in text(cause(found, "refresh_token.mistaken"))


@pytest.mark.proves(11, "refresh_token.other_client")
def test_another_clients_token(walk: Walk) -> None:
    row = walk.got_tokens()
    found = walk.diagnosed(walk.refresh(setting(client_id="website-app", client_secret="website-secret")))
    other = cause(found, "refresh_token.other_client")
    assert other.verdict == "proven"
    assert "Issued to demo-app, and website-app presents it" in text(other)
    assert other.evidence[0].row == row.id


@pytest.mark.proves(11, "refresh_token.other_host")
def test_a_token_of_another_site(new_walk: Callable[..., Walk], walk: Walk, other_site: Site) -> None:
    """Two sandboxes on two ports: a token of the one is sent to the other."""
    other = new_walk(at=other_site)
    row = other.got_tokens()
    found = walk.diagnosed(walk.refresh(setting(refresh_token=refresh_token(other))))
    foreign = cause(found, "refresh_token.other_host")
    assert foreign.verdict == "proven"
    assert foreign.evidence[0].row == row.id
    assert verdict(found, "refresh_token.other_client") == "ruled out"
    assert foreign.fix is not None
    assert foreign.fix.label_text == "start again at step 1"
    assert other.refresh(setting(refresh_token=refresh_token(other))).response is not None


@pytest.mark.proves(11, "refresh_token.cut")
def test_a_cut_token(walk: Walk) -> None:
    walk.got_tokens()
    found = walk.diagnosed(walk.refresh(setting(refresh_token=refresh_token(walk)[:30])))
    assert "30 of 40 characters were sent, the same beginning" in text(cause(found, "refresh_token.cut"))


@pytest.mark.proves(11, "refresh_token.padded")
def test_white_space_around_a_token(walk: Walk) -> None:
    walk.got_tokens()
    found = walk.diagnosed(walk.refresh(setting(refresh_token=f"{refresh_token(walk)}\n")))
    assert "1 white-space character after it" in text(cause(found, "refresh_token.padded"))


@pytest.mark.proves(11, "refresh_token.encoded_twice")
def test_a_token_that_was_encoded_twice(walk: Walk) -> None:
    walk.got_tokens()
    first, rest = refresh_token(walk)[0], refresh_token(walk)[1:]
    found = walk.diagnosed(walk.refresh(setting(refresh_token=f"%{ord(first):02X}{rest}")))
    assert "Decoded once more it is the refresh token" in text(cause(found, "refresh_token.encoded_twice"))


@pytest.mark.suspects(11, "refresh_token.replaced", "refresh_token.another")
def test_another_flows_token_may_have_replaced_it(new_walk: Callable[..., Walk]) -> None:
    """The newest refresh token counts, and the same user may have approved in another flow since."""
    first, second = new_walk(), new_walk()
    first.got_tokens()
    later = second.got_tokens()
    first.running.sandbox.revoke_refresh_token(first.running.sandbox.refresh_tokens()[1].serial)
    replaced = cause(first.diagnosed(first.refresh()), "refresh_token.replaced")
    assert replaced.verdict == "possible"
    assert replaced.evidence[0].row == later.id
    found = second.diagnosed(second.refresh(setting(refresh_token=refresh_token(first))))
    assert verdict(found, "refresh_token.another") == "possible"
    assert first.vault.placeholder("refresh_token", refresh_token(first)) in text(cause(found, "refresh_token.another"))


@pytest.mark.suspects(11, "refresh_token.expired")
def test_a_token_at_the_very_end_of_its_life_may_be_over(walk: Walk) -> None:
    walk.got_tokens()
    walk.wait(2_592_000 - 2)
    walk.running.sandbox.revoke_refresh_token(walk.running.sandbox.refresh_tokens()[0].serial)
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
def test_a_withdrawn_token_leaves_nothing_that_can_be_checked(walk: Walk) -> None:
    walk.got_tokens()
    walk.running.sandbox.revoke_refresh_token(walk.running.sandbox.refresh_tokens()[0].serial)
    found = walk.diagnosed(walk.refresh())
    assert {item.verdict.value for item in found.causes} == {"ruled out"}, found.causes
