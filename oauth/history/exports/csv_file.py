"""The history as CSV: RFC 4180, UTF-8 with BOM, and no cell that a spreadsheet would compute."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from oauth.history.exports import remedies
from oauth.history.exports.columns import COLUMNS, FAILURE, NUMBERS, READ
from oauth.history.exports.rows import fields
from oauth.history.exports.sql import QUOTES, Sql, blob, literal, quoted

HEADER = f"\ufeff{','.join(COLUMNS)}\r\n"
"""The byte order mark and the first line."""

# White space as Unicode has it, and what is as invisible: control and format characters, a byte order mark too.
_BLANK = r"\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb"
DANGEROUS = re.compile(rf"[{_BLANK}]*[=+\-@|%＝＋－＠｜％'\t\r\n\0]")
"""What a cell that a spreadsheet might compute begins with."""

_SAFE = (("A", "|"), (".", "="), ("\xa1", "\xad"), ("\xae", "\u0600"))
"""Texts from the first to before the second begin with neither a blank nor a sign: with a letter of Europe, a digit, or
what bodies and placeholders begin with. Most do."""

_SPECIAL = re.compile('[",\r\n]')
_TEXTS = tuple(name for name in COLUMNS if name not in (*NUMBERS, "started_at", "step", "remedy"))
_LONG = ("request_headers", "request_body", "response_headers", "response_body")
_NARROW = tuple(name for name in _TEXTS if name not in (*_LONG, "failure"))


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: a leading ``'`` stands before what it might.

    A cell that has one already gets another, so that taking one away always gives the value back.
    """
    return f"'{cell}" if DANGEROUS.match(cell) else cell


def sqlite() -> str:
    """A row of SQLite as a record without its line break, with ``QUOTES``; or raw."""
    sql = Sql(sqlite=True)
    known = remedies.known(sql, _in_sqlite)
    common = ["failure = ''", *(_needs_none(sql, quoted(name)) for name in _NARROW)]
    common += [sql.has(name, "\n") for name in _LONG if name.endswith("headers")]
    common += [f"({name} = '' OR {sql.has(name, chr(34))})" for name in _LONG if name.endswith("body")]
    failure = f"CASE WHEN failure = '' THEN '' ELSE {_cell(sql, f'({FAILURE})')} END"
    cells = {name: _cell(sql, quoted(name)) for name in (*_NARROW, *_LONG)}
    tail = f"',' || {failure} || ',' || {cells['request_id']}"
    return f"""coalesce(
        CASE WHEN {_safe(sql)} THEN
            CASE WHEN {" AND ".join(common)} THEN {_common_head()} || ({known} || ',,' || request_id)
            ELSE {_head(_in_sqlite(_template()), cells)} || ({known} || {tail})
            END
        END, {sql.raw(READ, "NULL")})"""


def postgresql() -> tuple[str, str]:
    """The cells of a row of PostgreSQL, of which the first may be raw, and what ``known`` is there."""
    sql = Sql(sqlite=False)
    known = f"CASE WHEN {_safe(sql)} THEN {remedies.known(sql, literal)} END"
    special = {
        "id": f"CASE WHEN known IS NULL THEN {sql.raw(READ, 'known')} ELSE id::text END",
        "remedy": "nullif(known, '')",
        "failure": f"nullif({FAILURE}, '')",
    }
    cells = (special.get(name, quoted(name) if name in NUMBERS else f"nullif({quoted(name)}, '')") for name in COLUMNS)
    return ", ".join(cells), known


_SIGNS = ("\n", '"', ",", "\r")


def _template(wrapped: Sequence[str] = ()) -> bytes:
    """A record up to the remedy, for ``printf``, with quotation marks around some of its cells."""
    cells = COLUMNS[: COLUMNS.index("remedy")]
    return b"".join(QUOTES + b"%s" + QUOTES + b"," if name in wrapped else b"%s," for name in cells)


def _head(template: str, cells: dict[str, str]) -> str:
    return (
        f"printf({template}, {', '.join(cells.get(name, quoted(name)) for name in COLUMNS[: COLUMNS.index('remedy')])})"
    )


def _common_head() -> str:
    """What most rows are: quotation marks are needed around headers and bodies, if any, and nowhere else."""

    def template(*bodies: str) -> str:
        return blob(_template(("request_headers", "response_headers", *bodies)))

    def one_of(*bodies: str) -> str:
        answered = template(*bodies, "response_body")
        return f"CASE response_body WHEN '' THEN {template(*bodies)} ELSE {answered} END"

    return _head(f"CASE request_body WHEN '' THEN {one_of()} ELSE {one_of('request_body')} END", {})


def _needs_none(sql: Sql, text: str) -> str:
    """That a text needs no quotation marks, soon seen of the commonest."""
    words = "'', 'GET', 'POST'" if text == '"method"' else "''"
    return f"({text} IN ({words}) OR NOT ({' OR '.join(sql.has(text, sign) for sign in _SIGNS)}))"


def _cell(sql: Sql, text: str) -> str:
    """A text, with ``QUOTES`` around it where it needs them."""
    marks = f"CAST({blob(QUOTES)} AS TEXT)"
    needs = " OR ".join(sql.has(text, sign) for sign in _SIGNS)
    return f"CASE WHEN {text} = '' THEN '' WHEN {needs} THEN {marks} || {text} || {marks} ELSE {text} END"


def _safe(sql: Sql) -> str:
    """That no cell of a row is a formula, by the first letters."""

    def one(name: str) -> str:
        return f"({name} = '' OR {' OR '.join(sql.between(name, first, end) for first, end in _SAFE)})"

    return " AND ".join(one(quoted(name)) for name in _TEXTS)


def _in_sqlite(text: str | bytes) -> str:
    return blob(text if isinstance(text, bytes) else _marked(text))


def _marked(cell: str) -> bytes:
    return QUOTES + cell.encode() + QUOTES if _SPECIAL.search(cell) else cell.encode()


def finished(records: bytes) -> bytes:
    """Records with ``QUOTES`` as RFC 4180 writes them."""
    return records.replace(b'"', b'""').replace(QUOTES, b'"')


def record(row: Mapping[str, Any]) -> bytes:
    """A raw row as ``sqlite`` would write it, if it could."""
    found = fields(row)
    cells = ("" if found[name] is None else str(found[name]) for name in COLUMNS)
    return b",".join(
        cell.encode() if name in NUMBERS else _marked(neutral(cell)) for name, cell in zip(COLUMNS, cells, strict=True)
    )
