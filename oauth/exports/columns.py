"""The fields of an export, and the columns of the table that they come from."""

import pyarrow as pa
import pyarrow.compute as pc

from oauth.exports import remedies
from oauth.exports.text import joined

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
    "entry",
)
"""The columns of the CSV and the members of a JSON line, in their order. They are public."""

NUMBERS = ("id", "status", "duration_ms", "documented_error")

READ = (*(name for name in COLUMNS if name != "remedy"), "failure_detail", "response_cut", "marks")
"""The columns of the table that they come from."""


def fields(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    """Return the columns of an export by name, from rows of the columns ``READ``; numbers may be null."""
    computed = {"remedy": remedies.remedies(batch), "failure": _failures(batch), "entry": remedies.entries(batch)}
    return {name: computed[name] if name in computed else batch[name] for name in COLUMNS}


def _failures(batch: pa.RecordBatch) -> pa.StringArray:
    """Return the kind of each failure with its detail."""
    kind, detail = batch["failure"], batch["failure_detail"]
    failed = pc.not_equal(kind, "")
    if not failed.true_count:
        return kind
    between = pc.if_else(pc.and_(failed, pc.not_equal(detail, "")), ": ", "")
    return joined(kind, between, pc.if_else(failed, detail, ""))
