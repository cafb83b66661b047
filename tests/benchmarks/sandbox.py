"""The sandbox beside two other servers, and its snapshots: ``python -m tests.benchmarks.sandbox``.

Needs Linux, npm and the network the first time. The others are installed in ``--folder``, a temporary one if none is
given. Rounds are in turn and the median counts, so that what else the machine does falls on all. Processor time is
that of the server and its children, without the client's.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx

import oauth  # noqa: F401  # it finds the sandbox's package
from oauth_sandbox import snapshots
from oauth_sandbox.clock import utc_now
from oauth_sandbox.provider import Sandbox
from tests.benchmarks.sandbox_load import load
from tests.benchmarks.sandbox_servers import Server, django_oauth_toolkit, oidc_provider, sandbox
from tests.servers.running import running

CONNECTIONS = (1, 4)
PAIRS = 30_000
"""Access and refresh tokens in the snapshot, each."""
TICK = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The sandbox beside oidc-provider and django-oauth-toolkit.")
    parser.add_argument("--seconds", type=float, default=3, help="of load in each round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="of each server (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=1_000_000, help="to issue for the memory (default: %(default)s)")
    parser.add_argument("--longest", type=float, default=300, help="seconds for these tokens (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where the other servers are, or will be, installed")
    parser.add_argument("--python", default=sys.executable, help="for the sandbox, of this version (default: this one)")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = (arguments.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        servers = [
            sandbox(arguments.python),
            oidc_provider(folder / "oidc-provider"),
            django_oauth_toolkit(folder / "django"),
        ]
        _print_starts(servers, arguments.rounds)
        _print_restoring(sandbox(arguments.python, "--snapshot", str(folder / "snapshot.json")), arguments.rounds)
        pids = {it.name: stack.enter_context(running(it.command, it.folder, it.environ, it.port)).pid for it in servers}
        for server in servers:
            load(server.url, 1, 0)
        idle = {name: _memory(pid) for name, pid in pids.items()}
        _print_speeds(servers, pids, arguments.rounds, arguments.seconds)
        print(f"\n{'memory, PSS':<22} {'idle':>9} {'after':>9} {'tokens':>12}")
        for server in servers:
            tokens = _issue(server, arguments.tokens, arguments.longest)
            after = _memory(pids[server.name])
            print(f"{server.name:<22} {idle[server.name]:>5.0f} MiB {after:>5.0f} MiB {tokens:>12,}", flush=True)


def _print_starts(servers: list[Server], rounds: int) -> None:
    starts: dict[str, list[tuple[float, float]]] = {server.name: [] for server in servers}
    for _ in range(rounds + 1):
        for server in servers:
            starts[server.name].append(_start(server))
    print(f"{'start':<22} {'first token':>12} {'processor':>12}")
    for name, values in starts.items():
        wall, processor = (statistics.median(column) for column in zip(*values[1:], strict=True))
        print(f"{name:<22} {wall:>10.2f} s {processor:>10.2f} s", flush=True)


def _start(server: Server) -> tuple[float, float]:
    """Return the seconds until a new process has given a token, and its processor time until then."""
    begun = time.perf_counter()
    with running(server.command, server.folder, server.environ, server.port) as process:
        load(server.url, 1, 0)
        return time.perf_counter() - begun, _processor(process.pid)


def _print_restoring(server: Server, rounds: int) -> None:
    full, times = Sandbox(utc_now), list[tuple[float, float]]()
    client = full.client("demo-app")
    for _ in range(PAIRS):
        full.issue_tokens(client.client_id, client.scopes, user_id=next(iter(full.users)))
    snapshots.write(Path(server.command[-1]), [full])
    started, _ = _start(server)
    with running(server.command, server.folder, server.environ, server.port) as process:
        control = f"http://127.0.0.1:{server.port}/control/snapshot"
        body, json = httpx.get(control, timeout=60).content, {"Content-Type": "application/json"}
        for _ in range(rounds):
            begun, before = time.perf_counter(), _processor(process.pid)
            httpx.put(control, content=body, headers=json, timeout=60).raise_for_status()
            times.append((time.perf_counter() - begun, _processor(process.pid) - before))
    wall, processor = (statistics.median(column) for column in zip(*times, strict=True))
    print(
        f"\nsnapshot of {2 * PAIRS:,} tokens: restored over the control in {wall:.2f} s, {processor:.2f} s of the "
        f"processor; first token {started:.2f} s after a start with it"
    )


def _print_speeds(servers: list[Server], pids: dict[str, int], rounds: int, seconds: float) -> None:
    for connections in CONNECTIONS:
        speeds: dict[str, list[tuple[float, float]]] = {server.name: [] for server in servers}
        for number in range(rounds + 1):
            for server in servers:
                before = _processor(pids[server.name])
                tokens, took = load(server.url, connections, seconds)
                if number:  # the first one warms them up
                    used = _processor(pids[server.name]) - before
                    speeds[server.name].append((tokens / took, tokens / used))
        print(
            f"\n{f'connections: {connections}':<22} {'tokens/s':>9} {'to the faster':>14} "
            f"{'tokens/processor s':>19} {'to the faster':>14}"
        )
        medians = {name: [statistics.median(column) for column in zip(*it, strict=True)] for name, it in speeds.items()}
        fastest = [max(column) for column in zip(*list(medians.values())[1:], strict=True)]
        for name, (wall, processor) in medians.items():
            print(
                f"{name:<22} {wall:>9,.0f} {wall / fastest[0]:>14.2f} {processor:>19,.0f} "
                f"{processor / fastest[1]:>14.2f}",
                flush=True,
            )


def _issue(server: Server, tokens: int, longest: float) -> int:
    """Return how many tokens were issued in that time."""
    issued, end = 0, time.perf_counter() + longest
    while issued < tokens and time.perf_counter() < end:
        issued += load(server.url, max(CONNECTIONS), seconds=2)[0]
    return issued


def _processes(pid: int) -> Iterator[int]:
    """Yield a process, its children and theirs."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            yield from _processes(int(child))


def _processor(pid: int) -> float:
    """Return the seconds of processor time that a process and its children have used."""
    seconds = 0.0
    for process in _processes(pid):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / TICK
    return seconds


def _memory(pid: int) -> float:
    """Return the memory of a process and its children in MiB, with its part of what it shares."""
    rollups = (Path(f"/proc/{process}/smaps_rollup").read_text() for process in _processes(pid))
    return sum(int(line.split()[1]) for text in rollups for line in text.splitlines() if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    main()
