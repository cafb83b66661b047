"""The fields of an export, and the columns of the table that they come from."""

from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from oauth.exports import remedies
from oauth.exports.layout import COLUMNS, DEFAULT_ZONE, WHOLE, Layout
from oauth.exports.text import joined
from oauth.history.schema import read_time

READ = (*(name for name in COLUMNS if name != "remedy"), "failure_detail", "response_cut", "marks")
"""The columns of the table that they come from."""


def fields(batch: pa.RecordBatch, layout: Layout = WHOLE) -> dict[str, pa.Array]:
    """Return the columns of an export by name, from rows of the columns ``READ``; numbers may be null."""
    computed = {"remedy": remedies.remedies, "failure": _failures, "entry": remedies.entries}
    columns = {name: computed[name](batch) if name in computed else batch[name] for name in layout.columns}
    if layout.zone != DEFAULT_ZONE and "started_at" in columns:
        columns["started_at"] = _in_zone(columns["started_at"], ZoneInfo(layout.zone))
    return columns


def _in_zone(times: pa.StringArray, zone: ZoneInfo) -> pa.StringArray:
    """Return times in a zone, with its offset (RFC 3339); what is not a time stays as it is."""
    moments = [(text, read_time(text)) for text in times.to_pylist()]
    texts = [moment.astimezone(zone).isoformat(timespec="microseconds") if moment else text for text, moment in moments]
    return pa.array(texts, pa.string())


def _failures(batch: pa.RecordBatch) -> pa.StringArray:
    """Return the kind of each failure with its detail."""
    kind, detail = batch["failure"], batch["failure_detail"]
    failed = pc.not_equal(kind, "")
    if not failed.true_count:
        return kind
    between = pc.if_else(pc.and_(failed, pc.not_equal(detail, "")), ": ", "")
    return joined(kind, between, pc.if_else(failed, detail, ""))
