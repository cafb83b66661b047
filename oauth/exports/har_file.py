"""The history as HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), which browsers and proxies read.

Fields that HAR does not have are custom members with a leading ``_``, named after the columns of the table.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pyarrow as pa

from oauth.exchange import Headers, Response, header
from oauth.exports.remedies import remedy
from oauth.history.schema import read_time, utc_text
from oauth.history.store import IMPORTED, to_row
from oauth.redaction import quoted
from oauth.version import version

MEMBERS = ("owner", "case", "flow", "step", "provider", "client_id", "duration_ms", "response_cut", "failure",
           "failure_detail", "documented_error", "error", "error_description", "note", "cause")  # fmt: skip
"""The columns that are custom members of an entry."""

READ = ("id", "started_at", "method", "url", "request_headers", "request_body", "status", "reason", "http_version",
        "response_headers", "response_body", "marks", "entry", *MEMBERS)  # fmt: skip
"""The columns of the table that make an entry."""

BATCH_BYTES = 256 * 1024
"""The rows of a batch become Python objects, which take many times their size."""

BEGIN = f'{{"log":{{"version":"1.2","creator":{{"name":"OAuth Console","version":"{version()}"}},"entries":['
_OF_AN_ADDRESS = "%/:?#[]@!$&'()*+,;=~-._"
_NO_RESPONSE = Response(status=0, http_version="")


def pieces(entries: Iterable[bytes]) -> Iterator[bytes | memoryview]:
    """Yield the pieces of the file around the ``entries`` of each batch."""
    yield BEGIN.encode()
    before = b"\n"
    for some in entries:
        yield before + some
        before = b",\n"
    yield b"\n]}}\n"


def entries(batch: pa.RecordBatch) -> bytes:
    """Return the entries of a batch of rows with the columns ``READ``."""
    return ",\n".join(json.dumps(_entry(row), ensure_ascii=False) for row in batch.to_pylist()).encode()


def _entry(columns: dict[str, Any]) -> dict[str, Any]:
    """Return one row of the table as an entry of a HAR."""
    values = columns | {"started_at": read_time(columns["started_at"]), "response_cut": bool(columns["response_cut"])}
    row = to_row(values)
    exchange, request = row.exchange, row.exchange.request
    response = exchange.response or _NO_RESPONSE
    # Characters that are invalid in a URL are percent-encoded, placeholders too; HAR omits the fragment.
    address = quote(quoted(request.url), safe=_OF_AN_ADDRESS).partition("#")[0]
    message: dict[str, Any] = {
        "method": request.method,
        "url": address,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(request.headers),
        "queryString": _query(address),
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if address != request.url:
        message["_url"] = request.url
    if request.body:
        message["postData"] = {
            "mimeType": header(request.headers, "content-type") or "",
            "text": request.body.decode(),
        }
    return {
        "startedDateTime": utc_text(exchange.started_at),
        "time": exchange.duration_ms or 0,
        "request": message,
        "response": {
            "status": response.status,
            "statusText": response.reason,
            "httpVersion": response.http_version,
            "cookies": [],
            "headers": _pairs(response.headers),
            "content": {
                "size": len(response.body),
                "mimeType": header(response.headers, "content-type") or "",
                "text": response.body.decode(),
            },
            "redirectURL": quoted(header(response.headers, "location") or ""),
            "headersSize": -1,
            "bodySize": len(response.body),
        },
        "cache": {},
        "timings": {"send": 0, "wait": exchange.duration_ms or 0, "receive": 0},
        **{f"_{name}": values[name] for name in ("id", *MEMBERS)},
        "_remedy": remedy(row),
        "_request_id": exchange.request_id,
        "_marks": " ".join(mark for mark in exchange.marks if mark != IMPORTED),
    }


def _pairs(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _query(address: str) -> list[dict[str, str]]:
    try:
        return _pairs(tuple(parse_qsl(urlsplit(address).query, keep_blank_values=True)))
    except ValueError:  # a malformed host, or more parameters than Python reads
        return []
