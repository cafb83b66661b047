import json
from typing import Any

import pytest

from oauth import paste
from oauth.catalogue import documented
from oauth.catalogue.explain import explain_response


def body(text: str) -> Any:
    (result,) = paste.read(text)
    assert result.response is not None
    return json.loads(result.response.body)


@pytest.mark.parametrize("number", range(1, 12))
@pytest.mark.parametrize("form", ["{}", "Error: {}", "[2026-11-23 10:00:00] prod.ERROR: {}.", '"{}"'])
def test_documented_message_alone_is_recognised(number: int, form: str) -> None:
    (result,) = paste.read(form.format(documented()[number].description))
    assert result.response is not None
    explanation = explain_response(result.status, (), result.response.body, step=result.step)
    assert explanation is not None
    assert (explanation.number, explanation.match) == (number, "exact")
    assert result.repairs == ("message without JSON read as error_description",)


def test_code_beside_the_message_is_kept() -> None:
    text = "Invalid refresh token"
    for given in (f"invalid_grant: {text}", f'oauth2: "invalid_grant" "{text}"', f"(invalid_grant) {text}"):
        assert body(given) == {"error": "invalid_grant", "error_description": text}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("invalid_scope", {"error": "invalid_scope"}),
        ("Insufficient scope.", {"error": "insufficient_scope", "error_human_title": "Insufficient scope"}),
        (
            'Missing parameter: "refresh_token" is required',
            {"error_description": 'Missing parameter: "refresh_token" is required'},
        ),
        ("The authorization code has expired", {"error_description": "The authorization code has expired"}),
    ],
)
def test_codes_titles_and_siblings_are_read(text: str, expected: Any) -> None:
    assert body(text) == expected


def test_word_that_only_begins_like_a_code_is_ignored() -> None:
    with pytest.raises(paste.ParseError):
        paste.read("my_invalid_scopes/invalid_scope-test.py")
