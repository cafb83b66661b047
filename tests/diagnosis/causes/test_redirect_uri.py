"""``redirect_uri_mismatch``, and the same causes behind error 2."""

import pytest

from oauth.diagnosis.causes.redirect_uri import difference
from oauth_sandbox.faults.kinds import fault_from
from tests.diagnosis.harness import CALLBACK, Walk, cause, setting, text, verdict


@pytest.mark.proves("redirect_uri_mismatch", "redirect_uri.differs")
@pytest.mark.rules_out("redirect_uri_mismatch", "redirect_uri.left_out")
@pytest.mark.parametrize(
    ("sent", "fact"),
    [
        (
            f"{CALLBACK}/",
            "a trailing slash; first differing character at position 31: nothing expected, '/' was sent",
        ),
        (
            CALLBACK.replace("http:", "https:"),
            "scheme; first differing character at position 5: ':' expected, 's' was sent",
        ),
        (
            CALLBACK.replace("/callback", "%2Fcallback"),
            "percent-encoding; first differing character at position 22",
        ),
        (CALLBACK.replace("callback", "Callback"), "letter case; first differing character at position 23"),
        (CALLBACK.replace("8501", "8502"), "host or port; first differing character at position 21"),
    ],
)
def test_different_redirect_uri_is_proven(walk: Walk, sent: str, fact: str) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(redirect_uri=sent)))
    differs = cause(diagnosis, "redirect_uri.differs")
    assert differs.verdict == "proven"
    assert fact in text(differs)
    assert differs.fix is not None
    assert differs.fix.label == "ready"
    assert differs.fix.changes[0].after == CALLBACK
    assert verdict(diagnosis, "redirect_uri.left_out") == "ruled out"


@pytest.mark.proves("redirect_uri_mismatch", "redirect_uri.left_out")
@pytest.mark.rules_out("redirect_uri_mismatch", "redirect_uri.differs")
def test_missing_redirect_uri_is_proven(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(setting(redirect_uri=None)))
    missing = cause(diagnosis, "redirect_uri.left_out")
    assert missing.verdict == "proven"
    assert missing.fix is not None
    assert missing.fix.changes[0].after == CALLBACK
    assert verdict(diagnosis, "redirect_uri.differs") == "ruled out"


@pytest.mark.proves(2, "redirect_uri.differs")
@pytest.mark.rules_out(2, "redirect_uri.left_out", "code.expired", "code.used")
def test_different_redirect_uri_is_error_2(walk: Walk) -> None:
    """RFC 6749 §5.2 has ``invalid_grant`` for it. The sandbox has a code of its own; a fault has it answer so."""
    walk.authorize()
    walk.running.sandbox.faults.add(fault_from("documented", {"number": 2}))
    differs = cause(walk.diagnosed(walk.token(setting(redirect_uri=f"{CALLBACK}/"))), "redirect_uri.differs")
    assert "a trailing slash" in text(differs)


@pytest.mark.proves(2, "redirect_uri.left_out")
@pytest.mark.rules_out(2, "redirect_uri.differs")
def test_missing_redirect_uri_is_error_2(walk: Walk) -> None:
    walk.authorize()
    walk.running.sandbox.faults.add(fault_from("documented", {"number": 2}))
    missing = cause(walk.diagnosed(walk.token(setting(redirect_uri=None))), "redirect_uri.left_out")
    assert f"The authorization request has it: {CALLBACK}" in text(missing)


@pytest.mark.rules_out(2, "redirect_uri.left_out", "redirect_uri.differs")
def test_same_redirect_uri_is_ruled_out(walk: Walk) -> None:
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.token())
    assert verdict(diagnosis, "redirect_uri.differs") == "ruled out"
    assert "identical, character by character" in text(cause(diagnosis, "redirect_uri.differs"))


def test_fix_never_sends_a_spent_code(walk: Walk) -> None:
    """The redirect URI is wrong and the code is used: mending the first would send the second again."""
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.token(setting(redirect_uri=f"{CALLBACK}/")))
    differs = cause(diagnosis, "redirect_uri.differs")
    assert differs.verdict == "proven"
    assert differs.fix is not None
    assert differs.fix.label_text == "start again at step 1"


def test_difference_at_the_end_of_a_uri_is_described() -> None:
    assert difference("https://a/cb", "https://a/cb/") == (
        "a trailing slash; first differing character at position 13: '/' expected, nothing was sent"
    )
