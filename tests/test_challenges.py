import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.challenges import parse


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('Bearer realm="x"', [("Bearer", {"realm": "x"})]),
        ("Bearer", [("Bearer", {})]),
        ("Bearer, Basic", [("Bearer", {}), ("Basic", {})]),
        ('Bearer error="invalid_token", error_description="a, b = \\"c\\""',
         [("Bearer", {"error": "invalid_token", "error_description": 'a, b = "c"'})]),
        ('Basic realm="a, Bearer error=\\"x\\"", Bearer error=invalid_token',
         [("Basic", {"realm": 'a, Bearer error="x"'}), ("Bearer", {"error": "invalid_token"})]),
        ('Negotiate abc/def==, Bearer ERROR = "invalid_token"',
         [("Negotiate", {}), ("Bearer", {"error": "invalid_token"})]),
        (', ,Bearer realm="x",,error="y", ', [("Bearer", {"realm": "x", "error": "y"})]),
        ('Bearer error="first", error="second"', [("Bearer", {"error": "first"})]),
        ('Bearer error="never closed', [("Bearer", {})]),
        ("", []),
        ('error="without a scheme"', []),
    ],
)  # fmt: skip
def test_challenges_are_parsed(value: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert [(challenge.scheme, dict(challenge.parameters)) for challenge in parse(value)] == expected


def test_challenge_text_is_its_part_of_the_header() -> None:
    assert [challenge.text for challenge in parse('Basic realm="a", Bearer error="b"')] == [
        'Basic realm="a"', 'Bearer error="b"'
    ]  # fmt: skip


@given(st.text() | st.text(alphabet=' ,="\\aB/'))
def test_any_header_is_parsed_without_raising(value: str) -> None:
    for challenge in parse(value):
        assert challenge.text in value


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_quoted_value_survives_parsing(description: str) -> None:
    quoted = description.replace("\\", "\\\\").replace('"', '\\"')
    (challenge,) = parse(f'Bearer error="x", error_description="{quoted}"')
    assert challenge.parameters == {"error": "x", "error_description": description}
