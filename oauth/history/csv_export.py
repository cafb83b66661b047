"""The history as CSV: RFC 4180, UTF-8 with BOM, and no cell that a spreadsheet would compute."""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from oauth.catalogue import documented
from oauth.catalogue.explain import explain
from oauth.history.schema import utc_text
from oauth.history.store import Row, header_lines

COLUMNS = (
    "id",
    "started_at",
    "owner",
    "case",
    "flow",
    "step",
    "method",
    "url",
    "request_headers",
    "request_body",
    "status",
    "response_headers",
    "response_body",
    "duration_ms",
    "documented_error",
    "error",
    "error_description",
    "remedy",
    "failure",
    "request_id",
)

CHUNK_CHARACTERS = 64 * 1024

# White space as Unicode has it, and what is as invisible: control and format characters, a byte order mark too.
_BLANK = r"\s\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"

_DANGEROUS = re.compile(rf"[{_BLANK}]*[=+\-@|%＝＋－＠｜％'\t\r\n\x00]")


def csv_rows(rows: Iterable[Row]) -> Iterator[bytes]:
    """The whole file, header first, in pieces of about 64 KiB; one row is in memory at a time."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    text.write("\ufeff")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(_cells(row))
        if text.tell() >= CHUNK_CHARACTERS:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: a leading ``'`` stands before what it might.

    A cell that has one already gets another, so that taking one away always gives the value back.
    """
    return f"'{cell}" if _DANGEROUS.match(cell) else cell


def _cells(row: Row) -> list[str | int | None]:
    """The cells in the order of ``COLUMNS``; numbers as they are, for only text can be a formula."""
    exchange, request, response = row.exchange, row.exchange.request, row.exchange.response
    failure = exchange.failure
    return [
        exchange.id,
        utc_text(exchange.started_at),
        neutral(exchange.owner),
        neutral(exchange.case),
        neutral(exchange.flow),
        neutral(exchange.step),
        neutral(request.method),
        neutral(request.url),
        neutral(header_lines(request.headers)),
        neutral(request.body.decode()),
        response.status if response else None,
        neutral(header_lines(response.headers)) if response else "",
        neutral(response.body.decode()) if response else "",
        exchange.duration_ms,
        row.documented_error,
        neutral(row.error),
        neutral(row.error_description),
        neutral(remedy(row)),
        neutral(": ".join(filter(None, (failure.kind, failure.detail)))) if failure else "",
        neutral(exchange.request_id),
    ]


def remedy(row: Row) -> str:
    """What the catalogue says to do about the answer in a row, a line each; empty when all is well."""
    # A million rows with a number need not be recognised again.
    found = documented().get(row.documented_error or 0) or explain(row.exchange)
    return "\n".join(found.remedy) if found else ""
