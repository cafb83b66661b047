"""A large history in PostgreSQL: ``python -m tests.benchmarks.ten_million [--rows 10000000]``.

It starts a server, generates the exchanges of twelve months in SQL, a month in each partition, and prints what each
operation took: a page, a word, facets and charts, an export of a day, recording, a round of upkeep, and the deletion of
the oldest month; and the disk that a row takes in the table and in each index. Ten million rows need 26 GB of disk.
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from statistics import median
from typing import Any

import psycopg

from oauth.exchange import Exchange, Request, Response, Step
from oauth.exports import formats
from oauth.exports.query import source
from oauth.history import charts, counts, partitions
from oauth.history.database import HistoryTimeout, unlimited
from oauth.history.deletion import announce_older, delete_older
from oauth.history.facets import facets
from oauth.history.filters import Filters
from oauth.history.repeats import repeats
from oauth.history.store import History
from oauth.history.time_limits import count
from oauth.history.upkeep import Upkeep
from tests.servers import postgresql

END = datetime(2026, 11, 24, tzinfo=UTC)
MONTHS = 12
SECONDS = 2.0
"""Time limit of facets and charts, as on the page."""

# Five exchanges of a flow: authorize, callback, token and two of the API. Each value is a function of the number.
_ROW = """
SELECT to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    (ARRAY['', '', '', 'ada', 'bob', 'eva'])[1 + f % 6],
    CASE WHEN f % 10 < 3 THEN 'T-' || f % 20000 ELSE '' END,
    substr(md5(f::text), 1, 10),
    (ARRAY['authorize', 'callback', 'token', 'api', 'api'])[1 + s],
    CASE WHEN s = 2 THEN 'POST' ELSE 'GET' END,
    'https://' || site || CASE s
        WHEN 0 THEN '/oauth/authorize/?client_id=' || client || '&response_type=code&scope=read'
        WHEN 1 THEN '/callback?code=«code #' || mark || ' 40ch»' WHEN 2 THEN '/api/open/oauth/token'
        ELSE '/api/partner/adverts/' || n % 50000 END,
    'Host: ' || site || E'\\nAccept: application/json\\nAccept-Encoding: gzip\\nUser-Agent: python-httpx/0.28.1',
    CASE WHEN s = 2 THEN '{"grant_type": "authorization_code", "client_id": "' || client || '", "code": "«code #' ||
        mark || ' 40ch»", "scope": "read write v2"}' ELSE '' END,
    status, CASE status WHEN 200 THEN 'OK' WHEN 302 THEN 'Found' ELSE 'Bad Request' END, 'HTTP/1.1',
    E'Server: nginx\\nContent-Type: application/json; charset=utf-8\\nX-Request-Id: ' || mark,
    CASE WHEN is_error THEN '{"error": "invalid_grant", "error_description": "Invalid refresh token"}'
        WHEN s = 2 THEN '{"access_token": "«access_token #' || mark || ' 40ch»", "expires_in": 86400}'
        WHEN s > 2 THEN '{"data": {"id": ' || n % 50000 || ', "name": "' || name || '", "is_business": false}}'
        ELSE '' END,
    false, 20 + (n * 7919) % 900, '', '', status / 100 || 'xx',
    CASE WHEN is_error THEN 2 + f % 9 END, CASE WHEN is_error THEN 'invalid_grant' ELSE '' END,
    CASE WHEN is_error THEN 'Invalid refresh token' ELSE '' END, mark,
    CASE WHEN f % 10 = 0 THEN 'sandbox' ELSE 'olx' END, client, site,
    CASE WHEN n % 500 = 0 THEN 'waits for the customer' ELSE '' END, '', '',
    CASE WHEN is_error THEN 'olx/' || 2 + f % 9 ELSE '' END, ''
FROM (SELECT *, s > 1 AND (f * 31 + s) % 8 = 0 AS is_error,
        CASE WHEN s > 1 AND (f * 31 + s) % 8 = 0 THEN 400 WHEN s = 0 THEN 302 ELSE 200 END AS status,
        substr(md5('m' || n), 1, 10) AS mark, (ARRAY['demo-app', 'machine-app', 'website-app'])[1 + f % 3] ||
            CASE WHEN f % 7 = 0 THEN '-' || f % 37 ELSE '' END AS client,
        (ARRAY['www.olx.pl', 'www.olx.ua', 'www.olx.ro', 'www.olx.pt', 'localhost:8501'])[1 + f % 5] AS site,
        (ARRAY['Anna', 'Piotr', 'Олена', 'Maria'])[1 + n % 4] AS name,
        timestamp '{begin}' + n * interval '1 second' * {pace} AS at
    FROM (SELECT n, n / 5 AS f, n % 5 AS s FROM generate_series({first}::bigint, {last}::bigint) AS n) AS numbered)
AS made
"""
_NAMES = (
    'started_at, owner, "case", flow, step, method, url, request_headers, request_body, status, reason, http_version, '
    "response_headers, response_body, response_cut, duration_ms, failure, failure_detail, outcome, documented_error, "
    "error, error_description, request_id, provider, client_id, host, note, marks, console, entry, cause"
)


_SHIFTED = (
    """to_char(left(started_at, 26)::timestamp + interval '1 second' * {seconds}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
)


def fill(address: str, history: History, rows: int, distinct: int) -> None:
    """Generate the exchanges without indexes, which are made at the end; those after ``distinct`` are copies."""
    begin = END - timedelta(days=365)
    with history.database.writing() as connection, unlimited(connection):
        connection.exec_driver_sql("ALTER TABLE exchanges DISABLE TRIGGER USER")
        partitions.lay_out(connection, begin, END)
        indexes = connection.exec_driver_sql(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'exchanges' AND indexname <> 'exchanges_pkey'"
        ).all()
        for name, _ in indexes:
            connection.exec_driver_sql(f"DROP INDEX {name}")
    pace, batch = 365 * 86_400 / rows, 500_000
    with psycopg.connect(address, autocommit=True) as direct:
        direct.execute("SET maintenance_work_mem = '1GB'; SET synchronous_commit = off")
        for first in range(0, min(rows, distinct), batch):
            last = min(first + batch, rows, distinct) - 1
            query = _ROW
            for name, value in {"begin": begin.date(), "pace": pace, "first": first, "last": last}.items():
                query = query.replace(f"{{{name}}}", str(value))
            direct.execute(f"INSERT INTO exchanges ({_NAMES}) {query}".encode())
            print(f"  {last + 1:,} rows", flush=True)
        if rows > distinct:
            # Their words are copied too: PostgreSQL would make them from the text again.
            direct.execute("ALTER TABLE exchanges ALTER COLUMN search DROP EXPRESSION")
            direct.execute("CREATE TEMP TABLE made AS SELECT * FROM exchanges")
        for number in range(1, rows // distinct):
            seconds = number * distinct * pace
            values = _NAMES.replace("started_at", f"{_SHIFTED.format(seconds=seconds)}", 1)
            values = values.replace(" flow,", f" substr(md5(flow || '{number}'), 1, 10),")
            direct.execute(f"INSERT INTO exchanges ({_NAMES}, search) SELECT {values}, search FROM made".encode())
            print(f"  {(number + 1) * distinct:,} rows", flush=True)
        for name, definition in indexes:
            direct.execute(definition.replace(" ON ONLY ", " ON ").encode())
            print(f"  {name}", flush=True)
        direct.execute("VACUUM ANALYZE exchanges")
    with history.database.writing() as connection, unlimited(connection):
        counts.count_all(connection)
        connection.exec_driver_sql("ALTER TABLE exchanges ENABLE TRIGGER USER")
    with psycopg.connect(address, autocommit=True) as direct:
        direct.execute("VACUUM ANALYZE exchange_counts")


def timed(name: str, work: Callable[[], Any], times: int = 5) -> None:
    """Print the first and the median time of an operation, and its result."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        result = work()
        took.append((time.perf_counter() - start) * 1000)
    print(f"{name:<44} first {took[0]:8,.1f} ms, median {median(took):8,.1f} ms  {result}", flush=True)


_FILTERS = (
    "step:token status:4xx",
    "client:demo-app case:T-12",
    "by:ada error:*",
    "provider:sandbox -status:2xx",
    "-origin:drill,import",
    "note:*",
    "flow:c4ca4238a0",
    "entry:olx/3",
    "step:refresh",
)
_WORDS = (
    "invalid",
    "Piotr",
    "Piotr error:3",
    "nowhere1234",
    "adverts 4711",
    '"Invalid refresh"',
    "inval*",
    "-invalid",
    "Piotr since:2026-01-01 until:2026-01-02",
)
_SUMMARIES = (
    "",
    "-origin:drill,import",
    "step:token -origin:drill,import",
    "by:ada",
    "client:demo-app since:30d",
    "error:3 until:7d",
    "status:4xx step:api case:*",
    "since:24h",
)


def _page(history: History, filters: Filters) -> int:
    return len(history.page(filters, None, 50, with_content=False))


def _number(history: History, filters: Filters) -> str:
    return str(count(history, filters, SECONDS))


def _facets(history: History, filters: Filters) -> str:
    try:
        return _exactness(list(facets(history, filters, SECONDS)))
    except HistoryTimeout:
        return "too long"


def _errors(history: History, filters: Filters) -> str:
    return _exactness([charts.errors(history, filters, SECONDS, UTC)])


def read(history: History, rows: int) -> None:
    """Measure what pages and exports read."""
    middle = next(iter(history.page(Filters(), rows // 2, 1))).exchange.id
    day = Filters.parse("since:2026-06-15 until:2026-06-15").resolved(END, UTC)
    timed("list, first page", lambda: len(history.page(Filters(), None, 50, with_content=False)))
    timed("list, page in the middle", lambda: len(history.page(Filters(), middle, 50, with_content=False)))
    for line in _FILTERS:
        timed(f"list, {line}", partial(_page, history, Filters.parse(line)))
    for line in (*_WORDS, md5_mark(rows // 3)):
        timed(f"words, {line}", partial(_page, history, Filters.parse(line).resolved(END, UTC)), 3)
    exact = history.page(Filters(), rows // 3, 1)[0].exchange.flow
    timed("flow of an exchange", lambda: len(history.flow(exact)))
    timed("an exchange by its number", lambda: history.get(rows // 2) is not None)
    for line in _SUMMARIES:
        filters = Filters.parse(line).resolved(END, UTC)
        timed(f"number, {line or 'all'}", partial(_number, history, filters), 3)
        timed(f"facets, {line or 'all'}", partial(_facets, history, filters), 3)
        timed(f"errors, {line or 'all'}", partial(_errors, history, filters), 3)
    timed("facets, Piotr", partial(_facets, history, Filters.parse("Piotr")), 2)
    timed("facets, of one person", partial(_facets, history.seen_by("ada"), Filters()), 3)
    timed("durations, all", lambda: _exactness([charts.durations(history, Filters(), SECONDS)]), 2)
    timed("repeats, all", lambda: _exactness([repeats(history, Filters(), SECONDS)]), 2)

    def export() -> str:
        buffer = BytesIO()
        formats.write(source(history, day), "csv", buffer, lambda *_: None)
        return f"{buffer.getbuffer().nbytes / 1e6:.1f} MB"

    timed("export of a day as CSV", export, 1)


def md5_mark(number: int) -> str:
    """Return a word that one exchange alone has."""
    return hashlib.md5(f"m{number}".encode(), usedforsecurity=False).hexdigest()[:10]


def _exactness(results: list[Any]) -> str:
    newest = {result.newest for result in results if result.newest is not None}
    return f"newest {max(newest):,}" if newest else "exact"


def record(history: History, number: int = 2000) -> None:
    """Measure how many exchanges one thread records in a second."""
    request = Request("POST", "https://provider.example/token", (("Host", "provider.example"),), b"{}")
    waits = []
    for _ in range(number):
        exchange = Exchange(Step.TOKEN, request, END, client_id="demo-app")
        start = time.perf_counter()
        id = history.begin(exchange)
        answered = Exchange(Step.TOKEN, request, END, response=Response(200), client_id="demo-app")
        history.complete(id, answered, documented_error=None, error="", error_description="", entry="", begun=exchange)
        waits.append(time.perf_counter() - start)
    print(
        f"recording: {number / sum(waits):,.0f} exchanges a second in one thread, begun and completed; "
        f"median {median(waits) * 1000:.2f} ms, 99 % within {sorted(waits)[int(number * 0.99)] * 1000:.1f} ms"
    )


def sizes(address: str, rows: int) -> None:
    """Print the disk of the table, of its parts and of each index, per row."""
    with psycopg.connect(address) as connection:

        def size(query: str) -> int:
            return int((connection.execute(query.encode()).fetchone() or (0,))[0] or 0)

        of_parts = "FROM pg_inherits WHERE inhparent = 'exchanges'::regclass"
        heap = size(f"SELECT sum(pg_relation_size(inhrelid)) {of_parts}")
        table = size(f"SELECT sum(pg_table_size(inhrelid)) {of_parts}")
        total = size(f"SELECT sum(pg_total_relation_size(inhrelid)) {of_parts}")
        counts = size("SELECT pg_total_relation_size('exchange_counts')")
        number = size("SELECT count(*) FROM exchange_counts")
        print(
            f"disk: {total / 1e9:.1f} GB, {total / rows:,.0f} octets a row: {heap / rows:,.0f} in the table, "
            f"{(table - heap) / rows:,.0f} beside it"
        )
        print(f"counts: {number:,} rows, {counts / 1e6:,.0f} MB")
        for name, octets in connection.execute(
            "SELECT parent.relname, sum(pg_relation_size(inhrelid)) FROM pg_inherits JOIN pg_class AS parent ON "
            "parent.oid = inhparent WHERE parent.relkind = 'I' GROUP BY 1 ORDER BY 2 DESC"
        ):
            print(f"  {name:<32} {octets / rows:6.1f} octets a row")


def brin(address: str) -> None:
    """Compare an index of ranges of blocks with the one by time, in one month."""
    month = "exchanges_2026_06"
    day = (
        f"SELECT count(*), sum(length(url)) FROM {month} WHERE started_at >= '2026-06-15' AND started_at < '2026-06-16'"
    )
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE INDEX month_brin ON {month} USING brin (started_at)".encode())
        connection.execute(f"VACUUM ANALYZE {month}".encode())
        for name, setting in (("b-tree", "SET enable_bitmapscan = off"), ("BRIN", "SET enable_indexscan = off")):
            connection.execute(f"RESET ALL; SET max_parallel_workers_per_gather = 0; {setting}".encode())
            plan = "".join(row[0] for row in connection.execute(f"EXPLAIN {day}".encode()))
            took = []
            for _ in range(3):
                start = time.perf_counter()
                connection.execute(day.encode()).fetchone()
                took.append((time.perf_counter() - start) * 1000)
            used = "month_brin" if "month_brin" in plan else "b-tree"
            print(f"a day of a month by {name} ({used}): median {median(took):.1f} ms")
        for row in connection.execute(
            "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relname IN ('month_brin', "
            f"'{month}_started_at_id_idx')"
        ):
            print(f"  {row[0]}: {row[1] / 1e6:,.2f} MB")
        connection.execute("DROP INDEX month_brin")


def maintain(history: History, address: str) -> None:
    """Measure a round of upkeep, and the deletion of the oldest months."""
    upkeep = Upkeep(history, lambda: END)
    timed("a round of upkeep", upkeep.round, 3)
    with psycopg.connect(address, autocommit=True) as connection:
        start = time.perf_counter()
        connection.execute("VACUUM exchanges_2026_10")
        print(f"vacuum of a month: {time.perf_counter() - start:.1f} s")
    limit = datetime(2026, 1, 1, 12, tzinfo=UTC)
    start = time.perf_counter()
    announced = announce_older(history, limit, END)
    print(f"before {limit:%Y-%m-%d}: {announced.count:,} exchanges counted in {time.perf_counter() - start:.1f} s")
    start, before = time.perf_counter(), 0
    for gone in delete_older(history, announced, limit, END):
        if not before:
            before = gone or 0
            print(f"  {before:,} dropped in {time.perf_counter() - start:.1f} s")
            start = time.perf_counter()
    print(f"  {(gone or 0) - before:,} of the last day deleted in {time.perf_counter() - start:.1f} s")


def main() -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(description="A large history in PostgreSQL.")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument(
        "--distinct", type=int, default=1_000_000, help="exchanges that are generated; the others are copies"
    )
    arguments = parser.parse_args()
    programs = postgresql.programs()
    if programs is None:
        sys.exit("PostgreSQL is not installed.")
    with postgresql.running_server(programs, durable=True) as server:
        server.execute("ALTER SYSTEM SET shared_buffers = '2GB'")
        server.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
        server.stop()
        server.start()
        address = server.url(server.new_database())
        history = History(address, lambda: END)
        start = time.perf_counter()
        fill(address, history, arguments.rows, arguments.distinct)
        print(f"{arguments.rows:,} exchanges generated in {time.perf_counter() - start:.0f} s", flush=True)
        sizes(address, arguments.rows)
        read(history, arguments.rows)
        if arguments.rows <= arguments.distinct:  # the words of the search are made when a row is added
            record(history)
        brin(address)
        maintain(history, address)
        history.database.engine.dispose()


if __name__ == "__main__":
    main()
