import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.lenient_json import ParseError
from oauth.paste.literals import read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{ a: 'x', b: undefined, c: NaN, d: -1.5 }", {"a": "x", "b": None, "c": None, "d": -1.5}),
        ("{ a: [Object], b: [Function: f], c: <Buffer 7b 22>, d: [Circular *1] }", dict.fromkeys("abcd")),
        ("<ref *1> AxiosError { code: 'E', [Symbol(a)]: 1 }", {"code": "E", "[Symbol(a)]": 1}),
        ("Map(1) { 'a' => 'b' }", {"a": "b"}),
        ("{ a: 'one ' +\n    'two', b: `c` }", {"a": "one two", "b": "c"}),
        ("[\n  1,\n  2,\n  ... 98 more items\n]", [1, 2]),
        ("{'a': None, 'b': True, 'c': ('x', 1), 'd': b'\\xc5\\xbc', 'e': \"it's\"}",
         {"a": None, "b": True, "c": ["x", 1], "d": "ż", "e": "it's"}),
        ("{'a': 'one '\n      'two'}", {"a": "one two"}),
        ("OrderedDict([('error', 'x'), ('b', OrderedDict())])", {"error": "x", "b": []}),
        ("{'a': datetime.datetime(2026, 1, 2), 'r': <Response [400]>}", {"a": [2026, 1, 2], "r": None}),
        ("array (\n  'a' => 'it\\'s',\n  'b' => NULL,\n  0 => \n  array (\n    0 => 'x',\n  ),\n)",
         {"a": "it's", "b": None, "0": {"0": "x"}}),
        ("['a' => ['b' => false]]", {"a": {"b": False}}),
        ("(object) array('a' => 1)", {"a": 1}),
        ("stdClass::__set_state(array('a' => 1))", {"a": 1}),
        ('{"a"=>"x", :b=>nil, c: :sym, :"d e"=>1}', {"a": "x", "b": None, "c": ":sym", "d e": 1}),
        ("{a=one, two, b={c=d}}", {"a": "one, two", "b": {"c": "d"}}),
    ],
)  # fmt: skip
def test_printed_values_of_other_languages_are_read(text: str, value: Any) -> None:
    reading = read(text)
    assert (reading.value, reading.end) == (value, len(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [("{ a: 'x', b: 'y", {"a": "x", "b": "y"}), ("{ a: 'x', b:", {"a": "x"}), ("[{'a': 1}, {", [{"a": 1}, {}])],
)
def test_a_value_may_be_cut_off_where_that_is_allowed(text: str, value: Any) -> None:
    assert read(text, cut=True).value == value
    with pytest.raises(ParseError):
        read(text)


@pytest.mark.parametrize("text", ["{this}", "{1, 2}", "", "=", "['a", "[" * 200])
def test_unreadable_text_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        read(text)


PRINTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(st.text(), PRINTED, min_size=1))
def test_python_is_read_as_python_reads_it(value: dict[str, Any]) -> None:
    def plain(result: Any) -> Any:
        if isinstance(result, dict):
            return {name: plain(inner) for name, inner in result.items()}
        if isinstance(result, list):
            pairs = all(isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) for item in result)
            return plain(dict(result)) if pairs else [plain(item) for item in result]
        return result

    # A list of pairs is what OrderedDict and others print of themselves, so it is read as an object.
    assert json.dumps(read(repr(value)).value) == json.dumps(plain(value))


@given(st.text() | st.text(alphabet="{}[]()=>:'\"\\,<# a1\n"), st.booleans())
def test_any_text_is_read_or_refused(text: str, cut: bool) -> None:
    with contextlib.suppress(ParseError):
        read(text, cut=cut)
