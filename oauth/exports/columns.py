"""The fields of an export, and the columns of the table that they come from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from oauth.exports import remedies
from oauth.exports.text import joined
from oauth.history.schema import read_time

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
    "provider",
    "client_id",
    "note",
    "cause",
)
"""The columns of the CSV and the members of a JSON line, in their order. They are public."""

NEWER = ("entry", "provider", "client_id", "note", "cause")
"""The columns that files of earlier versions do not have, in the order in which they were added."""

NUMBERS = ("id", "status", "duration_ms", "documented_error")

READ = (*(name for name in COLUMNS if name != "remedy"), "failure_detail", "response_cut", "marks")
"""The columns of the table that they come from."""


DEFAULT_ZONE = "UTC"


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of an export, in the order of ``COLUMNS``, and the name of the time zone of its times."""

    columns: tuple[str, ...] = COLUMNS
    zone: str = DEFAULT_ZONE

    @classmethod
    def of(cls, columns: Iterable[str], zone: str) -> Self:
        """Create a layout of the known ones among ``columns``, all where there are none; an unknown zone is UTC."""
        wanted = set(columns)
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones, such as "Europe", is an OSError
            zone = DEFAULT_ZONE
        return cls(tuple(name for name in COLUMNS if name in wanted) or COLUMNS, zone)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``text`` wrote. What is missing or unknown is the default."""
        values = parse_qs(text)
        return cls.of(values.get("columns", [""])[0].split(","), values.get("zone", [DEFAULT_ZONE])[0])

    @property
    def text(self) -> str:
        """The layout as a short text, empty for the default one."""
        columns = {"columns": ",".join(self.columns)} if self.columns != COLUMNS else {}
        return urlencode(columns | ({"zone": self.zone} if self.zone != DEFAULT_ZONE else {}), safe=",/")


WHOLE = Layout()
"""All columns, with times in UTC."""


def fields(batch: pa.RecordBatch, layout: Layout = WHOLE) -> dict[str, pa.Array]:
    """Return the columns of an export by name, from rows of the columns ``READ``; numbers may be null."""
    computed = {"remedy": remedies.remedies, "failure": _failures, "entry": remedies.entries}
    found = {name: computed[name](batch) if name in computed else batch[name] for name in layout.columns}
    if layout.zone != DEFAULT_ZONE and "started_at" in found:
        found["started_at"] = _in_zone(found["started_at"], ZoneInfo(layout.zone))
    return found


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
