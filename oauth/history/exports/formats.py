"""The formats in which the history leaves, and how a file of one is made."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from oauth.history.exports import csv_file, har_file, jsonl_file
from oauth.history.exports.reading import Source, Writing, pieces


@dataclass(frozen=True, slots=True)
class Format:
    """How a file of one format is made: how its rows are written, and what stands around them.

    ``before`` and ``after`` stand before the first row and after the last, and not in a file without rows.
    """

    media_type: str
    writing: Writing
    begin: bytes = b""
    before: bytes = b""
    after: bytes = b""
    end: bytes = b""


FORMATS = {
    "csv": Format(
        "text/csv",
        Writing(csv_file.sqlite, csv_file.postgresql, csv_file.record, b"\r\n", False, csv_file.finished),
        begin=csv_file.HEADER.encode(),
        after=b"\r\n",
    ),
    "jsonl": Format(
        "application/jsonl",
        Writing(jsonl_file.sqlite, jsonl_file.postgresql, jsonl_file.line, b"\n"),
        after=b"\n",
    ),
    "har": Format(
        "application/json",
        Writing(har_file.sqlite, har_file.postgresql, har_file.raw_entry, b",\n"),
        begin=har_file.BEGIN.encode(),
        before=b"\n",
        end=b"\n]}}\n",
    ),
}
"""By name, which is also the ending of a file's name."""


class Output(Protocol):
    """What a file is written to."""

    def write(self, data: bytes, /) -> object:
        """Write all of it."""


def write(source: Source, format: str, output: Output, progress: Callable[[int, int], None]) -> None:
    """Write what ``source`` gives as one file, and tell ``progress`` the rows and bytes so far after each piece.

    Memory is bounded. Raises ``HistoryError`` when the history cannot be read, ``OSError`` when the file cannot be
    written.
    """
    made = FORMATS[format]
    rows = octets = 0

    def written(number: int, piece: bytes) -> None:
        nonlocal rows, octets
        output.write(piece)
        rows += number
        octets += len(piece)
        progress(rows, octets)

    written(0, made.begin)
    before = made.before
    with closing(pieces(source, made.writing)) as found:
        for number, piece in found:
            written(number, before + piece)
            before = b""
    written(0, (made.after if rows else b"") + made.end)
