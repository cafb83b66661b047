"""Import of a HAR or of a console's export into the history, redacted and marked as imported.

Foreign entries are redacted and explained like the console's own exchanges. Rows of an export are redacted again, which
leaves placeholders unchanged. Times are preserved. Unreadable entries are reported and skipped. Exports and HARs
written by a console are decoded line by line into typed values in their ranges, in bounded memory.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from itertools import chain, islice
from typing import Annotated, Any, BinaryIO

import msgspec
from msgspec import Meta, Struct
from msgspec.json import Decoder
from msgspec.structs import asdict

from oauth import formatting
from oauth.catalogue import answers, documented, find_entry, registered, remedy_of
from oauth.catalogue.entries import Entry
from oauth.catalogue.explain import explain
from oauth.diagnosis.pasted import learn_secrets
from oauth.exchange import Headers, Step
from oauth.exports.har_file import BEGIN, MEMBERS
from oauth.exports.layout import COLUMNS, NEWER, NUMBERS
from oauth.exports.text import restored
from oauth.history.deletion import last_id
from oauth.history.recognition import entry_of, recognition
from oauth.history.schema import RANGES, read_time
from oauth.history.store import IMPORTED, History, HistoryError, Row, to_row
from oauth.paste import Pasted, har
from oauth.paste.flows import grouped
from oauth.paste.result import TooManyError, check_brackets
from oauth.redaction import Vault

MOST_OCTETS = 512 * 1024 * 1024
"""The largest HAR of another program, which is read into memory as a whole."""

MOST_LINE = 64 * 1024 * 1024
MOST_PROBLEMS = 1_000
"""Problems of a file that are described each."""

_BATCH = 500
_CSV_BEGIN = f"\ufeff{COLUMNS[0]},{COLUMNS[1]},".encode()


class ImportFileError(ValueError):
    """The file cannot be imported; the message says why and what can."""


class _Problems(list[str]):
    """The first problems of a file; of those past ``MOST_PROBLEMS`` only the number is known."""

    more = 0

    def append(self, text: str) -> None:
        if len(self) < MOST_PROBLEMS:
            super().append(text)
        else:
            self.more += 1

    def all(self) -> tuple[str, ...]:
        return (*self, f"{self.more:,} more entries have problems.") if self.more else tuple(self)


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an import: the number of exchanges stored, and a message for each problem with its position.

    ``duplicates`` is the number of those that were in the history before.
    """

    count: int
    problems: tuple[str, ...] = ()
    duplicates: int = 0

    @property
    def summary(self) -> str:
        """The numbers of exchanges in words."""
        exchanges = "exchange" if self.count == 1 else "exchanges"
        return f"{self.count:,} {exchanges} imported" + f", {self.duplicates:,} already there" * bool(self.duplicates)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One row of a console's export, or one entry of a foreign HAR as ``pasted``."""

    row: Row
    pasted: Pasted | None = None


def import_file(
    file: BinaryIO,
    history: History,
    new_vault: Callable[[], Vault],
    now: datetime,
    *,
    owner: str | None = None,
    case: str = "",
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Import the exchanges of a HAR or of a console's CSV, JSON Lines or HAR that the history does not have yet.

    ``new_vault`` creates a vault with the installation's key and the known secrets. ``now`` replaces the missing time
    of an entry. ``owner`` and ``case`` are set on all rows; without them the file's own stay. ``progress`` is called
    with the summary so far. Raises ``ImportFileError``, and ``HistoryError`` when storing fails, with the
    number stored until then.
    """
    problems = _Problems()
    report = Report(0)
    last = last_id(history)
    entries = _entries(file, now, problems)
    while batch := list(islice(entries, _BATCH)):
        # A vault of its own for each: a file may hold any number of secrets, and memory does not.
        rows = list(_redacted(batch, new_vault(), owner, case))
        try:
            count = history.add(rows, present=last)
        except HistoryError as error:
            raise HistoryError(f"{report.count:,} exchanges were imported before an error. {error}") from error
        report = Report(report.count + count, duplicates=report.duplicates + len(rows) - count)
        if progress is not None:
            progress(report.summary)
    return replace(report, problems=problems.all())


def import_content(
    content: bytes, address: str, key: bytes, now: datetime, owner: str, case: str, *, report: Callable[[str], None]
) -> Report:
    """Import a file's content as ``import_file`` does, in a process that has nothing open (``isolation.call``).

    ``address`` is that of the history, and ``key`` the installation's for fingerprints.
    """
    report("reading the file")
    return import_file(
        io.BytesIO(content),
        History(address, lambda: now),
        lambda: Vault(key),
        now,
        owner=owner,
        case=case,
        progress=lambda summary: report(f"{summary} so far"),
    )


def _entries(file: BinaryIO, now: datetime, problems: list[str]) -> Iterator[_Entry]:
    begin = file.readline(MOST_LINE)
    if begin.rstrip() == BEGIN.encode():
        return _lines(file, 2, _of_console_har, problems)
    if begin.startswith((_CSV_BEGIN, _CSV_BEGIN[3:])):
        return _csv_rows(begin, file, problems)
    if begin.startswith(b'{"id":'):
        return _lines(chain([begin], file), 1, lambda line: _of_fields(_LINE.decode(line)), problems)
    return _foreign_har(begin, file, now, problems)


def _lines(
    lines: Iterable[bytes], first: int, read: Callable[[bytes], _Entry | None], problems: list[str]
) -> Iterator[_Entry]:
    for number, line in enumerate(lines, first):
        try:
            entry = read(line) if line.strip() else None
        except (ValueError, OverflowError) as error:
            problems.append(f"Line {number}: {_why(error)}")
        else:
            if entry is not None:
                yield entry


def _csv_rows(begin: bytes, file: BinaryIO, problems: list[str]) -> Iterator[_Entry]:
    csv.field_size_limit(MOST_LINE)
    rows = csv.reader(chain([begin.decode("utf-8-sig")], io.TextIOWrapper(file, "utf-8", "replace", newline="")))
    names = next(rows)
    missing = [name for name in COLUMNS if name not in names and name not in NEWER]
    if missing or len(names) != len(set(names)) or not set(names) <= set(COLUMNS):
        raise ImportFileError(
            f"The columns of the CSV are not those of a whole export: {', '.join(COLUMNS)}."
            + (f" Missing: {', '.join(missing)}." if missing else "")
        )
    while True:
        line = rows.line_num + 1
        try:
            cells = next(rows, None)
            if cells is None:
                return
            if len(cells) != len(names):
                raise ValueError(f"expected {len(names)} cells, got {len(cells)}")
            fields = {name: _cell(name, cell) for name, cell in zip(names, cells, strict=True)}
            yield _of_fields(msgspec.convert(fields, _Line, strict=False))
        except (ValueError, OverflowError, csv.Error) as error:
            problems.append(f"Line {line}: {_why(error)}")


def _cell(name: str, cell: str) -> str | None:
    if name in NUMBERS:
        return cell or None
    return restored(cell)


_Status = Annotated[int, Meta(ge=0, le=RANGES["status"])]
_Duration = Annotated[int, Meta(ge=0, le=RANGES["duration_ms"])]
_Number = Annotated[int, Meta(ge=0, le=RANGES["documented_error"])]


class _Line(Struct, gc=False):
    """A CSV record or a JSON line: the fields of ``exports.columns.COLUMNS``."""

    started_at: str
    owner: str
    case: str
    flow: str
    step: Step
    method: str
    url: str
    request_headers: str
    request_body: str
    status: _Status | None
    response_headers: str
    response_body: str
    duration_ms: _Duration | None
    documented_error: _Number | None
    error: str
    error_description: str
    remedy: str
    failure: str
    # These are missing in files from before there were these columns.
    entry: str = ""
    provider: str = ""
    client_id: str = ""
    note: str = ""
    cause: str = ""


_LINE = Decoder(_Line)


def _of_fields(line: _Line) -> _Entry:
    """Return the row of a CSV record or a JSON line."""
    kind, _, detail = line.failure.partition(": ")
    values = {
        **asdict(line),
        "started_at": _time(line.started_at),
        "failure": kind,
        "failure_detail": detail,
        **dict.fromkeys(("reason", "http_version", "marks"), ""),
    }
    row = to_row(values | {"id": None, "response_cut": False, "entry": None})
    is_known = find_entry(line.entry) is not None
    return _Entry(replace(row, entry=line.entry if is_known else _entry_by_remedy(row, line.remedy)))


def _time(text: str) -> datetime:
    """Return a time in UTC. Raises ``ValueError`` for any other text, and for a time without a zone."""
    moment = read_time(text)
    if moment is None:
        raise ValueError(f"{text[:40]!r} is not a time with a zone of our days, such as 2026-11-24T08:15Z")
    return moment.astimezone(UTC)


def _entry_by_remedy(row: Row, remedy: str) -> str:
    """Return the entry with the remedy of an export, or else the one that explains the row."""
    entry = entry_of(row.exchange, row.documented_error)
    lines = tuple(remedy.splitlines())
    return entry if remedy_of(entry) == lines else _entries_by_remedy().get(lines, entry)


@cache
def _entries_by_remedy() -> Mapping[tuple[str, ...], str]:
    entries: tuple[Entry, ...] = (
        *documented().values(),
        *chain.from_iterable(registered().values()),
        *answers().values(),
    )
    return {(): ""} | {entry.remedy: entry.entry for entry in reversed(entries)}


class _Pair(Struct, gc=False):
    name: str
    value: str


class _Body(Struct, gc=False):
    text: str = ""


class _SentRequest(Struct, gc=False, rename="camel"):
    method: str
    url: str
    headers: list[_Pair]
    post_data: _Body = msgspec.field(default_factory=_Body)
    recorded_url: str = msgspec.field(default="", name="_url")


class _ReceivedResponse(Struct, gc=False, rename="camel"):
    status: _Status
    status_text: str
    http_version: str
    headers: list[_Pair]
    content: _Body


class _HarEntry(Struct, gc=False, rename=lambda name: f"_{name}"):
    """An entry of a console's HAR: those of HAR 1.2, and the members of ``exports.har_file.MEMBERS``."""

    started: str = msgspec.field(name="startedDateTime")
    request: _SentRequest = msgspec.field(name="request")
    response: _ReceivedResponse = msgspec.field(name="response")
    owner: str
    case: str
    flow: str
    step: Step
    provider: str
    client_id: str
    duration_ms: _Duration | None
    response_cut: bool
    failure: str
    failure_detail: str
    documented_error: _Number | None
    error: str
    error_description: str
    note: str
    marks: str
    remedy: str
    cause: str = ""


_HAR_ENTRY = Decoder(_HarEntry)


def _of_console_har(line: bytes) -> _Entry | None:
    text = line.strip().removesuffix(b",")
    if text == b"]}}":
        return None
    entry = _HAR_ENTRY.decode(text)
    request, response = entry.request, entry.response
    values = {
        **{name: getattr(entry, name) for name in (*MEMBERS, "marks")},
        "id": None,
        "started_at": _time(entry.started),
        "method": request.method,
        "url": request.recorded_url or request.url,
        "request_body": request.post_data.text,
        "status": response.status or None,
        "reason": response.status_text,
        "http_version": response.http_version,
        "response_body": response.content.text,
        "request_headers": "",
        "response_headers": "",
        "entry": None,
    }
    row = to_row(values)
    exchange = replace(
        row.exchange,
        request=replace(row.exchange.request, headers=_pairs(request.headers)),
        response=row.exchange.response and replace(row.exchange.response, headers=_pairs(response.headers)),
    )
    row = replace(row, exchange=exchange)
    return _Entry(replace(row, entry=_entry_by_remedy(row, entry.remedy)))


def _pairs(items: Sequence[_Pair]) -> Headers:
    return tuple((item.name, item.value) for item in items)


def _foreign_har(begin: bytes, file: BinaryIO, now: datetime, problems: list[str]) -> Iterator[_Entry]:
    content = begin + file.read(MOST_OCTETS)
    if len(content) > MOST_OCTETS:
        raise ImportFileError(f"The HAR is larger than {MOST_OCTETS // 1024 // 1024} MiB; save fewer entries in it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportFileError(f"The file is not UTF-8 at byte {error.start}.") from error
    if not har.confidence(text):
        raise ImportFileError("The file is not a HAR, nor a CSV, JSON Lines or HAR file exported by this console.")
    try:
        check_brackets(content)
    except TooManyError as error:
        raise ImportFileError("The HAR has more brackets than a browser writes; save fewer entries in it.") from error
    with har.collector_paused():
        yield from _of_foreign(text, now, problems)


def _of_foreign(text: str, now: datetime, problems: list[str]) -> list[_Entry]:
    saved = har.decoded(text)
    exchanges = _read_leniently(text) if saved is None else har.exchanges(saved)
    items: list[Pasted] = []
    for number, pasted in enumerate(exchanges, 1):
        if pasted is None or pasted.request is None or not (pasted.request.url or pasted.response):
            problems.append(f"Entry {number}: it has neither a request with an address nor a response.")
            continue
        if pasted.started_at is None:
            problems.append(f"Entry {number}: its time cannot be read, so it was imported with the current time.")
        items.append(pasted)
    return [_Entry(Row(pasted.to_exchange(now)), pasted) for pasted in grouped(items)]


def _read_leniently(text: str) -> Iterator[Pasted | None]:
    """Yield the exchange of each entry of a HAR, some of whose members have other types than HAR's."""
    try:
        entries = json.loads(text)["log"]["entries"]
        if not isinstance(entries, list):
            raise TypeError
    except (KeyError, TypeError) as error:
        raise ImportFileError("The HAR has no list at log.entries.") from error
    except (ValueError, RecursionError) as error:
        raise ImportFileError(f"The HAR is not valid JSON: {error}.") from error
    headers = har.SharedHeaders()
    for entry in entries:
        yield har.exchange(entry, headers) if isinstance(entry, dict) else None


def _redacted(entries: Sequence[_Entry], vault: Vault, owner: str | None, case: str) -> Iterator[Row]:
    """Redact the rows. A secret of one exchange is removed from all rows of the batch."""
    for entry in entries:
        learn_secrets(entry.row.exchange, vault)
    for entry in entries:
        exchange = entry.row.exchange
        yield _row(entry, vault, exchange.owner if owner is None else owner, case or exchange.case)


def _row(entry: _Entry, vault: Vault, owner: str, case: str) -> Row:
    live = entry.row.exchange
    marks = (*(mark for mark in live.marks if mark != IMPORTED), IMPORTED)
    exchange = vault.redact(replace(live, owner=owner, case=case, marks=marks))
    if entry.pasted is None:
        texts: dict[str, Any] = {name: vault.redact_text(getattr(entry.row, name)) for name in _TEXTS}
        return replace(entry.row, exchange=exchange, **texts)
    named = dict(reversed(formatting.fields(exchange.request)))
    exchange = replace(exchange, client_id=named.get("client_id", ""))
    return Row(exchange, **recognition(explain(exchange))._asdict())


_TEXTS = "error", "error_description", "note", "cause"
_MISSING = re.compile(r"Object missing required field `_?([^`]*)`")
_PLACE = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)


def _why(error: Exception) -> str:
    """Return a sentence that names the field and what is wrong with it."""
    message = str(error)
    place = _PLACE.fullmatch(message)
    if place is not None:
        message = place[1]
    if missing := _MISSING.fullmatch(message):
        return f"{place[2] + '.' if place else ''}{missing[1]} is missing."
    if place is not None:
        return f"{place[2].removeprefix('_')} cannot be read: {message[:1].lower()}{message[1:].replace('`', '')}."
    return f"it cannot be read: {message}."
