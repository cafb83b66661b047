"""What recording adds to a request: ``python -m tests.benchmarks.history_recording [--database ADDRESS]``.

A token request goes over loopback to a server in a process of its own that answers at once. Each way of sending it is
measured in rounds that take turns, and the fastest round of each counts. "Recorded" is the row before, durable when the
request is sent, and the answer after, redacted and recognised. The search index is made later, by upkeep or by the next
reader: what that costs an exchange is measured apart.

"The same request by bare httpx" has three readings, each stricter than the one before: ``httpx.post``, which makes a
client with a TLS context for the request; a client made for the request with a context that is there already; and a
client that keeps its connection. The console opens a connection for every request on purpose.

Each of them goes to a server that does nothing but answer, which no server does, and the last one to a usual one too,
Python's own ``http.server``. When the aim was set, two plain SQLAlchemy commits were measured at 1.49 beside a request
that was slower still. So the share is printed that recording has in what those commits add: the aim is 0.3 / 0.49.
"""

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, update

from oauth import wire
from oauth.client import send
from oauth.connection_settings import ConnectionSettings
from oauth.exchange import Exchange, Request, Response, Step
from oauth.history.store import History
from oauth.recorder import Recorder
from oauth.redaction import Vault
from tests.servers import postgresql
from tests.servers.running import free_port

AIM = 1.3
SHARE = (AIM - 1) / (1.49 - 1)
BARE, PLAIN, RECORDED = "httpx, its connection kept", "two plain SQLAlchemy commits", "the same, recorded"
INDEXING = "the search index, later"
SECRET = "0123456789abcdef0123456789abcdef01234567"
HEADERS = (
    ("Content-Type", "application/json"),
    ("Accept", "application/json"),
    ("User-Agent", "console"),
)

SERVER = """
import asyncio, json, sys
body = json.dumps({"access_token": "b" * 40, "refresh_token": "c" * 40, "expires_in": 86400, "token_type": "bearer",
    "scope": "read write v2"}).encode()
head = "HTTP/1.1 200 OK", "Content-Type: application/json", "X-Request-Id: 4f1c", f"Content-Length: {len(body)}"
answer = "\\r\\n".join([*head, "", ""]).encode() + body
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            length = int(next(line for line in head.lower().splitlines() if line.startswith(b"content-length"))[15:])
            await reader.readexactly(length)
            writer.write(answer)
            if b"connection: close" in head.lower():
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""


USUAL_SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
body = json.dumps({"access_token": "b" * 40, "refresh_token": "c" * 40, "expires_in": 86400, "token_type": "bearer",
    "scope": "read write v2"}).encode()
class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Request-Id", "4f1c")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@contextmanager
def answering(server: str = SERVER) -> Iterator[str]:
    """A server that answers every request with tokens."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", server, str(port)]) as process:
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                except ConnectionRefusedError:
                    assert process.poll() is None, "the server ended by itself"
                    time.sleep(0.05)
                else:
                    break
            yield f"http://127.0.0.1:{port}/api/open/oauth/token"
        finally:
            process.kill()


def exchange(url: str) -> Exchange:
    """The request that is sent, as the walkthrough builds it."""
    fields = {
        "grant_type": "authorization_code",
        "client_id": "demo-app",
        "client_secret": SECRET,
        "code": SECRET[::-1],
    }
    body = json.dumps(fields | {"scope": "read write v2"}).encode()
    host = httpx.URL(url).netloc.decode()
    headers = (("Host", host), *HEADERS, ("Content-Length", str(len(body))))
    request = Request("POST", url, headers, body)
    return Exchange(Step.TOKEN, request, datetime.now(UTC), flow="f", provider="sandbox", client_id="demo-app")


def ways(url: str, history: History) -> dict[str, Callable[[], object]]:
    """The ways of sending it, by name."""
    sent = exchange(url)
    headers = dict(sent.request.headers)
    vault = Vault(b"k" * 32)
    vault.add("client_secret", SECRET)
    recorder = Recorder(history, vault)
    kept = httpx.Client(trust_env=False)
    context = httpx.create_ssl_context()
    connection = ConnectionSettings()

    def bare() -> httpx.Response:
        return kept.post(url, headers=headers, content=sent.request.body)

    def bare_anew() -> httpx.Response:
        with httpx.Client(trust_env=False, verify=context) as client:
            return client.post(url, headers=headers | {"Connection": "close"}, content=sent.request.body)

    def bare_call() -> httpx.Response:
        return httpx.post(url, headers=headers | {"Connection": "close"}, content=sent.request.body, trust_env=False)

    def recorded(post: Callable[[], httpx.Response]) -> None:
        begun = recorder.begin(sent)
        answer = post()
        told = tuple((name.decode(), value.decode()) for name, value in answer.headers.raw)
        recorder.complete(begun, replace(begun.live, response=Response(200, "OK", told, answer.content), duration_ms=1))

    redacted = vault.redact(sent)
    answered = vault.redact(replace(sent, response=Response(200, "OK", (), bare().content), duration_ms=1))

    def rows_alone() -> None:
        id = history.begin(redacted)
        bare()
        history.complete(id, answered, documented_error=None, error="", error_description="", begun=redacted)

    plain = Table("plain", MetaData(), Column("id", Integer, primary_key=True), Column("a", Text), Column("b", Text))
    engine = history.database.engine
    with history.database.writing() as open_connection:
        plain.create(open_connection, checkfirst=True)

    def plain_commits() -> None:
        with engine.begin() as begun:
            id = begun.execute(insert(plain).values(a=body).returning(plain.c.id)).scalar_one()
        bare()
        with engine.begin() as begun:
            begun.execute(update(plain).where(plain.c.id == id).values(b=body))

    body = sent.request.body.decode()
    return {
        BARE: bare,
        PLAIN: plain_commits,
        "the two rows' writes alone": rows_alone,
        RECORDED: lambda: recorded(bare),
        "httpx, a client each time": bare_anew,
        "a client each time, recorded": lambda: recorded(bare_anew),
        "httpx.post": bare_call,
        "httpx.post, recorded": lambda: recorded(bare_call),
        "the console, not recorded": lambda: wire.exchange(sent.request, connection, recorder.policy),
        "the console": lambda: send(sent, recorder, connection=connection),
    }


def measured(
    found: dict[str, Callable[[], object]], history: History, requests: int, rounds: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Seconds a request, of the fastest round of each, and what the search index took a row beside it."""
    best = dict.fromkeys([*found, INDEXING], float("inf"))
    for name in [*found] * (rounds + 1):
        # Each of these takes tens of milliseconds.
        number = requests // 5 if name.startswith("httpx.post") else requests
        started = clock()
        for _ in range(number):
            found[name]()
        ended = clock()
        with history.database.reading():
            pass  # what was recorded is now in the search index
        best[name] = min(best[name], (ended - started) / number)
        if name == RECORDED:
            best[INDEXING] = min(best[INDEXING], (clock() - ended) / number)
        history.database.checkpoint()
    return best


def main() -> None:
    """Measure and print, in SQLite and in PostgreSQL."""
    parser = argparse.ArgumentParser(description="What recording adds to a request.")
    parser.add_argument("--requests", type=int, default=300, help="of each round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=10, help="of each way (default: %(default)s)")
    parser.add_argument("--cpu", action="store_true", help="this process's CPU time, for a machine that is busy")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, answering() as url, answering(USUAL_SERVER) as usual:
        _print("SQLite", f"sqlite:///{Path(folder) / 'history.db'}", url, usual, arguments)
        programs = postgresql.programs()
        if programs is None:
            print("\nPostgreSQL is not installed")
            return
        with postgresql.running_server(programs, durable=True) as server:
            _print("PostgreSQL", server.url(server.new_database()), url, usual, arguments)


def _print(name: str, address: str, url: str, usual: str, arguments: argparse.Namespace) -> None:
    history = History(address, lambda: datetime.now(UTC))
    clock = time.process_time if arguments.cpu else time.perf_counter
    found = measured(ways(url, history), history, arguments.requests, arguments.rounds, clock)
    to_usual = {way: send for way, send in ways(usual, history).items() if way in (BARE, PLAIN, RECORDED)}
    beside = measured(to_usual, history, arguments.requests, arguments.rounds, clock)
    history.database.engine.dispose()
    bare, plain, rows, recorded, anew, recorded_anew, call, recorded_call, unrecorded, console, _ = found.values()
    print(f"\n{name}")
    for way, seconds in found.items():
        print(f"  {way:<32} {seconds * 1e6:>7.0f} us")
    print(
        f"  httpx.post, recorded, to the same without:                         {recorded_call / call:.2f} (aim {AIM})"
    )
    print(f"  a client each time, recorded, to the same without:                 {recorded_anew / anew:.2f}")
    print(f"  connection kept, two plain SQLAlchemy commits, to the same without: {plain / bare:.2f}")
    print(f"  connection kept, the rows' writes alone, to the same without:      {rows / bare:.2f}")
    print(f"  connection kept, recorded, to the same without:                    {recorded / bare:.2f}")
    print(f"  the console, to the same without recording:                        {console / unrecorded:.2f}")
    print(f"  the console, to httpx with a client each time:                     {console / anew:.2f}")
    print(f"  recorded, as a share of the two plain commits:                     {_share(found):.2f} (aim {SHARE:.2f})")
    print("  a usual server")
    for way in to_usual:
        print(f"  {way:<32} {beside[way] * 1e6:>7.0f} us, {beside[way] / beside[BARE]:.2f}")
    print(
        f"  recorded, as a share of the two plain commits:                     {_share(beside):.2f} (aim {SHARE:.2f})"
    )


def _share(found: Mapping[str, float]) -> float:
    return (found[RECORDED] - found[BARE]) / (found[PLAIN] - found[BARE])


if __name__ == "__main__":
    main()
