import json
from typing import Any

import pytest

from oauth import paste

DESCRIPTION = "Authorization code doesn't exist or is invalid for the client"
BODY = {"error": "invalid_grant", "error_description": DESCRIPTION}
TEXT = json.dumps(BODY)


def bodies(text: str) -> list[Any]:
    return [json.loads(item.response.body) for item in paste.read(text) if item.response]


def test_a_body_is_read_as_it_stands() -> None:
    (result,) = paste.read(f"\n {TEXT}\n")
    assert result.response is not None
    assert (result.status, result.response.body, result.repairs) == (None, TEXT.encode(), ())


@pytest.mark.parametrize(
    ("text", "repair"),
    [
        (
            "{'error': 'invalid_grant', 'error_description': \"" + DESCRIPTION + '"}',
            "single quotes read as double quotes",
        ),
        (TEXT[:-1] + ",}", "trailing comma removed"),
        (TEXT.replace('"', "“"), "typographic quotes read as plain quotes"),
        (TEXT[:-1] + " // from the log\n}", "comment removed"),
        (json.dumps(TEXT), "JSON inside a JSON string extracted"),
        (json.dumps(json.dumps(TEXT)), "JSON inside a JSON string extracted"),
        (json.dumps(TEXT)[1:-1], "escaped quotes read as plain quotes"),
        (json.dumps({"level": "error", "msg": f"token failed: {TEXT}"}), "JSON inside a JSON string extracted"),
        (
            "array (\n  'error' => 'invalid_grant',\n  'error_description' => '"
            + DESCRIPTION.replace("'", "\\'")
            + "',\n)",
            "read as the output of another language",
        ),
        (
            "{error=invalid_grant, error_description=" + DESCRIPTION + "}",
            "read as the output of another language",
        ),
    ],
)
def test_repairs_are_reported(text: str, repair: str) -> None:
    assert bodies(text) == [BODY]
    (result,) = paste.read(text)
    assert repair in result.repairs


@pytest.mark.parametrize("mark", ["", "...", "…", " (truncated...)", "[truncated 120 bytes]"])
def test_body_truncated_by_a_logger_is_read_to_its_end(mark: str) -> None:
    (result,) = paste.read('{"error": "invalid_grant", "data": {"error_description": "Authorization co' + mark)
    assert result.response is not None
    assert json.loads(result.response.body) == {
        "error": "invalid_grant",
        "data": {"error_description": "Authorization co"},
    }
    assert "truncated at the end; the missing part was left out" in result.repairs


@pytest.mark.parametrize(
    "cut",
    [
        '{"error": "x", "a',
        '{"error": "x", "a"',
        '{"error": "x", "a":',
        '{"error": "x", "a": tr',
        '{"error": "x",',
        '{"error": "x"',
    ],
)
def test_body_may_be_truncated_anywhere(cut: str) -> None:
    (result,) = bodies(cut)
    assert result["error"] == "x"


def test_several_bodies_in_a_row_are_several_responses() -> None:
    assert bodies('{"error": "a"}\n{"error": "b",},\n[]') == [{"error": "a"}, {"error": "b"}]
    assert bodies('[{"error": "a"}, {"error": "b"}]') == [{"error": "a"}, {"error": "b"}]


def test_token_request_body_is_a_request() -> None:
    (result,) = paste.read('{"grant_type": "refresh_token", "refresh_token": "abc"}')
    assert (result.response, result.step) == (None, "refresh")
    assert result.request is not None
    assert result.request.method == "POST"


def test_exception_dump_has_request_and_response() -> None:
    dump = {
        "config": {
            "baseURL": "https://api.example/open",
            "url": "/oauth/token",
            "method": "post",
            "data": "grant_type=x",
            "headers": {"Accept": "*/*", "X-List": ["a", "b"]},
        },
        "response": {
            "status": 400,
            "statusText": "Bad Request",
            "headers": {"date": "Mon, 23 Nov 2026 10:00:00 GMT"},
            "data": BODY,
        },
    }
    (result,) = paste.read(json.dumps(dump))
    assert result.request is not None
    assert (result.request.method, result.request.url) == ("POST", "https://api.example/open/oauth/token")
    assert result.request.headers == (("Accept", "*/*"), ("X-List", "a"), ("X-List", "b"))
    assert result.request.body == b"grant_type=x"
    assert result.response is not None
    assert (result.status, result.response.reason, json.loads(result.response.body)) == (400, "Bad Request", BODY)
    assert result.started_at is not None
    assert result.started_at.isoformat() == "2026-11-23T10:00:00+00:00"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"status": 400, "title": "Bad Request", "detail": "Invalid owner in token"}},
        {"data": {"error": {"status": 400, "detail": "Invalid owner in token"}}},
        {"timestamp": "2026-01-01T00:00:00Z", "status": 400, "error": "Bad Request", "message": "x"},
        {"access_token": "abc", "data": {"status": 400, "body": "x"}},
    ],
)
def test_a_body_that_looks_like_a_dump_stays_as_it_is(body: Any) -> None:
    assert bodies(json.dumps(body)) == [body]


def test_exchange_has_the_time_of_its_log_record() -> None:
    (result,) = paste.read(json.dumps({"time": "2026-11-01T10:00:00+01:00", "context": {"body": TEXT, "status": 400}}))
    assert result.started_at is not None
    assert (result.started_at.isoformat(), result.status) == ("2026-11-01T09:00:00+00:00", 400)
