"""The rows of a filter as the database writes them for a file, all of one moment, in bounded memory.

SQLite is read by two threads: its machine runs without Python's lock. PostgreSQL writes them itself, with COPY.
"""

import json
import re
import sqlite3
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import psycopg
from sqlalchemy import URL, Dialect, Select, literal_column, make_url, select

from oauth.history import problems
from oauth.history.database import BUSY_SECONDS, HistoryError
from oauth.history.exports.sql import RAW, RAW_LINE, blob, literal
from oauth.history.filters import Filters, where
from oauth.history.schema import exchanges

BATCH_ROWS = 500

LONG = 64 * 1024
"""Bytes from which a row is read alone: a body may have a mebibyte, and a batch is in memory several times."""

BATCH_BYTES = 1024 * 1024
"""About how much a piece has that PostgreSQL gives."""

_READERS = 2
_AHEAD = 4
_COLUMNS = "the_columns"
_NUMBERED = re.compile(r"\$([0-9]+)")


@dataclass(frozen=True, slots=True)
class Source:
    """Which rows of which database: its address for its driver, its name without a password, and the query as SQL."""

    sqlite: bool
    address: str
    name: str
    query: str
    parameters: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Writing:
    """How the databases write a row, and how rows become a piece of a file.

    ``sqlite`` is an expression. ``postgresql`` are the columns of a CSV, and an expression for ``known`` that they may
    use; with ``single`` there is one column, without control characters, and it is not quoted. ``raw`` writes a row
    that came as JSON. ``finished`` is the last touch for what SQLite and ``raw`` wrote. ``between`` stands between
    rows.
    """

    sqlite: Callable[[], str]
    postgresql: Callable[[], tuple[str, str]]
    raw: Callable[[Mapping[str, Any]], bytes]
    between: bytes
    single: bool = True
    finished: Callable[[bytes], bytes] = bytes


def source(url: str, filters: Filters) -> Source:
    """The rows that ``filters`` show, newest first, of the database at an SQLAlchemy address."""
    parsed = make_url(url)
    dialect_of: Callable[..., Dialect] = parsed.get_dialect()
    if parsed.get_backend_name() == "sqlite":
        dialect, name = dialect_of(paramstyle="qmark"), parsed.database or ""
        address = _file_address(parsed)
    else:
        dialect, name = dialect_of(paramstyle="numeric_dollar"), parsed.render_as_string(hide_password=True)
        address = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    columns = exchanges.c
    query: Select[Any] = (
        select(literal_column(_COLUMNS))
        .select_from(exchanges)
        .where(*where(filters))
        .order_by(columns.started_at.desc(), columns.id.desc())
    )
    expanded = query.compile(dialect=dialect).construct_expanded_state()
    processors = expanded.processors
    parameters = tuple(
        processors[key](expanded.parameters[key]) if key in processors else expanded.parameters[key]
        for key in expanded.positiontup or ()
    )
    return Source(dialect.name == "sqlite", address, name, expanded.statement, parameters)


def pieces(source: Source, writing: Writing) -> Generator[tuple[int, bytes], None, None]:
    """The rows of a file in pieces that are not empty, each with how many rows end in it. Raises ``HistoryError``."""
    with _explained(source):
        for number, piece in (_sqlite_pieces if source.sqlite else _postgresql_pieces)(source, writing):
            if number or piece:
                yield number, piece


def count(source: Source) -> int:
    """How many rows there are. Raises ``HistoryError``."""
    sql = f"SELECT count(*) FROM ({_statement(source, 'exchanges.id')}) AS wanted"  # noqa: S608
    with _explained(source):
        if source.sqlite:
            with closing(_open_sqlite(source)) as connection:
                found = connection.execute(sql, source.parameters).fetchone()
        else:
            with _open_postgresql(source) as connection:
                found = connection.execute(sql.encode()).fetchone() or (0,)
    number: int = found[0]
    return number


def _sqlite_pieces(source: Source, writing: Writing) -> Generator[tuple[int, bytes], None, None]:
    with ExitStack() as stack:
        chosen, *others = [stack.enter_context(closing(_open_sqlite(source))) for _ in range(1 + _READERS)]
        _begin_together(source, [chosen, *others])
        readers: SimpleQueue[_Reader] = SimpleQueue()
        for connection in others:
            readers.put(_Reader(connection, writing))

        def read(ids: list[int]) -> tuple[int, list[bytes | int]]:
            reader = readers.get()
            try:
                return len(ids), reader.parts(ids)
            finally:
                readers.put(reader)

        pool = stack.enter_context(ThreadPoolExecutor(_READERS))
        waiting: deque[Future[tuple[int, list[bytes | int]]]] = deque()
        # What is left of an export that breaks off is not waited for.
        stack.callback(lambda: [future.cancel() for future in waiting])
        alone = _Reader(chosen, writing)
        ids = chosen.execute(_statement(source, "exchanges.id"), source.parameters)
        between = b""
        while True:
            while len(waiting) < _AHEAD and (some := [id for (id,) in ids.fetchmany(BATCH_ROWS)]):
                waiting.append(pool.submit(read, some))
            if not waiting:
                return
            number, parts = waiting.popleft().result()
            yield 0, between
            between = writing.between
            for part in parts:
                yield 0, alone.row(part) if isinstance(part, int) else part
            yield number, b""


class _Reader:
    """Reads rows by their ids, many in one step of SQLite's machine, which has no need of Python's lock meanwhile."""

    def __init__(self, connection: sqlite3.Connection, writing: Writing) -> None:
        self._connection = connection
        self._writing = writing
        expression, raw = writing.sqlite(), blob(RAW)
        # The order of the array is that of the rows: CROSS JOIN makes it the outer loop. LIMIT keeps the inner
        # statement as it is, so that a row is written once.
        self._many = (
            f"SELECT group_concat(CASE WHEN length(CAST(written AS BLOB)) > {LONG} "  # noqa: S608
            f"THEN {raw} || id || {raw} ELSE written END, {blob(writing.between)}) FROM ("
            f"SELECT id, {expression} AS written FROM (SELECT value AS wanted FROM json_each(?)) "
            "CROSS JOIN exchanges ON exchanges.id = wanted LIMIT -1)"
        )
        self._one = f"SELECT {expression} FROM exchanges WHERE id = ?"  # noqa: S608

    def parts(self, ids: list[int]) -> list[bytes | int]:
        """The text of rows, in whose parts the ids of long rows stand in their places."""
        text: bytes
        ((text,),) = self._connection.execute(self._many, [str(ids)])
        parts: list[int | bytes] = []
        plain: list[bytes] = []
        for number, piece in enumerate(text.split(RAW)):
            raw = json.loads(piece) if number % 2 else None
            if not isinstance(raw, int):
                plain.append(piece if raw is None else self._writing.raw(raw))
                continue
            parts += [self._finished(plain), raw]
            plain = []
        return [*parts, self._finished(plain)]

    def row(self, id: int) -> bytes:
        """The text of a row."""
        text: bytes
        ((text,),) = self._connection.execute(self._one, [id])
        return self._finished([self._writing.raw(json.loads(text.strip(RAW))) if text.startswith(RAW) else text])

    def _finished(self, parts: list[bytes]) -> bytes:
        return self._writing.finished(b"".join(parts))


def _begin_together(source: Source, connections: list[sqlite3.Connection]) -> None:
    """Let all connections see the same moment: they do when nobody has committed while they began."""
    with closing(_open_sqlite(source)) as watch:

        def version() -> int:
            number: int = watch.execute("PRAGMA data_version").fetchone()[0]
            return number

        before = None
        while before != (before := version()):
            for connection in connections:
                connection.rollback()
                connection.execute("BEGIN")
                connection.execute("SELECT 1 FROM exchanges LIMIT 1").fetchall()


def _postgresql_pieces(source: Source, writing: Writing) -> Generator[tuple[int, bytes], None, None]:
    columns, known = writing.postgresql()
    inner = _statement(source, f"exchanges.*, {known} AS known")
    options = "FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02'" if writing.single else "FORMAT csv"
    # A statement that sorts inside stays as it is, so that ``known`` is found out once.
    sql = f"COPY (SELECT {columns} FROM ({inner}) AS exchanges) TO STDOUT ({options})"  # noqa: S608
    with _open_postgresql(source) as connection, connection.cursor() as cursor, cursor.copy(sql.encode()) as copy:
        found: list[bytes] = []
        size = 0
        between = b""
        for line in copy:
            found += (between, _line(bytes(line[:-1]), writing))
            between = writing.between
            size += len(line)
            if size > BATCH_BYTES:
                yield len(found) // 2, b"".join(found)
                found, size = [], 0
        yield len(found) // 2, b"".join(found)


_RAW_START = RAW_LINE.encode()
_RAW_CELL = f'"{RAW_LINE}'.encode()
_CELL = re.compile(rb'"((?:[^"]|"")*)"')


def _line(line: bytes, writing: Writing) -> bytes:
    if line.startswith(_RAW_CELL) and (cell := _CELL.match(line)):
        line = cell[1].replace(b'""', b'"')
    elif not line.startswith(_RAW_START):
        return line
    return writing.finished(writing.raw(json.loads(line[1:])))


def _open_sqlite(source: Source) -> sqlite3.Connection:
    connection = sqlite3.connect(
        source.address, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True
    )
    connection.text_factory = bytes
    return connection


@contextmanager
def _open_postgresql(source: Source) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        source.address, autocommit=True, connect_timeout=int(BUSY_SECONDS), client_encoding="utf8"
    ) as connection:
        connection.execute("SET standard_conforming_strings = on")
        yield connection


def _statement(source: Source, columns: str) -> str:
    sql = source.query.replace(_COLUMNS, columns, 1)
    if source.sqlite:
        return sql
    # What is read with COPY takes no parameters.
    return _NUMBERED.sub(lambda found: _value(source.parameters[int(found[1]) - 1]), sql)


def _value(value: object) -> str:
    if value is None or isinstance(value, bool | int):
        return "NULL" if value is None else str(value).lower()
    return f" {literal(str(value))}"


def _file_address(url: URL) -> str:
    database = url.database or ""
    if database.startswith("file:"):
        return database
    return f"{Path(database).absolute().as_uri()}?mode=ro"


@contextmanager
def _explained(source: Source) -> Iterator[None]:
    """Errors of the database's in plain words."""
    try:
        yield
    except (sqlite3.Error, psycopg.Error) as error:
        raise HistoryError(problems.sentence(error, source.name)) from error
