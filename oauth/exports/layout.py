"""The columns of an export, and a choice of them. The server has no need of Arrow for its links: 40 MiB."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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

MEDIA_TYPES = {"csv": "text/csv", "jsonl": "application/jsonl", "har": "application/json"}
"""The media types of the formats by name, which is also the file extension."""

DEFAULT_ZONE = "UTC"


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of an export, in the order of ``COLUMNS``, and the name of the time zone of its times."""

    columns: tuple[str, ...] = COLUMNS
    zone: str = DEFAULT_ZONE

    @classmethod
    def of(cls, columns: Iterable[str], zone: str) -> Self:
        """Create a layout of the known ones among ``columns``, all where there are none; an unknown zone is UTC."""
        names = set(columns)
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones, such as "Europe", is an OSError
            zone = DEFAULT_ZONE
        return cls(tuple(name for name in COLUMNS if name in names) or COLUMNS, zone)

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
