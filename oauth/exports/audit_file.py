"""The audit as CSV, neutral for spreadsheets as that of the history is."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import islice

import pyarrow as pa

from oauth.access.audit import BATCH, Audit, Entry, Selection
from oauth.exports import csv_file
from oauth.history.schema import utc_text

COLUMNS = tuple(field.name for field in fields(Entry))
"""The columns of the CSV, in their order. They are public."""


def csv(audit: Audit, selection: Selection, most: int) -> Iterator[bytes]:
    """Yield the pieces of the file: the newest rows of a selection, at most ``most``. Raises ``HistoryError``."""
    batches = islice(audit.entries(selection), -(-most // BATCH))
    records = (csv_file.records(_columns(batch)) for batch in batches)
    return map(bytes, csv_file.pieces(records, COLUMNS))


def _columns(batch: list[Entry]) -> dict[str, pa.Array]:
    times = {"at": pa.array([utc_text(entry.at) for entry in batch])}
    return {name: times.get(name, pa.array([getattr(entry, name) for entry in batch])) for name in COLUMNS}
