"""Documented errors 7 and 9, and a call without a token."""

from collections.abc import Callable

import pytest

from oauth_sandbox.faults.kinds import fault_from
from oauth_sandbox.store import Kind
from tests.diagnosis.harness import Site, Walk, cause, setting, text, verdict


def access_token(walk: Walk) -> str:
    assert walk.flow.tokens is not None
    return walk.flow.tokens.access_token


@pytest.mark.proves(7, "access_token.expired")
@pytest.mark.rules_out(7, "access_token.replaced")
def test_expired_token_is_proven(walk: Walk) -> None:
    row = walk.got_tokens()
    walk.wait(90_000)
    diagnosis = walk.diagnosed(walk.call())
    expired = cause(diagnosis, "access_token.expired")
    assert expired.verdict == "proven"
    assert "expires_in 86400 s; sent 1 d 1 h later" in text(expired)
    assert expired.evidence[0].row == row.id
    assert expired.fix is not None
    assert expired.fix.label_text == "start again at step 4"
    assert verdict(diagnosis, "access_token.replaced") == "ruled out"


@pytest.mark.rules_out(
    7,
    "access_token.scheme",
    "access_token.expired",
    "access_token.replaced",
    "access_token.other_host",
    "access_token.cut",
    "access_token.padded",
    "access_token.encoded_twice",
    "access_token.mistaken",
    "access_token.another",
)
def test_withdrawn_token_has_every_cause_ruled_out(walk: Walk) -> None:
    walk.got_tokens()
    walk.running.sandbox.revoke(Kind.ACCESS_TOKEN, walk.running.sandbox.issued(Kind.ACCESS_TOKEN)[0].serial)
    diagnosis = walk.diagnosed(walk.call())
    assert {item.verdict.value for item in diagnosis.causes} == {"ruled out"}, diagnosis.causes
    assert diagnosis.most_likely.startswith("Nothing this console checks explains it")


@pytest.mark.proves(7, "access_token.mistaken")
def test_refresh_token_sent_as_access_token_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    assert walk.flow.tokens is not None
    diagnosis = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {walk.flow.tokens.refresh_token}")))
    mistaken = cause(diagnosis, "access_token.mistaken")
    assert mistaken.verdict == "proven"
    assert "The value is the refresh token" in text(mistaken)
    assert mistaken.fix is not None
    assert walk.vault.resolve(str(mistaken.fix.changes[0].after)) == f"Bearer {access_token(walk)}"


@pytest.mark.proves(7, "access_token.mistaken")
def test_code_sent_as_access_token_is_proven(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {walk.flow.code}")))
    assert "The value is the code" in text(cause(diagnosis, "access_token.mistaken"))


@pytest.mark.proves(7, "access_token.scheme")
def test_repeated_bearer_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.call(setting(Authorization=f"Bearer Bearer {access_token(walk)}")))
    scheme = cause(diagnosis, "access_token.scheme")
    assert scheme.verdict == "proven"
    assert "The word Bearer appears 2 times" in text(scheme)
    assert scheme.fix is not None
    assert walk.vault.resolve(str(scheme.fix.changes[0].after)) == f"Bearer {access_token(walk)}"


@pytest.mark.proves(7, "access_token.scheme")
def test_missing_bearer_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.call(setting(Authorization=access_token(walk))))
    assert "The word Bearer is missing" in text(cause(diagnosis, "access_token.scheme"))
    assert verdict(diagnosis, "access_token.scheme") == "proven"
    assert verdict(diagnosis, "access_token.expired") == "ruled out"


@pytest.mark.proves(7, "access_token.other_host")
def test_token_of_another_site_is_proven(new_walk: Callable[..., Walk], walk: Walk, other_site: Site) -> None:
    """Two sandboxes on two ports: a token of the one is sent to the other."""
    other = new_walk(at=other_site)
    row = other.got_tokens()
    assert other.call().response is not None
    diagnosis = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {access_token(other)}")))
    foreign = cause(diagnosis, "access_token.other_host")
    assert foreign.verdict == "proven"
    assert foreign.evidence[0].row == row.id
    host = other_site.running.url.partition("//")[2]
    assert f"Issued by {host}, sent to {walk.running.url.partition('//')[2]}" in text(foreign)
    assert verdict(diagnosis, "access_token.expired") == "ruled out"


@pytest.mark.proves(7, "access_token.replaced")
@pytest.mark.rules_out(7, "access_token.expired", "access_token.other_host")
def test_replaced_token_is_proven(walk: Walk) -> None:
    """At a provider whose refresh ends the access tokens before it."""
    walk.running.sandbox.refresh_ends_access_tokens = True
    walk.got_tokens()
    old = access_token(walk)
    worked = walk.call()
    refreshed = walk.refresh()
    diagnosis = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {old}")))
    replaced = cause(diagnosis, "access_token.replaced")
    assert replaced.verdict == "proven"
    assert f"A later access token was issued: row {refreshed.id}" in text(replaced)
    assert f"row {worked.id}" in text(replaced)
    assert replaced.fix is not None
    assert replaced.fix.label == "ready"
    assert walk.vault.resolve(str(replaced.fix.changes[0].after)) == f"Bearer {access_token(walk)}"


@pytest.mark.rules_out(7, "access_token.replaced")
def test_token_that_worked_after_a_later_one_was_not_replaced(walk: Walk) -> None:
    """At a provider whose refresh leaves the old access token alive until it expires."""
    walk.got_tokens()
    old = access_token(walk)
    walk.refresh()
    worked = walk.call(setting(Authorization=f"Bearer {old}"))
    assert worked.response is not None
    assert worked.response.status == 200
    walk.wait(90_000)
    diagnosis = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {old}")))
    replaced = cause(diagnosis, "access_token.replaced")
    assert f"The old token still worked after that: row {worked.id}" in text(replaced)
    assert verdict(diagnosis, "access_token.expired") == "proven"


@pytest.mark.suspects(7, "access_token.replaced")
def test_later_token_alone_proves_nothing(walk: Walk) -> None:
    walk.running.sandbox.refresh_ends_access_tokens = True
    walk.got_tokens()
    old = access_token(walk)
    walk.refresh()
    diagnosis = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {old}")))
    assert verdict(diagnosis, "access_token.replaced") == "possible"


@pytest.mark.suspects(7, "access_token.replaced", "access_token.another")
def test_refresh_in_another_flow_is_a_possible_replacement(new_walk: Callable[..., Walk]) -> None:
    """The same user approved twice, and the second flow's refresh ended the first one's token: whose it is cannot be
    seen from here."""
    first, second = new_walk(), new_walk()
    first.running.sandbox.refresh_ends_access_tokens = True
    first.got_tokens()
    second.got_tokens()
    later = second.refresh()
    diagnosis = first.diagnosed(first.call())
    replaced = cause(diagnosis, "access_token.replaced")
    assert replaced.verdict == "possible"
    assert replaced.evidence[0].row == later.id
    assert "it may be for another user" in text(replaced)
    # The facts are quoted where nothing more can be said: what was sent, and what this flow was given.
    diagnosis = second.diagnosed(second.call(setting(Authorization=f"Bearer {access_token(first)}")))
    another = text(cause(diagnosis, "access_token.another"))
    assert first.vault.placeholder("access_token", access_token(first)) in another
    assert second.vault.placeholder("access_token", access_token(second)) in another


@pytest.mark.proves(7, "access_token.padded")
def test_quoted_token_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.call(setting(Authorization=f'Bearer "{access_token(walk)}"')))
    padded = cause(diagnosis, "access_token.padded")
    assert "a quote before it, a quote after it" in text(padded)
    assert padded.fix is not None
    assert walk.vault.resolve(str(padded.fix.changes[0].after)) == f"Bearer {access_token(walk)}"


@pytest.mark.proves(7, "access_token.encoded_twice")
def test_percent_encoded_token_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    first, rest = access_token(walk)[0], access_token(walk)[1:]
    diagnosis = walk.diagnosed(walk.call(setting(Authorization=f"Bearer %{ord(first):02X}{rest}")))
    assert "Decoded once more, it is the issued access token" in text(cause(diagnosis, "access_token.encoded_twice"))


@pytest.mark.suspects(7, "access_token.expired")
def test_token_close_to_expiry_is_possibly_expired(walk: Walk) -> None:
    """Its life begins at the provider, before its answer came here."""
    walk.got_tokens()
    walk.wait(86_400 - 2)
    walk.running.sandbox.revoke(Kind.ACCESS_TOKEN, walk.running.sandbox.issued(Kind.ACCESS_TOKEN)[0].serial)
    assert verdict(walk.diagnosed(walk.call()), "access_token.expired") == "possible"


@pytest.mark.proves(7, "access_token.cut")
def test_truncated_token_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {access_token(walk)[:-3]}")))
    assert verdict(diagnosis, "access_token.cut") == "proven"


@pytest.mark.proves("no_token", "access_token.left_out")
def test_missing_token_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.call(setting(Authorization=None)))
    missing = cause(diagnosis, "access_token.left_out")
    assert missing.verdict == "proven"
    assert "There is no Authorization header" in text(missing)


@pytest.mark.proves(9, "token.of_application")
def test_application_token_at_a_user_endpoint_is_proven(walk: Walk) -> None:
    row = walk.application()
    diagnosis = walk.diagnosed(walk.call(application=True))
    owner = cause(diagnosis, "token.of_application")
    assert owner.verdict == "proven"
    assert "The token came from client_credentials" in text(owner)
    assert owner.evidence[0].row == row.id
    assert owner.fix is not None
    assert owner.fix.label_text == "start again at step 1"


@pytest.mark.rules_out(9, "token.of_application")
def test_user_token_is_ruled_out_as_application_token(walk: Walk) -> None:
    """The sandbox answers error 9 to an application's token and to no other, so that the cause cannot be ruled out
    where it answers rightly. Here a fault has it answer wrongly: to a user's token, over HTTP."""
    walk.got_tokens()
    walk.running.sandbox.faults.add(fault_from("documented", {"number": 9}))
    diagnosis = walk.diagnosed(walk.call())
    assert "The token came from authorization_code: it is a user token" in text(
        cause(diagnosis, "token.of_application")
    )
    assert diagnosis.most_likely.startswith("Nothing this console checks explains it")


def test_token_of_unknown_origin_is_unknown(walk: Walk) -> None:
    """A token of a program that this console knows nothing of."""
    tokens = walk.running.sandbox.issue_tokens("demo-app", ("read", "write", "v2"), None)
    diagnosis = walk.diagnosed(walk.call(setting(Authorization=f"Bearer {tokens.access_token}")))
    assert verdict(diagnosis, "token.of_application") == "unknown"
