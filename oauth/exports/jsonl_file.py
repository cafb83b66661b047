"""The history as JSON Lines (https://jsonlines.org): an object per line, with the fields of the CSV and their types."""

import json
from collections.abc import Mapping

import pyarrow as pa

from oauth.exports.layout import NUMBERS
from oauth.exports.text import as_text, in_json, lines


def objects(fields: Mapping[str, pa.Array]) -> memoryview:
    """Return the lines of a batch of ``columns.fields``; the file has nothing else."""
    parts: list[pa.StringArray | str] = []
    for name, column in fields.items():
        parts.append(f"{',' if parts else '{'}{json.dumps(name)}:")
        if name in NUMBERS:
            parts.append(as_text(column, "null"))
        else:
            parts += ['"', in_json(as_text(column)), '"']
    return lines([*parts, "}\n"])
