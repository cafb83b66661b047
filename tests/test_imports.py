import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from oauth import catalogue
from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.exports import formats
from oauth.exports.query import source
from oauth.history.filters import Filters
from oauth.history.store import IMPORTED, History, Row
from oauth.imports import ImportFileError, Report, import_file
from oauth.redaction import Vault

START = datetime(2026, 11, 23, 10, 16, 19, 42, tzinfo=UTC)
KEY = b"key of the tests' fingerprints.."
SECRET = "0123456789abcdef0123456789abcdef01234567"
TEXTS = ("=1+1", "'quoted", 'a "b", c', "line\nbreak\r\ttab", "\\back", "я«😀", "\u2028", "plain", "", " ")


def exchanges() -> list[Row]:
    vault = Vault(KEY)
    found = []
    for number, text in enumerate(TEXTS * 2):
        shown = vault.placeholder("code", f"{SECRET}{number}")
        request = Request(
            "POST" if number % 2 else "GET",
            f"https://p.example/{number}?code={shown}&x=1",
            (("Host", "p.example"), ("Content-Type", "text/plain"), ("X-Text", text), ("X-Empty", "")),
            text.encode(),
        )
        answer = Response(
            (200, 302, 400, 401, 429, 503)[number % 6],
            "Because",
            (("X-Request-Id", f"r{number}"), ("Set-Cookie", vault.placeholder("cookie", SECRET))),
            text.encode(),
            cut=number == 3,
            http_version="HTTP/2",
        )
        live = Exchange(
            list(Step)[number % 5],
            request,
            START + timedelta(seconds=number),
            response=None if number % 7 == 1 else answer,
            failure=Failure("refused", text) if number == 8 else Failure("cut_off", text) if number == 9 else None,
            duration_ms=None if number == 5 else number * 10,
            flow=f"flow{number % 4}",
            owner="ada",
            case=text,
            provider="olx",
            client_id="demo-app",
            marks=("proxy",) if number == 11 else (),
        )
        found.append(Row(live, 2 if number == 4 else None, text, text, text))
    return found


@pytest.fixture
def export(history: History, database_url: str) -> Callable[[str], bytes]:
    def make(format: str) -> bytes:
        with history.database.reading():
            pass
        history.database.engine.dispose()
        output = io.BytesIO()
        formats.write(source(history, Filters()), format, output, lambda rows, octets: None)
        return output.getvalue()

    return make


@pytest.fixture
def read(history: History) -> Callable[..., Report]:
    def read(content: bytes, **options: Any) -> Report:
        return import_file(io.BytesIO(content), history, lambda: Vault(KEY), START, **options)

    return read


def without_ids(content: bytes, format: str) -> list[Any]:
    if format == "har":
        return [entry | {"_id": 0} for entry in json.loads(content)["log"]["entries"]]
    if format == "jsonl":
        return [json.loads(line) | {"id": 0} for line in content.splitlines()]
    return [line.partition(b",")[2] if line[:1].isdigit() else line for line in content.split(b"\n")]


@pytest.mark.parametrize("format", ["csv", "jsonl", "har"])
def test_an_export_that_is_imported_exports_the_same_again(
    history: History, export: Callable[[str], bytes], read: Callable[..., Report], format: str
) -> None:
    history.add(exchanges())
    first = export(format)
    with history.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM exchanges")
    summaries: list[str] = []
    # The rows of an export are newest first, and numbers are given in the order of the file: times decide.
    assert read(first, progress=summaries.append) == Report(20, ())
    assert summaries == ["20 exchanges imported"]
    assert without_ids(export(format), format) == without_ids(first, format)
    assert all(IMPORTED in row.exchange.marks for row in history.rows(Filters()))


def test_a_har_of_this_console_keeps_everything(
    history: History, export: Callable[[str], bytes], read: Callable[..., Report]
) -> None:
    history.add(exchanges())
    before = list(history.rows(Filters()))
    content = export("har")
    with history.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM exchanges")
    read(content)
    after = list(history.rows(Filters()))
    assert len(after) == 20

    def plain(row: Row) -> Row:
        marks = tuple(mark for mark in row.exchange.marks if mark != IMPORTED)
        return replace(row, exchange=replace(row.exchange, id=None, marks=marks))

    imported = [plain(row) for row in after if IMPORTED in row.exchange.marks]
    assert imported == [plain(row) for row in before]


@pytest.mark.parametrize("format", ["csv", "jsonl", "har"])
def test_exchanges_that_are_there_already_are_left_out_and_counted(
    history: History, export: Callable[[str], bytes], read: Callable[..., Report], format: str
) -> None:
    history.add(exchanges())
    content = export(format)
    first = min(row.exchange.id or 0 for row in history.rows(Filters()))
    with history.database.writing() as connection:
        connection.exec_driver_sql(f"DELETE FROM exchanges WHERE id < {first + 3}")
    assert read(content) == Report(3, duplicates=17)
    assert read(content) == Report(0, duplicates=20)
    assert history.count(Filters()) == 20
    assert read(content, owner="bob") == Report(20), "what another person has is not theirs"


def test_same_har_is_imported_once_and_equal_entries_of_one_file_are_all_stored(
    history: History, read: Callable[..., Report]
) -> None:
    content = har(entry(1), entry(1), entry(2))
    assert read(content) == Report(3)
    report = read(content, case="T-2")
    assert report == Report(0, duplicates=3)
    assert report.summary == "0 exchanges imported, 3 already there"
    changed = entry(2, response=entry(2)["response"] | {"status": 401})
    assert read(har(entry(1), changed)) == Report(1, duplicates=1)


def test_owner_and_case_can_be_given(
    history: History, export: Callable[[str], bytes], read: Callable[..., Report]
) -> None:
    history.add(exchanges())
    read(export("jsonl"), owner="bob", case="T-9")
    found = list(history.rows(Filters(by="bob")))
    assert len(found) == 20
    assert {row.exchange.case for row in found} == {"T-9"}


def entry(number: int, **changes: Any) -> dict[str, Any]:
    """One entry of a browser's HAR, with secrets in it."""
    code = f"{SECRET}{number}"
    sent = {
        "grant_type": "authorization_code",
        "client_id": "200123",
        "client_secret": "s3cret-of-the-client",
        "code": code,
    }
    said = f"Authorization code {code} of s3cret-of-the-client is wrong"
    return {
        "startedDateTime": f"2026-11-20T08:00:{number:02}.250+02:00",
        "time": 84.4,
        "request": {
            "method": "POST",
            "url": f"https://www.olx.pl/api/open/oauth/token?n={number}",
            "headers": [
                {"name": "content-type", "value": "application/json"},
                {"name": "cookie", "value": f"sid={SECRET}"},
            ],
            "postData": {"mimeType": "application/json", "text": json.dumps(sent)},
        },
        "response": {
            "status": 400,
            "statusText": "Bad Request",
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": "x-request-id", "value": f"r{number}"}],
            "content": {"text": json.dumps({"error": "invalid_grant", "error_description": said})},
        },
    } | changes


def har(*entries: Any) -> bytes:
    return json.dumps({"log": {"version": "1.2", "creator": {}, "entries": entries}}).encode()


def test_a_foreign_har_is_redacted_judged_and_keeps_its_times(history: History, read: Callable[..., Report]) -> None:
    documented = {
        "text": json.dumps({"error": "invalid_grant", "error_description": catalogue.documented()[2].description})
    }
    entries = [entry(1), entry(2, response=entry(2)["response"] | {"content": documented})]
    assert read(har(*entries), owner="ada", case="T-1") == Report(2, ())
    second, first = history.rows(Filters(by="ada"))
    assert first.exchange.started_at == datetime(2026, 11, 20, 6, 0, 1, 250_000, tzinfo=UTC)
    assert (first.exchange.step, first.exchange.duration_ms, first.exchange.request_id) == (Step.TOKEN, 84, "r1")
    assert (first.exchange.case, first.exchange.client_id, first.error) == ("T-1", "200123", "invalid_grant")
    assert first.exchange.marks == second.exchange.marks == (IMPORTED,)
    assert second.documented_error == 2
    assert SECRET not in repr([first, second])
    assert "s3cret-of-the-client" not in repr([first, second])
    assert Vault(KEY).placeholder("code", f"{SECRET}1") in first.error_description


def test_an_edited_export_with_a_secret_in_it_is_redacted(
    history: History, export: Callable[[str], bytes], read: Callable[..., Report]
) -> None:
    history.add(exchanges())
    shown = Vault(KEY).placeholder("code", f"{SECRET}7")
    for format in ("csv", "jsonl", "har"):
        changed = export(format).decode().replace(shown, SECRET).replace("%C2%ABcode", SECRET)
        assert SECRET in changed
        read(changed.encode())
        assert SECRET not in repr(list(history.rows(Filters())))


def test_bad_entries_are_named_and_the_others_kept(history: History, read: Callable[..., Report]) -> None:
    late = entry(5, startedDateTime="yesterday")
    report = read(har(entry(1), "text", {"request": {}}, entry(4), late))
    assert report == Report(
        3,
        (
            "Entry 2: it has neither a request with an address nor a response.",
            "Entry 3: it has neither a request with an address nor a response.",
            "Entry 5: its time cannot be read, so it was imported with the current time.",
        ),
    )
    assert next(history.rows(Filters())).exchange.started_at == START


def test_bad_lines_of_an_export_are_named_and_the_others_kept(
    history: History, export: Callable[[str], bytes], read: Callable[..., Report]
) -> None:
    history.add(exchanges()[7:10])
    lines = export("jsonl").splitlines()
    broken = [
        lines[0],
        b"{",
        lines[1].replace(b'"step":"', b'"step":"x'),
        lines[2].replace(b'"owner"', b'"user"'),
        lines[2],
    ]
    report = read(b"\n".join(broken), owner="a")
    assert report.count == 2
    assert [problem.partition(":")[0] for problem in report.problems] == ["Line 2", "Line 3", "Line 4"]
    assert report.problems[2] == "Line 4: owner is missing."
    head, first, *rest = export("csv").split(b"\r\n")
    report = read(b"\r\n".join([head, first, b"1,2", *rest]), owner="b")
    assert report.count == 5
    assert report.problems[0].endswith("expected 25 cells, got 2.")
    begin, one, two, *rest = export("har").split(b"\n")
    report = read(b"\n".join([begin, one, b'{"request": {}},', two, *rest]), owner="c")
    assert report.count == 10
    assert report.problems[0].startswith("Line 3:")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a HAR"),
        (b"hello", "not a HAR"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"log": {"entries": {}}}', "no list at log.entries"),
        (b'{"log": {"entries": [', "not valid JSON"),
        (b"id,started_at,other\r\n1,2,3\r\n", "columns of the CSV"),
    ],
)
def test_unreadable_file_is_refused(read: Callable[..., Report], content: bytes, reason: str) -> None:
    with pytest.raises(ImportFileError, match=reason):
        read(content)
