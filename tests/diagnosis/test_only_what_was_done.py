"""One thing is done wrong, over HTTP, and the diagnosis proves that one and nothing else."""

from collections.abc import Callable, Mapping

import pytest

from oauth.exchange import Exchange
from oauth.flow import Tokens
from tests.diagnosis.harness import CALLBACK, Walk, setting

Fields = Callable[[Walk], dict[str, str | None]]


def percent(text: str) -> str:
    return f"%{ord(text[0]):02X}{text[1:]}"


def encoded(walk: Walk) -> str:
    return percent(walk.flow.code)


WRONG: Mapping[str, Fields] = {
    "code.other_client": lambda walk: {"client_id": "website-app", "client_secret": "website-secret"},
    "code.cut": lambda walk: {"code": walk.flow.code[:30]},
    "code.padded": lambda walk: {"code": f" {walk.flow.code}\n"},
    "code.encoded_twice": lambda walk: {"code": encoded(walk)},
    "code.mistaken": lambda walk: {"code": walk.flow.state},
    "code.left_out": lambda walk: {"code": None},
    "code.empty": lambda walk: {"code": ""},
    "code.other_name": lambda walk: {"code": None, "auth_code": walk.flow.code},
    "redirect_uri.differs": lambda walk: {"redirect_uri": f"{CALLBACK}/"},
    "redirect_uri.left_out": lambda walk: {"redirect_uri": None},
    "client.secret_differs": lambda walk: {"client_secret": "a-secret-that-is-long-and-wrong"},
    "client.white_space": lambda walk: {"client_secret": "demo-secret "},
    "client.quotes": lambda walk: {"client_id": '"demo-app"'},
    "client.credentials_missing": lambda walk: {"client_secret": None},
    "client.id_differs": lambda walk: {"client_id": "demo-ap"},
    "grant.misspelt": lambda walk: {"grant_type": "authorisation_code"},
    "grant_type.left_out": lambda walk: {"grant_type": None},
    "scope.separators": lambda walk: {"scope": "read,write,v2"},
    "scope.letter_case": lambda walk: {"scope": "Read write v2"},
    "scope.never_granted": lambda walk: {"scope": "read write v2 admin"},
}


def proven(walk: Walk, fields: Fields) -> set[str]:
    """The same with a history of the client, and without one."""
    diagnosis = walk.diagnosed(walk.token(setting(**fields(walk))))
    return {cause.id for cause in diagnosis.causes if cause.verdict == "proven"}


@pytest.mark.parametrize("cause", WRONG)
def test_only_the_provoked_cause_is_proven(walk: Walk, cause: str) -> None:
    walk.got_tokens()
    walk.begin()
    walk.authorize()
    assert proven(walk, WRONG[cause]) == {cause}


@pytest.mark.parametrize("cause", sorted(set(WRONG) - {"scope.never_granted"}))
def test_only_the_provoked_cause_is_proven_without_a_history(walk: Walk, cause: str) -> None:
    walk.authorize()
    assert proven(walk, WRONG[cause]) == {cause}


def test_encoded_code_that_contains_the_code_is_not_padded(walk: Walk) -> None:
    """``%35`` is ``5``: the code stands whole behind ``%3``, and nobody put anything before it."""
    while not walk.flow.code[:1].isdigit():
        walk.begin()
        walk.authorize()
    assert proven(walk, lambda walk: {"code": encoded(walk)}) == {"code.encoded_twice"}


def tokens(walk: Walk) -> Tokens:
    assert walk.flow.tokens is not None
    return walk.flow.tokens


REFRESHED: Mapping[str, Fields] = {
    "refresh_token.cut": lambda walk: {"refresh_token": tokens(walk).refresh_token[:-4]},
    "refresh_token.padded": lambda walk: {"refresh_token": f"{tokens(walk).refresh_token} "},
    "refresh_token.encoded_twice": lambda walk: {"refresh_token": percent(tokens(walk).refresh_token)},
    "refresh_token.mistaken": lambda walk: {"refresh_token": tokens(walk).access_token},
    "refresh_token.other_client": lambda _: {"client_id": "website-app", "client_secret": "website-secret"},
    "scope.beyond_consent": lambda _: {"scope": "read write v2 admin"},
    "scope.letter_case": lambda _: {"scope": "read write V2"},
}
CALLED: Mapping[str, Fields] = {
    "access_token.scheme": lambda walk: {"Authorization": tokens(walk).access_token},
    "access_token.cut": lambda walk: {"Authorization": f"Bearer {tokens(walk).access_token[:-4]}"},
    "access_token.padded": lambda walk: {"Authorization": f"Bearer '{tokens(walk).access_token}'"},
    "access_token.encoded_twice": lambda walk: {"Authorization": f"Bearer {percent(tokens(walk).access_token)}"},
    "access_token.mistaken": lambda walk: {"Authorization": f"Bearer {tokens(walk).refresh_token}"},
    "access_token.left_out": lambda _: {"Authorization": None},
    "header.version_missing": lambda _: {"Version": None},
    "header.content_type_on_get": lambda _: {"Content-Type": "application/json"},
}


def proven_of(walk: Walk, exchange: Exchange) -> set[str]:
    return {cause.id for cause in walk.diagnosed(exchange).causes if cause.verdict == "proven"}


@pytest.mark.parametrize("cause", REFRESHED)
def test_only_the_provoked_cause_of_a_refresh_is_proven(walk: Walk, cause: str) -> None:
    walk.got_tokens()
    expected = {cause} if cause != "scope.beyond_consent" else {cause, "scope.never_granted"}
    assert proven_of(walk, walk.refresh(setting(**REFRESHED[cause](walk)))) == expected


@pytest.mark.parametrize("cause", CALLED)
def test_only_the_provoked_cause_of_a_call_is_proven(walk: Walk, cause: str) -> None:
    walk.got_tokens()
    assert proven_of(walk, walk.call(setting(**CALLED[cause](walk)))) == {cause}


@pytest.mark.parametrize("seconds", [86_401, 2_592_001])
def test_only_expiry_is_proven_of_an_expired_token(walk: Walk, seconds: int) -> None:
    walk.got_tokens()
    walk.wait(seconds)
    assert proven_of(walk, walk.call()) == {"access_token.expired"}
    refreshed = walk.refresh()
    if seconds > 2_592_000:
        assert proven_of(walk, refreshed) == {"refresh_token.expired"}
