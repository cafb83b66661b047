"""Rows of the history as the exports read them, without a database."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from oauth.exports import columns, har_file
from oauth.exports.query import UNFILLED
from oauth.history.schema import utc_text
from oauth.history.store import Row, header_lines

_NUMBERS = ("id", "status", "duration_ms", "documented_error", "response_cut")


def batch_of(rows: Iterable[Row]) -> pa.RecordBatch:
    """The rows with all columns that an export reads."""
    names = sorted({*columns.READ, *har_file.READ})
    kept = [_columns(row) for row in rows]
    return pa.record_batch(
        {name: pa.array([row[name] for row in kept], pa.int64() if name in _NUMBERS else pa.string()) for name in names}
    )


def _columns(row: Row) -> dict[str, Any]:
    exchange, request, response = row.exchange, row.exchange.request, row.exchange.response
    failure = exchange.failure
    return {
        "id": exchange.id,
        "started_at": utc_text(exchange.started_at),
        "owner": exchange.owner,
        "case": exchange.case,
        "flow": exchange.flow,
        "step": exchange.step.value,
        "method": request.method,
        "url": request.url,
        "request_headers": header_lines(request.headers),
        "request_body": request.body.decode(),
        "status": response.status if response else None,
        "reason": response.reason if response else "",
        "http_version": response.http_version if response else "",
        "response_headers": header_lines(response.headers) if response else "",
        "response_body": response.body.decode() if response else "",
        "response_cut": int(response.cut) if response else 0,
        "duration_ms": exchange.duration_ms,
        "failure": failure.kind if failure else "",
        "failure_detail": failure.detail if failure else "",
        "documented_error": row.documented_error,
        "error": row.error,
        "error_description": row.error_description,
        "request_id": exchange.request_id,
        "provider": exchange.provider,
        "client_id": exchange.client_id,
        "note": row.note,
        "marks": " ".join(exchange.marks),
        "entry": UNFILLED if row.entry is None else row.entry,
        "cause": row.cause,
    }
