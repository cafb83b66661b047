"""No answer is lost, whatever a server sends: every row ends with what came, or with a named failure."""

import codecs
import tracemalloc
from contextlib import nullcontext
from typing import NoReturn

import pytest

from oauth.catalogue import answers as catalogue
from oauth.catalogue.explain import Explanation, explain
from oauth.client import send
from oauth.exchange import Exchange, Response, text_encoding
from oauth.history.store import Row
from oauth.installation import Installation
from oauth.recorder import Record, Recorder
from oauth.redaction import Vault
from tests.exchanges import token_exchange
from tests.hostile.answers import ADDRESSES, CHARSETS
from tests.hostile.lost import lost, read_everything
from tests.hostile.servers import answering, response, serving

COUNT = 1500
TOKENS = b'{"access_token": "token-0123456789abcdef", "token_type": "bearer"}'


@pytest.fixture
def recorder(console: Installation) -> Recorder:
    return Recorder(console.history, console.vault())


def row_of(recorder: Recorder, record: Record) -> Row:
    row = recorder.history.get(record.live.id or 0)
    assert row is not None
    return row


def test_no_random_answer_is_lost(recorder: Recorder) -> None:
    assert list(lost(range(COUNT), recorder.history)) == []


def test_charset_names_a_text_encoding_or_nothing() -> None:
    for charset in CHARSETS:
        encoding = text_encoding(charset)
        assert encoding is None or isinstance(TOKENS.decode(encoding, "replace"), str)
    refused = [
        "bz2_codec",
        "zlib",
        "hex",
        "base64",
        "rot13",
        "uu",
        "quopri",
        "punycode",
        "idna",
        "unicode_escape",
        "utf_7",
    ]
    assert [text_encoding(charset) for charset in refused] == [None] * len(refused)
    accepted = ["UTF-8", "windows-1251", "ISO-8859-2", "koi8-u", "Shift_JIS", "us-ascii", "utf-16", "GB18030"]
    assert all(map(text_encoding, accepted))


@pytest.mark.parametrize("charset", ["bz2_codec", "zlib_codec", "rot13", "punycode", "\xff"])
def test_charset_that_is_no_text_encoding_loses_nothing(charset: str, recorder: Recorder) -> None:
    bomb = codecs.encode(b" " * 20_000_000, "bz2_codec") if charset.startswith("bz2") else TOKENS
    with serving(response("200 OK", bomb, Content_Type=f"application/json; charset={charset}")) as server:
        tracemalloc.start()
        record = send(token_exchange(server.url), recorder, on_response=read_everything)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert record.live.response is not None
    assert record.live.response.body == bomb
    row = row_of(recorder, record)
    assert row.exchange.response is not None
    assert "bad_charset" in row.exchange.marks
    assert peak < 4_000_000


@pytest.mark.parametrize("location", ADDRESSES)
def test_unreadable_location_loses_nothing(location: str, recorder: Recorder) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: {len(TOKENS)}\r\n\r\n".encode()
    with serving(answering(head, TOKENS)) as server:
        record = send(token_exchange(server.url), recorder, on_response=read_everything)
    assert record.live.failure is None
    assert record.live.response is not None
    assert (record.live.response.status, record.live.response.body) == (302, TOKENS)
    assert row_of(recorder, record).exchange.response is not None


def _raise(*_: object, **__: object) -> NoReturn:
    raise LookupError("token-0123456789abcdef")


@pytest.mark.parametrize(
    ("place", "arrived", "raises"),
    [
        ("oauth.wire._connect", None, False),
        ("oauth.wire.conversation.parse_codings", b"", False),
        ("oauth.client._is_in_its_charset", TOKENS, True),
    ],
)
def test_error_of_the_console_ends_the_row_with_its_name_and_what_came(
    place: str, arrived: bytes | None, raises: bool, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, _raise)
    with serving(response("200 OK", TOKENS)) as server, pytest.raises(LookupError) if raises else nullcontext():
        send(token_exchange(server.url), recorder, on_response=read_everything)
    [row] = recorder.history.flow("f1")
    assert row.exchange.failure is not None
    assert row.exchange.failure.kind == "console_error"
    assert row.exchange.failure.detail.startswith("LookupError at test_answers.py:")
    assert row.entry == catalogue()["console_error"].entry
    received = row.exchange.response and row.exchange.response.body
    assert received == (arrived and recorder.vault.redact_text(arrived.decode()).encode())


def test_error_of_the_caller_is_named_beside_the_response(recorder: Recorder) -> None:
    with serving(response("200 OK", TOKENS)) as server, pytest.raises(LookupError):
        send(token_exchange(server.url), recorder, on_response=_raise)
    [row] = recorder.history.flow("f1")
    assert row.exchange.response is not None
    assert row.exchange.failure is not None
    assert row.exchange.failure.kind == "console_error"


def test_response_that_cannot_be_explained_is_stored(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(exchange: Exchange) -> Explanation | None:
        return _raise() if exchange.response is not None else explain(exchange)

    monkeypatch.setattr("oauth.recorder.explain", failing)
    with serving(response("200 OK", TOKENS)) as server:
        record = send(token_exchange(server.url), recorder)
    row = row_of(recorder, record)
    assert row.exchange.response is not None
    assert b"access_token #" in row.exchange.response.body
    assert row.exchange.failure is not None
    assert row.entry == catalogue()["console_error"].entry


def test_end_of_the_process_while_a_response_is_awaited_ends_the_row(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("oauth.wire._connect", interrupt)
    with pytest.raises(KeyboardInterrupt):
        send(token_exchange("http://127.0.0.1:1/"), recorder)
    [row] = recorder.history.flow("f1")
    assert row.exchange.failure is not None
    assert row.exchange.failure.kind == "stopped"


def test_answer_that_cannot_be_redacted_ends_the_row_without_it(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    redact = Vault.redact

    def failing(vault: Vault, exchange: Exchange) -> Exchange:
        if exchange.response is not None:
            _raise()
        return redact(vault, exchange)

    monkeypatch.setattr(Vault, "redact", failing)
    with serving(response("200 OK", TOKENS)) as server:
        record = send(token_exchange(server.url), recorder)
    row = row_of(recorder, record)
    assert row.exchange.response == Response(200, cut=True)
    assert row.exchange.failure is not None
    assert row.exchange.failure.kind == "console_error"
    assert "token-" not in repr(row)
    assert record.live.response is not None
    assert record.live.response.body == TOKENS, "the session still has its tokens"
