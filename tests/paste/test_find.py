import contextlib
import importlib
import json
import re
import sys
from typing import Any

import pytest

from oauth import paste
from oauth.exchange import Part
from oauth.paste import body
from tests.corpus.cases import corpus, heldout

DESCRIPTION = "Authorization code doesn't exist or is invalid for the client"
GRANT = json.dumps({"error": "invalid_grant", "error_description": DESCRIPTION})
TOKEN = "https://www.olx.pl/api/open/oauth/token"


def bodies(text: str) -> list[object]:
    return [json.loads(item.response.body) for item in paste.read(text) if item.response and item.response.body]


SOURCE = importlib.import_module("oauth.paste.find")  # the name is that of a function, too
BEGINNINGS = """
    GET /a|POST /a|PUT /a|PATCH /a|DELETE /a|HEAD /a|OPTIONS /a|https://a.example/b|HTTP 404|HTTP/1.1 404|status: 404
    _status: 404|-status=404|statut: 404|estado: 404|статус: 404|ステータス: 404|kod: 404|código: 404|rc=404
    <Response [404]>|code: 404|error: 404|answered 404|got 404|gets 404|returned 404|responds 404|replied 404
    response: 404|receives 404|failed with 404|resulted in 404|throws 404|with 404|404 response
    404 12 - - b|httpStatus: NotFound
    404{|404: [|404 Not Found|(404)|[404]|301 Moved Permanently|2026-11-29T10:00:00Z|29/Nov/2026:10:00:00 +0000|1. a
    404|?code=a&state=b|{"a": 1}|[{"a": 1}]|"{\\"a\\": 1}"|array('a' => 1)|OrderedDict([('a', 1)])
    stdClass::__set_state(array())|["a" => 1]|map[a:1]|<html>|<!doctype html>
"""


def test_no_part_is_missed_for_its_beginning() -> None:
    """Most places of a text are ruled out by two signs."""
    slow = re.compile(SOURCE._PARTS, re.MULTILINE | re.IGNORECASE)
    beginnings = [line.strip() for text in BEGINNINGS.splitlines() for line in text.split("|") if line.strip()]
    assert [text for text in beginnings if not slow.search(text)] == []
    written = [write(text) for text in beginnings for write in (str, str.upper, str.lower, "a {}, b".format)]
    for text in [*written, *(case.text for case in (*corpus(), *heldout()))]:
        places = [(part.span(), part.lastgroup) for part in slow.finditer(text)]
        assert [(part.span(), part.lastgroup) for part in SOURCE._PART.finditer(text)] == places


def test_text_around_a_body_is_ignored() -> None:
    (result,) = paste.read(f"2026-03-01 10:16:19,250 ERROR token request failed: {GRANT} (try 1)")
    assert bodies(f"ERROR: {GRANT} (try 1)") == [json.loads(GRANT)]
    assert result.started_at is not None
    assert result.started_at.isoformat() == "2026-03-01T10:16:19.250000+00:00"


@pytest.mark.parametrize(
    "line",
    [
        "HTTP code: 401 Unauthorized",
        "HTTP status code: 401",
        "Status: 401",
        "HTTP 401",
        "responded with 401",
        "<Response [401]>",
        "(401) Unauthorized",
        "status=401",
        "Request failed with status code 401",
        "the server returned 401",
    ],
)
def test_a_line_with_the_status_counts_for_the_body_after_it(line: str) -> None:
    other = json.dumps({"error": "invalid_client"})
    result = paste.read(f"{line}\n{GRANT}\nand {other}")
    assert [item.status for item in result] == [401, None]


@pytest.mark.parametrize(
    "text",
    [
        f"requests.exceptions.HTTPError: 400 Client Error: Bad Request for url: {TOKEN}",
        f"httpx.HTTPStatusError: Client error '400 Bad Request' for url '{TOKEN}'\n"
        "For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/400",
        f"Client error: `POST {TOKEN}` resulted in a `400 Bad Request` response:\n",
        f"aiohttp.client_exceptions.ClientResponseError: 400, message='Bad Request', url=URL('{TOKEN}')",
        f"Response{{protocol=http/1.1, code=400, message=Bad Request, url={TOKEN}}}",
    ],
)
def test_an_exception_without_a_body_says_status_and_address(text: str) -> None:
    (result,) = paste.read(text)
    assert result.request is not None
    assert (result.request.method, result.request.url, result.status, result.step) == ("POST", TOKEN, 400, "token")
    assert Part.RESPONSE_BODY in result.unknown


@pytest.mark.parametrize(
    "text",
    [
        f"Client error: `POST {TOKEN}` resulted in a `400 Bad Request` response:\n{GRANT}\n",
        f"POST {TOKEN} returned 400\n{GRANT}",
        f"POST {TOKEN}: 400 Bad Request: invalid_grant: {DESCRIPTION}",
    ],
)
def test_an_exception_with_its_body_is_an_exchange(text: str) -> None:
    (result,) = paste.read(text)
    assert result.request is not None
    assert result.response is not None
    assert (result.request.url, result.status, json.loads(result.response.body)) == (TOKEN, 400, json.loads(GRANT))


def test_the_trace_of_axios_is_read() -> None:
    (result,) = paste.read(
        """AxiosError: Request failed with status code 400
    at settle (/app/node_modules/axios/lib/core/settle.js:19:12) {
  code: 'ERR_BAD_REQUEST',
  config: {
    transformRequest: [ [Function: transformRequest] ],
    env: { FormData: [Function], Blob: [class Blob] },
    headers: Object [AxiosHeaders] { 'Content-Type': 'application/json' },
    method: 'post',
    url: 'https://www.olx.pl/api/open/oauth/token',
    data: '{"grant_type":"authorization_code","code":"abc"}'
  },
  request: <ref *1> ClientRequest { _events: [Object: null prototype] {}, [Symbol(kNeedDrain)]: false },
  response: {
    status: 400,
    statusText: 'Bad Request',
    data: {
      error: 'invalid_grant',
      error_description: "Authorization code doesn't exist or is invalid for the client"
    }
  }
}"""
    )
    assert result.request is not None
    assert result.response is not None
    assert (result.request.method, result.request.url, result.step) == ("POST", TOKEN, "token")
    assert result.request.body == b'{"grant_type":"authorization_code","code":"abc"}'
    assert (result.status, json.loads(result.response.body)) == (400, json.loads(GRANT))


def test_truncated_line_does_not_swallow_the_next() -> None:
    first, second = bodies('10:00 {"error":"invalid_grant","error_desc\n10:01 {"error":"x"}')
    assert (first, second) == ({"error": "invalid_grant"}, {"error": "x"})


def test_an_access_log_gives_its_requests() -> None:
    line = '192.0.2.1 - - [23/Nov/2026:11:00:00 +0100] "GET {} HTTP/1.1" {} 108 "-" "Mozilla"\n'
    callback, asked = paste.read(line.format("/callback?code=abcdef&state=s1234", 302) + line.format("/users/me", 401))
    assert callback.request is not None
    assert (callback.step, callback.request.url, callback.status) == (
        "callback",
        "/callback?code=abcdef&state=s1234",
        302,
    )
    assert callback.started_at is not None
    assert callback.started_at.isoformat() == "2026-11-23T10:00:00+00:00"
    assert (asked.status, asked.step) == (401, "api")


def test_a_callback_address_in_a_sentence_is_found() -> None:
    (result,) = paste.read("The browser landed on https://app.example/cb?error=access_denied&state=s1, and now?")
    assert result.request is not None
    assert (result.step, result.request.url) == ("callback", "https://app.example/cb?error=access_denied&state=s1")


def test_the_target_of_a_markdown_link_is_no_request() -> None:
    report = 'error [#9139](https://errors.example.com/groups/9139): {"error": "invalid_request"}'
    (result,) = paste.read(report)
    assert result.request is None
    assert result.response is not None


def test_many_malformed_bodies_are_read_in_time_that_grows_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    # json counts the lines before each error, so it may be given no more than a window of the text.
    lengths: list[int] = []
    original = json.JSONDecodeError.__init__

    def counted(self: json.JSONDecodeError, msg: str, doc: str, pos: int) -> None:
        lengths.append(pos)
        original(self, msg, doc, pos)

    monkeypatch.setattr(json.JSONDecodeError, "__init__", counted)
    result = paste.read('{"error": "x",}\n' * 5000)
    assert len(result) == 5000
    assert max(lengths) < 100


@pytest.mark.parametrize("piece", ['{"x ', "{'x ", "{", "[{", '{"a":', "{\n"])
def test_unmatched_brackets_are_abandoned(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    original = body.read_value

    def counted(text: str, start: int) -> Any:
        read.append(len(text) - start)
        return original(text, start)

    monkeypatch.setattr(sys.modules["oauth.paste.find"], "read_value", counted)
    text = piece * 5000
    with contextlib.suppress(paste.ParseError):
        paste.read(text)
    assert sum(read) < 6 * len(text) + 300_000
