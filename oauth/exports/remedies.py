"""Remedies of rows, looked up in the catalogue by each row's ``entry``."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from oauth.exports.query import UNFILLED
from oauth.exports.remedy import known_remedy, remedy
from oauth.history.recognition import entry_of
from oauth.history.store import to_row

READ = ("entry", "documented_error", "step", "status", "response_headers", "response_body", "response_cut", "method",
        "url", "request_headers", "request_body", "failure", "failure_detail", "marks")  # fmt: skip
"""The columns that ``remedies`` needs."""

# The columns that a row has and an explanation does not need.
_UNREAD: dict[str, Any] = {"id": 0, "started_at": datetime.min.replace(tzinfo=UTC), "duration_ms": None} | (
    dict.fromkeys(("reason", "http_version", "flow", "owner", "case", "provider", "client_id", "note", "cause"), "")
    | dict.fromkeys(("error", "error_description"), "")
)


def remedies(batch: pa.RecordBatch) -> pa.StringArray:
    """Return the remedy of each row, a step a line; empty where nothing failed.

    Rows whose entry the catalogue does not have, or that the backfill has not reached, are explained one by one.
    """
    entries = batch["entry"].dictionary_encode()
    texts = [known_remedy(entry) for entry in entries.dictionary.to_pylist()]
    cells = pa.array(texts, pa.string()).take(entries.indices)
    if not cells.null_count:
        return cells
    rest = cells.is_null()
    others = [remedy(to_row(_UNREAD | row)) for row in batch.select(READ).filter(rest).to_pylist()]
    return pc.replace_with_mask(cells, rest, pa.array(others, pa.string()))


def entries(batch: pa.RecordBatch) -> pa.StringArray:
    """Return the id of each row's entry; rows that the backfill has not reached are recognised one by one."""
    missing = pc.equal(batch["entry"], UNFILLED)
    if not missing.true_count:
        return batch["entry"]
    rows = [to_row(_UNREAD | row) for row in batch.select(READ).filter(missing).to_pylist()]
    others = [entry_of(row.exchange, row.documented_error) for row in rows]
    return pc.replace_with_mask(batch["entry"], missing, pa.array(others, pa.string()))
