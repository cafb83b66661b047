"""The formats in which the history leaves, and how a file of one is made."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from oauth.exports import columns, csv_file, har_file, jsonl_file
from oauth.exports.arrow_reader import Source, batches

_Piece = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Format:
    """How a file of one format is made: from which columns, what a batch becomes, and what stands around.

    ``batch_bytes`` is about how much a batch holds, where it is not as much as usual.
    """

    media_type: str
    read: Sequence[str]
    prepare: Callable[[pa.RecordBatch], _Piece]
    pieces: Callable[[Iterable[Any]], Iterator[_Piece]]
    batch_bytes: int | None = None


FORMATS = {
    "csv": Format("text/csv", columns.READ, lambda batch: csv_file.records(columns.fields(batch)), csv_file.pieces),
    "jsonl": Format("application/jsonl", columns.READ, lambda batch: jsonl_file.objects(columns.fields(batch)), iter),
    "har": Format("application/json", har_file.READ, har_file.entries, har_file.pieces, har_file.BATCH_BYTES),
}
"""By name, which is also the ending of a file's name."""


class Output(Protocol):
    """What a file is written to."""

    def write(self, data: _Piece, /) -> object:
        """Write all of it."""


def write(source: Source, format: str, output: Output, progress: Callable[[int, int], None]) -> None:
    """Write what ``source`` gives as one file, and tell ``progress`` the rows and bytes so far after each piece.

    Memory is bounded. Raises ``HistoryError`` when the history cannot be read, ``OSError`` when the file cannot be
    written.
    """
    # It gives back at once what a batch no longer needs.
    pa.set_memory_pool(pa.system_memory_pool())
    made = FORMATS[format]
    rows = octets = 0

    def counted() -> Iterator[_Piece]:
        nonlocal rows
        for batch in batches(source, made.read, lambda batch: (len(batch), made.prepare(batch)), made.batch_bytes):
            rows += batch[0]
            yield batch[1]

    for piece in made.pieces(counted()):
        output.write(piece)
        octets += len(piece)
        progress(rows, octets)
