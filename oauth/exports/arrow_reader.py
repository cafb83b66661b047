"""Rows of the history as Arrow batches, read by ADBC in one transaction, some batches ahead of the consumer.

Arrow stays only while the CSV export of a million rows takes at most 1.2 times as long as ``sqlite3 -csv``
(``tests/benchmarks/history_export.py``); otherwise Python's ``csv`` with rows of SQLAlchemy is simpler.

ADBC's driver brings an SQLite of its own. Two SQLite libraries in one process take each other's locks on a file away
(https://www.sqlite.org/howtocorrupt.html, 2.2.1), so a process that has the history open through SQLAlchemy must not
read it here: the server runs a separate process for it (``download.py``).
"""

import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any, Self, TypeVar

import adbc_driver_manager
import adbc_driver_postgresql
import adbc_driver_sqlite
import pyarrow as pa
from sqlalchemy.types import Text, TypeDecorator

from oauth.exports.query import PLACE_OF_COLUMNS, UNFILLED, Source
from oauth.history.database import HistoryError
from oauth.history.schema import RANGES, exchanges

BATCH_BYTES = 3 * 1024 * 1024
"""Approximate size of a batch; a column of SQLite has at most four times as much, or it is one row."""

MOST_ROWS = 6144
LONG = ("url", "request_headers", "request_body", "response_headers", "response_body", "error_description",
        "failure_detail", "request_id")  # fmt: skip
"""The columns that can be of any length."""

_TEXTS = (Text, TypeDecorator)
_T = TypeVar("_T")

_SAMPLE = 500
_SHORT = 200
"""Approximate bytes of a row in the columns that are not ``LONG``."""

_SLACK = 4
_AHEAD = 2
_WORKERS = 2

_POSTGRESQL_PARAMETER = re.compile(r"\$([0-9]+)")


def batches(
    source: Source, columns: Sequence[str], prepare: Callable[[pa.RecordBatch], _T], size: int | None = None
) -> Iterator[_T]:
    """Yield the rows as prepared batches, in bounded memory, from one snapshot; ``columns`` must include ``id``.

    A batch has about ``size`` bytes, by default ``BATCH_BYTES``. One thread reads rows and ``_WORKERS`` others prepare
    them while the consumer works on earlier batches.
    Raises ``HistoryError``.
    """
    ready: queue.Queue[Future[_T] | Exception | None] = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def put(item: Future[_T] | Exception | None) -> None:
        while not stopped.is_set():
            with suppress(queue.Full):
                ready.put(item, timeout=0.2)
                return

    def read() -> None:
        try:
            with ThreadPoolExecutor(_WORKERS) as workers, _Connection(source) as connection:
                reader = _sqlite_batches if source.sqlite else _postgresql_batches
                for batch in reader(connection, source, columns, size or BATCH_BYTES):
                    if stopped.is_set():
                        return
                    put(workers.submit(prepare, _typed(batch)))
            put(None)
        except Exception as error:  # noqa: BLE001 it is raised in the consumer
            put(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, Exception):
                raise _explain(source, item)
            try:
                prepared = item.result()
            except pa.ArrowException as error:
                raise _explain(source, error) from error
            yield prepared
    finally:
        stopped.set()
        thread.join()


def count(source: Source) -> int:
    """Count the rows. Raises ``HistoryError``."""
    inner = _statement(source, "id").rpartition("ORDER BY")[0]
    try:
        with _Connection(source) as connection:
            return connection.number(f"SELECT count(*) AS number FROM ({inner}) AS matching")  # noqa: S608
    except adbc_driver_manager.Error as error:
        raise _explain(source, error) from error


class _Connection:
    """One transaction on an ADBC connection, through ADBC's low-level interface: the one of PEP 249 loads pandas."""

    def __init__(self, source: Source) -> None:
        connect = adbc_driver_sqlite.connect if source.sqlite else adbc_driver_postgresql.connect
        self._parameters = source.parameters if source.sqlite else ()
        self._closing = ExitStack()
        with ExitStack() as opening:
            database = opening.enter_context(connect(source.address))
            self._connection = opening.enter_context(adbc_driver_manager.AdbcConnection(database))
            self._connection.set_autocommit(False)
            self._closing = opening.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def read(
        self, sql: str, parameters: Sequence[Any] | None = None, options: Mapping[str, int] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a query, by default with the parameters of the source."""
        bound = self._parameters if parameters is None else parameters
        with adbc_driver_manager.AdbcStatement(self._connection) as statement:
            statement.set_options(**(options or {}))
            statement.set_sql_query(sql)
            if bound:
                schema, array = pa.record_batch(
                    {str(at): [value] for at, value in enumerate(bound)}
                ).__arrow_c_array__()
                statement.bind(array, schema)
            stream, _ = statement.execute_query()
            with pa.RecordBatchReader.from_stream(stream) as reader:
                yield from reader

    def number(self, sql: str) -> int:
        """Return the single number of a query's result, 0 for NULL."""
        values = [batch.column(0)[0].as_py() for batch in self.read(sql)]
        return int(values[0] or 0)


def _sqlite_batches(
    connection: _Connection, source: Source, columns: Sequence[str], size: int
) -> Iterator[pa.RecordBatch]:
    """Read batches of a number of rows, as the driver counts them; rows with long texts are read one by one."""
    sizes = " + ".join(f"octet_length({name})" for name in LONG)
    sample = f"SELECT avg(size) FROM ({_statement(source, f'{sizes} AS size')} LIMIT {_SAMPLE})"  # noqa: S608
    rows = max(1, min(MOST_ROWS, size // (connection.number(sample) + _SHORT)))
    longest = size * _SLACK // rows
    selection = ", ".join(
        f'CASE WHEN octet_length("{name}") > {longest} THEN NULL ELSE "{name}" END AS "{name}"'
        if name in LONG
        else _selected(name, sqlite=True)
        for name in columns
    )
    one = f"SELECT {_listed(columns, sqlite=True)} FROM exchanges WHERE id = ?"  # noqa: S608
    for batch in connection.read(_statement(source, selection), options={"adbc.sqlite.query.batch_rows": rows}):
        begin = 0
        for place in _places_of_long(batch):
            if place > begin:
                yield batch.slice(begin, place - begin)
            yield from connection.read(one, [batch["id"][place].as_py()])
            begin = place + 1
        if begin < len(batch):
            yield batch.slice(begin)


def _places_of_long(batch: pa.RecordBatch) -> list[int]:
    masks = [batch[name].is_null() for name in LONG if name in batch.schema.names and batch[name].null_count]
    return sorted({place for nulls in masks for place in nulls.to_numpy(zero_copy_only=False).nonzero()[0].tolist()})


def _postgresql_batches(
    connection: _Connection, source: Source, columns: Sequence[str], size: int
) -> Iterator[pa.RecordBatch]:
    return connection.read(
        _statement(source, _listed(columns, sqlite=False)), options={"adbc.postgresql.batch_size_hint_bytes": size}
    )


def _listed(columns: Sequence[str], *, sqlite: bool) -> str:
    return ", ".join(_selected(name, sqlite=sqlite) for name in columns)


def _selected(name: str, *, sqlite: bool) -> str:
    # ADBC gives a column of SQLite the type of its first rows, and would take text without any for a number.
    if name == "entry":
        return f"""coalesce("{name}", '{UNFILLED}') AS "{name}\""""
    if not sqlite or name not in RANGES:
        return f'"{name}"'
    return f"""CASE WHEN typeof("{name}") = 'integer' THEN "{name}" END AS "{name}\""""  # others are damaged


def _typed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Cast a batch to the same types for every database; SQLite infers them from the first rows."""
    kinds = [
        pa.field(field.name, pa.string() if isinstance(exchanges.c[field.name].type, _TEXTS) else pa.int64())
        for field in batch.schema
    ]
    return batch.cast(pa.schema(kinds))


def _statement(source: Source, columns: str) -> str:
    sql = source.query.replace(PLACE_OF_COLUMNS, columns, 1)
    if source.sqlite:
        return sql
    # COPY takes no parameters.
    return _POSTGRESQL_PARAMETER.sub(lambda match: _literal(source.parameters[int(match[1]) - 1]), sql)


def _literal(value: object) -> str:
    """Write a value as a PostgreSQL literal that is safe under all settings, as ``PQescapeLiteral`` does."""
    if value is None or isinstance(value, bool | int):
        return "NULL" if value is None else str(value).lower()
    escaped = str(value).replace("\\", "\\\\").replace("'", "''")
    return f" E'{escaped}'"


def _explain(source: Source, error: Exception) -> Exception:
    """Return a database error as a ``HistoryError``, and any other unchanged."""
    if not isinstance(error, adbc_driver_manager.Error | pa.ArrowException | OSError):
        return error
    reason = str(error).partition("\n")[0].rstrip(".")
    readable = HistoryError(f"The history in {source.name} cannot be read: {reason}. Nothing was changed in it.")
    readable.__cause__ = error
    return readable
