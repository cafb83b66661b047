import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth import paste

GRANT = b'{"error":"invalid_grant","error_description":"Invalid refresh token"}'
RAW = (
    "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nX-Request-Id: 7\r\n"
    f"Content-Length: {len(GRANT)}\r\n\r\n{GRANT.decode()}"
)
REQUEST = "POST /api/open/oauth/token?x=1 HTTP/1.1\r\nHost: www.olx.pl\r\n\r\ngrant_type=refresh_token"


def statuses_and_bodies(text: str) -> list[tuple[int, bytes]]:
    return [(item.response.status, item.response.body) for item in paste.read(text) if item.response]


@pytest.mark.parametrize("text", [RAW, RAW.replace("\r\n", "\n"), "\n\n" + RAW + "\n", "\ufeff" + RAW])
def test_a_raw_response_is_read(text: str) -> None:
    (result,) = paste.read(text)
    assert result.request is None
    assert result.response is not None
    assert (result.status, result.response.reason, result.response.body) == (400, "Bad Request", GRANT)
    assert result.response.headers[:2] == (("Content-Type", "application/json"), ("X-Request-Id", "7"))


def test_a_raw_request_is_read_with_its_address() -> None:
    (result,) = paste.read(REQUEST)
    assert result.response is None
    assert result.request is not None
    assert (result.request.method, result.request.url) == ("POST", "https://www.olx.pl/api/open/oauth/token?x=1")
    assert (result.request.body, result.step) == (b"grant_type=refresh_token", "refresh")


def test_requests_are_paired_with_the_responses_behind_them() -> None:
    result = paste.read(
        f"{REQUEST}\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n{RAW}\r\n\r\n{REQUEST}\r\n\r\n{RAW}\r\n\r\n{RAW}"
    )
    assert [(item.request is not None, item.status) for item in result] == [(True, 400), (True, 400), (False, 400)]


def test_the_bodies_of_requests_are_not_repaired() -> None:
    # A mistake in a request is what a diagnosis is about.
    (result,) = paste.read('POST /token HTTP/1.1\nHost: x\nContent-Type: application/json\n\n{"grant_type": "x",}')
    assert result.request is not None
    assert result.request.body == b'{"grant_type": "x",}'


def test_several_raw_responses_are_read_in_order() -> None:
    text = f"HTTP/1.1 100 Continue\r\n\r\n{RAW}\r\n\r\nHTTP/2 401\nwww-authenticate: Bearer\n\n{RAW}"
    assert statuses_and_bodies(text) == [(400, GRANT), (401, b""), (400, GRANT)]


def test_the_date_header_is_the_time() -> None:
    (result,) = paste.read(RAW.replace("X-Request-Id: 7", "Date: Mon, 23 Nov 2026 10:00:00 GMT"))
    assert result.started_at is not None
    assert result.started_at.isoformat() == "2026-11-23T10:00:00+00:00"


@pytest.mark.parametrize(
    "head",
    ["HTTP/1.1 400 Bad Request\n", "HTTP/1.1 400\nContent-Type: application/json\n", "HTTP/1.0 400 Bad\n\n"],
)
def test_missing_blank_line_or_header_is_tolerated(head: str) -> None:
    assert statuses_and_bodies(head + GRANT.decode()) == [(400, GRANT)]


def test_a_folded_header_is_joined() -> None:
    (result,) = paste.read('HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="a",\r\n error="invalid_token"\r\n\r\n')
    assert result.response is not None
    assert result.response.headers == (("WWW-Authenticate", 'Bearer realm="a", error="invalid_token"'),)


@pytest.mark.parametrize(
    "body",
    [
        "1e\r\n" + GRANT.decode()[:30] + "\r\n" + f"{len(GRANT) - 30:x}\r\n" + GRANT.decode()[30:] + "\r\n0\r\n\r\n",
        f"{len(GRANT):x};extension\n{GRANT.decode()}\n0\n",
        f"99\n{GRANT.decode()}\n0\n",
        GRANT.decode(),
    ],
)
def test_chunk_sizes_are_removed(body: str) -> None:
    assert statuses_and_bodies(f"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n{body}") == [(400, GRANT)]


def test_repairs_of_a_raw_response_are_reported() -> None:
    (result,) = paste.read('HTTP/1.1 400 Bad Request\r\n\r\n{"error": "x",}')
    assert result.response is not None
    assert (json.loads(result.response.body), result.repairs) == ({"error": "x"}, ("trailing comma removed",))
    (page,) = paste.read("HTTP/1.1 502 Bad Gateway\r\n\r\n<html>{</html>")
    assert page.response is not None
    assert (page.status, page.response.body, page.repairs) == (502, b"<html>{</html>", ())


@given(st.text(), st.integers(200, 599))
def test_any_body_behind_a_status_line_is_one_response(body: str, status: int) -> None:
    (result,) = paste.read(f"HTTP/1.1 {status} X\r\n\r\n{body}")
    assert result.status == status
