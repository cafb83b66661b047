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
    (found,) = paste.read(f"\n {TEXT}\n")
    assert found.response is not None
    assert (found.status, found.response.body, found.repairs) == (None, TEXT.encode(), ())


@pytest.mark.parametrize(
    ("text", "repair"),
    [
        (
            "{'error': 'invalid_grant', 'error_description': \"" + DESCRIPTION + '"}',
            "single quotes read as double quotes",
        ),
        (TEXT[:-1] + ",}", "trailing comma removed"),
        (TEXT.replace('"', "“"), "typographic quotes read as plain quotes"),
        ("// from the log\n" + TEXT, "comment removed"),
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
    (found,) = paste.read(text)
    assert repair in found.repairs


@pytest.mark.parametrize("mark", ["", "...", "…", " (truncated...)", "[truncated 120 bytes]"])
def test_body_truncated_by_a_logger_is_read_to_its_end(mark: str) -> None:
    (found,) = paste.read('{"error": "invalid_grant", "data": {"error_description": "Authorization co' + mark)
    assert found.response is not None
    assert json.loads(found.response.body) == {
        "error": "invalid_grant",
        "data": {"error_description": "Authorization co"},
    }
    assert "truncated at the end; the missing part was left out" in found.repairs


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
    (found,) = bodies(cut)
    assert found["error"] == "x"


def test_several_bodies_in_a_row_are_several_responses() -> None:
    assert bodies('{"error": "a"}\n{"error": "b",},\n[]') == [{"error": "a"}, {"error": "b"}, []]
    assert bodies('[{"error": "a"}, {"error": "b"}]') == [{"error": "a"}, {"error": "b"}]


def test_token_request_body_is_a_request() -> None:
    (found,) = paste.read('{"grant_type": "refresh_token", "refresh_token": "abc"}')
    assert (found.response, found.step) == (None, "refresh")
    assert found.request is not None
    assert found.request.method == "POST"


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
    (found,) = paste.read(json.dumps(dump))
    assert found.request is not None
    assert (found.request.method, found.request.url) == ("POST", "https://api.example/open/oauth/token")
    assert found.request.headers == (("Accept", "*/*"), ("X-List", "a"), ("X-List", "b"))
    assert found.request.body == b"grant_type=x"
    assert found.response is not None
    assert (found.status, found.response.reason, json.loads(found.response.body)) == (400, "Bad Request", BODY)
    assert found.started_at is not None
    assert found.started_at.isoformat() == "2026-11-23T10:00:00+00:00"


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
    (found,) = paste.read(json.dumps({"time": "2026-11-01T10:00:00+01:00", "context": {"body": TEXT, "status": 400}}))
    assert found.started_at is not None
    assert (found.started_at.isoformat(), found.status) == ("2026-11-01T09:00:00+00:00", 400)
