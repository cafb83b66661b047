"""Many sessions at once: ``python -m tests.benchmarks.load [--two] [--memory]``.

Sessions are held over Streamlit's WebSocket without a browser, which would cost more than the console. Figures are the
processor time of the server's process, as far as they can be: other work on the machine changes wall times.
"""

import argparse
import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.browser.conftest import Console, start_console, stop_console
from tests.hostile.session import Session
from tests.servers import postgresql, proxies

PRESSES = 60
"""Presses of the session that is alone."""

SESSIONS = 10
"""Sessions that press at once, each as soon as its page is drawn."""

EACH = 15
"""Presses of each of these."""

WAITING = 20
"""Pages that wait for a callback."""

WATCHED = 15
"""Seconds for which they are watched."""

MANY = 500
"""Presses after which the memory is compared."""

TICK = os.sysconf("SC_CLK_TCK")


def processor(pid: int) -> float:
    """Return the processor time of a process in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pid: int) -> int:
    """Return the resident memory of a process in MiB."""
    size = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert size is not None
    return int(size[1]) // 1024


async def opened(url: str, number: int) -> list[Session]:
    """Open the walkthrough in so many sessions."""
    sessions = [Session(url) for _ in range(number)]
    for session in sessions:
        await session.open("/")
    return sessions


async def press(session: Session, number: int) -> float:
    """Press in another step, which draws the whole page, and return the seconds until it is drawn.

    Every other press opens a step, and the others send a token request without a code, which the sandbox in the same
    process refuses: the page then has an exchange and its error card.
    """
    start = time.perf_counter()
    await session.press("token.send" if number % 2 else "rail.token")
    return time.perf_counter() - start


async def closed(sessions: list[Session], work: Awaitable[list[float]]) -> list[float]:
    """Return what the work gives, with the sessions closed."""
    try:
        return await work
    finally:
        for session in sessions:
            await session.close()


async def alone(url: str, presses: int, *, settled: Callable[[], object] = lambda: None) -> list[float]:
    """Press so often in one session, and call ``settled`` after the first presses, which load what is loaded late."""
    sessions = await opened(url, 1)

    async def work() -> list[float]:
        for number in range(8):
            await press(sessions[0], number)
        settled()
        return [await press(sessions[0], number) for number in range(presses)]

    return await closed(sessions, work())


async def together(url: str, number: int, each: int, *, settled: Callable[[], object] = lambda: None) -> list[float]:
    """Press at once in many sessions."""
    sessions = await opened(url, number)

    async def one(session: Session) -> list[float]:
        return [await press(session, number) for number in range(each)]

    async def work() -> list[float]:
        settled()
        return [seconds for its in await asyncio.gather(*map(one, sessions)) for seconds in its]

    return await closed(sessions, work())


async def waiting(console: Console) -> float:
    """Return the part of a core that pages which wait for a callback need."""
    sessions = await opened(console.url, WAITING)
    for session in sessions:
        await session.press("authorize.open")
        await session.press("rail.callback")

    async def work() -> list[float]:
        before = processor(console.process.pid)
        await asyncio.sleep(WATCHED)
        return [(processor(console.process.pid) - before) / WATCHED]

    (share,) = await closed(sessions, work())
    return share


def measure_one(folder: Path, *, with_memory: bool) -> None:
    """Measure one console."""
    console = start_console(folder / "home")
    pid, begun = console.process.pid, [0.0]

    def begin() -> None:
        begun[0] = processor(pid)

    try:
        asyncio.run(alone(console.url, PRESSES, settled=begin))
        cost = (processor(pid) - begun[0]) / PRESSES
        print(f"a press costs {cost * 1000:.0f} ms of processor (aim: 90)", flush=True)
        took = asyncio.run(together(console.url, SESSIONS, EACH, settled=begin))
        spent = processor(pid) - begun[0]
        print(
            f"{SESSIONS} sessions: median {statistics.median(took):.2f} s, "
            f"p95 {statistics.quantiles(took, n=20)[-1]:.2f} s (aim: 1.5), {spent / len(took) * 1000:.0f} ms of "
            "processor a press",
            flush=True,
        )
        share = asyncio.run(waiting(console))
        print(f"{WAITING} waiting pages need {share:.0%} of a core (aim: 15%)", flush=True)
        if with_memory:
            sizes: list[int] = []
            for _ in range(3):
                asyncio.run(alone(console.url, MANY // 2, settled=lambda: sizes.append(memory(pid))))
            print(f"memory: {', '.join(map(str, sizes))} MiB, with {MANY // 2} presses between two figures", flush=True)
    finally:
        stop_console(console)


def measure_two(folder: Path) -> None:
    """Measure two consoles behind HAProxy, beside one of them alone behind it."""
    programs = postgresql.programs()
    if programs is None:
        print("PostgreSQL is not installed.", file=sys.stderr)
        return
    with postgresql.running_server(programs) as server:
        address = server.url(server.new_database())
        with proxies.two_consoles(folder, address) as (url, ports):
            pids = [pid_of(port) for port in ports]
            asyncio.run(together(url, 2 * SESSIONS, 2))  # loads what is loaded late
            before = [processor(pid) for pid in pids]
            start = time.perf_counter()
            took = asyncio.run(together(url, 2 * SESSIONS, EACH))
            wall = time.perf_counter() - start
            spent = [processor(pid) - one for pid, one in zip(pids, before, strict=True)]
            start = time.perf_counter()
            alone_took = asyncio.run(together(f"http://localhost:{ports[0]}", 2 * SESSIONS, EACH))
            wall_of_one = time.perf_counter() - start
    print(
        f"two consoles: {len(took)} presses, processor {spent[0]:.1f} and {spent[1]:.1f} s: "
        f"{sum(spent) / max(spent):.2f} times one (aim: 1.7); "
        f"on the wall {(len(took) / wall) / (len(alone_took) / wall_of_one):.2f} times, with this client and "
        "PostgreSQL on the same cores"
    )


def pid_of(port: int) -> int:
    """Return the process that listens on a port."""
    listening = f":{port:04X}"
    inode = next(
        fields[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if (fields := line.split())[1].endswith(listening) and fields[3] == "0A"
    )
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(file.readlink()) == f"socket:[{inode}]" for file in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue  # it has ended, or is another user's
    raise LookupError(f"Nothing listens on port {port}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Many sessions at once.")
    parser.add_argument("--two", action="store_true", help="measure two consoles behind HAProxy, not one")
    parser.add_argument("--memory", action="store_true", help=f"watch the memory over {MANY} presses, too")
    arguments = parser.parse_args()
    cores, load = os.cpu_count(), os.getloadavg()[0]
    print(f"{cores} cores, load {load:.1f} before" + ("; wall times mean little" if load > 1 else ""), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.two:
            measure_two(Path(folder))
        else:
            measure_one(Path(folder), with_memory=arguments.memory)


if __name__ == "__main__":
    main()
