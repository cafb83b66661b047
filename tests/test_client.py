import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from oauth import client
from oauth.catalogue import answers
from oauth.client import BODY_LIMIT, Recorder, send
from oauth.connection import Connection
from oauth.exchange import Exchange, Request, Step, header
from oauth.flow import Field, api_request, token_request
from oauth.history.store import HistoryError
from oauth.installation import Installation

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: r-7\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server for one connection: reads the request's head and body, then does what the test says."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            wanted = int(lengths[0].partition(b":")[2]) if lengths else 0
            while len(body) < wanted:
                body += connection.recv(65536)
            received.append(head + b"\r\n\r\n" + body)
            answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/token", received
    finally:
        listener.close()
        thread.join(10)


def answering(*parts: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return answer


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


@pytest.fixture
def recorder(console: Installation) -> Recorder:
    return Recorder(console.history, console.vault())


def exchange(url: str) -> Exchange:
    return Exchange(Step.TOKEN, token_request(url, [Field("code", "c" * 40, "", "")]), NOW, flow="f1", owner="local")


def test_what_is_shown_is_what_is_sent_byte_for_byte(recorder: Recorder) -> None:
    with serving(answering(OK)) as (url, received):
        sent = send(exchange(url), recorder)
    head, _, body = received[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /token HTTP/1.1"
    assert [tuple(line.split(": ", 1)) for line in lines[1:]] == list(sent.request.headers)
    assert body == sent.request.body


def test_an_answer_is_taken_with_status_headers_body_and_request_id(recorder: Recorder) -> None:
    with serving(answering(OK)) as (url, _):
        answered = send(exchange(url), recorder)
    assert answered.response is not None
    assert (answered.response.status, answered.response.reason, answered.response.body) == (200, "OK", b"{}")
    assert header(answered.response.headers, "content-type") == "application/json"
    assert answered.request_id == "r-7"
    assert answered.duration_ms is not None


def test_the_row_is_written_before_the_request_leaves(recorder: Recorder) -> None:
    rows_at_arrival = []

    def look(connection: socket.socket) -> None:
        rows_at_arrival.extend(recorder.history.flow("f1"))
        connection.sendall(OK)

    with serving(look) as (url, _):
        answered = send(exchange(url), recorder)
    assert [(row.exchange.id, row.exchange.response) for row in rows_at_arrival] == [(answered.id, None)]
    assert answered.id is not None
    kept = recorder.history.get(answered.id)
    assert kept is not None
    assert kept.exchange.response is not None
    assert kept.exchange.response.status == 200


def test_a_redirect_is_shown_and_not_followed(recorder: Recorder) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with serving(answering(answer)) as (url, received):
        answered = send(exchange(url), recorder)
    assert answered.response is not None
    assert answered.response.status == 302
    assert len(received) == 1


def test_a_body_over_the_limit_is_kept_cut_and_marked(recorder: Recorder) -> None:
    size = BODY_LIMIT + 1
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    with serving(answering(head, b"x" * size)) as (url, _):
        answered = send(exchange(url), recorder)
    assert answered.response is not None
    assert answered.response.cut
    assert len(answered.response.body) == BODY_LIMIT


def test_a_body_of_exactly_the_limit_is_whole(recorder: Recorder) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BODY_LIMIT
    with serving(answering(head, b"x" * BODY_LIMIT)) as (url, _):
        answered = send(exchange(url), recorder)
    assert answered.response is not None
    assert (answered.response.cut, len(answered.response.body)) == (False, BODY_LIMIT)


def failure(exchange: Exchange) -> str:
    assert exchange.response is None
    assert exchange.failure is not None
    assert exchange.failure.kind in answers(), "each kind of failure has its card"
    return exchange.failure.kind


def test_a_refused_connection(recorder: Recorder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert failure(send(exchange(f"http://127.0.0.1:{port}/"), recorder)) == "refused"


def test_an_unknown_host(recorder: Recorder) -> None:
    assert failure(send(exchange("http://no-such-host.invalid/"), recorder)) == "unknown_host"


def test_a_server_that_speaks_no_tls(recorder: Recorder) -> None:
    def plain(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=plain, args=(listener,), daemon=True)
        thread.start()
        failed = send(exchange(f"https://127.0.0.1:{listener.getsockname()[1]}/"), recorder)
        thread.join(10)
    assert failure(failed) == "tls"


def test_a_connection_that_is_closed_or_reset_without_an_answer(recorder: Recorder) -> None:
    for ending in (answering(), reset):
        with serving(ending) as (url, _):
            assert failure(send(exchange(url), recorder)) == "reset"


def test_an_answer_that_is_not_http(recorder: Recorder) -> None:
    with serving(answering(b"220 mail.example ESMTP\r\n\r\n")) as (url, _):
        assert failure(send(exchange(url), recorder)) == "malformed"


def test_a_body_whose_compression_is_broken(recorder: Recorder) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"
    with serving(answering(answer)) as (url, _):
        assert failure(send(exchange(url), recorder)) == "malformed"


def test_a_server_that_stays_silent(recorder: Recorder) -> None:
    done = threading.Event()

    def stay_silent(_: socket.socket) -> None:
        done.wait(10)

    with serving(stay_silent) as (url, _):
        failed = send(exchange(url), recorder, connection=Connection(read_timeout=0.2))
        done.set()
    assert failure(failed) == "timeout"


def test_a_server_that_drips_is_cut_off_by_the_limit_of_the_whole(recorder: Recorder) -> None:
    done = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        while not done.wait(0.05):
            try:
                connection.sendall(b"x")
            except OSError:
                return

    with serving(drip) as (url, _):
        failed = send(exchange(url), recorder, connection=Connection(total_timeout=0.3))
        done.set()
    assert failure(failed) == "timeout"


def test_an_address_that_cannot_be_requested(recorder: Recorder) -> None:
    wrong = replace(exchange("http://x/"), request=Request("GET", "http://exa mple/"))
    assert failure(send(wrong, recorder)) in ("invalid_url", "unknown_host")


def test_a_certificate_nobody_vouches_for_is_named() -> None:
    error = ssl.SSLCertVerificationError("certificate verify failed")
    assert client._failure(error).kind == "tls"


def test_a_header_of_the_caller_is_sent_as_it_stands(recorder: Recorder) -> None:
    with serving(answering(OK)) as (url, received):
        call = Exchange(Step.API, api_request(url, [Field("Version", "2.0", "", "")]), NOW)
        send(call, recorder)
    assert b"\r\nVersion: 2.0" in received[0]


def test_a_history_that_fails_does_not_stop_the_exchange(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise HistoryError("The history is read-only.")

    monkeypatch.setattr(recorder.history, "begin", refuse)
    with serving(answering(OK)) as (url, _):
        answered = send(exchange(url), recorder)
    assert answered.response is not None
    assert answered.id is None
    assert recorder.problem == "The history is read-only."


def test_the_history_keeps_placeholders_only(recorder: Recorder, console: Installation) -> None:
    with serving(answering(OK)) as (url, _):
        answered = send(exchange(url), recorder)
    assert answered.id is not None
    kept = console.history.get(answered.id)
    assert kept is not None
    assert b"c" * 40 in answered.request.body
    assert b"c" * 40 not in kept.exchange.request.body
    assert "«code ".encode() in kept.exchange.request.body
