"""Entries of an import with a wrong type, range or shape in one place: of each format, each member, each value."""

import io
import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from random import Random
from typing import Any

from oauth.exports.columns import COLUMNS
from oauth.exports.har_file import BEGIN, MEMBERS
from oauth.history.schema import exchanges
from oauth.history.store import History
from oauth.imports import import_file
from oauth.redaction import Vault

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 1.5, -1e30, 1e30, 2**31, 2**63, 10**40, "", "x", "5", "\u0000", "\ud800", "=1+1",
    "a\nb: c",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z", "2026-11-24", "9" * 5000,
    [], {}, [[]],
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


def files(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield ``count`` files of one confused entry beside a sound one, with a word for each."""
    confused = [*_all()]
    Random(5).shuffle(confused)
    yield from confused[:count]


def _all() -> Iterator[tuple[str, bytes]]:
    for path in _paths(LINE):
        for value in VALUES:
            line = _with(LINE, path, value)
            yield f"jsonl {path} {value!r:.40}", b"\n".join([_json(LINE), _json(line)])
            yield f"csv {path} {value!r:.40}", _csv(LINE, line)
        yield f"jsonl {path} missing", b"\n".join([_json(LINE), _json(_without(LINE, path))])
    for path in _paths(CONSOLE_ENTRY):
        for value in VALUES:
            entry = _with(CONSOLE_ENTRY, path, value)
            yield f"har {path} {value!r:.40}", _console(CONSOLE_ENTRY, entry)
        entry = _without(CONSOLE_ENTRY, path)
        yield f"har {path} missing", _console(CONSOLE_ENTRY, entry)
    for path in _paths(HAR_ENTRY):
        for value in VALUES:
            yield f"browser {path} {value!r:.40}", _browser(HAR_ENTRY, _with(HAR_ENTRY, path, value))
        yield f"browser {path} missing", _browser(HAR_ENTRY, _without(HAR_ENTRY, path))
    for value in VALUES:
        yield f"jsonl line {value!r:.40}", b"\n".join([_json(LINE), _json(value)])
        yield f"browser entry {value!r:.40}", _browser(HAR_ENTRY, value)


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


def _console(first: Any, second: Any) -> bytes:
    return b"\n".join([BEGIN.encode(), _json(first) + b",", _json(second), b"]}}"])


def _browser(*entries: Any) -> bytes:
    return b'{"log": {"version": "1.2", "creator": {}, "entries": [' + b", ".join(map(_json, entries)) + b"]}}"


def _csv(*lines: Mapping[str, Any]) -> bytes:
    rows = [",".join(COLUMNS).encode()]
    for line in lines:
        cells = [line[name] if isinstance(line[name], bytes) else _cell(line[name]) for name in COLUMNS]
        rows.append(b",".join(b'"' + cell.replace(b'"', b'""') + b'"' for cell in cells))
    return b"\r\n".join(rows)


def _cell(value: Any) -> bytes:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")
