"""One exchange as the object that JSON Lines has for it, without Arrow."""

from oauth.exports.layout import COLUMNS
from oauth.exports.remedy import remedy
from oauth.history.recognition import entry_of
from oauth.history.schema import utc_text
from oauth.history.store import Row, header_lines

Record = dict[str, str | int | None]


def record(row: Row) -> Record:
    """Return the members of ``layout.COLUMNS``, in their order."""
    exchange = row.exchange
    request, response, failure = exchange.request, exchange.response, exchange.failure
    values: Record = {
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
        "response_headers": header_lines(response.headers) if response else "",
        "response_body": response.body.decode() if response else "",
        "duration_ms": exchange.duration_ms,
        "documented_error": row.documented_error,
        "error": row.error,
        "error_description": row.error_description,
        "remedy": remedy(row),
        "failure": ": ".join(filter(None, (failure.kind, failure.detail))) if failure else "",
        "request_id": exchange.request_id,
        "entry": entry_of(exchange, row.documented_error) if row.entry is None else row.entry,
        "provider": exchange.provider,
        "client_id": exchange.client_id,
        "note": row.note,
        "cause": row.cause,
    }
    return {name: values[name] for name in COLUMNS}
