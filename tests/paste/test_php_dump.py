import json
from typing import Any

import pytest

from oauth import paste
from oauth.paste import ParseError

DESCRIPTION = "Authorization code doesn't exist or is invalid for the client"
BODY = {"error": "invalid_grant", "error_description": DESCRIPTION}
PRINT_R = f"Array\n(\n    [error] => invalid_grant\n    [error_description] => {DESCRIPTION}\n)\n"
VAR_DUMP = (
    'array(2) {\n  ["error"]=>\n  string(13) "invalid_grant"\n  ["error_description"]=>\n'
    f'  string({len(DESCRIPTION)}) "{DESCRIPTION}"\n}}\n'
)


def bodies(text: str) -> list[Any]:
    return [json.loads(item.response.body) for item in paste.read(text) if item.response]


@pytest.mark.parametrize("text", [PRINT_R, " ".join(PRINT_R.split()), VAR_DUMP, "answer: " + VAR_DUMP])
def test_an_error_is_read(text: str) -> None:
    assert bodies(text) == [BODY]
    (result,) = paste.read(text)
    assert result.repairs == ("read as the output of PHP",)


def test_objects_and_nested_arrays_are_read() -> None:
    text = (
        "stdClass Object\n(\n    [data] => stdClass Object\n        (\n            [error] => invalid_grant\n"
        "            [hint] => \n            [codes] => Array\n                (\n                    [0] => 1\n"
        "                    [1] => two lines\nof text\n                )\n\n        )\n\n)\n"
    )
    assert bodies(text) == [{"data": {"error": "invalid_grant", "hint": "", "codes": [1, "two lines\nof text"]}}]


def test_the_types_of_var_dump_are_read() -> None:
    text = (
        'object(stdClass)#3 (6) {\n  ["error"]=>\n  string(1) "x"\n  ["a":protected]=>\n  int(400)\n'
        '  ["b"]=>\n  bool(true)\n'
        '  ["c"]=>\n  NULL\n  ["d"]=>\n  float(1.5)\n  ["e"]=>\n  array(1) {\n    [0]=>\n    string(4) "żł"\n  }\n}'
    )
    assert bodies(text) == [{"error": "x", "a": 400, "b": True, "c": None, "d": 1.5, "e": ["żł"]}]


def test_a_text_that_was_edited_ends_at_its_quote() -> None:
    assert bodies('array(2) {\n  ["error"]=>\n  string(40) "hidden"\n  ["b"]=>\n  int(1)\n}') == [
        {"error": "hidden", "b": 1}
    ]


def test_unreadable_text_is_refused_with_a_place() -> None:
    with pytest.raises(ParseError, match="line 2, column 11: expected a value with its type here"):
        paste.read('array(1) {\n  ["a"]=> what\n}')
