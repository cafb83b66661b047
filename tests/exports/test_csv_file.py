import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth.catalogue import documented
from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.exports import text as columns_of_text
from oauth.exports.columns import fields
from oauth.exports.csv_file import pieces, records
from oauth.exports.layout import COLUMNS
from oauth.history.store import Row
from tests.exports import reference
from tests.exports.rows import batch_of

NUMBERS = ("id", "status", "duration_ms", "documented_error")
SIGNS = "=+-@|%＝＋－＠｜％"
BLANKS = " \t\r\n\0\v\f\x1b\x85\xa0\u2003\u2028\u3000\u200b\u200e\u2060\ufeff"


def csv_of(rows: Sequence[Row]) -> bytes:
    return b"".join(pieces([records(fields(batch_of(rows)))]))


def neutral(cell: str) -> str:
    [found] = columns_of_text.neutral(pa.array([cell])).to_pylist()
    assert isinstance(found, str)
    return found


def read(rows: list[Row]) -> list[dict[str, str]]:
    """The file as a strict reader of RFC 4180 sees it."""
    text = csv_of(rows).decode("utf-8")
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
    header, line = csv_of([failed]).split(b"\r\n")[:2]
    assert header == (
        b"\xef\xbb\xbfid,started_at,owner,case,flow,step,method,url,request_headers,request_body,status,"
        b"response_headers,response_body,duration_ms,documented_error,error,error_description,remedy,failure,request_id,entry,"
        b"provider,client_id,note,cause"
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
        "entry": "partner/2",
        "provider": "",
        "client_id": "demo-app",
        "note": "",
        "cause": "",
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
    batches = [batch_of(rows[start : start + 100]) for start in range(0, 500, 100)]
    found = [bytes(piece) for piece in pieces(map(records, map(fields, batches)))]
    assert len(found) == 6
    assert b"".join(found) == reference.csv_of(rows)


def test_pieces_come_before_all_rows_are_read(failed: Row) -> None:
    asked = 0

    def batches() -> Iterator[memoryview]:
        nonlocal asked
        while True:
            asked += 1
            yield records(fields(batch_of([failed])))

    whole = pieces(batches())
    next(whole), next(whole)
    assert asked == 1


@pytest.mark.parametrize("sign", [*SIGNS, "\t", "\r", "\n", "\0", "'"])
@pytest.mark.parametrize("blank", ["", *BLANKS, " \t \ufeff", "\u200b\u3000"])
def test_what_a_spreadsheet_might_compute_gets_a_quote(sign: str, blank: str) -> None:
    quoted = neutral(f"{blank}{sign}cmd")
    if not re.search(r"[;\t\r\n]", blank):
        assert quoted == f"'{blank}{sign}cmd"
    assert quoted.startswith("'")
    assert not is_dangerous_anywhere(quoted)
    assert columns_of_text.restored(quoted) == f"{blank}{sign}cmd"


def is_dangerous_anywhere(cell: str) -> bool:
    """Return whether a reader that separates by ``;``, tabs or line breaks finds a formula in a cell."""
    first, *others = re.split(r"[;\t\r\n]", cell)
    return first.lstrip(BLANKS)[:1] in set(SIGNS) or any(part.lstrip(BLANKS + '"')[:1] in set(SIGNS) for part in others)


@pytest.mark.parametrize("separator", [";", "\t", "\n", "\r\n"])
@pytest.mark.parametrize("sign", [*SIGNS, "'", '"=', " =", '""+', "\u200b@"])
def test_a_formula_behind_a_separator_of_another_spreadsheet_gets_a_quote(separator: str, sign: str) -> None:
    for cell in (f"x{separator}{sign}cmd", f"{separator}{separator}{sign}1", f"a{separator}b{separator}{sign}{sign}c"):
        quoted = neutral(cell)
        assert not is_dangerous_anywhere(quoted)
        assert quoted != cell
        assert columns_of_text.restored(quoted) == cell
        assert quoted == reference.neutral(cell)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_spreadsheet_with_another_separator_finds_no_formula(failed: Row, separator: str) -> None:
    hostile = 'x;=1+1\t@SUM(1)\n-2;"=3'
    request = Request("GET", f"https://a.test/{hostile}", (("Cookie", hostile),), hostile.encode())
    row = replace(failed, exchange=replace(failed.exchange, request=request, case=hostile), error=hostile)
    text = csv_of([row]).decode("utf-8-sig")
    for record in csv.reader(io.StringIO(text), delimiter=separator):
        for cell in record:
            assert cell.lstrip(BLANKS + '"')[:1] not in set(SIGNS)


@pytest.mark.parametrize(
    "cell",
    [
        "a; b",
        "a;b=1",
        "a\tb",
        "a\nb: -1",
        'x;"y"',
        "",
        "plain",
        "a=1",
        "https://p.example/?a=+1",
        "{}",
        " text",
        "«code 5ch»",
        "«=»",
    ],
)
def test_other_text_stays_as_it_is(cell: str) -> None:
    assert neutral(cell) == cell


tricky = st.text(st.sampled_from(SIGNS + BLANKS + "',;\"ab\ud7ffя«😀")) | st.text(
    st.characters(exclude_categories=["Cs"])
)


@settings(deadline=None)  # the machine may be busy
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
    assert csv_of([Row(exchange, None, text, value)]) == reference.csv_of([Row(exchange, None, text, value)])
    [found] = read([Row(exchange, None, text, value)])
    for name, cell in found.items():
        if name not in NUMBERS:
            assert not is_dangerous_anywhere(cell)
            assert cell[:1] not in set("\t\r\n\0")
    plain = {name: columns_of_text.restored(cell) for name, cell in found.items()}
    assert (plain["id"], plain["owner"], plain["case"], plain["flow"]) == (str(id), text, body, value)
    assert (plain["method"], plain["url"], plain["request_body"]) == (text, value, body)
    assert (plain["error"], plain["error_description"], plain["failure"]) == (text, value, kind)


def test_every_character_is_judged_as_the_reference_judges_it() -> None:
    characters = [chr(number) for number in range(0x110000) if not 0xD800 <= number < 0xE000]
    for cells in (characters, [f" {character}" for character in characters], [f"{one}=" for one in characters]):
        assert columns_of_text.neutral(pa.array(cells)).to_pylist() == [reference.neutral(cell) for cell in cells]


BODIES = (
    "", " ", "{}", "[]", "null", "{", '{"a": 1}', '{"data": {"id": 1, "name": "João"}}',
    '{"data": [{"a": [1, {"b": 2}]}]}',
    '{"access_token": "x"}', '{"access_token": ""}', '{"access_token": "x", "access_token": ""}',
    '{"access_token": "x",}',
    '{"data": {"access_token": "x"}}', '{"\\u0065rror": "invalid_grant"}', '{"a": "\\u00e3"}', '{"a": "\\u2028"}',
    '{"error": "invalid_grant", "error_description": "said"}', '{"error": "slow_down"}', '{"error": {"status": 404}}',
    '{"error_description": "Refresh token has expired"}', "<html>Bad gateway</html>", "[1, 2", "\ufeff{}",
    '{"a": 1' + "0" * 5000 + "}", '{"a": [' * 30 + "]}" * 30, '{"a": 01}', '{"a": "\x01"}', '{"a": NaN}', '{"a" 1}',
)  # fmt: skip
HEADERS = (
    (), (("Content-Type", "application/json"),), (("Content-Type", "text/html"),),
    (("WWW-Authenticate", 'Bearer error="invalid_token", error_description="The access token expired"'),),
    (("Location", "https://app.example/back?code=1"),), (("Location", "https://app.example/?%65rror=access_denied"),),
    (("location", "https://app.example/?error=access_denied"),), (("Content-Encoding", "gzip"),),
)  # fmt: skip
ADDRESSES = (
    "https://p.example/token", "https://app.example/back?code=«code #0123456789 40ch»&state=«state 8ch»",
    "http://localhost:8501/callback?state=1&code=", "https://app.example/?error=access_denied", "https://a.example/?xcode=1",
    "https://app.example/?%63ode=1", "https://app.example/#code=1", "https://[/?code=1", "https://app.example/?code=1#error=x",
    "https://app.example/?code=«code 3ch»#x", "https://app.example/?state=«state 3ch»", "",
)  # fmt: skip
responses = st.none() | st.builds(
    Response,
    st.sampled_from((200, 201, 204, 301, 302, 400, 401, 403, 404, 405, 429, 500, 502)),
    headers=st.sampled_from(HEADERS),
    body=st.sampled_from(BODIES).map(str.encode),
    cut=st.booleans(),
)
failures = st.none() | st.builds(
    Failure, st.sampled_from(("refused", "cut_off", "unheard_of")), st.sampled_from(("", "why"))
)


@settings(deadline=None)  # the machine may be busy
@given(
    st.lists(
        st.builds(
            Row,
            st.builds(
                Exchange,
                st.sampled_from(Step),
                st.builds(
                    Request, st.sampled_from(("GET", "POST")), st.sampled_from(ADDRESSES), st.sampled_from(HEADERS)
                ),
                st.just(datetime(2026, 11, 23, tzinfo=UTC)),
                responses,
                failures,
                marks=st.sampled_from(((), ("proxy",))),
                id=st.integers(1, 99),
            ),
            st.sampled_from((None, None, 1, 2, 11, 99)),
        ),
        max_size=20,
    )
)
def test_whatever_came_back_the_file_is_as_the_reference_writes_it(rows: list[Row]) -> None:
    assert csv_of(rows) == reference.csv_of(rows)
