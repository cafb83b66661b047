"""The history as JSON Lines (https://jsonlines.org): an object a line, the fields of the CSV with their types."""

import json
from collections.abc import Mapping
from typing import Any

from oauth.history.exports import remedies
from oauth.history.exports.columns import COLUMNS, FAILURE, NUMBERS, READ
from oauth.history.exports.rows import fields
from oauth.history.exports.sql import Sql, literal, quoted


def sqlite() -> str:
    """A row of SQLite as a line; or raw."""
    sql = Sql(sqlite=True)
    names = COLUMNS[: COLUMNS.index("remedy")]
    template = ",".join(f"{_written(name)}:%s" for name in names)
    cells = (
        f"coalesce({quoted(name)}, 'null')" if name in NUMBERS else f"json_quote({quoted(name)})" for name in names
    )
    known = remedies.known(sql, lambda text: literal(_written(text)))
    head = f"""printf({literal("{" + template + ',"remedy":')}, {", ".join(cells)})"""
    tail = f"""',"failure":' || json_quote({FAILURE}) || ',"request_id":' || json_quote(request_id) || '}}'"""
    return f"coalesce({head} || ({known} || {tail}), {sql.raw(READ, 'NULL')})"


def postgresql() -> tuple[str, str]:
    """A row of PostgreSQL as a line, or raw, and what ``known`` is there."""
    sql = Sql(sqlite=False)
    special = {"remedy": "known AS remedy", "failure": f"{FAILURE} AS failure"}
    values = ", ".join(special.get(name, quoted(name)) for name in COLUMNS)
    line = f"(SELECT row_to_json(line) FROM (SELECT {values}) AS line)::text"  # noqa: S608
    raw = sql.raw(READ, "known")
    return f"CASE WHEN known IS NULL THEN {raw} ELSE {line} END", remedies.known(sql, literal)


def line(row: Mapping[str, Any]) -> bytes:
    """A raw row as a line."""
    return _written(fields(row)).encode()


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
