"""Health probes of a server, and beside them those of an idle one: what a probe waits for the machine and not for us.

Both the probes and the idle server are processes of their own, so that neither waits for the attack's own work.
"""

import multiprocessing
import os
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

import httpx

INTERVAL = 0.05
"""Seconds between two probes."""

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Wait:
    """A probe: when it was sent, by the monotonic clock, for how long it waited, and the server's work meanwhile.

    ``work`` is processor time of all its threads. All are in seconds. ``memory`` is what its process has resident
    afterwards, in MiB.
    """

    begun: float
    seconds: float
    work: float = 0.0
    memory: int = 0

    @property
    def ended(self) -> float:
        """The time of the response."""
        return self.begun + self.seconds


@dataclass
class Probes:
    """The probes of a server and of an idle one, in order."""

    waits: list[Wait] = field(default_factory=list)
    idle: list[Wait] = field(default_factory=list)

    def machine(self, wait: Wait) -> float:
        """Return the longest that a probe of the idle server waited during this one, in seconds."""
        first = bisect_right(self.idle, wait.begun, key=lambda other: other.ended)
        behind = bisect_left(self.idle, wait.ended, key=lambda other: other.begun)
        return min(wait.seconds, max((other.seconds for other in self.idle[first:behind]), default=0.0))


@contextmanager
def watching(url: str, process: int) -> Iterator[Probes]:
    """Probe an address every ``INTERVAL`` while the block runs; the result is complete after it.

    ``process`` is the id of the server's process.
    """
    context, probes = multiprocessing.get_context("spawn"), Probes()
    from_idle, to_us = context.Pipe(duplex=False)
    idle = context.Process(target=_serve, args=(to_us,), daemon=True)
    idle.start()
    result, to_result = context.Pipe(duplex=False)
    stopped = context.Event()
    arguments = url, f"http://127.0.0.1:{from_idle.recv()}", process, stopped, to_result
    probing = context.Process(target=_probe, args=arguments, daemon=True)
    probing.start()
    result.recv()  # it has begun
    try:
        yield probes
    finally:
        stopped.set()
        probes.waits, probes.idle = result.recv()
        probing.join()
        idle.terminate()
        idle.join()


def _serve(port: Connection) -> None:
    """Serve an empty response to every request, and say the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    port.send(server.server_port)
    server.serve_forever()


def _probe(url: str, idle_url: str, process: int, stopped: Event, result: Connection) -> None:
    probes = Probes()

    def ask(address: str, waits: list[Wait]) -> None:
        with httpx.Client(trust_env=False, timeout=120) as client:
            while not stopped.wait(INTERVAL):
                before, begun = _work(process), time.monotonic()
                client.get(address).raise_for_status()
                seconds = time.monotonic() - begun
                waits.append(Wait(begun, seconds, _work(process) - before, _memory(process)))

    threads = [
        threading.Thread(target=ask, args=arguments)
        for arguments in ((f"{url}/_stcore/health", probes.waits), (idle_url, probes.idle))
    ]
    for thread in threads:
        thread.start()
    result.send("begun")
    for thread in threads:
        thread.join()
    result.send((probes.waits, probes.idle))


def _work(process: int) -> float:
    """Return the processor time of all threads of a process so far, in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024
