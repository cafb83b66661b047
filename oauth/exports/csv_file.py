"""The history as CSV: RFC 4180, UTF-8 with BOM, and no cell that a spreadsheet takes for a formula."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa

from oauth.exports.layout import COLUMNS, NUMBERS
from oauth.exports.text import as_text, delimited, lines, neutral

BYTE_ORDER_MARK = "\ufeff"


def pieces(records: Iterable[memoryview], names: Sequence[str] = COLUMNS) -> Iterator[bytes | memoryview]:
    """Yield the pieces of the file: the header with the ``names``, then the ``records`` of each batch."""
    yield f"{BYTE_ORDER_MARK}{','.join(names)}\r\n".encode()
    yield from records


def records(fields: Mapping[str, pa.Array]) -> memoryview:
    """Return the CSV records of a batch of ``columns.fields``."""
    parts: list[pa.StringArray | str] = []
    for name, column in fields.items():
        cells = as_text(column)
        # Only text can be a formula, and only text can need quotes.
        parts += [cells] if name in NUMBERS else delimited(neutral(cells))
        parts.append(",")
    return lines([*parts[:-1], "\r\n"])
