import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.lenient_json import DEEPEST, ParseError, read


@pytest.mark.parametrize(
    ("text", "value", "repairs"),
    [
        ('{"a": [1, -2.5e3, true, false, null, "x"]}', {"a": [1, -2500.0, True, False, None, "x"]}, []),
        ("{}", {}, []),
        ("[ ]", [], []),
        ('{"a": 1,}', {"a": 1}, ["trailing comma left out"]),
        ("[1, 2, ]", [1, 2], ["trailing comma left out"]),
        ('{"a": "x"\n"b": 2}', {"a": "x", "b": 2}, ["missing comma added"]),
        ('{"a": "x" "b": "y"}', {"a": "x", "b": "y"}, ["missing comma added"]),
        ('{"a": 1,, "b": 2}', {"a": 1, "b": 2}, ["surplus comma left out"]),
        ('{, "a": 1}', {"a": 1}, ["surplus comma left out"]),
        ("{'a': 'it\\'s', 'b': 'doesn't'}", {"a": "it's", "b": "doesn't"},
         ["single quotes read as double ones", "quote inside a text accepted"]),
        ("{“a”: “x”, ‘b’: ‘doesn’t’}", {"a": "x", "b": "doesn’t"},
         ["typographic quotes read as plain", "quote inside a text accepted"]),
        ("{“a”: “say \\”x\\” now”}", {"a": "say ”x” now"}, ["typographic quotes read as plain"]),
        ('{"a": "Missing "code" here"}', {"a": 'Missing "code" here'}, ["quote inside a text accepted"]),
        ('{"a": "one\ntwo"}', {"a": "one\ntwo"}, ["line break inside a text accepted"]),
        ('/* c */ {"a": 1, // x\n # y\n "b": 2}', {"a": 1, "b": 2}, ["comment left out"]),
        ("{a: 1, $b-c: 2}", {"a": 1, "$b-c": 2}, ["name without quotes accepted"]),
        ("{'a': None, 'b': [True, False]}", {"a": None, "b": [True, False]},
         ["single quotes read as double ones", "word of another language read as JSON's"]),
        ('{"a": "\\u0041\\ud83d\\ude00\\n\\/\\q",}', {"a": "A😀\n/q"}, ["trailing comma left out"]),
        ('\ufeff{\u00a0"a":\u200b1}', {"a": 1}, []),
        ('{"a": "http://x//y", "b": "# no"}', {"a": "http://x//y", "b": "# no"}, []),
    ],
)  # fmt: skip
def test_what_people_paste_is_read(text: str, value: object, repairs: list[str]) -> None:
    reading = read(text)
    assert reading.value == value
    assert list(reading.repairs) == repairs
    assert reading.end == len(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: a JSON value was expected here."),
        ('{"a": 1', "line 1, column 1: the object that begins here is not closed."),
        ('\n {"a": [1,', "line 2, column 8: the array that begins here is not closed."),
        ('{\n"a": "x\n}', "line 2, column 6: the text that begins here is not closed."),
        ('{"a", 1}', "line 1, column 5: a colon was expected between name and value."),
        ('{"a":\n  ?}', "line 2, column 3: a JSON value was expected here."),
        ("{1: 2}", "line 1, column 2: a name in quotes was expected here."),
        ("[1.2.3]", "line 1, column 2: a JSON value was expected here."),
        ("[" * 1000, f"column {DEEPEST + 2}: the JSON is nested deeper than {DEEPEST} levels."),
        ("{]", "line 1, column 2: a name in quotes was expected here."),
        ("/* never closed {}", "line 1, column 1: a JSON value was expected here."),
    ],
)
def test_what_cannot_be_read_says_where(text: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(text)
    assert str(caught.value).endswith(message)


def test_reading_begins_and_ends_where_it_is_told() -> None:
    text = 'before {"a": 1} after'
    reading = read(text, 7)
    assert (reading.value, text[reading.end :]) == ({"a": 1}, " after")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.sampled_from([None, 0, 2, "\t"]))
def test_escaped_json_is_read_as_the_strict_reader_reads_it(value: Any, indent: int | str | None) -> None:
    # Quotes inside are escaped, and a quote never stands before a comma or bracket: then nothing is ambiguous.
    text = json.dumps(value, indent=indent)
    reading = read(text)
    assert json.dumps(reading.value) == json.dumps(value)
    assert reading.repairs == ()


@given(st.text() | st.text(alphabet="{}[],:'\"\\/*# a1“’\n"))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    with contextlib.suppress(ParseError):
        assert 0 < read(text).end <= len(text)
