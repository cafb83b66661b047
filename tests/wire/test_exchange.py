"""Results of an exchange beside the kind of its failure: what is recorded, what is sent, and through which proxy."""

import gzip
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from oauth.catalogue import documented
from oauth.catalogue.explain import explain, remarks
from oauth.client import send
from oauth.connection_settings import ConnectionSettings
from oauth.egress import Policy
from oauth.exchange import Exchange, header
from oauth.history.store import Row
from oauth.installation import Installation
from oauth.recorder import Recorder
from tests.exchanges import CODE, token_exchange
from tests.failures import (
    ANY_FILE,
    BAD_GATEWAY,
    FAILURES,
    JSON,
    PROXY_PASSWORD,
    TOKEN,
    client_files,
    head_for,
    requiring_a_client_certificate,
    self_signed,
    server_context,
    trusting,
)
from tests.hostile import servers as hostile

Send = Callable[..., Exchange]


@pytest.fixture
def request_token(console: Installation) -> Send:
    """Return a function that sends a token request with connection settings and a policy."""

    def run(url: str, connection: ConnectionSettings = ConnectionSettings(), policy: Policy | None = None) -> Exchange:  # noqa: B008
        recorder = Recorder(console.history, console.vault(), policy or ANY_FILE)
        return send(token_exchange(url), recorder, connection=connection).live

    return run


def recorded(console: Installation, exchange: Exchange) -> Row:
    assert exchange.id is not None
    row = console.history.get(exchange.id)
    assert row is not None
    return row


def cause_failure(kind: str, how: str, request_token: Send) -> Exchange:
    with FAILURES[kind][how]() as case:
        return request_token(case.url, case.connection, case.policy)


@pytest.mark.parametrize(
    ("kind", "how", "body"),
    [
        ("cut_off", "length", TOKEN[:40]),
        ("cut_off", "chunks", TOKEN[:30]),
        ("cut_off", "last chunk", TOKEN[:16]),
        ("cut_off", "reset", b'{"access'),
        ("read_timeout", "mid-body", b'{"a": '),
        ("malformed", "bad chunk", b"{}"),
        ("undecodable", "no gzip", TOKEN),
        ("undecodable", "ended", TOKEN),
        ("undecodable", "unknown", b"\x1b\x0e\0"),
    ],
)
def test_truncated_response_is_kept(kind: str, how: str, body: bytes, request_token: Send) -> None:
    failed = cause_failure(kind, how, request_token)
    assert failed.failure is not None
    assert failed.response is not None
    assert (failed.failure.kind, failed.response.status) == (kind, 200)
    assert (failed.response.body, failed.response.cut) == (body, True)


def test_truncated_token_is_redacted(request_token: Send, console: Installation) -> None:
    row = recorded(console, cause_failure("cut_off", "length", request_token))
    assert row.exchange.response is not None
    assert row.exchange.response.body.startswith(b'{"access_token": ')
    assert b"token-canary" not in row.exchange.response.body


def test_response_that_is_not_http_is_quoted(request_token: Send) -> None:
    failed = cause_failure("malformed", "another protocol", request_token)
    assert failed.failure is not None
    assert "'220 mail.example ESMTP'" in failed.failure.detail


def test_refusal_of_a_proxy_is_kept_and_attributed_to_it(request_token: Send) -> None:
    failed = cause_failure("proxy_refused", "502", request_token)
    assert failed.response is not None
    assert failed.failure is not None
    assert b"Name error" in failed.response.body
    assert failed.failure.detail == "the proxy responded to CONNECT with 502 Bad Gateway"


def test_documented_error_in_a_truncated_response_is_recognised(request_token: Send) -> None:
    body = documented()[2].example.encode()
    with hostile.serving(hostile.answering(head_for(len(body) + 1), body)) as server:
        explanation = explain(request_token(server.url))
    assert explanation is not None
    assert explanation.number == 2


def test_unrequested_compression_is_decoded(request_token: Send) -> None:
    packed = gzip.compress(TOKEN)
    with hostile.serving(hostile.response("200 OK", packed, Content_Encoding="gzip", **JSON)) as server:
        answered = request_token(server.url)
    assert answered.failure is None
    assert answered.response is not None
    assert answered.response.body == TOKEN
    assert b"\r\nAccept-Encoding: identity\r\n" in server.requests[0]


def test_unusual_valid_responses_are_read(request_token: Send) -> None:
    usual = b"HTTP/1.1 200 OK\r\n\r\n{}"
    for parts in (
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", hostile.OK),
        (b"HTTP/1.0 200 OK\r\n\r\n{}",),
        (usual,),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nTrailer: x\r\n\r\n",),
        tuple(hostile.OK[i : i + 1] for i in range(len(hostile.OK))),
    ):
        with hostile.serving(hostile.answering(*parts)) as server:
            answered = request_token(server.url)
        assert answered.failure is None
        assert answered.response is not None
        assert (answered.response.status, answered.response.body) == (200, b"{}")


def test_response_before_the_end_of_the_request_is_read(request_token: Send) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(10)
        connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        hostile.silent(connection)

    with hostile.raw(refuse) as server:
        answered = request_token(server.url)
    assert answered.response is not None
    assert answered.response.status == 413


def test_exchanges_share_no_connection_and_no_cookies(request_token: Send) -> None:
    with hostile.serving(hostile.response("200 OK", b"{}", Set_Cookie="session=1", **JSON)) as server:
        request_token(server.url)
        request_token(server.url)
    assert server.connections == 2
    assert [b"ookie" in request for request in server.requests] == [False, False]


def test_http_proxy_receives_the_whole_url_and_its_password_is_not_recorded(
    request_token: Send, console: Installation
) -> None:
    with (
        hostile.serving(hostile.answering(hostile.OK)) as server,
        hostile.proxying(f"someone:{PROXY_PASSWORD}", reaching=("127.0.0.1", server.port)) as proxy,
    ):
        connection = ConnectionSettings(proxy=f"http://someone:{PROXY_PASSWORD}@127.0.0.1:{proxy.port}")
        answered = request_token("http://provider.example/token?a=b", connection)
    assert answered.response is not None
    assert answered.response.status == 200
    assert proxy.requests[0].startswith(
        b"POST http://provider.example:80/token?a=b HTTP/1.1\r\nHost: provider.example\r\n"
    )
    assert server.requests[0].startswith(b"POST /token?a=b HTTP/1.1\r\nHost: provider.example\r\n")
    assert answered.marks == recorded(console, answered).exchange.marks == ("proxy",)
    assert header(answered.request.headers, "proxy-authorization") is None
    assert PROXY_PASSWORD not in repr(answered)


def test_tunnel_hides_the_request_from_the_proxy(request_token: Send) -> None:
    context = server_context("provider.example")
    with (
        hostile.serving_tls(context, hostile.answering(hostile.OK)) as server,
        hostile.proxying(f"someone:{PROXY_PASSWORD}", reaching=("127.0.0.1", server.port)) as proxy,
    ):
        connection = replace(trusting(), proxy=f"http://someone:{PROXY_PASSWORD}@127.0.0.1:{proxy.port}")
        answered = request_token("https://provider.example/token", connection)
    assert answered.response is not None
    assert answered.response.status == 200
    assert [request.split(b"\r\n")[0] for request in proxy.requests] == [b"CONNECT provider.example:443 HTTP/1.1"]
    assert CODE.encode() in server.requests[0]
    assert b"roxy-" not in server.requests[0]


def test_certificate_must_be_that_of_the_server_behind_a_proxy(request_token: Send) -> None:
    with (
        hostile.serving_tls(server_context("other.example"), hostile.answering(hostile.OK)) as server,
        hostile.proxying(reaching=("127.0.0.1", server.port)) as proxy,
    ):
        failed = request_token("https://provider.example/", replace(trusting(), proxy=f"http://127.0.0.1:{proxy.port}"))
    assert failed.failure is not None
    assert failed.failure.kind == "tls_wrong_name"
    assert server.requests == []


def test_password_that_a_proxy_repeats_is_redacted(request_token: Send, console: Installation) -> None:
    def repeat(connection: socket.socket) -> None:
        page = b"<html>You sent someone:" + PROXY_PASSWORD.encode() + b" and " + pair + b"</html>"
        hostile.response("403 Forbidden", page, X_Sent=PROXY_PASSWORD)(connection)

    pair = b"c29tZW9uZTpwcm94eS1jYW5hcnktNTVhYTY2YmI3N2Nj"
    with hostile.proxying(refusing=repeat) as proxy:
        connection = ConnectionSettings(proxy=f"http://someone:{PROXY_PASSWORD}@127.0.0.1:{proxy.port}")
        for scheme in ("http", "https"):
            text = repr(recorded(console, request_token(f"{scheme}://provider.example/", connection)))
            assert "You sent someone" in text
            assert PROXY_PASSWORD not in text
            assert pair.decode() not in text


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificate_is_sent_to_the_server(
    request_token: Send, console: Installation, version: ssl.TLSVersion
) -> None:
    certificate, key = client_files()
    with hostile.serving_tls(requiring_a_client_certificate(version), hostile.answering(hostile.OK)) as server:
        connection = replace(trusting(), client_certificate=certificate, client_key=key)
        answered = request_token(server.url, connection)
    assert answered.response is not None
    assert answered.response.status == 200
    assert "PRIVATE KEY" not in repr(recorded(console, answered))


def test_unverified_exchange_is_marked_before_it_is_sent(request_token: Send, console: Installation) -> None:
    at_arrival: list[tuple[str, ...]] = []

    def look(connection: socket.socket) -> None:
        at_arrival.extend(row.exchange.marks for row in console.history.flow("f1"))
        hostile.answering(hostile.OK)(connection)

    with hostile.serving_tls(self_signed(), look) as server:
        answered = request_token(server.url, ConnectionSettings(verify=False), Policy(insecure_tls=True))
    assert answered.response is not None
    assert at_arrival == [("tls_unverified",)]
    assert recorded(console, answered).exchange.marks == ("tls_unverified",)
    [remark] = remarks(recorded(console, answered).exchange)
    assert (remark.kind, remark.danger) == ("tls_unverified", True)


def test_http_exchange_is_not_marked_as_unverified(request_token: Send) -> None:
    with hostile.serving(hostile.answering(hostile.OK)) as server:
        answered = request_token(server.url, ConnectionSettings(verify=False))
    assert answered.response is not None
    assert answered.marks == ()


@pytest.mark.parametrize(
    ("content_type", "body", "marks", "remarks_expected"),
    [
        ("application/json", b'{"a": "caf\xe9"}', ("bad_charset",), ["bad_charset"]),
        ("application/json", '{"a": "café"}'.encode(), (), []),
        ("application/json; charset=ISO-8859-1", b'{"a": "caf\xe9"}', (), []),
        ('application/json; charset="no-such"', b"{}", ("bad_charset",), ["bad_charset"]),
        ("text/plain; charset=utf-8", b"\xff", ("bad_charset",), ["bad_charset"]),
        ("text/html", b'{"access_token": "x"}', (), ["json_not_declared"]),
        ("application/problem+json", b"{}", (), []),
    ],
)
def test_wrong_charset_or_content_type_has_a_remark(
    content_type: str,
    body: bytes,
    marks: tuple[str, ...],
    remarks_expected: list[str],
    request_token: Send,
    console: Installation,
) -> None:
    with hostile.serving(hostile.response("200 OK", body, Content_Type=content_type)) as server:
        answered = request_token(server.url)
    assert answered.marks == marks
    assert [remark.kind for remark in remarks(recorded(console, answered).exchange)] == remarks_expected


def test_redirect_to_http_with_a_secret_is_dangerous(request_token: Send) -> None:
    redirect = hostile.response("302 Found", Location="http://localhost/token")
    with hostile.serving_tls(server_context(), redirect) as server:
        explanation = explain(request_token(server.url, trusting()))
    assert explanation is not None
    assert (explanation.answer, explanation.danger) == ("redirect_insecure", True)


def test_slow_name_resolution_ends_with_the_connect_timeout(
    request_token: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: done.wait(20) and [])
    failed = request_token("http://slow.example/", ConnectionSettings(connect_timeout=0.2))
    done.set()
    assert failed.failure is not None
    assert failed.failure.kind == "connect_timeout"


def test_slow_handshake_ends_with_the_connect_timeout(request_token: Send) -> None:
    with hostile.raw(hostile.dripping(b"\x16\x03\x03\x40\x00"), "https") as server:
        failed = request_token(server.url, ConnectionSettings(connect_timeout=0.3))
    assert failed.failure is not None
    assert failed.failure.kind == "connect_timeout"


def test_next_address_is_tried_when_the_first_refuses(request_token: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    with hostile.serving(hostile.answering(hostile.OK)) as server:
        addresses = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, server.port)) for host in ("127.0.0.2", "127.0.0.1")
        ]
        with monkeypatch.context() as patch, closing(socket.socket()):
            patch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
            answered = request_token(f"http://provider.example:{server.port}/")
    assert answered.response is not None
    assert len(server.requests) == 1


def test_gateway_error_without_a_proxy_is_the_servers(request_token: Send) -> None:
    with hostile.serving(BAD_GATEWAY) as server:
        explanation = explain(request_token(server.url))
    assert explanation is not None
    assert explanation.answer == "server_error"
