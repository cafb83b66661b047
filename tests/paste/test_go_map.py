import json
from typing import Any

import pytest

from oauth import paste
from oauth.paste import go_map

DESCRIPTION = "Authorization code doesn't exist or is invalid for the client"
BODY = {"error": "invalid_grant", "error_description": DESCRIPTION}
PRINTED = f"map[error:invalid_grant error_description:{DESCRIPTION}]"


def bodies(text: str) -> list[Any]:
    return [json.loads(item.response.body) for item in paste.read(text) if item.response]


def test_error_is_read_and_the_repair_reported() -> None:
    (result,) = paste.read(PRINTED)
    assert bodies(PRINTED) == [BODY]
    assert result.repairs == (go_map.PRINTED,)


def test_log_line_around_the_map_is_used() -> None:
    (result,) = paste.read(f"2026/11/23 10:00:00 POST https://www.olx.pl/api/open/oauth/token returned 400: {PRINTED}")
    assert result.status == 400
    assert result.request is not None
    assert result.request.url == "https://www.olx.pl/api/open/oauth/token"
    assert bodies(PRINTED) == [BODY]


def test_values_have_their_types_and_maps_their_maps() -> None:
    text = "map[data:map[error:invalid_token scopes:[read write] status:401] factor:1.5e+06 ok:false trace:<nil>]"
    assert bodies(text) == [
        {
            "data": {"error": "invalid_token", "scopes": "[read write]", "status": 401},
            "factor": 1500000.0,
            "ok": False,
            "trace": None,
        }
    ]


@pytest.mark.parametrize(
    "description",
    [
        'Missing parameter: "code" is required',
        "see https://www.olx.pl/help for it",
        "the list [a] is wrong",
        "at:once",  # no later name by the alphabet, and Go prints names in order
        "",
    ],
)
def test_a_text_ends_only_before_a_later_name(description: str) -> None:
    assert bodies(f"map[error:x error_description:{description} error_uri:y]") == [
        {"error": "x", "error_description": description, "error_uri": "y"}
    ]


def test_map_truncated_by_a_logger_is_reported() -> None:
    (result,) = paste.read(PRINTED[:60])
    assert result.repairs[0] == go_map.PRINTED
    assert "truncated" in result.repairs[1]
    assert bodies(PRINTED[:60]) == [{"error": "invalid_grant", "error_description": "Authorization code"}]


def test_deep_and_malformed_maps_are_refused_with_a_reason() -> None:
    with pytest.raises(paste.ParseError, match="nested deeper"):
        go_map.read("map[a:" * 200, 0)
    with pytest.raises(paste.ParseError, match="a name with a colon"):
        go_map.read("map[a:map[b:c]!]", 0)
