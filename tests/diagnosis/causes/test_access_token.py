"""Documented errors 7 and 9, and a call without a token."""

from collections.abc import Callable
from dataclasses import replace

from tests.diagnosis.harness import Walk, cause, setting, text, verdict


def access_token(walk: Walk) -> str:
    assert walk.flow.tokens is not None
    return walk.flow.tokens.access_token


def test_an_expired_token(walk: Walk) -> None:
    row = walk.got_tokens()
    walk.wait(90_000)
    found = walk.diagnosed(walk.call())
    expired = cause(found, "access_token.expired")
    assert expired.verdict == "proven"
    assert "expires_in 86400 s; sent 1 d 1 h later" in text(expired)
    assert expired.evidence[0].row == row.id
    assert expired.fix is not None
    assert expired.fix.label_text == "start again at step 4"
    assert verdict(found, "access_token.replaced") == "ruled out"


def test_a_withdrawn_token_leaves_nothing_that_can_be_checked(walk: Walk) -> None:
    walk.got_tokens()
    walk.running.sandbox.revoke_access_token(walk.running.sandbox.access_tokens()[0].serial)
    found = walk.diagnosed(walk.call())
    assert {item.verdict.value for item in found.causes} == {"ruled out"}, found.causes
    assert found.most_likely.startswith("Every cause that this console can check is ruled out")


def test_a_refresh_token_in_its_place(walk: Walk) -> None:
    walk.got_tokens()
    assert walk.flow.tokens is not None
    found = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {walk.flow.tokens.refresh_token}")))
    mistaken = cause(found, "access_token.mistaken")
    assert mistaken.verdict == "proven"
    assert "what was sent is the refresh token" in text(mistaken)
    assert mistaken.fix is not None
    assert walk.vault.resolve(str(mistaken.fix.changes[0].after)) == f"Bearer {access_token(walk)}"


def test_a_code_in_its_place(walk: Walk) -> None:
    walk.authorize()
    found = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {walk.flow.code}")))
    assert "what was sent is the code" in text(cause(found, "access_token.mistaken"))


def test_bearer_doubled(walk: Walk) -> None:
    walk.got_tokens()
    found = walk.diagnosed(walk.call(setting(Authorization=f"Bearer Bearer {access_token(walk)}")))
    scheme = cause(found, "access_token.scheme")
    assert scheme.verdict == "proven"
    assert "the word Bearer stands there 2 times" in text(scheme)
    assert scheme.fix is not None
    assert walk.vault.resolve(str(scheme.fix.changes[0].after)) == f"Bearer {access_token(walk)}"


def test_bearer_missing(walk: Walk) -> None:
    walk.got_tokens()
    found = walk.diagnosed(walk.call(setting(Authorization=access_token(walk))))
    assert "the word Bearer is missing" in text(cause(found, "access_token.scheme"))
    assert verdict(found, "access_token.scheme") == "proven"
    assert verdict(found, "access_token.expired") == "ruled out"


def test_a_token_of_another_host(new_walk: Callable[..., Walk], walk: Walk) -> None:
    """The sandbox has one site only: the token is kept under another provider's name, and then withdrawn."""
    other = new_walk()
    other.provider = replace(other.provider, id="olx-pl")
    other.begin()
    row = other.got_tokens()
    walk.running.sandbox.revoke_access_token(walk.running.sandbox.access_tokens()[0].serial)
    found = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {access_token(other)}")))
    foreign = cause(found, "access_token.other_host")
    assert foreign.verdict == "proven"
    assert foreign.evidence[0].row == row.id


def test_a_token_that_a_later_one_replaced(walk: Walk) -> None:
    """The sandbox lets the old token live; withdrawing it is what providers do that replace it."""
    walk.got_tokens()
    old = access_token(walk)
    worked = walk.call()
    refreshed = walk.refresh()
    walk.running.sandbox.revoke_access_token(walk.running.sandbox.access_tokens()[1].serial)
    found = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {old}")))
    replaced = cause(found, "access_token.replaced")
    assert replaced.verdict == "proven"
    assert f"a later access token was issued: row {refreshed.id}" in text(replaced)
    assert f"row {worked.id}" in text(replaced)
    assert replaced.fix is not None
    assert replaced.fix.label == "ready"
    assert walk.vault.resolve(str(replaced.fix.changes[0].after)) == f"Bearer {access_token(walk)}"


def test_a_later_token_alone_proves_nothing(walk: Walk) -> None:
    walk.got_tokens()
    old = access_token(walk)
    walk.refresh()
    walk.running.sandbox.revoke_access_token(walk.running.sandbox.access_tokens()[1].serial)
    found = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {old}")))
    assert verdict(found, "access_token.replaced") == "possible"


def test_a_cut_token(walk: Walk) -> None:
    walk.got_tokens()
    found = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {access_token(walk)[:-3]}")))
    assert verdict(found, "access_token.cut") == "proven"


def test_no_token_at_all(walk: Walk) -> None:
    walk.got_tokens()
    found = walk.diagnosed(walk.call(setting(Authorization=None)))
    missing = cause(found, "access_token.left_out")
    assert missing.verdict == "proven"
    assert "there is no Authorization header" in text(missing)


def test_an_applications_token_on_a_users_endpoint(walk: Walk) -> None:
    row = walk.application()
    found = walk.diagnosed(walk.call(application=True))
    owner = cause(found, "token.of_application")
    assert owner.verdict == "proven"
    assert "the token came from client_credentials" in text(owner)
    assert owner.evidence[0].row == row.id
    assert owner.fix is not None
    assert owner.fix.label_text == "start again at step 1"


def test_a_users_token_is_ruled_out(walk: Walk) -> None:
    """The sandbox never answers error 9 to one: its answer to an application's token is put to a user's."""
    walk.application()
    refused = walk.call(application=True)
    walk.got_tokens()
    found = walk.diagnosed(replace(walk.call(), response=refused.response))
    assert verdict(found, "token.of_application") == "ruled out"


def test_a_token_whose_origin_is_not_known(walk: Walk) -> None:
    """A token of a program that this console knows nothing of."""
    tokens = walk.running.sandbox.issue_tokens("demo-app", ("read", "write", "v2"), None)
    found = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {tokens.access_token}")))
    assert verdict(found, "token.of_application") == "unknown"
