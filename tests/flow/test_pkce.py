import re

import pytest

from oauth.flow import pkce
from oauth.providers import Pkce

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def test_the_challenge_is_that_of_the_specification() -> None:
    """RFC 7636, appendix B."""
    assert pkce.challenge(VERIFIER, Pkce.S256) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_plain_challenge_is_the_verifier_and_without_pkce_there_is_none() -> None:
    assert pkce.challenge(VERIFIER, Pkce.PLAIN) == VERIFIER
    assert pkce.challenge(VERIFIER, Pkce.OFF) == ""


def test_a_fresh_verifier_is_a_good_one_and_never_the_same() -> None:
    made = {pkce.new_verifier() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]{43}", item) and not pkce.problem(item) for item in made)


@pytest.mark.parametrize("verifier", ["", "a" * 42, "a" * 129, "a" * 42 + "+", "a" * 42 + "é", "a" * 43 + "\n"])
def test_a_verifier_that_no_server_need_take_is_said_to_be_one(verifier: str) -> None:
    assert "43 to 128" in pkce.problem(verifier)


@pytest.mark.parametrize("length", [43, 128])
def test_the_shortest_and_the_longest_verifier_are_good(length: int) -> None:
    assert pkce.problem("~" * length) == ""
