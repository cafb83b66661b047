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
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.browser.conftest import Console, start_console, stop_console
from tests.hostile.session import Session
from tests.servers import postgresql, proxies
from tests.servers.running import free_port, pid_of, running

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
        try:
            await session.open("/")
        except httpx.RemoteProtocolError:  # the proxy kept a connection that the console had just closed
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
    """Measure two consoles behind HAProxy, beside one alone behind it."""
    programs = postgresql.programs()
    if programs is None:
        print("PostgreSQL is not installed.", file=sys.stderr)
        return
    with postgresql.running_server(programs) as server:
        figures = []
        for number in (1, 2):
            address = server.url(server.new_database())
            with behind_proxy(folder / str(number), address, number) as (url, ports):
                pids = [pid_of(port) for port in ports]
                asyncio.run(together(url, 2 * SESSIONS, 2))  # loads what is loaded late
                before, start = [processor(pid) for pid in pids], time.perf_counter()
                presses = len(asyncio.run(together(url, 2 * SESSIONS, EACH)))
                on_the_wall = presses / (time.perf_counter() - start)
                spent = [processor(pid) - one for pid, one in zip(pids, before, strict=True)]
            figures.append((on_the_wall, presses / max(spent)))
            each = " and ".join(f"{seconds:.1f}" for seconds in spent)
            print(f"{number} behind HAProxy: {presses} presses in {each} s of processor", flush=True)
    (wall, rate), (wall_of_two, rate_of_two) = figures
    print(
        f"two consoles serve {rate_of_two / rate:.2f} times one by the processor of the busier (aim: 1.7), and "
        f"{wall_of_two / wall:.2f} times on the wall, with this client, HAProxy and PostgreSQL on the same cores"
    )


@contextmanager
def behind_proxy(folder: Path, database_url: str, number: int) -> Iterator[tuple[str, list[int]]]:
    """Run one or two consoles on one database behind HAProxy; yield their address, and the port of each."""
    outside, *ports = (free_port() for _ in range(1 + number))
    address = f"http://localhost:{outside}"
    environ = {
        "CONSOLE_KEY": proxies.KEY, "CONSOLE_DATABASE_URL": database_url, "CONSOLE_PUBLIC_URL": address
    }  # fmt: skip
    with ExitStack() as stack:
        for port in ports:
            own = {"CONSOLE_HOME": str(folder / str(port)), "CONSOLE_PORT": str(port)}
            stack.enter_context(running([sys.executable, "app.py"], proxies.ROOT, environ | own, port))
        text = proxies.configuration("haproxy-two-consoles.cfg", outside, ports[0], ports[-1])
        text = text.replace("balance roundrobin", "balance leastconn")  # by turns, one would have all WebSockets
        stack.enter_context(proxies.proxy("haproxy", folder / "haproxy", text, outside))
        yield address, ports


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
