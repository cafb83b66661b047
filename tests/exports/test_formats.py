import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.exports import arrow_reader, columns, csv_file, formats
from oauth.exports.layout import COLUMNS, WHOLE, Layout
from oauth.exports.query import source
from oauth.history.filters import Filters
from oauth.history.store import History, HistoryError
from tests.exports import reference

NUMBERS = ("id", "status", "duration_ms", "documented_error")
TRICKY = ("=1+1", "'quoted", 'a "b", c', "\u200b=x", "line\nbreak\r\ttab", "\\back", "\x01\x1f", "я«😀", "\u2028", "")


@pytest.fixture
def export(history: History, database_url: str) -> Callable[..., bytes]:
    """The file of a format, made as the command line makes it: with nothing else of this process on the database."""

    def make(filters: Filters | None = None, format: str = "csv", layout: Layout = WHOLE) -> bytes:
        with history.database.reading():
            pass
        history.database.engine.dispose()
        output = io.BytesIO()
        formats.write(source(history, filters or Filters()), format, output, lambda rows, octets: None, layout)
        return output.getvalue()

    return make


@pytest.fixture
def filled(history: History, exchange: Callable[..., Exchange]) -> History:
    for number, text in enumerate(TRICKY * 3):
        step = Step.API if number % 2 else Step.TOKEN
        request = Request("GET", f"https://p.example/{number}?q={text}", (("X-Text", text),), text.encode())
        sent = exchange(step, request=request, owner=text, case=text, flow=f"f{number}")
        id = history.begin(sent)
        if number % 3 == 0:
            answer = Response(200 + number, "Sure", (("X-Request-Id", f"r{number}"),), text.encode())
            done = replace(sent, response=answer, duration_ms=number)
            history.complete(id, done, documented_error=2 if number % 2 else None, error=text, error_description=text)
        elif number % 3 == 1:
            failed = replace(sent, failure=Failure("refused", text))
            history.complete(id, failed, documented_error=None, error="", error_description="")
    return history


def test_the_csv_is_what_the_reference_writes(filled: History, export: Callable[..., bytes]) -> None:
    rows = list(filled.rows(Filters()))
    assert len(rows) == 30
    assert export() == reference.csv_of(rows)


@pytest.mark.parametrize("format", ["csv", "jsonl", "har"])
def test_rows_that_the_backfill_has_not_reached_are_exported_with_their_entries(
    filled: History, export: Callable[..., bytes], format: str
) -> None:
    before = export(format=format)
    with filled.database.writing() as connection:
        connection.exec_driver_sql("UPDATE exchanges SET entry = NULL")
    assert export(format=format) == before


@pytest.mark.parametrize(
    "line", ["step:api", "status:2xx", "status:none", "-step:api", 'case:"=1+1"', "error:2", "step:token,api"]
)
def test_what_the_filter_shows_is_exported(filled: History, export: Callable[..., bytes], line: str) -> None:
    filters = Filters.parse(line)
    shown = list(filled.rows(filters))
    assert len(shown) > 0
    assert export(filters) == reference.csv_of(shown)


def test_a_filter_with_quotes_in_it_is_a_value_and_no_sql(filled: History, export: Callable[..., bytes]) -> None:
    for value in ("x' OR '1'='1", "\\' OR 1=1 --", '$1", $2', "%s ? :p"):
        assert export(Filters().put("case", value)) == reference.csv_of([])


def test_words_are_found_as_the_page_finds_them(filled: History, export: Callable[..., bytes]) -> None:
    filters = Filters.parse("line")
    assert len(list(filled.rows(filters))) == 3
    assert export(filters) == reference.csv_of(list(filled.rows(filters)))


def test_json_lines_have_the_fields_of_the_csv_with_their_types(filled: History, export: Callable[..., bytes]) -> None:
    text = export(format="jsonl").decode()
    found = [json.loads(line) for line in text.split("\n")[:-1]]
    assert text.endswith("\n")
    cells = list(csv.DictReader(io.StringIO(export().decode("utf-8-sig"), newline="")))
    assert [list(one) for one in found] == [list(COLUMNS)] * 30
    for one, row in zip(found, cells, strict=True):
        for name, value in one.items():
            if name in NUMBERS:
                assert value == (int(row[name]) if row[name] else None)
            else:
                assert value == row[name].removeprefix("'")


def test_a_layout_chooses_the_columns_and_the_time_zone(filled: History, export: Callable[..., bytes]) -> None:
    filled.set_cause(30, "code_expired")
    layout = Layout.parse("columns=cause,started_at,id,nonsense&zone=Europe/Warsaw")
    first = export(layout=layout).decode("utf-8-sig").splitlines()[:2]
    moment = filled.page(Filters(), None, 1)[0].exchange.started_at.astimezone(ZoneInfo("Europe/Warsaw"))
    shown = moment.isoformat(timespec="microseconds")
    assert first == ["id,started_at,cause", f"30,{shown},code_expired"]
    line = export(format="jsonl", layout=layout).decode().splitlines()[0]
    assert json.loads(line) == {"id": 30, "started_at": shown, "cause": "code_expired"}


@pytest.mark.parametrize(
    "text", ["", "columns=&zone=", "columns=nonsense&zone=Mars/Base", "zone=../../etc/passwd", "%"]
)
def test_an_unknown_column_or_zone_of_a_layout_is_left_out(text: str) -> None:
    assert Layout.parse(text) == WHOLE
    assert WHOLE.text == ""


def test_a_layout_reads_what_it_writes() -> None:
    layout = Layout.of(["id", "note"], "America/Argentina/Buenos_Aires")
    assert Layout.parse(layout.text) == layout


def test_long_texts_between_short_ones_are_whole_and_in_their_place(
    history: History, exchange: Callable[..., Exchange], export: Callable[..., bytes]
) -> None:
    for number in range(60):
        body = b"x" * (700_000 if number in (7, 30, 31, 59) else 10)
        history.begin(exchange(request=Request("POST", f"https://p.example/{number}", (), body)))
    assert export() == reference.csv_of(list(history.rows(Filters())))


def test_a_file_shows_one_moment_and_holds_nobody_up(
    filled: History, database_url: str, exchange: Callable[..., Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrow_reader, "BATCH_BYTES", 1)  # a row is a batch
    before = reference.csv_of(list(filled.rows(Filters())))
    filled.database.engine.dispose()
    batches = arrow_reader.batches(source(filled, Filters()), columns.READ, columns.fields)
    found = [next(batches)]
    # Another program, as another SQLite library in this one would take the reader's locks away.
    run = [sys.executable, "-c", WRITER, database_url]
    subprocess.run(run, check=True, env={"PYTHONPATH": str(Path(arrow_reader.__file__).parents[2])})
    found += batches
    assert b"".join(csv_file.pieces(map(csv_file.records, found))) == before
    assert len(list(filled.rows(Filters()))) == 31


WRITER = """
import sys
from datetime import UTC, datetime
from oauth.exchange import Exchange, Request, Step
from oauth.history.store import History
history = History(sys.argv[1], lambda: datetime(2026, 11, 23, tzinfo=UTC))
history.begin(Exchange(Step.API, Request("GET", "https://p.example/new"), datetime(2026, 11, 1, tzinfo=UTC)))
history.set_case("f1", "changed")
"""


def test_a_history_that_cannot_be_read_says_so(tmp_path: Path, clock: Callable[[], datetime]) -> None:
    path = tmp_path / "broken.db"
    path.write_bytes(b"\xff" * 8192)
    with pytest.raises(HistoryError, match="cannot be read"):
        formats.write(
            source(History(f"sqlite:///{path}", clock), Filters()), "csv", io.BytesIO(), lambda rows, octets: None
        )
