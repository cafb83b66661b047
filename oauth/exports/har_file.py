"""The history as HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), which browsers and proxies read.

Fields that HAR does not have are custom members with a leading ``_``, named after the columns of the table.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pyarrow as pa
from msgspec import Raw
from msgspec.json import encode

from oauth.exchange import Headers, header, request_id_in
from oauth.exports.remedy import known_remedy, remedy
from oauth.history.schema import read_time, utc_text
from oauth.history.store import IMPORTED, headers_of, to_row, undamaged
from oauth.redaction import quoted
from oauth.version import version

MEMBERS = ("owner", "case", "flow", "step", "provider", "client_id", "duration_ms", "response_cut", "failure",
           "failure_detail", "documented_error", "error", "error_description", "note", "cause")  # fmt: skip
"""The columns that are custom members of an entry."""

_CUSTOM = tuple((f"_{name}", name) for name in ("id", *MEMBERS))
READ = ("id", "started_at", "method", "url", "request_headers", "request_body", "status", "reason", "http_version",
        "response_headers", "response_body", "marks", "entry", *MEMBERS)  # fmt: skip
"""The columns of the table that make an entry."""

BATCH_BYTES = 256 * 1024
"""The rows of a batch become Python objects, which take many times their size."""

BEGIN = f'{{"log":{{"version":"1.2","creator":{{"name":"OAuth Console","version":"{version()}"}},"entries":['
_OF_AN_ADDRESS = "%/:?#[]@!$&'()*+,;=~-._"


def pieces(entries: Iterable[bytes]) -> Iterator[bytes | memoryview]:
    """Yield the pieces of the file around the ``entries`` of each batch."""
    yield BEGIN.encode()
    before = b"\n"
    for some in entries:
        yield before + some
        before = b",\n"
    yield b"\n]}}\n"


def entries(batch: pa.RecordBatch) -> bytes:
    """Return the entries of a batch of rows with the columns ``READ``."""
    parts = _Parts()
    return b",\n".join([encode(_entry(row, parts)) for row in batch.to_pylist()])


@dataclass(frozen=True, slots=True)
class _Head:
    """The headers of a message: all of them as JSON, and those that an entry has elsewhere, too."""

    pairs: Raw
    content_type: str
    location: str
    request_id: str


class _Parts:
    """Parts of the rows of one batch, each made once: most rows have the address, headers and error of others."""

    def __init__(self) -> None:
        self._heads: dict[str, _Head] = {}
        self._addresses: dict[str, tuple[str, Raw]] = {}
        self._remedies: dict[str | None, str | None] = {}

    def head(self, lines: str) -> _Head:
        """Return the headers in the lines of a column."""
        if lines not in self._heads:
            headers = headers_of(lines)
            location = quoted(header(headers, "location") or "")
            content_type = header(headers, "content-type") or ""
            self._heads[lines] = _Head(_pairs(headers), content_type, location, request_id_in(headers))
        return self._heads[lines]

    def address(self, url: str) -> tuple[str, Raw]:
        """Return a URL as HAR has it, and its query."""
        if url not in self._addresses:
            # Characters that are invalid in a URL are percent-encoded, placeholders too; HAR omits the fragment.
            address = quote(quoted(url), safe=_OF_AN_ADDRESS).partition("#")[0]
            self._addresses[url] = address, _query(address)
        return self._addresses[url]

    def remedy(self, values: Mapping[str, Any]) -> str:
        """Return the remedy of a row, a step a line."""
        entry = values["entry"]
        if entry not in self._remedies:
            self._remedies[entry] = known_remedy(entry)
        text = self._remedies[entry]
        return remedy(to_row(values)) if text is None else text


def _entry(columns: dict[str, Any], parts: _Parts) -> dict[str, Any]:
    """Return one row of the table as an entry of a HAR."""
    values = columns | {"started_at": read_time(columns["started_at"]), "response_cut": bool(columns["response_cut"])}
    row, _ = undamaged(values)
    url, sent, duration = row["url"], row["request_body"], row["duration_ms"] or 0
    head = parts.head(row["request_headers"])
    address, query = parts.address(url)
    message: dict[str, Any] = {
        "method": row["method"],
        "url": address,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": head.pairs,
        "queryString": query,
        "headersSize": -1,
        "bodySize": _size(sent),
    }
    if address != url:
        message["_url"] = url
    if sent:
        message["postData"] = {"mimeType": head.content_type, "text": sent}
    has_response = row["status"] is not None
    head = parts.head(row["response_headers"] if has_response else "")
    received = row["response_body"] if has_response else ""
    size = _size(received)
    return {
        "startedDateTime": utc_text(row["started_at"]),
        "time": duration,
        "request": message,
        "response": {
            "status": row["status"] or 0,
            "statusText": row["reason"] if has_response else "",
            "httpVersion": row["http_version"] if has_response else "",
            "cookies": [],
            "headers": head.pairs,
            "content": {"size": size, "mimeType": head.content_type, "text": received},
            "redirectURL": head.location,
            "headersSize": -1,
            "bodySize": size,
        },
        "cache": {},
        "timings": {"send": 0, "wait": duration, "receive": 0},
        **{member: values[name] for member, name in _CUSTOM},
        "_remedy": parts.remedy(values),
        "_request_id": head.request_id,
        "_marks": " ".join(mark for mark in row["marks"].split() if mark != IMPORTED),
    }


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _pairs(headers: Headers) -> Raw:
    return Raw(encode([{"name": name, "value": value} for name, value in headers]))


def _query(address: str) -> Raw:
    try:
        return _pairs(tuple(parse_qsl(urlsplit(address).query, keep_blank_values=True)))
    except ValueError:  # a malformed host, or more parameters than Python reads
        return _pairs(())
