import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.catalogue import documented
from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.history.csv_export import COLUMNS, csv_rows, neutral
from oauth.history.store import Row

NUMBERS = ("id", "status", "duration_ms", "documented_error")
SIGNS = "=+-@|%＝＋－＠｜％"
BLANKS = " \t\r\n\0\v\f\x1b\x85\xa0\u2003\u2028\u3000\u200b\u200e\u2060\ufeff"


def read(rows: list[Row]) -> list[dict[str, str]]:
    """The file as a strict reader of RFC 4180 sees it."""
    text = b"".join(csv_rows(rows)).decode("utf-8")
    assert text.startswith("\ufeffid,started_at,")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), strict=True))


@pytest.fixture
def failed(exchange: Callable[..., Exchange]) -> Row:
    sent = exchange(id=118, owner="ada", case="T-1234", flow="9f2a41d07b", client_id="demo-app")
    said = "Authorization code doesn't exist or is invalid for the client"
    body = json.dumps({"error": "invalid_grant", "error_description": said}).encode()
    answer = Response(400, "Bad Request", (("Content-Type", "application/json"), ("X-Request-Id", "r-1")), body)
    return Row(
        replace(sent, response=answer, duration_ms=84),
        2,
        "invalid_grant",
        said,
    )


def test_the_columns_stand_in_the_documented_order(failed: Row) -> None:
    header, line = b"".join(csv_rows([failed])).split(b"\r\n")[:2]
    assert header == (
        b"\xef\xbb\xbfid,started_at,owner,case,flow,step,method,url,request_headers,request_body,status,"
        b"response_headers,response_body,duration_ms,documented_error,error,error_description,remedy,failure,request_id"
    )
    assert line.startswith(b"118,2026-11-23T10:16:19.000042Z,ada,T-1234,9f2a41d07b,token,POST,https://provider.example")


def test_a_row_says_what_was_kept(failed: Row) -> None:
    [found] = read([failed])
    assert list(found) == list(COLUMNS)
    assert found | {"url": "", "response_body": ""} == {
        "id": "118",
        "started_at": "2026-11-23T10:16:19.000042Z",
        "owner": "ada",
        "case": "T-1234",
        "flow": "9f2a41d07b",
        "step": "token",
        "method": "POST",
        "url": "",
        "request_headers": "Host: provider.example\nContent-Type: application/json",
        "request_body": '{"grant_type": "authorization_code"}',
        "status": "400",
        "response_headers": "Content-Type: application/json\nX-Request-Id: r-1",
        "response_body": "",
        "duration_ms": "84",
        "documented_error": "2",
        "error": "invalid_grant",
        "error_description": "Authorization code doesn't exist or is invalid for the client",
        "remedy": "\n".join(documented()[2].remedy),
        "failure": "",
        "request_id": "r-1",
    }


def test_a_failure_is_named_with_its_remedy(exchange: Callable[..., Exchange]) -> None:
    [found] = read([Row(exchange(id=1, failure=Failure("refused", "Connection refused"), duration_ms=3))])
    assert found["failure"] == "refused: Connection refused"
    assert "Check the port" in found["remedy"]
    assert [found[name] for name in ("status", "response_headers", "documented_error", "error")] == [""] * 4


def test_an_empty_history_is_a_header() -> None:
    assert read([]) == []


def test_a_large_file_comes_in_pieces_that_read_as_one(failed: Row) -> None:
    rows = [replace(failed, exchange=replace(failed.exchange, id=number)) for number in range(500)]
    pieces = list(csv_rows(rows))
    assert len(pieces) > 2
    assert max(map(len, pieces)) < 80_000
    assert b"".join(pieces).count(b"\xef\xbb\xbf") == 1
    assert [row["id"] for row in read(rows)] == [str(number) for number in range(500)]


def test_pieces_come_before_all_rows_are_read(failed: Row) -> None:
    asked = 0

    def rows() -> Iterator[Row]:
        nonlocal asked
        while True:
            asked += 1
            yield failed

    next(csv_rows(rows()))
    assert asked < 500


@pytest.mark.parametrize("sign", [*SIGNS, "\t", "\r", "\n", "\0", "'"])
@pytest.mark.parametrize("blank", ["", *BLANKS, " \t \ufeff", "\u200b\u3000"])
def test_what_a_spreadsheet_might_compute_gets_a_quote(sign: str, blank: str) -> None:
    assert neutral(f"{blank}{sign}cmd") == f"'{blank}{sign}cmd"


@pytest.mark.parametrize("cell", ["", "plain", "a=1", "https://p.example/?a=+1", "{}", " text", "«code 5ch»", "«=»"])
def test_other_text_stays_as_it_is(cell: str) -> None:
    assert neutral(cell) == cell


tricky = st.text(st.sampled_from(SIGNS + BLANKS + "',\"ab\ud7ffя«😀")) | st.text(
    st.characters(exclude_categories=["Cs"])
)


@given(text=tricky, body=tricky, kind=tricky.filter(bool), value=tricky, id=st.integers(1, 2**63 - 1))
def test_every_value_is_read_back_and_none_is_dangerous(text: str, body: str, kind: str, value: str, id: int) -> None:
    exchange = Exchange(
        Step.API,
        Request(text, value, ((text, value),), body.encode()),
        datetime(2026, 11, 23, tzinfo=UTC),
        failure=Failure(kind),
        id=id,
        flow=value,
        owner=text,
        case=body,
    )
    [found] = read([Row(exchange, None, text, value)])
    for name, cell in found.items():
        if name not in NUMBERS:
            assert cell.lstrip(BLANKS)[:1] not in set(SIGNS)
            assert cell[:1] not in set("\t\r\n\0")
    plain = {name: cell.removeprefix("'") for name, cell in found.items()}
    assert (plain["id"], plain["owner"], plain["case"], plain["flow"]) == (str(id), text, body, value)
    assert (plain["method"], plain["url"], plain["request_body"]) == (text, value, body)
    assert (plain["error"], plain["error_description"], plain["failure"]) == (text, value, kind)
