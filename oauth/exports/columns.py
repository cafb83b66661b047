"""The fields of an export, and the columns of the history that they come from."""

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
)
"""The columns of the CSV and the members of a JSON line, in their order. They are public."""

NUMBERS = ("id", "status", "duration_ms", "documented_error")

READ = (*(name for name in COLUMNS if name != "remedy"), "failure_detail", "response_cut", "marks", "entry")
"""The columns of the table that make them."""


def fields(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    """The columns of an export by their names, from rows of the columns ``READ``; numbers may be null."""
    made = {"remedy": remedies.remedies(batch), "failure": _failures(batch)}
    return {name: made[name] if name in made else batch[name] for name in COLUMNS}


def _failures(batch: pa.RecordBatch) -> pa.StringArray:
    """Why there is no response: the kind, and what the system said of it."""
    kind, detail = batch["failure"], batch["failure_detail"]
    failed = pc.not_equal(kind, "")
    if not failed.true_count:
        return kind
    between = pc.if_else(pc.and_(failed, pc.not_equal(detail, "")), ": ", "")
    return joined(kind, between, pc.if_else(failed, detail, ""))
