"""The history as JSON Lines (https://jsonlines.org): an object per line, with the fields of the CSV and their types."""

import json
from collections.abc import Mapping

import pyarrow as pa

from oauth.exports.columns import COLUMNS, NUMBERS
from oauth.exports.text import as_text, in_json, lines

_NAMES = {name: json.dumps(name) for name in COLUMNS}


def objects(fields: Mapping[str, pa.Array]) -> memoryview:
    """Return the lines of a batch of ``columns.fields``; the file has nothing else."""
    parts: list[pa.StringArray | str] = []
    for name in COLUMNS:
        parts.append(f"{'{' if name == COLUMNS[0] else ','}{_NAMES[name]}:")
        if name in NUMBERS:
            parts.append(as_text(fields[name], "null"))
        else:
            parts += ['"', in_json(as_text(fields[name])), '"']
    return lines([*parts, "}\n"])
