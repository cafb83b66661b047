import re

import pytest

from oauth.flow import pkce
from oauth.providers import Pkce

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def test_challenge_matches_the_specification() -> None:
    """The example of RFC 7636, appendix B."""
    assert pkce.challenge(VERIFIER, Pkce.S256) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_plain_challenge_is_the_verifier_and_off_has_none() -> None:
    assert pkce.challenge(VERIFIER, Pkce.PLAIN) == VERIFIER
    assert pkce.challenge(VERIFIER, Pkce.OFF) == ""


def test_new_verifier_is_valid_and_unique() -> None:
    verifiers = {pkce.new_verifier() for _ in range(50)}
    assert len(verifiers) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]{43}", item) and not pkce.problem(item) for item in verifiers)


@pytest.mark.parametrize("verifier", ["", "a" * 42, "a" * 129, "a" * 42 + "+", "a" * 42 + "é", "a" * 43 + "\n"])
def test_invalid_verifier_has_a_problem(verifier: str) -> None:
    assert "43 to 128" in pkce.problem(verifier)


@pytest.mark.parametrize("length", [43, 128])
def test_shortest_and_longest_verifier_are_valid(length: int) -> None:
    assert pkce.problem("~" * length) == ""
