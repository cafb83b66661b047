"""The history as HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), which browsers and proxies read.

What HAR has no place for stands in members that begin with ``_``, as it asks, named after the columns of the table.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pyarrow as pa

from oauth.exchange import Headers, Response, header
from oauth.exports.remedies import remedy
from oauth.history.schema import utc_text
from oauth.history.store import IMPORTED, Row, to_row
from oauth.redaction import quoted
from oauth.version import version

READ = ("id", "started_at", "owner", "case", "flow", "step", "method", "url", "request_headers", "request_body",
        "status", "reason", "http_version", "response_headers", "response_body", "response_cut", "duration_ms",
        "failure", "failure_detail", "documented_error", "error", "error_description", "provider", "client_id", "note",
        "marks", "entry")  # fmt: skip
"""The columns of the table that make an entry."""

BATCH_BYTES = 256 * 1024
"""The rows of a batch become Python objects, which take many times their size."""

BEGIN = f'{{"log":{{"version":"1.2","creator":{{"name":"OAuth Console","version":"{version()}"}},"entries":['
_OF_AN_ADDRESS = "%/:?#[]@!$&'()*+,;=~-._"
_NO_ANSWER = Response(status=0, http_version="")


def pieces(entries: Iterable[bytes]) -> Iterator[bytes | memoryview]:
    """The whole file around the ``entries`` of each batch."""
    yield BEGIN.encode()
    before = b"\n"
    for some in entries:
        yield before + some
        before = b",\n"
    yield b"\n]}}\n"


def entries(batch: pa.RecordBatch) -> bytes:
    """The entries of a batch of rows with the columns ``READ``."""
    return ",\n".join(json.dumps(entry(_row(found)), ensure_ascii=False) for found in batch.to_pylist()).encode()


def entry(row: Row) -> dict[str, Any]:
    """One exchange as an entry of a HAR."""
    exchange, request = row.exchange, row.exchange.request
    response = exchange.response or _NO_ANSWER
    # What an address must not have is percent-encoded, a placeholder too; HAR has it without the fragment.
    address = quote(quoted(request.url), safe=_OF_AN_ADDRESS).partition("#")[0]
    sent: dict[str, Any] = {
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
        sent["_url"] = request.url
    if request.body:
        sent["postData"] = {
            "mimeType": header(request.headers, "content-type") or "",
            "text": request.body.decode(),
        }
    failure = exchange.failure
    return {
        "startedDateTime": utc_text(exchange.started_at),
        "time": exchange.duration_ms or 0,
        "request": sent,
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
        "_id": exchange.id,
        "_owner": exchange.owner,
        "_case": exchange.case,
        "_flow": exchange.flow,
        "_step": exchange.step.value,
        "_provider": exchange.provider,
        "_client_id": exchange.client_id,
        "_duration_ms": exchange.duration_ms,
        "_response_cut": response.cut,
        "_failure": failure.kind if failure else "",
        "_failure_detail": failure.detail if failure else "",
        "_documented_error": row.documented_error,
        "_error": row.error,
        "_error_description": row.error_description,
        "_remedy": remedy(row),
        "_request_id": exchange.request_id,
        "_note": row.note,
        "_marks": " ".join(mark for mark in exchange.marks if mark != IMPORTED),
    }


def _row(found: dict[str, Any]) -> Row:
    values = {"started_at": datetime.fromisoformat(found["started_at"]), "response_cut": bool(found["response_cut"])}
    return to_row(found | values)


def _pairs(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _query(address: str) -> list[dict[str, str]]:
    try:
        return _pairs(tuple(parse_qsl(urlsplit(address).query, keep_blank_values=True)))
    except ValueError:  # a malformed host, or more parameters than Python reads
        return []
