"""The history as CSV: RFC 4180, UTF-8 with BOM, and no cell that a spreadsheet would compute."""

from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

from oauth.history.exports.columns import COLUMNS, NUMBERS
from oauth.history.exports.text import as_text, delimited, lines, neutral

BYTE_ORDER_MARK = "\ufeff"


def pieces(rows: Iterable[Mapping[str, pa.Array]]) -> Iterator[bytes | memoryview]:
    """The whole file, header first, a piece for each batch of ``columns.fields``."""
    yield f"{BYTE_ORDER_MARK}{','.join(COLUMNS)}\r\n".encode()
    for fields in rows:
        parts: list[pa.StringArray | str] = []
        for name in COLUMNS:
            cells = as_text(fields[name])
            # Only text can be a formula, and only text can need quotes.
            parts += [cells] if name in NUMBERS else delimited(neutral(cells))
            parts.append(",")
        yield lines([*parts[:-1], "\r\n"])
