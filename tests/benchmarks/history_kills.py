"""Killing a loaded console, SIGKILL, at random moments: ``python -m tests.benchmarks.history_kills [--kills 200]``.

The console is ``python app.py``. Several sessions are open in it, each over a websocket as a browser's page is, and
press *Discover* on its *Providers* page again and again: each press sends requests to a server in a process of its own,
which notes each request as it arrives. The console is killed and started anew, and three lists are compared at the end:
what arrived at the server, the presses of which the sessions were shown the result, and the rows of the history. Every
request that arrived has its row, and every exchange of a press that came to its end has its answer in it. The same
history is used from the first kill to the last, in SQLite and in PostgreSQL.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from oauth.history.filters import Filters
from oauth.history.store import History
from tests.servers import postgresql
from tests.servers.running import free_port

ROOT = Path(__file__).parent.parent.parent
SESSIONS = 4
LONGEST_LIFE = 1.5
"""Seconds after its first whole press at which a console is killed at the latest."""

SERVER = """
import asyncio, os, random, sys
noted = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
async def serve(reader, writer):
    try:
        head = await reader.readuntil(b"\\r\\n\\r\\n")
        path = head.split(b" ")[1]
        os.write(noted, path + b"\\n")
        await asyncio.sleep(random.uniform(0, 0.02))
        head = b"HTTP/1.1 404 Not Found\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n" % len(path)
        writer.write(head + path)
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, IndexError):
        pass
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    print("ready", flush=True)
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
    """Kill that many consoles that record into one history."""
    chance = random.Random(seed)
    arrivals, ends = folder / "arrivals", folder / "ends"
    ends.touch()
    with _server(arrivals) as port:
        for number in range(kills):
            _one(address, port, number, folder, chance.uniform(0, LONGEST_LIFE))
    history = History(address, lambda: datetime.now(UTC))
    answers: dict[str, str] = {}
    for row in history.rows(Filters()):
        path = urlsplit(row.exchange.request.url).path
        answers[path] = row.exchange.response.body.decode() if row.exchange.response else ""
    history.database.engine.dispose()
    arrived, pressed = _lines(arrivals), _lines(ends)
    completed = {path for path in arrived if any(part in pressed for part in path.split("/"))}
    return Tally(
        kills,
        len(arrived),
        len(completed),
        sum(not answer for answer in answers.values()),
        arrived - answers.keys(),
        {path for path in completed if answers.get(path) != path},
    )


def _one(address: str, server: int, number: int, folder: Path, life: float) -> None:
    ends, port = folder / "ends", free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONSOLE_", "STREAMLIT_"))}
    home = {"CONSOLE_HOME": str(folder / "home"), "CONSOLE_PORT": str(port), "CONSOLE_DATABASE_URL": address}
    with (
        (folder / "console.log").open("ab") as log,
        subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=kept | home, stdout=log, stderr=log) as console,
    ):
        try:
            _wait(console, lambda: httpx.get(f"http://127.0.0.1:{port}/_stcore/health").is_success)
            sessions = [
                Thread(target=_press, args=(port, f"http://127.0.0.1:{server}", f"{number}-{session}", ends))
                for session in range(SESSIONS)
            ]
            for session in sessions:
                session.start()
            _wait(console, lambda: any(line.startswith(f"{number}-") for line in _lines(ends)))
            time.sleep(life)
        finally:
            console.send_signal(signal.SIGKILL)
        for session in sessions:
            session.join()


def _wait(console: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while True:
        with suppress(httpx.TransportError):
            if condition():
                return
        assert console.poll() is None, "the console ended by itself"
        assert time.monotonic() < deadline, "the console does not do what is waited for"
        time.sleep(0.02)


def _press(port: int, server: str, name: str, ends: Path) -> None:
    """Press *Discover* until the console is killed, and note each press of which the page showed the result."""
    noted = os.open(ends, os.O_WRONLY | os.O_APPEND)
    with suppress(WebSocketException, OSError):
        origin = Origin(f"http://127.0.0.1:{port}")
        stream = f"ws://127.0.0.1:{port}/_stcore/stream"
        with connect(stream, origin=origin, subprotocols=[Subprotocol("streamlit")], max_size=None) as socket:
            keys = _run(socket, {}, "")
            number = 0
            while True:
                number += 1
                marker = f"{name}-{number}"
                _run(socket, keys, f"{server}/{marker}")
                os.write(noted, f"{marker}\n".encode())
    os.close(noted)


def _run(socket: ClientConnection, keys: dict[str, str], issuer: str) -> dict[str, str]:
    """Let the page run to its end, with *Discover* pressed when there is an ``issuer``; gives the widgets by key."""
    message = BackMsg()
    message.rerun_script.page_name = "providers"
    if issuer:
        widgets = message.rerun_script.widget_states.widgets
        widgets.add(id=keys["providers.issuer"], string_value=issuer)
        widgets.add(id=keys["providers.discover"], trigger_value=True)
    socket.send(message.SerializeToString())
    found: dict[str, str] = {}
    while True:
        told = ForwardMsg()
        told.ParseFromString(socket.recv())
        kind = told.WhichOneof("type")
        if kind == "script_finished":
            return found
        if kind == "delta":
            element = told.delta.new_element
            for id in (element.button.id, element.text_input.id):
                found[id.rpartition("-")[2]] = id


def _lines(path: Path) -> set[str]:
    # A line that a kill cut short is no line.
    return {line[:-1] for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")}


@contextmanager
def _server(arrivals: Path) -> Iterator[int]:
    port = free_port()
    arrivals.touch()
    command = [sys.executable, "-c", SERVER, str(port), str(arrivals)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
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
        url = f"sqlite:///{folder}/history.db"
        tallies["SQLite"] = _told("SQLite", run(url, arguments.kills, Path(folder), arguments.seed))
    programs = postgresql.programs()
    if programs is not None:
        with postgresql.running_server(programs, durable=True) as server, tempfile.TemporaryDirectory() as folder:
            url = server.url(server.new_database())
            tallies["PostgreSQL"] = _told("PostgreSQL", run(url, arguments.kills, Path(folder), arguments.seed))
    if any(tally.without_row or tally.lost for tally in tallies.values()):
        sys.exit(1)


def _told(name: str, tally: Tally) -> Tally:
    print(
        f"{name}: {tally.kills} kills, {tally.arrived:,} requests arrived, {tally.completed:,} completed; "
        f"{tally.unanswered:,} rows without an answer; without a row {len(tally.without_row)}, lost {len(tally.lost)}",
        flush=True,
    )
    return tally


if __name__ == "__main__":
    main()
