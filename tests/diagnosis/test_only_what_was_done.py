"""One thing is done wrong, over HTTP, and the diagnosis proves that one and nothing else."""

from collections.abc import Callable, Mapping

import pytest

from tests.diagnosis.harness import CALLBACK, Walk, setting

Fields = Callable[[Walk], dict[str, str | None]]


def encoded(walk: Walk) -> str:
    return f"%{ord(walk.flow.code[0]):02X}{walk.flow.code[1:]}"


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
    found = walk.diagnosed(walk.token(setting(**fields(walk))))
    return {cause.id for cause in found.causes if cause.verdict == "proven"}


@pytest.mark.parametrize("cause", WRONG)
def test_nothing_else_is_proven(walk: Walk, cause: str) -> None:
    walk.got_tokens()
    walk.begin()
    walk.authorize()
    assert proven(walk, WRONG[cause]) == {cause}


@pytest.mark.parametrize("cause", sorted(set(WRONG) - {"scope.never_granted"}))
def test_nothing_else_is_proven_without_a_history(walk: Walk, cause: str) -> None:
    walk.authorize()
    assert proven(walk, WRONG[cause]) == {cause}


@pytest.mark.parametrize("digit", "0123456789")
def test_a_code_whose_first_character_is_the_digit_of_its_own_encoding(walk: Walk, digit: str) -> None:
    """``%35`` is ``5``: the code stands whole behind ``%3``, and nobody put anything before it."""
    while not (walk.flow.code or "x").startswith(digit):
        walk.begin()
        walk.authorize()
    assert proven(walk, lambda walk: {"code": encoded(walk)}) == {"code.encoded_twice"}
