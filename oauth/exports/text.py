"""Escaping of text columns for a file, without a Python object per cell.

A cheap scan of the bytes of a whole column shows whether any cell can need escaping. All functions take and return
Arrow arrays of text without nulls.
"""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

# White space as Unicode has it, and what is as invisible: control and format characters, a byte order mark too.
_BLANK = (
    (0x00, 0x20), (0x7F, 0xA0), (0xAD, 0xAD), (0x61C, 0x61C), (0x1680, 0x1680), (0x180E, 0x180E), (0x2000, 0x200F),
    (0x2028, 0x202F), (0x205F, 0x206F), (0x3000, 0x3000), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB),
)  # fmt: skip
_SIGNS = "=+-@|%＝＋－＠｜％'\t\r\n\0"

_BREAKS = ";\t\r\n"
_INNER_BLANK = ((0x00, 0x08), (0x0B, 0x0C), (0x0E, 0x20), (0x22, 0x22), *_BLANK[1:])
_INNER_SIGNS = _SIGNS.rstrip("\t\r\n\0")


def _characters(spans: Iterable[tuple[int, int]], signs: str = "", escape: str = r"\x{%x}") -> str:
    """Return a character class, with the escapes of RE2 or those of Python."""
    pairs = [*spans, *((ord(sign), ord(sign)) for sign in signs)]
    return "[" + "".join(f"{escape % first}-{escape % last}" for first, last in pairs) + "]"


DANGEROUS = f"^{_characters(_BLANK)}*{_characters((), _SIGNS)}"
"""The beginning of a cell that a spreadsheet might take for a formula, as a pattern of RE2."""

_DANGEROUS_INSIDE = f"([{_BREAKS}])({_characters(_INNER_BLANK)}*{_characters((), _INNER_SIGNS)})"
"""The same behind what begins a cell for a spreadsheet that separates by ``;`` or tabs, and heeds no quote of ours."""

_PYTHON = r"\u%04x"
_QUOTE_INSIDE = re.compile(
    f"([{_BREAKS}])'(?={_characters(_INNER_BLANK, '', _PYTHON)}*{_characters((), _INNER_SIGNS, _PYTHON)})"
)

_FIRST_BYTES = np.zeros(256, dtype=bool)
_FIRST_BYTES[[*range(0x21), 0x7F, *range(0x80, 0x100), *b"=+-@|%'"]] = True
_BYTES_INSIDE = _FIRST_BYTES.copy()
_BYTES_INSIDE[ord('"')] = True
_BREAK_BYTES = np.zeros(256, dtype=bool)
_BREAK_BYTES[[*_BREAKS.encode()]] = True

_JSON_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))
_OTHER_CONTROLS = np.zeros(256, dtype=bool)
_OTHER_CONTROLS[[*range(9), 0x0B, 0x0C, *range(0x0E, 0x20)]] = True
_CONTROL = re.compile("[\x00-\x1f]")


def neutral(column: pa.StringArray) -> pa.StringArray:
    """Put a ``'`` before whatever a spreadsheet might take for a formula: a cell, or what follows a ``;`` inside one.

    Where there is one already it gets another, so that ``restored`` always gives the value back.
    """
    column = _neutral_inside(column)
    suspects = np.flatnonzero(_FIRST_BYTES[_first_bytes(column)])
    if not len(suspects):
        return column
    dangerous = pc.match_substring_regex(column.take(pa.array(suspects)), DANGEROUS)
    if not dangerous.true_count:
        return column
    mask = np.zeros(len(column), dtype=bool)
    mask[suspects[dangerous.to_numpy(zero_copy_only=False)]] = True
    quote = pc.if_else(pa.array(mask), "'", "")
    return joined(quote, column)


def restored(cell: str) -> str:
    """Return the value of a cell that ``neutral`` wrote."""
    return _QUOTE_INSIDE.sub(r"\1", cell.removeprefix("'"))


def _neutral_inside(column: pa.StringArray) -> pa.StringArray:
    codes = octets(column)
    places = np.flatnonzero(_BREAK_BYTES[codes[:-1]] & _BYTES_INSIDE[codes[1:]])
    if not len(places):
        return column
    _, offsets, _ = column.buffers()
    starts = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    rows = np.unique(np.searchsorted(starts, places + starts[0], side="right") - 1)
    mask = np.zeros(len(column), dtype=bool)
    mask[rows] = True
    cells = pc.replace_substring_regex(column.take(pa.array(rows)), _DANGEROUS_INSIDE, r"\1'\2")
    return pc.replace_with_mask(column, pa.array(mask), cells)


def delimited(column: pa.StringArray) -> list[pa.StringArray | str]:
    """Return the parts of cells by RFC 4180: in ``"`` only where a comma, a quote or a line break is inside."""
    text = octets(column).tobytes()
    has_quote = b'"' in text
    if not (has_quote or b"," in text or b"\n" in text or b"\r" in text):
        return [column]
    mask = pc.match_substring_regex(column, '[",\r\n]')
    quote = '"' if mask.true_count == len(mask) else pc.if_else(mask, '"', "")
    return [quote, pc.replace_substring(column, '"', '""') if has_quote else column, quote]


def in_json(column: pa.StringArray) -> pa.StringArray:
    """Escape text for a JSON string, without its quotes (RFC 8259 §7)."""
    codes = octets(column)
    for sign, escaped in _JSON_ESCAPES:
        if (codes == ord(sign)).any():
            column = pc.replace_substring(column, sign, escaped)
    if not _OTHER_CONTROLS[codes].any():
        return column
    odd = pc.match_substring_regex(column, r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
    cells = [_CONTROL.sub(_escaped, cell) for cell in column.filter(odd).to_pylist()]
    return pc.replace_with_mask(column, odd, pa.array(cells, pa.string()))


def as_text(column: pa.Array, null: str = "") -> pa.StringArray:
    """Cast any column to text, with ``null`` in place of nulls."""
    if not pa.types.is_string(column.type):
        column = column.cast(pa.string())
    return column.fill_null(null) if column.null_count else column


def lines(parts: Iterable[pa.StringArray | str]) -> memoryview:
    """Join the parts of each row, then all rows, into the bytes of a file."""
    merged: list[pa.StringArray | str] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return octets(joined(*merged)).data


def joined(*parts: pa.StringArray | str) -> pa.StringArray:
    """Join the parts of each row."""
    arguments: list[Any] = [*parts, ""]
    return pc.binary_join_element_wise(*arguments)


def octets(column: pa.StringArray) -> npt.NDArray[np.uint8]:
    """Return the bytes of all cells, one after another."""
    _, offsets, data = column.buffers()
    if data is None:
        return np.empty(0, dtype=np.uint8)
    places = np.frombuffer(offsets, dtype=np.int32)
    return np.frombuffer(data, dtype=np.uint8)[places[column.offset] : places[column.offset + len(column)]]


def _first_bytes(column: pa.StringArray) -> npt.NDArray[np.uint8]:
    """Return the first byte of each cell, ``a`` for an empty one."""
    _, offsets, data = column.buffers()
    places = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    first = np.full(len(column), ord("a"), dtype=np.uint8)
    filled = places[1:] > places[:-1]
    if data is not None and filled.any():
        first[filled] = np.frombuffer(data, dtype=np.uint8)[places[:-1][filled]]
    return first


def _escaped(control: re.Match[str]) -> str:
    return f"\\u{ord(control[0]):04x}"
