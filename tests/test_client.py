import socket
from dataclasses import replace

import pytest

from oauth.client import send
from oauth.exchange import Exchange, Step, header
from oauth.flow import Field, api_request
from oauth.history.store import HistoryError
from oauth.installation import Installation
from oauth.recorder import Recorder
from oauth.wire import BODY_LIMIT
from tests.exchanges import NOW, token_exchange
from tests.hostile import answering, serving

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: r-7\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def recorder(console: Installation) -> Recorder:
    return Recorder(console.history, console.vault())


def test_what_is_shown_is_what_is_sent_byte_for_byte(recorder: Recorder) -> None:
    with serving(answering(ANSWER)) as server:
        sent = send(token_exchange(server.url), recorder)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /token HTTP/1.1"
    assert [tuple(line.split(": ", 1)) for line in lines[1:]] == list(sent.request.headers)
    assert body == sent.request.body


def test_an_answer_is_taken_with_status_headers_body_and_request_id(recorder: Recorder) -> None:
    with serving(answering(ANSWER)) as server:
        answered = send(token_exchange(server.url), recorder)
    assert answered.response is not None
    assert (answered.response.status, answered.response.reason, answered.response.body) == (200, "OK", b"{}")
    assert header(answered.response.headers, "content-type") == "application/json"
    assert answered.request_id == "r-7"
    assert answered.duration_ms is not None


def test_the_row_is_written_before_the_request_leaves(recorder: Recorder) -> None:
    rows_at_arrival = []

    def look(connection: socket.socket) -> None:
        rows_at_arrival.extend(recorder.history.flow("f1"))
        connection.sendall(ANSWER)

    with serving(look) as server:
        answered = send(token_exchange(server.url), recorder)
    assert [(row.exchange.id, row.exchange.response) for row in rows_at_arrival] == [(answered.id, None)]
    assert answered.id is not None
    kept = recorder.history.get(answered.id)
    assert kept is not None
    assert kept.exchange.response is not None
    assert kept.exchange.response.status == 200


def test_a_secret_that_only_the_answer_names_is_taken_out_of_the_request_s_row_too(recorder: Recorder) -> None:
    secret = "f" * 40
    body = b'{"access_token": "%s"}' % secret.encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with serving(answering(answer)) as server:
        sent = token_exchange(server.url)
        request = replace(sent.request, url=f"{sent.request.url}?subject={secret}")
        answered = send(replace(sent, request=request, client_id=secret), recorder)
    kept = recorder.history.get(answered.id or 0)
    assert kept is not None
    assert secret not in repr(kept)
    assert "subject=«access_token #" in kept.exchange.request.url
    assert kept.exchange.client_id.startswith("«access_token #")


def test_a_redirect_is_shown_and_not_followed(recorder: Recorder) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with serving(answering(answer)) as server:
        answered = send(token_exchange(server.url), recorder)
    assert answered.response is not None
    assert answered.response.status == 302
    assert len(server.requests) == 1


def test_a_body_over_the_limit_is_kept_cut_and_marked(recorder: Recorder) -> None:
    size = BODY_LIMIT + 1
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    with serving(answering(head, b"x" * size)) as server:
        answered = send(token_exchange(server.url), recorder)
    assert answered.response is not None
    assert answered.response.cut
    assert len(answered.response.body) == BODY_LIMIT


def test_a_body_of_exactly_the_limit_is_whole(recorder: Recorder) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BODY_LIMIT
    with serving(answering(head, b"x" * BODY_LIMIT)) as server:
        answered = send(token_exchange(server.url), recorder)
    assert answered.response is not None
    assert (answered.response.cut, len(answered.response.body)) == (False, BODY_LIMIT)


def test_a_header_of_the_caller_is_sent_as_it_stands(recorder: Recorder) -> None:
    with serving(answering(ANSWER)) as server:
        call = Exchange(Step.API, api_request(server.url, [Field("Version", "2.0", "", "")]), NOW)
        send(call, recorder)
    assert b"\r\nVersion: 2.0" in server.requests[0]


def test_a_history_that_fails_does_not_stop_the_exchange(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise HistoryError("The history is read-only.")

    monkeypatch.setattr(recorder.history, "begin", refuse)
    with serving(answering(ANSWER)) as server:
        answered = send(token_exchange(server.url), recorder)
    assert answered.response is not None
    assert answered.id is None
    assert recorder.problem == "The history is read-only."


def test_the_history_keeps_placeholders_only(recorder: Recorder, console: Installation) -> None:
    with serving(answering(ANSWER)) as server:
        answered = send(token_exchange(server.url), recorder)
    assert answered.id is not None
    kept = console.history.get(answered.id)
    assert kept is not None
    assert b"c" * 40 in answered.request.body
    assert b"c" * 40 not in kept.exchange.request.body
    assert "«code ".encode() in kept.exchange.request.body
