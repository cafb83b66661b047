"""Retention on two consoles that share PostgreSQL: ``python -m tests.benchmarks.retention [--rows 400000]``.

Two processes run the console's upkeep on a history of which ``--rows`` exchanges are too old, and both record: short
exchanges all the time, and every second one that stays without a response for longer than a console may be silent. It
prints what was deleted and by whom, the longest wait of a recording, and how many live exchanges were marked as lost
while they waited. The last has to be 0.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import psycopg

from oauth.exchange import Exchange, Request, Response, Step
from oauth.history.store import History
from oauth.history.upkeep import GONE, Upkeep
from tests.benchmarks import history_data
from tests.servers import postgresql

DAYS = 30
YOUNG = 20_000
LIVE = GONE + timedelta(seconds=20)
"""Time that a live exchange waits for its response."""


def console(address: str) -> None:
    """Record beside the upkeep until standard input ends; print what came of it as JSON."""
    history = History(address, lambda: datetime.now(UTC))
    deletions: list[str] = []
    upkeep = Upkeep(history, lambda: datetime.now(UTC), DAYS, before_deletion=deletions.append)
    upkeep.start()
    ended = Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        ended.set()

    Thread(target=wait_for_the_end, daemon=True).start()
    waits: list[float] = []
    live: list[tuple[int, float]] = []
    marked = completed = 0
    request = Request("POST", "https://provider.example/token", (("Host", "provider.example"),), b"{}")
    while not ended.wait(0.02):
        exchange = Exchange(Step.TOKEN, request, datetime.now(UTC))
        start = time.monotonic()
        id = history.begin(exchange)
        answered = replace(exchange, response=Response(200))
        history.complete(id, answered, documented_error=None, error="", error_description="")
        waits.append(time.monotonic() - start)
        if not live or live[-1][1] < start - 1:
            live.append((history.begin(exchange), start))
        while live and live[0][1] < start - LIVE.total_seconds():
            id, _ = live.pop(0)
            row = history.get(id)
            marked += row is None or row.exchange.failure is not None
            completed += 1
    rows = [history.get(id) for id, _ in live]
    marked += sum(row is None or row.exchange.failure is not None for row in rows)
    upkeep.stop()
    print(
        json.dumps(
            {
                "deletions": deletions,
                "recordings": len(waits),
                "longest": max(waits),
                "late": sorted(waits)[int(len(waits) * 0.99)],
                "live": completed + len(rows),
                "marked": marked,
            }
        ),
        flush=True,
    )


def main() -> int:
    """Run both consoles until the old exchanges are gone, and print the result."""
    parser = argparse.ArgumentParser(description="Retention on two consoles that share PostgreSQL.")
    parser.add_argument("--rows", type=int, default=400_000, help="exchanges that are too old; default: 400,000")
    parser.add_argument("--console", metavar="ADDRESS", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.console:
        console(arguments.console)
        return 0
    programs = postgresql.programs()
    if programs is None:
        sys.exit("PostgreSQL is not installed.")
    with postgresql.running_server(programs, durable=True) as server:
        address = server.url(server.new_database())
        history = History(address, lambda: datetime.now(UTC))
        history_data.load(history.database, arguments.rows + YOUNG)
        # The newest of them are young, all others older than the retention: the times move, the order stays.
        with psycopg.connect(address, autocommit=True) as connection:
            for age, sign in ((timedelta(days=DAYS + 1), "<="), (timedelta(), ">")):
                these = f"id {sign} {arguments.rows}"
                query = f"SELECT max(started_at)::timestamptz FROM exchanges WHERE {these}"
                (newest,) = connection.execute(query).fetchone() or (None,)
                assert isinstance(newest, datetime)
                connection.execute(
                    "UPDATE exchanges SET started_at = to_char((started_at::timestamp - %s) AT TIME ZONE 'UTC', "
                    f"""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') WHERE {these}""",
                    (newest - datetime.now(UTC) + age,),
                )
            connection.execute("VACUUM ANALYZE exchanges")
        return _run(address, arguments.rows)


def _run(address: str, rows: int) -> int:
    command = [sys.executable, "-m", "tests.benchmarks.retention", "--console", address]
    consoles = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    began = time.monotonic()
    with psycopg.connect(address, autocommit=True) as connection:
        # Some stay: those of flows that have younger exchanges too.
        done = "SELECT count(*) FROM installation WHERE name = 'retention'"
        query = f"SELECT count(*), ({done}) FROM exchanges WHERE id <= %s"
        seconds = None
        # At the least as long as a live exchange waits, so that some of them come to their end.
        while seconds is None or time.monotonic() - began < 1.5 * LIVE.total_seconds():
            time.sleep(2)
            if seconds is None:
                left, is_done = connection.execute(query, (rows,)).fetchone() or (0, 0)
                seconds = time.monotonic() - began if is_done else None
                print(f"{time.monotonic() - began:4.0f} s: {left:,} old exchanges are left", flush=True)
    marked = 0
    for number, process in enumerate(consoles, 1):
        result = json.loads(process.communicate("")[0])
        marked += result["marked"]
        print(
            f"console {number}: deleted {result['deletions'] or 'nothing'}; {result['recordings']:,} recordings, "
            f"99 % within {result['late'] * 1000:.0f} ms, the longest {result['longest'] * 1000:.0f} ms; "
            f"of {result['live']} live exchanges {result['marked']} marked as lost"
        )
    print(f"{rows - left:,} exchanges deleted in {seconds:.0f} s, {marked} live exchanges marked as lost")
    return 1 if marked else 0


if __name__ == "__main__":
    sys.exit(main())
