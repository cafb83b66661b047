import base64
import contextlib
import gc
import json
from typing import Any

import pytest

from oauth import paste
from oauth.exchange import Part, Step
from oauth.paste import ParseError, har


def entry(**changes: Any) -> dict[str, Any]:
    request = {
        "method": "POST",
        "url": "https://www.olx.pl/api/open/oauth/token",
        "headers": [
            {"name": ":authority", "value": "www.olx.pl"},
            {"name": "Content-Type", "value": "application/json"},
        ],
        "postData": {"mimeType": "application/json", "text": '{"grant_type": "authorization_code"}'},
        "bodySize": 36,
    }
    response = {
        "status": 400,
        "statusText": "Bad Request",
        "httpVersion": "HTTP/2",
        "headers": [{"name": "X-Request-Id", "value": "7"}],
        "content": {"size": 2, "mimeType": "application/json", "text": '{"error": "invalid_grant",}'},
    }
    return {
        "startedDateTime": "2026-11-23T11:00:00.500+01:00",
        "time": 87.6,
        "request": request | changes.get("request", {}),
        "response": response | changes.get("response", {}),
    }


def read(*entries: Any) -> list[paste.Pasted]:
    return paste.read(json.dumps({"log": {"version": "1.2", "entries": list(entries)}}, indent=2))


def test_every_entry_is_an_exchange_in_the_order_of_the_file() -> None:
    first, second = read(entry(), entry(request={"method": "GET", "url": "https://www.olx.pl/api/partner/users/me"}))
    assert first.request is not None
    assert first.response is not None
    assert (first.request.method, first.request.headers) == ("POST", (("Content-Type", "application/json"),))
    assert first.request.body == b'{"grant_type": "authorization_code"}'
    assert (first.response.status, first.response.reason, first.response.http_version) == (400, "Bad Request", "HTTP/2")
    assert (first.step, first.duration_ms, first.source) == ("token", 88, "HAR")
    assert first.started_at is not None
    assert first.started_at.isoformat() == "2026-11-23T10:00:00.500000+00:00"
    assert second.request is not None
    assert second.request.url.endswith("/users/me")


def test_har_body_is_not_repaired() -> None:
    (result,) = read(entry())
    assert result.response is not None
    assert (result.response.body, result.repairs) == (b'{"error": "invalid_grant",}', ())


def test_a_body_in_base64_is_decoded() -> None:
    content = {"size": 3, "text": base64.b64encode(b"\x00\xffa").decode(), "encoding": "base64"}
    (result,) = read(entry(response={"content": content}))
    assert result.response is not None
    assert result.response.body == b"\x00\xffa"


def test_a_form_is_put_together_from_its_parameters() -> None:
    params = [{"name": "grant_type", "value": "refresh_token"}, {"name": "scope", "value": "read write"}]
    (result,) = read(entry(request={"postData": {"params": params}}))
    assert result.request is not None
    assert (result.request.body, result.step) == (b"grant_type=refresh_token&scope=read+write", "refresh")


def test_unsaved_bodies_are_not_taken_for_empty() -> None:
    (result,) = read(entry(request={"postData": {}}, response={"content": {"size": 108}}))
    assert result.unknown == {Part.REQUEST_BODY, Part.RESPONSE_BODY}
    assert result.repairs == ("the request body is not in the HAR",)


def test_unanswered_request_has_no_response() -> None:
    (result,) = read(entry(response={"status": 0}))
    assert result.response is None


def test_truncated_har_gives_its_complete_entries() -> None:
    text = json.dumps({"log": {"entries": [entry(), entry()]}})
    result = paste.read(text[: len(text) * 3 // 4])
    assert len(result) == 2
    assert "truncated at the end; the missing part was left out" in result[0].repairs


@pytest.mark.parametrize(
    ("log", "reason"),
    [({"entries": {}}, "no list at log.entries"), ({"entries": [{}, 3]}, "entry 2 of the HAR is not an object")],
)
def test_invalid_har_is_refused(log: Any, reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        paste.read(json.dumps({"log": log}))


def test_a_header_that_the_file_repeats_is_made_once_and_odd_ones_are_empty() -> None:
    odd = [{"name": "A", "value": ["x"]}, {"name": 7, "value": "y"}, {"value": "z"}, "no header", {"name": ":path"}]
    entries = [
        {"request": {"url": "https://a.example/", "headers": [{"name": "Accept", "value": "*/*"}, *more]}}
        for more in ([], [], odd)
    ]
    first, second, third = (item.request.headers for item in read(*entries) if item.request)
    assert first == (("Accept", "*/*"),)
    assert first[0] is second[0]
    assert third == (("Accept", "*/*"), ("A", ""), ("", "y"), ("", "z"))


@pytest.mark.parametrize("text", ['{"log": {"entries": []}}', '{"log": {"entries": 1}}'])
def test_the_search_for_cycles_goes_on_after_reading(text: str) -> None:
    with contextlib.suppress(paste.ParseError):
        paste.read(text)
    assert gc.isenabled()


@pytest.mark.parametrize(
    "odd",
    [{"time": True}, {"request": None}, {"response": []}, {"startedDateTime": float("nan")}, {"comment": "\ud800"}],
)
def test_a_file_that_is_not_quite_a_har_reads_as_one_that_is(odd: dict[str, Any]) -> None:
    whole = {"request": {"method": "GET", "url": "https://a.example/"}, "response": {"status": 204}, "time": 5}
    first, second = har.read(json.dumps({"log": {"entries": [whole, whole | odd]}}))
    assert [first] == har.read(json.dumps({"log": {"entries": [whole]}}))
    assert second.source == "HAR"


def test_a_call_with_a_token_is_no_page_where_the_file_alone_says_that_a_script_made_it() -> None:
    call = entry(request={"method": "GET", "url": "https://api.example/v1/me", "postData": {}, "bodySize": 0})
    call["_resourceType"] = "xhr"
    assert read(call)[0].step is Step.PAGE
    call["request"]["headers"] = [{"name": "Authorization", "value": "Bearer 8f0e1d2c3b4a5968"}]
    assert read(call)[0].step is Step.API
