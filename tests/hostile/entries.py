"""Entries of an import with a wrong type, range or shape in one place: of each format, each member, each value."""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeVar

from oauth.exports.har_file import BEGIN, MEMBERS
from oauth.exports.layout import COLUMNS
from oauth.history.schema import exchanges
from oauth.history.store import History
from oauth.imports import import_file
from oauth.redaction import Vault

_T = TypeVar("_T")

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 1.5, -1e30, 1e30, 2**31, 2**63, 10**40, "", "x", "5", "\u0000", "\ud800", "=1+1",
    "a\nb: c", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z", "2026-11-24",
    "2026-02-30T00:00:00Z", "9999-12-31T23:59:59.999999Z", "9" * 5000, [], {}, [[]],
    [None], [1], {"a": 1}, {"": None}, [{"name": 1, "value": None}], [{"name": "a"}], ["a"], "«code #0123456789 40ch»",
    "http://[::1", "imported", "step", b"\xff\xfe",
)  # fmt: skip

LINE: Mapping[str, Any] = {
    **dict.fromkeys(COLUMNS, ""),
    "id": 1,
    "started_at": "2026-11-24T08:15:00.000000Z",
    "step": "token",
    "method": "POST",
    "url": "https://p.example/token",
    "request_headers": "Host: p.example",
    "status": 400,
    "duration_ms": 12,
    "documented_error": None,
}

HAR_ENTRY: Mapping[str, Any] = {
    "startedDateTime": "2026-11-24T08:15:00.000000Z",
    "time": 12,
    "request": {
        "method": "POST",
        "url": "https://p.example/token",
        "_url": "https://p.example/token",
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": "Host", "value": "p.example"}],
        "postData": {"mimeType": "application/json", "text": "{}", "params": [{"name": "a", "value": "b"}]},
        "bodySize": 2,
    },
    "response": {
        "status": 400,
        "statusText": "Bad Request",
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": "Content-Type", "value": "application/json"}],
        "content": {"size": 2, "mimeType": "application/json", "text": "{}", "encoding": ""},
    },
}

CONSOLE_ENTRY: Mapping[str, Any] = {
    **HAR_ENTRY,
    **{f"_{name}": "" for name in (*MEMBERS, "remedy", "request_id", "marks")},
    "_id": 1,
    "_step": "token",
    "_duration_ms": 12,
    "_response_cut": False,
    "_documented_error": None,
}


CHANGES = "duration_ms = 'x'", "status = 'y'", "step = 'steep'", "started_at = 'z'", "documented_error = 'd'"


def damage_history(history: History) -> None:
    """Add to an empty history of SQLite a sound row, and one for each of ``CHANGES``, as older imports stored them."""
    import_file(io.BytesIO(_json(LINE)), history, lambda: Vault(b"key of the tests' fingerprints.."), datetime.now(UTC))
    names = ", ".join(f'"{column.name}"' for column in exchanges.c if column.name != "id")
    with history.database.writing() as connection:
        for name in ("added", "rewritten"):
            connection.exec_driver_sql(f"DROP TRIGGER exchanges_checked_when_{name}")
        for change in CHANGES:
            connection.exec_driver_sql(f"INSERT INTO exchanges ({names}) SELECT {names} FROM exchanges WHERE id = 1")
            connection.exec_driver_sql(f"UPDATE exchanges SET {change} WHERE id = (SELECT max(id) FROM exchanges)")


def files(count: int) -> Iterator[tuple[list[str], bytes]]:
    """Yield files with ``count`` confused entries in all: a word for each entry, and the content."""
    confused = [*_all()]
    Random(5).shuffle(confused)
    for format, write in _WRITERS.items():
        entries = [(name, entry) for its, name, entry in confused[:count] if its == format]
        for some in batched(entries, 25):
            yield [f"{format} {name}" for name, _ in some], write([entry for _, entry in some])


def batched(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Yield the items in pieces."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _all() -> Iterator[tuple[str, str, Any]]:
    for format, entry in (("jsonl", LINE), ("csv", LINE), ("har", CONSOLE_ENTRY), ("browser", HAR_ENTRY)):
        for path in _paths(entry):
            for value in VALUES:
                yield format, f"{path} {value!r:.40}", _with(entry, path, value)
            if format != "csv":
                yield format, f"{path} missing", _without(entry, path)
        if format != "csv":
            yield from ((format, f"{value!r:.40}", value) for value in VALUES)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every member and item."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, member in items:
        yield (*path, name)
        yield from _paths(member, (*path, name))


def _with(entry: Mapping[str, Any], path: tuple[str | int, ...], value: Any) -> Any:
    changed: Any = deepcopy(dict(entry))
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return changed


def _without(entry: Mapping[str, Any], path: tuple[str | int, ...]) -> Any:
    changed: Any = deepcopy(dict(entry))
    place = changed
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return changed


def _json(value: Any) -> bytes:
    return json.dumps(value, default=lambda octets: octets.decode("latin-1")).encode()


def _lines(entries: Sequence[Any]) -> bytes:
    return b"\n".join(map(_json, [LINE, *entries]))


def _console(entries: Sequence[Any]) -> bytes:
    return b"\n".join([BEGIN.encode(), *(_json(entry) + b"," for entry in [CONSOLE_ENTRY, *entries]), b"]}}"])


def _browser(entries: Sequence[Any]) -> bytes:
    return b'{"log": {"version": "1.2", "creator": {}, "entries": [' + b", ".join(map(_json, entries)) + b"]}}"


def _csv(lines: Sequence[Mapping[str, Any]]) -> bytes:
    rows = [",".join(COLUMNS).encode()]
    for line in lines:
        cells = [line[name] if isinstance(line[name], bytes) else _cell(line[name]) for name in COLUMNS]
        rows.append(b",".join(b'"' + cell.replace(b'"', b'""') + b'"' for cell in cells))
    return b"\r\n".join(rows)


_WRITERS: Mapping[str, Callable[[Sequence[Any]], bytes]] = {
    "jsonl": _lines,
    "csv": _csv,
    "har": _console,
    "browser": _browser,
}


def _cell(value: Any) -> bytes:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")
