"""The history: every exchange, written before it is sent and completed after.

Exchanges are redacted before they come here (``oauth/redaction``). Any thread may use it. Methods raise no error of the
database's own, only ``HistoryError``, which says what is wrong and what to do.
"""

import copy
import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Dialect, RowMapping, column, func, select, update

from oauth.addresses import host_of
from oauth.exchange import Exchange, Failure, Headers, Request, Response, Step
from oauth.history import listing
from oauth.history.database import Database, HistoryError
from oauth.history.filters import Filters, where
from oauth.history.recognition import entry_of
from oauth.history.schema import IMPORTED, RANGES, PlainText, Wrong, callbacks, exchanges, is_number, is_some, utc_text
from oauth.redaction.placeholders import storable

__all__ = ["IMPORTED", "History", "HistoryError", "Row"]

BATCH = 100
"""Rows read at once by an export: a body may have a mebibyte, and all of a batch are in memory."""


_REQUEST = "client_id", "url", "host", "request_headers", "request_body"
_BEGUN = "started_at", "owner", "case", "flow", "step", "method", "provider", "marks", *_REQUEST
_OUTCOME = (
    "status",
    "reason",
    "http_version",
    "response_headers",
    "response_body",
    "response_cut",
    "duration_ms",
    "marks",
    "failure",
    "failure_detail",
    "outcome",
    "request_id",
)
_ERROR = "documented_error", "error", "error_description"
_FINISHED = *_BEGUN, *_OUTCOME, *_ERROR, "note", "cause", "entry"
_IDENTITY = "started_at", "owner", "step", "method", "url", "request_body", "status", "response_body"
"""Columns that are equal in two rows of the same exchange."""
_UNANSWERED = {
    **dict.fromkeys(("note", *_OUTCOME, *_ERROR), "''"),
    **dict.fromkeys(("status", "duration_ms", "documented_error"), "NULL"),
    "response_cut": "FALSE",
    "outcome": "'none'",
}
"""Values of a row without a response, in SQL."""


STOPPED = "stopped"
"""The kind of failure of an exchange whose console was stopped before a response came (``upkeep``)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A kept exchange and the error that was recognised in it.

    ``documented_error`` is the number of a documented error, ``error`` and ``error_description`` are the provider's,
    ``note`` is the reader's. ``entry`` is the id of the catalogue's entry, empty when nothing failed, ``None`` where it
    was not recognised yet. ``cause`` is the id of the cause that was proven when the exchange was diagnosed, if any.
    ``damage`` names each column that has an impossible value, and what is wrong with it; the exchange then has a
    neutral value in its place.
    """

    exchange: Exchange
    documented_error: int | None = None
    error: str = ""
    error_description: str = ""
    note: str = ""
    entry: str | None = None
    cause: str = ""
    damage: tuple[str, ...] = ()

    @property
    def unanswered(self) -> bool:
        """True when no response was recorded: it is still awaited, or the console was stopped."""
        failure = self.exchange.failure
        return self.exchange.response is None and (failure is None or failure.kind == STOPPED)


class History:
    """The exchanges in one database: everybody's, or those of one ``owner``.

    ``owner`` is ``None`` for everybody's. ``console`` names this process in the rows that wait for a response. Nothing
    is opened before the first use. ``proof`` is that of the key, for the database. Raises ``SettingError`` when ``url``
    is no address of a database; every method raises ``HistoryError``.
    """

    def __init__(self, url: str, clock: Callable[[], datetime], proof: str = "") -> None:
        self.database = Database(url, clock, proof)
        self.console = secrets.token_hex(8)
        self.owner: str | None = None
        self._statements = _Statements(self.database.engine.dialect)

    def seen_by(self, owner: str | None) -> "History":
        """Return the same history with one owner's exchanges only, ``None`` for everybody's.

        Every function that reads, counts, changes or deletes exchanges takes the condition from ``own`` or ``where``;
        the row of another is then the same as a deleted one.
        """
        view = copy.copy(self)
        view.owner = owner
        return view

    def own(self, owner: ColumnElement[str] = exchanges.c.owner) -> list[ColumnElement[bool]]:
        """Return the conditions of the rows that are seen, by their column with the owner."""
        return [] if self.owner is None else [owner == self.owner, is_some(owner)]

    def where(self, filters: Filters) -> list[ColumnElement[bool]]:
        """Return the conditions of the rows that are seen and match the filters."""
        return [*self.own(), *where(filters)]

    @property
    def notices(self) -> list[str]:
        """Messages for the user about what was done to the database when it was opened."""
        return self.database.notices

    def begin(self, exchange: Exchange) -> int:
        """Store an exchange that is about to be sent, durably and without a response; return its id."""
        values = stored((*_begun(exchange), entry_of(exchange), self.console))
        id = self.database.at_once(self._statements.begin, values).id
        self.database.note_row(id)
        return id

    def complete(
        self,
        id: int,
        exchange: Exchange,
        *,
        documented_error: int | None,
        error: str,
        error_description: str,
        entry: str | None = None,
        begun: Exchange | None = None,
    ) -> None:
        """Add the response or failure, and the recognised error, to the row that ``begin`` created.

        ``entry`` is the id of the catalogue's entry; without it, the entry is recognised here. ``begun`` is what
        ``begin`` stored: the request is stored again only where redaction changed it, since a secret that is named in
        the response alone is removed from the request too.
        """
        values: tuple[Any, ...] = (
            *_outcome(exchange),
            entry_of(exchange, documented_error) if entry is None else entry,
        )
        names: tuple[str, ...] = (*_OUTCOME, "entry")
        if error or documented_error is not None:
            names, values = (*names, *_ERROR), (*values, documented_error, error, error_description)
        if begun is None or begun.request != exchange.request or begun.client_id != exchange.client_id:
            names, values = (*names, *_REQUEST), (*values, *_sent(exchange))
        # With its time, PostgreSQL looks for the row in one partition.
        at = None if begun is None or not self.database.is_shared else utc_text(begun.started_at)
        statement = self._statements.complete(names, is_timed=at is not None)
        place = (id,) if at is None else (id, at)
        if not self.database.at_once(statement, (*stored(values), *place)).rows:
            raise HistoryError(f"Exchange {id} is no longer in the history, so its response was not stored.")

    def add(self, rows: Sequence[Row], *, present: int = 0) -> int:
        """Store finished exchanges, all of them or none, under new ids; return their number.

        An exchange that a row with an id up to ``present`` has already is left out: one of the same owner and time,
        with the same step, request and response apart from headers.
        """
        values = [_finished(row) for row in rows]
        with self.database.writing() as connection:
            if present:
                same_time = exchanges.c.started_at.in_({row.exchange.started_at for row in rows})
                columns: list[Any] = [column(name) for name in _IDENTITY]
                query = select(*columns).select_from(exchanges)
                identities = set(map(tuple, connection.execute(query.where(same_time, exchanges.c.id <= present))))
                values = [one for one in values if tuple([one[name] for name in _IDENTITY]) not in identities]
            if not values:
                return 0
            connection.exec_driver_sql(self._statements.add, [tuple(one.values()) for one in values])
            last = connection.execute(select(func.max(exchanges.c.id))).scalar_one()
        self.database.note_row(last)
        return len(values)

    def get(self, id: int) -> Row | None:
        """Return one exchange, ``None`` when the id is unknown."""
        if not 0 < id <= listing.LARGEST_ID:
            return None
        with self.database.reading() as connection:
            row = connection.execute(select(exchanges).where(exchanges.c.id == id, *self.own())).mappings().first()
        return None if row is None else to_row(row)

    def page(self, filters: Filters, before: int | None, limit: int, *, with_content: bool = True) -> list[Row]:
        """Return at most ``limit`` exchanges, newest first, from the newest or from the one after row ``before``.

        When that row is gone, its place is that of the newest row with a smaller number, which is then the first.
        Without content they have no headers and bodies.
        """
        branches = [self.where(branch) for branch in filters.branches()]
        with self.database.reading() as connection:
            rows = listing.page(connection, branches, self.own(), before, limit, with_content=with_content)
            return [to_row(row) for row in rows]

    def some_answered(self, ids: Collection[int]) -> bool:
        """Return whether any of these exchanges has a result by now."""
        answered = exchanges.c.id.in_(ids), exchanges.c.outcome != "none"
        query = select(exchanges.c.id).where(*answered, *self.own()).limit(1)
        with self.database.reading() as connection:
            return connection.execute(query).first() is not None

    def count(self, filters: Filters) -> int:
        """Count the exchanges that match the filters."""
        query = select(func.count()).select_from(exchanges).where(*self.where(filters))
        with self.database.reading() as connection:
            return connection.execute(query).scalar_one()

    def rows(self, filters: Filters) -> Iterator[Row]:
        """Yield all exchanges that match the filters, newest first, in bounded memory.

        Read page by page: a slow reader then holds no connection, and an abandoned one leaves nothing behind.
        """
        before = None
        while batch := self.page(filters, before, BATCH):
            yield from batch
            before = batch[-1].exchange.id

    def flow(self, flow: str) -> list[Row]:
        """Return the exchanges of one flow, oldest first."""
        rows = select(exchanges).where(exchanges.c.flow == flow, *self.own())
        query = rows.order_by(exchanges.c.started_at, exchanges.c.id)
        with self.database.reading() as connection:
            return [to_row(row) for row in connection.execute(query).mappings()]

    def set_case(self, flow: str, case: str) -> None:
        """Label a flow's exchanges, and the callback it waits for. Raises ``ValueError`` without a flow."""
        if not flow:
            raise ValueError("flow is empty: exchanges that belong to no flow cannot be labelled together.")
        with self.database.writing() as connection:
            for table in (exchanges, callbacks):
                mine = self.own(table.c.owner)
                connection.execute(update(table).where(table.c.flow == flow, *mine).values(case=case))

    def set_row_case(self, id: int, case: str) -> None:
        """Label one exchange that belongs to no flow."""
        self._set(id, case=case)

    def set_note(self, id: int, note: str) -> None:
        """Set the note of an exchange."""
        self._set(id, note=note)

    def set_cause(self, id: int, cause: str) -> None:
        """Set the id of the cause that was proven for an exchange."""
        self._set(id, cause=cause)

    def _set(self, id: int, **values: str) -> None:
        with self.database.writing() as connection:
            connection.execute(update(exchanges).where(exchanges.c.id == id, *self.own()).values(values))


class _Statements:
    """The statements that every exchange waits for, as the drivers take them."""

    def __init__(self, dialect: Dialect) -> None:
        is_sqlite = dialect.name == "sqlite"
        self._mark = "?" if is_sqlite else "%s"
        self._completing: dict[tuple[tuple[str, ...], bool], str] = {}
        empty = {name: value for name, value in _UNANSWERED.items() if name not in _BEGUN}
        begun = dict.fromkeys((*_BEGUN, "entry", "console"), self._mark) | empty
        self.begin = _insertion(begun) + ("" if is_sqlite else " RETURNING id")
        self.add = _insertion(dict.fromkeys(_FINISHED, self._mark))

    def complete(self, names: tuple[str, ...], *, is_timed: bool) -> str:
        """Return the update of some columns; a column that is set to its own value still costs its indexes."""
        key = names, is_timed
        if key not in self._completing:
            changes = ", ".join(f'"{name}" = {self._mark}' for name in names)
            place = f"id = {self._mark}" + f" AND started_at = {self._mark}" * is_timed
            self._completing[key] = f"UPDATE exchanges SET {changes} WHERE {place}"  # noqa: S608
        return self._completing[key]


def _insertion(values: Mapping[str, str]) -> str:
    names = ", ".join(f'"{name}"' for name in values)
    return f"INSERT INTO exchanges ({names}) VALUES ({', '.join(values.values())})"  # noqa: S608


def stored(values: Sequence[Any]) -> list[Any]:
    """Return the values as the columns' types keep them."""
    return [
        storable(value) if isinstance(value, str) and (not value.isascii() or "\0" in value) else value
        for value in values
    ]


def header_lines(headers: Headers) -> str:
    """Headers as they stand in a message, a line each; a line break inside a value is folded (RFC 9112 §5.2)."""
    lines = "\n".join([f"{name}: {value}" for name, value in headers])
    if lines.count("\n") < len(headers):
        return lines
    return "\n".join(f"{name}: {value}".replace("\n", "\n ") for name, value in headers)


def headers_of(lines: str) -> Headers:
    """Return the headers that ``header_lines`` wrote."""
    if "\n " not in lines:
        return tuple([(name, value) for name, _, value in [line.partition(": ") for line in lines.split("\n") if line]])
    pairs = (line.partition(": ") for line in re.split(r"\n(?! )", lines) if line)
    return tuple((name, value.replace("\n ", "\n")) for name, _, value in pairs)


def _finished(row: Row) -> dict[str, Any]:
    """Return the columns of ``_FINISHED``, as the drivers take them."""
    exchange = row.exchange
    entry = entry_of(exchange, row.documented_error) if row.entry is None else row.entry
    error = row.documented_error, row.error, row.error_description
    values = *_begun(exchange), *_outcome(exchange), *error, row.note, row.cause, entry
    return dict(zip(_FINISHED, stored(values), strict=True))


def _begun(exchange: Exchange) -> tuple[Any, ...]:
    """The values of ``_BEGUN``: what is known before anything is sent."""
    return (
        utc_text(exchange.started_at),
        exchange.owner,
        exchange.case,
        exchange.flow,
        exchange.step.value,
        exchange.request.method,
        exchange.provider,
        " ".join(exchange.marks),
        *_sent(exchange),
    )


def _sent(exchange: Exchange) -> tuple[Any, ...]:
    """The values of ``_REQUEST``: what secrets may be in."""
    request = exchange.request
    return (
        exchange.client_id,
        request.url,
        host_of(request.url),
        header_lines(request.headers),
        _text(request.body),
    )


def _outcome(exchange: Exchange) -> tuple[Any, ...]:
    """Return the values of ``_OUTCOME``, also while there is no response."""
    failure, response = exchange.failure, exchange.response or _NOTHING
    return (
        exchange.response.status if exchange.response else None,
        response.reason,
        response.http_version,
        header_lines(response.headers),
        _text(response.body),
        response.cut,
        exchange.duration_ms,
        " ".join(exchange.marks),
        failure.kind if failure else "",
        failure.detail if failure else "",
        exchange.outcome,
        exchange.request_id,
    )


_NOTHING = Response(status=0, http_version="")
_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def _text(body: bytes) -> str:
    r"""A body as text; a byte that is none is kept as ``\xff``, so that it can be read and searched."""
    return body.decode("utf-8", "backslashreplace")


def to_row(row: RowMapping | Mapping[str, Any]) -> Row:
    """A row of the table as the exchange that it keeps, without the values that are damaged."""
    row, damage = undamaged(row)
    response = failure = None
    if row["status"] is not None:
        response = Response(
            status=row["status"],
            reason=row["reason"],
            headers=headers_of(row["response_headers"]),
            body=row["response_body"].encode(),
            cut=row["response_cut"],
            http_version=row["http_version"],
        )
    if row["failure"]:
        failure = Failure(row["failure"], row["failure_detail"])
    exchange = Exchange(
        step=Step(row["step"]),
        request=Request(
            method=row["method"],
            url=row["url"],
            headers=headers_of(row["request_headers"]),
            body=row["request_body"].encode(),
        ),
        started_at=row["started_at"],
        response=response,
        failure=failure,
        duration_ms=row["duration_ms"],
        id=row["id"],
        flow=row["flow"],
        owner=row["owner"],
        case=row["case"],
        provider=row["provider"],
        client_id=row["client_id"],
        marks=tuple(row["marks"].split()),
    )
    return Row(
        exchange,
        row["documented_error"],
        row["error"],
        row["error_description"],
        row["note"],
        row["entry"],
        row["cause"],
        tuple(f"{name} is {wrong}" for name, wrong in damage.items()),
    )


_STEPS = frozenset(map(str, Step))
_TEXTS = tuple(
    column.name for column in exchanges.c if isinstance(column.type, PlainText) and column.name not in ("step", "entry")
)


def undamaged(row: RowMapping | Mapping[str, Any]) -> tuple[RowMapping | Mapping[str, Any], Mapping[str, Wrong]]:
    """Return a row of the table without the values that are damaged, and what is wrong with each of those."""
    if damage := _damage(row):
        return {**row, **{name: _neutral(name, row[name]) for name in damage}}, damage
    return row, damage


def _damage(row: RowMapping | Mapping[str, Any]) -> dict[str, Wrong]:
    """Return the columns of a row with an impossible value: an import of older versions took any."""
    damage = {name: Wrong.NUMBER for name in RANGES if not is_number(name, row[name])}
    if row["started_at"] is None:
        damage["started_at"] = Wrong.TIME
    if row["step"] not in _STEPS:
        damage["step"] = Wrong.STEP
    for name in _TEXTS:
        if type(row.get(name, "")) is not str:
            damage[name] = Wrong.TEXT
    return damage


def _neutral(name: str, value: object) -> Any:
    if name == "started_at":
        return _UNKNOWN_TIME
    if name == "step":
        return Step.API.value
    return None if name in RANGES else "" if value is None else repr(value)
