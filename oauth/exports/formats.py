"""The export formats, and the writer of a file."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from oauth.exports import columns, csv_file, har_file, jsonl_file
from oauth.exports.arrow_reader import batches
from oauth.exports.layout import WHOLE, Layout
from oauth.exports.query import Source

_Piece = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Format:
    """The conversion of an export format: the columns it reads, the conversion of a batch, and the frame of the file.

    HAR has its own members and its times in UTC, whatever the layout.
    ``batch_bytes`` is the approximate size of a batch where it is not the default.
    """

    read: Sequence[str]
    prepare: Callable[[pa.RecordBatch, Layout], _Piece]
    pieces: Callable[[Iterable[Any], Layout], Iterator[_Piece]]
    batch_bytes: int | None = None


FORMATS = {
    "csv": Format(
        columns.READ,
        lambda batch, layout: csv_file.records(columns.fields(batch, layout)),
        lambda records, layout: csv_file.pieces(records, layout.columns),
    ),
    "jsonl": Format(
        columns.READ,
        lambda batch, layout: jsonl_file.objects(columns.fields(batch, layout)),
        lambda lines, _: iter(lines),
    ),
    "har": Format(
        har_file.READ,
        lambda batch, _: har_file.entries(batch),
        lambda entries, _: har_file.pieces(entries),
        har_file.BATCH_BYTES,
    ),
}
"""The conversions by the names of ``layout.MEDIA_TYPES``."""


class Output(Protocol):
    """A writable binary stream."""

    def write(self, data: _Piece, /) -> object:
        """Write all of it."""


def write(
    source: Source, format: str, output: Output, progress: Callable[[int, int], None], layout: Layout = WHOLE
) -> None:
    """Write the rows of ``source`` as one file, and call ``progress`` with rows and bytes so far after each piece.

    Memory is bounded. Raises ``HistoryError`` when the history cannot be read, ``OSError`` when the file cannot be
    written.
    """
    # This pool returns memory to the system at once.
    pa.set_memory_pool(pa.system_memory_pool())
    kind = FORMATS[format]
    rows = octets = 0

    def counted() -> Iterator[_Piece]:
        nonlocal rows
        for batch in batches(
            source, kind.read, lambda batch: (len(batch), kind.prepare(batch, layout)), kind.batch_bytes
        ):
            rows += batch[0]
            yield batch[1]

    for piece in kind.pieces(counted(), layout):
        output.write(piece)
        octets += len(piece)
        progress(rows, octets)
