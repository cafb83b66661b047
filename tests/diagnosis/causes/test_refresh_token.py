"""Documented error 11."""

from collections.abc import Callable
from dataclasses import replace

from tests.diagnosis.harness import Walk, cause, setting, text, verdict


def refresh_token(walk: Walk) -> str:
    assert walk.flow.tokens is not None
    return walk.flow.tokens.refresh_token


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


def test_an_access_token_in_its_place(walk: Walk) -> None:
    walk.got_tokens()
    assert walk.flow.tokens is not None
    found = walk.diagnosed(walk.refresh(setting(refresh_token=walk.flow.tokens.access_token)))
    mistaken = cause(found, "refresh_token.mistaken")
    assert mistaken.verdict == "proven"
    assert "what was sent is the access token" in text(mistaken)
    assert mistaken.fix is not None
    assert walk.vault.resolve(str(mistaken.fix.changes[0].after)) == refresh_token(walk)


def test_a_code_in_its_place(walk: Walk) -> None:
    walk.got_tokens()
    found = walk.diagnosed(walk.refresh(setting(refresh_token=walk.flow.code)))
    assert "what was sent is the code" in text(cause(found, "refresh_token.mistaken"))


def test_another_clients_token(walk: Walk) -> None:
    row = walk.got_tokens()
    found = walk.diagnosed(walk.refresh(setting(client_id="website-app", client_secret="website-secret")))
    other = cause(found, "refresh_token.other_client")
    assert other.verdict == "proven"
    assert "issued to demo-app, and website-app presents it" in text(other)
    assert other.evidence[0].row == row.id


def test_a_token_of_another_host(new_walk: Callable[..., Walk], walk: Walk) -> None:
    """The sandbox has one site only: the token is kept under another provider's name, and then withdrawn."""
    other = new_walk()
    other.provider = replace(other.provider, id="olx-pl")
    other.begin()
    other.got_tokens()
    walk.running.sandbox.revoke_refresh_token(walk.running.sandbox.refresh_tokens()[0].serial)
    found = walk.diagnosed(walk.refresh(setting(refresh_token=refresh_token(other))))
    assert verdict(found, "refresh_token.other_host") == "proven"


def test_a_withdrawn_token_leaves_nothing_that_can_be_checked(walk: Walk) -> None:
    walk.got_tokens()
    walk.running.sandbox.revoke_refresh_token(walk.running.sandbox.refresh_tokens()[0].serial)
    found = walk.diagnosed(walk.refresh())
    assert {item.verdict.value for item in found.causes} == {"ruled out"}, found.causes
