"""The history: every exchange, written before it is sent and completed after.

What comes in is redacted already (``oauth/redaction.py``). Any thread may use it. No method raises an error of the
database's own: ``HistoryError`` says in plain words what is wrong.
"""

import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Dialect, RowMapping, bindparam, func, insert, select, update

from oauth.exchange import Exchange, Failure, Headers, Request, Response, Step
from oauth.history import listing
from oauth.history.database import Database, HistoryError
from oauth.history.filters import Filters, where
from oauth.history.handover import Handover
from oauth.history.schema import callbacks, exchanges, host_of, storable, utc_text

__all__ = ["History", "HistoryError", "Row"]

BATCH = 100
"""Rows read at once by an export: a body may have a mebibyte, and all of a batch are in memory."""


_ANSWERED = (
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
_COMPLETED = (*_ANSWERED, "documented_error", "error", "error_description")
_BEGUN = (
    *_ANSWERED,
    "started_at",
    "owner",
    "case",
    "flow",
    "step",
    "method",
    "url",
    "request_headers",
    "request_body",
    "provider",
    "client_id",
    "host",
    "note",
    "console",
    "error",
    "error_description",
)


IMPORTED = "imported"
"""The mark of a row that came from a file. It says something of this history and nothing of the exchange, so that an
export leaves it out."""

STOPPED = "stopped"
"""The kind of failure of an exchange whose console was stopped before an answer came (``upkeep``)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A kept exchange and the error that was recognised in it.

    ``documented_error`` is the number of a documented error, ``error`` and ``error_description`` are the provider's,
    ``note`` is the reader's.
    """

    exchange: Exchange
    documented_error: int | None = None
    error: str = ""
    error_description: str = ""
    note: str = ""

    @property
    def unanswered(self) -> bool:
        """Whether no answer was recorded: it is still awaited, or the console was stopped meanwhile."""
        failure = self.exchange.failure
        return self.exchange.response is None and (failure is None or failure.kind == STOPPED)


class History:
    """The exchanges in one database, and the callbacks that wait in it (``handover``).

    ``console`` names this process in the rows that wait for an answer. Nothing is opened before the first use. Raises
    ``SettingError`` when ``url`` is no address of a database; every method raises ``HistoryError``.
    """

    def __init__(self, url: str, clock: Callable[[], datetime]) -> None:
        self.database = Database(url, clock)
        self.handover = Handover(self.database, clock)
        self.console = secrets.token_hex(8)
        self._statements = _Statements(self.database.engine.dialect)

    @property
    def notices(self) -> list[str]:
        """Sentences for the person about what was done to the database when it was opened."""
        return self.database.notices

    def begin(self, exchange: Exchange) -> int:
        """Keep an exchange that is about to be sent; returns its id. It is durable when this returns."""
        with self.database.at_once() as cursor:
            cursor.execute(
                self._statements.begin, _stored(_begun(exchange) | _answer(exchange) | {"console": self.console})
            )
            id: int = cursor.fetchall()[0][0]
        return id

    def complete(
        self, id: int, exchange: Exchange, *, documented_error: int | None, error: str, error_description: str
    ) -> None:
        """Add the response or the failure, and the error recognised in it, to the row that ``begin`` made."""
        values = _answer(exchange) | {
            "documented_error": documented_error,
            "error": error,
            "error_description": error_description,
        }
        with self.database.at_once() as cursor:
            cursor.execute(self._statements.complete, _stored(values) | {"row": id})
            found = cursor.rowcount
        if not found:
            raise HistoryError(f"Exchange {id} is no longer in the history, so its answer was not kept.")

    def add(self, rows: Sequence[Row]) -> None:
        """Keep exchanges that are over already, all of them or none; each gets a number of its own."""
        values = [
            _begun(row.exchange)
            | _answer(row.exchange)
            | {
                "started_at": row.exchange.started_at,
                "documented_error": row.documented_error,
                "error": row.error,
                "error_description": row.error_description,
                "note": row.note,
            }
            for row in rows
        ]
        with self.database.writing() as connection:
            connection.execute(insert(exchanges), values)

    def get(self, id: int) -> Row | None:
        """One exchange, ``None`` when there is none of that id."""
        if not 0 < id <= listing.LARGEST_ID:
            return None
        with self.database.reading() as connection:
            found = connection.execute(select(exchanges).where(exchanges.c.id == id)).mappings().first()
        return None if found is None else to_row(found)

    def page(self, filters: Filters, before: int | None, limit: int) -> list[Row]:
        """At most ``limit`` exchanges, newest first, from the newest on or from the one that follows row ``before``.

        When that row is gone, its place is that of the newest row with a smaller number, which is then the first.
        """
        with self.database.reading() as connection:
            return [to_row(found) for found in listing.page(connection, filters, before, limit)]

    def some_answered(self, ids: Collection[int]) -> bool:
        """Whether one of some exchanges has an answer by now."""
        query = select(exchanges.c.id).where(exchanges.c.id.in_(ids), exchanges.c.outcome != "none").limit(1)
        with self.database.reading() as connection:
            return connection.execute(query).first() is not None

    def count(self, filters: Filters) -> int:
        """How many exchanges the filters show."""
        with self.database.reading() as connection:
            return connection.execute(select(func.count()).select_from(exchanges).where(*where(filters))).scalar_one()

    def rows(self, filters: Filters) -> Iterator[Row]:
        """All that the filters show, newest first, in bounded memory.

        Read page by page: a slow reader then holds no connection, and an abandoned one leaves nothing behind.
        """
        before = None
        while batch := self.page(filters, before, BATCH):
            yield from batch
            before = batch[-1].exchange.id

    def flow(self, flow: str) -> list[Row]:
        """The exchanges of one flow, oldest first."""
        query = select(exchanges).where(exchanges.c.flow == flow).order_by(exchanges.c.started_at, exchanges.c.id)
        with self.database.reading() as connection:
            return [to_row(found) for found in connection.execute(query).mappings()]

    def set_case(self, flow: str, case: str) -> None:
        """Label a flow's exchanges, and the callback it waits for. Raises ``ValueError`` without a flow."""
        if not flow:
            raise ValueError("flow is empty: exchanges that belong to no flow cannot be labelled together.")
        with self.database.writing() as connection:
            for table in (exchanges, callbacks):
                connection.execute(update(table).where(table.c.flow == flow).values(case=case))

    def set_row_case(self, id: int, case: str) -> None:
        """Label one exchange that belongs to no flow."""
        with self.database.writing() as connection:
            connection.execute(update(exchanges).where(exchanges.c.id == id).values(case=case))

    def set_note(self, id: int, note: str) -> None:
        """Write a note to an exchange, in place of the one it had."""
        with self.database.writing() as connection:
            connection.execute(update(exchanges).where(exchanges.c.id == id).values(note=note))


class _Statements:
    """The two statements that every exchange waits for, compiled once."""

    def __init__(self, dialect: Dialect) -> None:
        new: Callable[..., Dialect] = type(dialect)
        named = new(paramstyle="named" if dialect.name == "sqlite" else "pyformat")
        begun = insert(exchanges).values({name: bindparam(name) for name in _BEGUN}).returning(exchanges.c.id)
        completed = (
            update(exchanges)
            .where(exchanges.c.id == bindparam("row"))
            .values({name: bindparam(name) for name in _COMPLETED})
        )
        self.begin, self.complete = (str(statement.compile(dialect=named)) for statement in (begun, completed))


def _stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the columns' types keep them."""
    return {
        name: value if not isinstance(value, str) or (value.isascii() and "\0" not in value) else storable(value)
        for name, value in values.items()
    }


def header_lines(headers: Headers) -> str:
    """Headers as they stand in a message, a line each; a line break inside a value is folded (RFC 9112 §5.2)."""
    return "\n".join(f"{name}: {value}".replace("\n", "\n ") for name, value in headers)


def _headers(lines: str) -> Headers:
    pairs = (line.partition(": ") for line in re.split(r"\n(?! )", lines) if line)
    return tuple((name, value.replace("\n ", "\n")) for name, _, value in pairs)


def _begun(exchange: Exchange) -> dict[str, Any]:
    """The columns that are known before anything is sent."""
    request = exchange.request
    return {
        "started_at": utc_text(exchange.started_at),
        "owner": exchange.owner,
        "case": exchange.case,
        "flow": exchange.flow,
        "step": exchange.step.value,
        "method": request.method,
        "url": request.url,
        "request_headers": header_lines(request.headers),
        "request_body": _text(request.body),
        "provider": exchange.provider,
        "client_id": exchange.client_id,
        "host": host_of(request.url),
        "note": "",
        "error": "",
        "error_description": "",
    }


def _answer(exchange: Exchange) -> dict[str, Any]:
    """The columns that an answer fills, also while there is none."""
    response, failure = exchange.response, exchange.failure
    outcome = f"{response.status // 100}xx" if response else "failed" if failure else "none"
    kept = response or Response(status=0, http_version="")
    return {
        "status": response.status if response else None,
        "reason": kept.reason,
        "http_version": kept.http_version,
        "response_headers": header_lines(kept.headers),
        "response_body": _text(kept.body),
        "response_cut": kept.cut,
        "duration_ms": exchange.duration_ms,
        "marks": " ".join(exchange.marks),
        "failure": failure.kind if failure else "",
        "failure_detail": failure.detail if failure else "",
        "outcome": outcome,
        "request_id": exchange.request_id,
    }


def _text(body: bytes) -> str:
    r"""A body as text; a byte that is none is kept as ``\xff``, so that it can be read and searched."""
    return body.decode("utf-8", "backslashreplace")


def to_row(found: RowMapping | Mapping[str, Any]) -> Row:
    """A row of the table as the exchange that it keeps."""
    response = failure = None
    if found["status"] is not None:
        response = Response(
            status=found["status"],
            reason=found["reason"],
            headers=_headers(found["response_headers"]),
            body=found["response_body"].encode(),
            cut=found["response_cut"],
            http_version=found["http_version"],
        )
    if found["failure"]:
        failure = Failure(found["failure"], found["failure_detail"])
    exchange = Exchange(
        step=Step(found["step"]),
        request=Request(
            method=found["method"],
            url=found["url"],
            headers=_headers(found["request_headers"]),
            body=found["request_body"].encode(),
        ),
        started_at=found["started_at"],
        response=response,
        failure=failure,
        duration_ms=found["duration_ms"],
        id=found["id"],
        flow=found["flow"],
        owner=found["owner"],
        case=found["case"],
        provider=found["provider"],
        client_id=found["client_id"],
        marks=tuple(found["marks"].split()),
    )
    return Row(exchange, found["documented_error"], found["error"], found["error_description"], found["note"])
