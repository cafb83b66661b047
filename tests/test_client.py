import socket
from collections import Counter
from dataclasses import replace

import pytest

from oauth.catalogue.explain import Explanation, explain
from oauth.client import send
from oauth.exchange import Exchange, Failure, Request, Response, Step, header
from oauth.flow import Field, api_request
from oauth.history.store import HistoryError
from oauth.installation import Installation
from oauth.page_turns import Turns
from oauth.recorder import Record, Recorder
from oauth.redaction import Vault
from oauth.shutdown import Shutdown
from oauth.wire import BODY_LIMIT
from tests.exchanges import CODE, NOW, token_exchange
from tests.hostile.servers import answering, response, serving

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: r-7\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def recorder(console: Installation) -> Recorder:
    return Recorder(console.history, console.vault())


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the exchanges that are redacted and recognised."""
    counts: Counter[str] = Counter()
    redact = Vault.redact

    def counted_redact(vault: Vault, exchange: Exchange) -> Exchange:
        counts["redacted before" if exchange.response is None else "redacted after"] += 1
        return redact(vault, exchange)

    def counted_explain(exchange: Exchange) -> Explanation | None:
        counts["recognised"] += 1
        return explain(exchange)

    monkeypatch.setattr(Vault, "redact", counted_redact)
    monkeypatch.setattr("oauth.recorder.explain", counted_explain)
    return counts


def row_of(recorder: Recorder, record: Record) -> Exchange:
    assert record.live.id is not None
    row = recorder.history.get(record.live.id)
    assert row is not None
    return row.exchange


def test_request_is_sent_byte_for_byte_as_it_is_shown(recorder: Recorder) -> None:
    with serving(answering(OK)) as server:
        sent = send(token_exchange(server.url), recorder).live
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /token HTTP/1.1"
    assert [tuple(line.split(": ", 1)) for line in lines[1:]] == list(sent.request.headers)
    assert body == sent.request.body


def test_response_has_status_headers_body_and_request_id(recorder: Recorder) -> None:
    with serving(answering(OK)) as server:
        exchange = send(token_exchange(server.url), recorder).live
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.reason, exchange.response.body) == (200, "OK", b"{}")
    assert header(exchange.response.headers, "content-type") == "application/json"
    assert exchange.request_id == "r-7"
    assert exchange.duration_ms is not None


def test_row_is_written_before_the_request_leaves(recorder: Recorder) -> None:
    rows_at_arrival = []

    def read_rows(connection: socket.socket) -> None:
        rows_at_arrival.extend(recorder.history.flow("f1"))
        connection.sendall(OK)

    with serving(read_rows) as server:
        exchange = send(token_exchange(server.url), recorder).live
    assert [(row.exchange.id, row.exchange.response) for row in rows_at_arrival] == [(exchange.id, None)]
    assert exchange.id is not None
    row = recorder.history.get(exchange.id)
    assert row is not None
    assert row.exchange.response is not None
    assert row.exchange.response.status == 200


def test_secret_named_only_in_the_response_is_redacted_in_the_request_too(recorder: Recorder) -> None:
    secret = "f" * 40
    body = b'{"access_token": "%s"}' % secret.encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with serving(answering(answer)) as server:
        sent = token_exchange(server.url)
        request = replace(sent.request, url=f"{sent.request.url}?subject={secret}")
        exchange = send(replace(sent, request=request, client_id=secret), recorder).live
    row = recorder.history.get(exchange.id or 0)
    assert row is not None
    assert secret not in repr(row)
    assert "subject=«access_token #" in row.exchange.request.url
    assert row.exchange.client_id.startswith("«access_token #")


def test_redirect_is_not_followed(recorder: Recorder) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with serving(answering(answer)) as server:
        exchange = send(token_exchange(server.url), recorder).live
    assert exchange.response is not None
    assert exchange.response.status == 302
    assert len(server.requests) == 1


def test_body_over_the_limit_is_truncated_and_marked(recorder: Recorder) -> None:
    size = BODY_LIMIT + 1
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    with serving(answering(head, b"x" * size)) as server:
        exchange = send(token_exchange(server.url), recorder).live
    assert exchange.response is not None
    assert exchange.response.cut
    assert len(exchange.response.body) == BODY_LIMIT


def test_body_of_exactly_the_limit_is_complete(recorder: Recorder) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BODY_LIMIT
    with serving(answering(head, b"x" * BODY_LIMIT)) as server:
        exchange = send(token_exchange(server.url), recorder).live
    assert exchange.response is not None
    assert (exchange.response.cut, len(exchange.response.body)) == (False, BODY_LIMIT)


def test_header_of_the_caller_is_sent_unchanged(recorder: Recorder) -> None:
    with serving(answering(OK)) as server:
        call = Exchange(Step.API, api_request(server.url, [Field("Version", "2.0", "", "")]), NOW)
        send(call, recorder)
    assert b"\r\nVersion: 2.0" in server.requests[0]


def test_failing_history_does_not_stop_the_exchange(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise HistoryError("The history is read-only.")

    monkeypatch.setattr(recorder.history, "begin", refuse)
    with serving(answering(OK)) as server:
        exchange = send(token_exchange(server.url), recorder).live
    assert exchange.response is not None
    assert exchange.id is None
    assert recorder.problem == "The history is read-only."


def test_history_has_placeholders_only(recorder: Recorder, console: Installation) -> None:
    with serving(answering(OK)) as server:
        exchange = send(token_exchange(server.url), recorder).live
    assert exchange.id is not None
    row = console.history.get(exchange.id)
    assert row is not None
    assert b"c" * 40 in exchange.request.body
    assert b"c" * 40 not in row.exchange.request.body
    assert "«code ".encode() in row.exchange.request.body


def test_request_is_redacted_once_in_each_state_and_recognised_once(recorder: Recorder, work: Counter[str]) -> None:
    with serving(answering(OK)) as server:
        record = send(token_exchange(server.url), recorder)
    assert work == {"redacted before": 1, "redacted after": 1, "recognised": 1}
    assert record.explanation is not None
    assert record.explanation.answer == "no_access_token"


def test_finished_exchange_is_redacted_once(recorder: Recorder, work: Counter[str]) -> None:
    begun = recorder.begin(Exchange(Step.API, Request("GET", "https://p.example/"), NOW, Response(404)))
    record = recorder.complete(begun, begun.live)
    assert work == {"redacted after": 1, "recognised": 1}
    assert row_of(recorder, record) == record.redacted


@pytest.mark.parametrize(
    "body", [b"{}", b'{"error": "invalid_grant", "error_description": "no %s here"}' % CODE.encode()]
)
def test_record_equals_its_row(recorder: Recorder, body: bytes) -> None:
    with serving(response("400 Bad Request", body, X_Code=CODE)) as server:
        record = send(token_exchange(server.url), recorder)
    assert row_of(recorder, record) == record.redacted
    assert CODE not in repr(record.redacted)
    assert record.explanation == explain(row_of(recorder, record))


def test_secret_that_the_caller_finds_in_the_response_is_redacted_in_the_row(recorder: Recorder) -> None:
    secret = "f00d" * 10

    def learn(exchange: Exchange) -> None:
        assert exchange.response is not None
        recorder.vault.add("nonce", exchange.response.body.decode())

    with serving(response("200 OK", secret.encode())) as server:
        record = send(token_exchange(server.url), recorder, on_response=learn)
    assert row_of(recorder, record) == record.redacted
    assert record.redacted.response is not None
    assert record.redacted.response.body.decode().startswith("«nonce #")
    assert secret not in repr(record)


def test_response_is_recorded_when_the_caller_fails_on_it(recorder: Recorder) -> None:
    def fail(_: Exchange) -> None:
        raise RuntimeError

    with serving(answering(OK)) as server, pytest.raises(RuntimeError):
        send(token_exchange(server.url), recorder, on_response=fail)
    assert [row.exchange.response is not None for row in recorder.history.flow("f1")] == [True]


def test_nothing_is_sent_while_the_console_is_being_stopped(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = Shutdown()
    stopping.begin()
    monkeypatch.setattr("oauth.client.SHUTDOWN", stopping)
    with serving(answering(OK)) as server:
        record = send(token_exchange(server.url), recorder)
        assert server.connections == 0
    assert record.explanation is not None
    assert record.explanation.title == "Console is being stopped"
    assert row_of(recorder, record).failure == Failure("stopping"), "it is in the history all the same"


def test_page_gives_its_turn_back_until_the_response_is_recorded(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Turns(1, 30)
    monkeypatch.setattr("oauth.client.PAGES", turns)
    running: list[int] = []
    complete = recorder.complete

    def completed(begun: Record, exchange: Exchange) -> Record:
        running.append(turns.running)
        return complete(begun, exchange)

    monkeypatch.setattr(recorder, "complete", completed)
    with serving(answering(OK)) as server, turns.turn():
        send(token_exchange(server.url), recorder, on_response=lambda _: running.append(turns.running))
        assert (running, turns.running) == ([0, 0], 1)
