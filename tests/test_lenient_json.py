import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth.lenient_json import DEEPEST, ParseError, loads, read


@pytest.mark.parametrize(
    ("text", "value", "repairs"),
    [
        ('{"a": [1, -2.5e3, true, false, null, "x"]}', {"a": [1, -2500.0, True, False, None, "x"]}, []),
        ("{}", {}, []),
        ("[ ]", [], []),
        ('{"a": 1,}', {"a": 1}, ["trailing comma removed"]),
        ("[1, 2, ]", [1, 2], ["trailing comma removed"]),
        ('{"a": "x"\n"b": 2}', {"a": "x", "b": 2}, ["missing comma added"]),
        ('{"a": "x" "b": "y"}', {"a": "x", "b": "y"}, ["missing comma added"]),
        ('{"a": 1,, "b": 2}', {"a": 1, "b": 2}, ["extra comma removed"]),
        ('{, "a": 1}', {"a": 1}, ["extra comma removed"]),
        ("{'a': 'it\\'s', 'b': 'doesn't'}", {"a": "it's", "b": "doesn't"},
         ["single quotes read as double quotes", "unescaped quote inside a string accepted"]),
        ("{“a”: “x”, ‘b’: ‘doesn’t’}", {"a": "x", "b": "doesn’t"},
         ["typographic quotes read as plain quotes", "unescaped quote inside a string accepted"]),
        ("{“a”: “say \\”x\\” now”}", {"a": "say ”x” now"}, ["typographic quotes read as plain quotes"]),
        ('{"a": "Missing "code" here"}', {"a": 'Missing "code" here'}, ["unescaped quote inside a string accepted"]),
        ('{"a": "one\ntwo"}', {"a": "one\ntwo"}, ["line break inside a string accepted"]),
        ('/* c */ {"a": 1, // x\n # y\n "b": 2}', {"a": 1, "b": 2}, ["comment removed"]),
        ("{a: 1, $b-c: 2}", {"a": 1, "$b-c": 2}, ["unquoted name accepted"]),
        ("{'a': None, 'b': [True, False]}", {"a": None, "b": [True, False]},
         ["single quotes read as double quotes", "literal of another language read as JSON"]),
        ('{"a": "\\u0041\\ud83d\\ude00\\n\\/\\q",}', {"a": "A😀\n/q"}, ["trailing comma removed"]),
        ('\ufeff{\u00a0"a":\u200b1}', {"a": 1}, []),
        ('{"a": "http://x//y", "b": "# no"}', {"a": "http://x//y", "b": "# no"}, []),
    ],
)  # fmt: skip
def test_malformed_json_is_repaired(text: str, value: object, repairs: list[str]) -> None:
    reading = read(text)
    assert reading.value == value
    assert list(reading.repairs) == repairs
    assert reading.end == len(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: expected a JSON value here."),
        ('{"a": 1', "line 1, column 1: the object that begins here is not closed."),
        ('\n {"a": [1,', "line 2, column 8: the array that begins here is not closed."),
        ('{\n"a": "x\n}', "line 2, column 6: the string that begins here is not closed."),
        ('{"a", 1}', "line 1, column 5: expected a colon between name and value."),
        ('{"a":\n  ?}', "line 2, column 3: expected a JSON value here."),
        ("{1: 2}", "line 1, column 2: expected a name in quotes here."),
        ("[1.2.3]", "line 1, column 2: expected a JSON value here."),
        ("[" * 1000, f"column {DEEPEST + 2}: the JSON is nested deeper than {DEEPEST} levels."),
        ("{]", "line 1, column 2: expected a name in quotes here."),
        ("/* never closed {}", "line 1, column 1: expected a JSON value here."),
    ],
)
def test_unreadable_text_is_refused_with_a_place(text: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(text)
    assert str(caught.value).endswith(message)


def test_reading_starts_at_the_position_and_returns_the_end() -> None:
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


def parsed(parse: Callable[[str], Any], text: str) -> str:
    """Return the value of a text with its type, or the type of the error."""
    try:
        return repr(parse(text))
    except (ValueError, RecursionError) as error:
        return type(error).__name__


@pytest.mark.parametrize(
    "text",
    ["NaN", "[-Infinity, 1e400]", '"\\ud800"', '"\ud800"', '{"a": 1, "a": 2}', f"{10**40}", f"-{2**63 + 1}", "-0",
     "-0.0", "5e-324", "1.5E3", "\ufeff{}", '"a\tb"', "[1,]", "{} x", "01", " null\n", "1" * 5000, "[" * 100_000, ""],
)  # fmt: skip
def test_a_json_text_is_parsed_as_python_does(text: str) -> None:
    assert parsed(loads, text) == parsed(json.loads, text)


@settings(max_examples=40, deadline=None)
@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists) | st.text())
def test_any_json_text_is_parsed_as_python_does(value: Any) -> None:
    for text in (json.dumps(value), json.dumps({"a": value}, ensure_ascii=False), str(value)):
        assert parsed(loads, text) == parsed(json.loads, text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_octets_are_parsed_in_the_encodings_that_python_knows(encoding: str) -> None:
    assert loads('{"a": "ż"}'.encode(encoding)) == {"a": "ż"}
