"""The CSV of the history as the csv module of Python writes it, a row at a time: what the exports are compared with."""

import csv
import io
import re
from collections.abc import Iterable

from oauth.catalogue import documented
from oauth.catalogue.explain import explain
from oauth.exports.layout import COLUMNS
from oauth.history.schema import utc_text
from oauth.history.store import Row, header_lines

# White space as Unicode has it, and what is as invisible: control and format characters, a byte order mark too.
_BLANK = r"\s\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"

_DANGEROUS = re.compile(rf"[{_BLANK}]*[=+\-@|%＝＋－＠｜％'\t\r\n\x00]")


_SIGNS = "=+-@|%＝＋－＠｜％'"
_BREAKS = ";\t\r\n"


def csv_of(rows: Iterable[Row]) -> bytes:
    """The whole file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    text.write("\ufeff")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(_cells(row))
    return text.getvalue().encode()


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: a leading ``'`` stands before what it might.

    A cell that has one already gets another, so that taking one away always gives the value back.
    """
    parts = re.split(f"([{_BREAKS}])", cell)
    # Behind a separator of another spreadsheet; there a quote does not begin a quoted cell of ours.
    blank = re.compile(rf"(?:(?![{_BREAKS}])[{_BLANK}\"])*[{re.escape(_SIGNS)}]")
    cell = parts[0] + "".join(
        separator + ("'" if blank.match(part) else "") + part
        for separator, part in zip(parts[1::2], parts[2::2], strict=True)
    )
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
        entry(row),
        neutral(exchange.provider),
        neutral(exchange.client_id),
        neutral(row.note),
        neutral(row.cause),
    ]


def entry(row: Row) -> str:
    """The id of the catalogue's entry, empty when all is well."""
    found = documented().get(row.documented_error or 0) or explain(row.exchange)
    return (found.entry if found else "") if row.entry is None else row.entry


def remedy(row: Row) -> str:
    """What the catalogue says to do about the answer in a row, a line each; empty when all is well."""
    # A million rows with a number need not be recognised again.
    found = documented().get(row.documented_error or 0) or explain(row.exchange)
    return "\n".join(found.remedy) if found else ""
