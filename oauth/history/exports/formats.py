"""The formats in which the history leaves, and how a file of one is made."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from oauth.history.exports import columns, csv_file, har_file, jsonl_file
from oauth.history.exports.reading import Source, batches


@dataclass(frozen=True, slots=True)
class Format:
    """How a file of one format is made: from which columns, prepared how, in which pieces."""

    media_type: str
    read: Sequence[str]
    prepare: Callable[[pa.RecordBatch], Any]
    pieces: Callable[[Iterable[Any]], Iterator[bytes | memoryview]]


FORMATS = {
    "csv": Format("text/csv", columns.READ, columns.fields, csv_file.pieces),
    "jsonl": Format("application/jsonl", columns.READ, columns.fields, jsonl_file.pieces),
    "har": Format("application/json", har_file.READ, lambda batch: batch, har_file.pieces),
}
"""By name, which is also the ending of a file's name."""


class Output(Protocol):
    """What a file is written to."""

    def write(self, data: bytes | memoryview, /) -> object:
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

    def counted() -> Iterator[Any]:
        nonlocal rows
        for batch in batches(source, made.read, lambda batch: (len(batch), made.prepare(batch))):
            rows += batch[0]
            yield batch[1]

    for piece in made.pieces(counted()):
        output.write(piece)
        octets += len(piece)
        progress(rows, octets)
