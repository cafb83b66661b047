"""Killing a loaded console, SIGKILL, at random moments: ``python -m tests.benchmarks.history_kills [--kills 200]``.

A process sends requests from several threads as the console does, to a server in a process of its own that notes each
request as it arrives. It is killed, and three lists are compared: what arrived at the server, what the sending threads
were told, and the rows of the history. Every request that arrived has its row, and every exchange that came to its end
has its answer in it. The same history is used from the first kill to the last, in SQLite and in PostgreSQL.
"""

import argparse
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from oauth.client import Recorder, send
from oauth.exchange import Exchange, Request, Step
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.redaction import Vault
from tests.servers import postgresql
from tests.servers.running import free_port

THREADS = 4
LONGEST_LIFE = 0.6
"""Seconds after its first whole exchange at which a process is killed at the latest."""

SERVER = """
import asyncio, os, sys
noted = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
async def serve(reader, writer):
    try:
        head = await reader.readuntil(b"\\r\\n\\r\\n")
        number = head.split(b"?number=")[1].split(b" ")[0]
        os.write(noted, number + b"\\n")
        head = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n" % len(number)
        writer.write(head + number)
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, IndexError):
        pass
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""


@dataclass(frozen=True)
class Tally:
    """What a run came to. ``without_row`` arrived and is not kept, ``lost`` was completed and has no answer."""

    kills: int
    arrived: int
    completed: int
    unanswered: int
    without_row: set[str]
    lost: set[str]


def run(address: str, kills: int, folder: Path, seed: int = 1) -> Tally:
    """Kill that many processes that record into one history."""
    chance = random.Random(seed)
    arrivals, ends = folder / "arrivals", folder / "ends"
    ends.touch()
    with _server(arrivals) as port:
        for number in range(kills):
            _one(address, port, number, ends, chance.uniform(0, LONGEST_LIFE))
    history = History(address, lambda: datetime.now(UTC))
    answers: dict[str, str] = {}
    for row in history.rows(Filters()):
        marker = parse_qs(urlsplit(row.exchange.request.url).query)["number"][0]
        answers[marker] = row.exchange.response.body.decode() if row.exchange.response else ""
    history.database.engine.dispose()
    arrived, completed = _markers(arrivals), _markers(ends)
    return Tally(
        kills,
        len(arrived),
        len(completed),
        sum(not answer for answer in answers.values()),
        arrived - answers.keys(),
        {marker for marker in completed if answers.get(marker) != marker},
    )


def _one(address: str, port: int, number: int, ends: Path, life: float) -> None:
    process = multiprocessing.get_context("fork").Process(target=_load, args=(address, port, number, ends))
    process.start()
    deadline = time.monotonic() + 60
    while not any(marker.startswith(f"{number}-") for marker in _markers(ends)):
        assert process.is_alive(), "the process ended by itself"
        assert time.monotonic() < deadline, "no exchange came to its end"
        time.sleep(0.01)
    time.sleep(life)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL


def _load(address: str, port: int, process: int, ends: Path) -> None:
    """Send without a pause from several threads, and note each exchange that came to its end."""
    history = History(address, lambda: datetime.now(UTC))
    noted = os.open(ends, os.O_WRONLY | os.O_APPEND)

    def go_on(thread: int) -> None:
        recorder, number = Recorder(history, Vault(b"k" * 32)), 0
        while True:
            number += 1
            marker = f"{process}-{thread}-{number}"
            request = Request("GET", f"http://127.0.0.1:{port}/?number={marker}", (("Host", f"127.0.0.1:{port}"),))
            done = send(Exchange(Step.API, request, datetime.now(UTC), flow=str(process)), recorder)
            if done.response is not None and not recorder.problem:
                os.write(noted, f"{marker}\n".encode())

    threads = [Thread(target=go_on, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _markers(path: Path) -> set[str]:
    # A line that a kill cut short is no line.
    return {line[:-1] for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")}


@contextmanager
def _server(arrivals: Path) -> Iterator[int]:
    port = free_port()
    arrivals.touch()
    with subprocess.Popen([sys.executable, "-c", SERVER, str(port), str(arrivals)]) as process:
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                except ConnectionRefusedError:
                    time.sleep(0.05)
                else:
                    break
            yield port
        finally:
            process.kill()


def main() -> None:
    """Kill and compare, in SQLite and in PostgreSQL; exit status 1 when anything was lost."""
    parser = argparse.ArgumentParser(description="Kill a loaded console at random moments.")
    parser.add_argument("--kills", type=int, default=200, help="of each database (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as folder:
        tallies["SQLite"] = run(f"sqlite:///{folder}/history.db", arguments.kills, Path(folder), arguments.seed)
    programs = postgresql.programs()
    if programs is not None:
        with postgresql.running_server(programs, durable=True) as server, tempfile.TemporaryDirectory() as folder:
            url = server.url(server.new_database())
            tallies["PostgreSQL"] = run(url, arguments.kills, Path(folder), arguments.seed)
    for name, tally in tallies.items():
        print(
            f"{name}: {tally.kills} kills, {tally.arrived:,} requests arrived, {tally.completed:,} completed; "
            f"{tally.unanswered:,} rows without an answer; without a row {len(tally.without_row)}, "
            f"lost {len(tally.lost)}"
        )
    if any(tally.without_row or tally.lost for tally in tallies.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
