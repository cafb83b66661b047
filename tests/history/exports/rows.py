"""Rows put into a database as they are, to be exported."""

import io
from collections.abc import Iterable
from typing import Any

from sqlalchemy import create_engine, delete, insert

from oauth.history.database import Database
from oauth.history.exports import formats, reading
from oauth.history.filters import Filters
from oauth.history.schema import exchanges
from oauth.history.store import Row, header_lines


def exported(url: str, rows: Iterable[Row], format: str = "csv") -> bytes:
    """The file of a history that has these rows and no others."""
    values = [_columns(row) for row in rows]
    database = Database(url, lambda: values[0]["started_at"])
    with database.reading():
        pass
    database.engine.dispose()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(delete(exchanges))
        if values:
            connection.execute(insert(exchanges), values)
    engine.dispose()
    output = io.BytesIO()
    formats.write(reading.source(url, Filters()), format, output, lambda rows, octets: None)
    return output.getvalue()


def _columns(row: Row) -> dict[str, Any]:
    exchange, request, response = row.exchange, row.exchange.request, row.exchange.response
    failure = exchange.failure
    return {
        "id": exchange.id,
        "started_at": exchange.started_at,
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
        "response_cut": response.cut if response else False,
        "duration_ms": exchange.duration_ms,
        "failure": failure.kind if failure else "",
        "failure_detail": failure.detail if failure else "",
        "outcome": "",
        "documented_error": row.documented_error,
        "error": row.error,
        "error_description": row.error_description,
        "request_id": exchange.request_id,
        "provider": exchange.provider,
        "client_id": exchange.client_id,
        "host": "",
        "note": row.note,
        "marks": " ".join(exchange.marks),
    }
