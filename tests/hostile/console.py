"""Attack a running console: ``python -m tests.hostile.console [--size 64] [--only NAME]``, for up to 30 minutes.

Four sessions work at once while every hostile shape, of ``--size`` KiB, is pasted on Diagnose, imported on History,
answered to a token request, and sent to ``/callback``. A health probe is sent every 50 ms, to the console and to an
idle server beside it. Printed are the slow probes, each with what the idle server's waited meanwhile (the machine's
part) and the processor time that the console used; the most memory that it had, the rows without an end, and the places
at which the canary secret is found. The exit status is 1 when a limit was exceeded.

It is not part of the test run.
"""

import argparse
import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import httpx

from tests.failures import JSON
from tests.hostile.probe import Wait, watching
from tests.hostile.servers import response, serving
from tests.hostile.session import Session, SessionError
from tests.hostile.shapes import SHAPES
from tests.servers.running import free_port

ROOT = Path(__file__).parent.parent.parent
CANARY = "canary-7f3d9b1e5a2c8046-canary"
LONGEST_PROBE = 1.0
"""Seconds."""
SLOW_PROBE = 0.3
"""Seconds from which a probe is printed."""
SLOWEST = 10
"""Number of the slowest acts that are printed."""
LARGEST = 10
"""Number of the acts that are printed during which the console had the most memory."""
MOST_MEMORY = 400
"""MiB of resident memory of the server's process."""
BIG = {"empty objects", "lines", "pairs"}
"""Shapes that are tried as large files, too."""

LOOK = 0.5
"""Seconds for which a colleague looks at a page, before the next."""

PROFILE = """
name = "Hostile"
authorization_endpoint = "{console}/sandbox/oauth/authorize/"
token_endpoint = "{server}/token"
scope = "read write v2"
"""


async def paste(session: Session, text: str) -> None:
    """Diagnose a text, with a secret in front of it."""
    await session.open("/diagnose")
    await session.fill("diagnose.text", f"client_secret={CANARY}&{text}")
    await session.press("diagnose.read")


async def import_file(session: Session, text: str) -> None:
    """Import a file that begins as a HAR."""
    await session.open("/history")
    entry = f'{{"request": {{"method": "GET", "url": "https://p.example/?client_secret={CANARY}"}}}},'
    content = f'{{"log": {{"entries": [{entry}{text}'.encode("utf-8", "replace")
    await session.upload("history.import.file", "hostile.har", content)
    await session.press("history.import")


async def authorize(session: Session) -> None:
    """Walk to the token request of the hostile provider."""
    await session.open("/")
    await session.fill("walkthrough.provider", "Hostile")
    url = session.widget("authorize.open").url
    await session.press("authorize.open")
    consent = await session.http.post(url, data={"decision": "approve"}, follow_redirects=True)
    consent.raise_for_status()
    await session.until(lambda: session.has("token.send"), "the token request")


@dataclass
class Act:
    """A thing that a session does, and when it began and ended by the monotonic clock, in seconds."""

    name: str
    begun: float = field(default_factory=time.monotonic)
    ended: float = float("inf")

    def is_during(self, wait: Wait) -> bool:
        """Return True if a probe waited meanwhile."""
        return self.begun < wait.ended and self.ended > wait.begun


class Attack:
    """Every shape at one console, in sessions that work at once."""

    def __init__(self, url: str, server: "Changing", texts: Mapping[str, str]) -> None:
        self.server, self.texts = server, texts
        self.sessions = [Session(url) for _ in range(4)]
        self.acts: list[Act] = []
        self.problems: list[str] = []

    async def run(self, minutes: float) -> None:
        """Run the four sessions and the callbacks to their end, for at most these minutes."""
        try:
            async with asyncio.timeout(minutes * 60):
                await self._run()
        except TimeoutError:
            late = ", ".join(act.name for act in self.acts if act.ended == float("inf"))
            self.problems.append(f"Not done after {minutes:g} minutes: {late}")
        for session in self.sessions:
            await session.close()

    async def _run(self) -> None:
        pasting, importing, walking, looking = self.sessions
        colleague = asyncio.create_task(self._look_around(looking))
        await self._act("authorize", partial(authorize, walking), walking)
        try:
            await asyncio.gather(
                self._each("paste", partial(paste, pasting), pasting),
                self._each("import", partial(import_file, importing), importing),
                self._each("answer", self._exchange, walking),
                self._each("callback", self._call_back, walking),
            )
            for shape in BIG & self.texts.keys():
                content = SHAPES[shape](49 * 1024 * 1024).encode("utf-8", "replace")
                await self._act(f"49 MiB of {shape}", partial(self._upload, content), pasting)
        finally:
            colleague.cancel()
            await asyncio.gather(colleague, return_exceptions=True)

    async def _look_around(self, session: Session) -> NoReturn:
        """Do what a colleague does meanwhile: go from page to page, until it is cancelled."""
        while True:
            for path in ("/", "/history", "/errors", "/sandbox-state"):
                await self._act(f"look at {path}", partial(session.open, path), session)
                await asyncio.sleep(LOOK)

    async def _each(self, name: str, attack: Callable[[str], Awaitable[None]], session: Session) -> None:
        for shape, text in self.texts.items():
            await self._act(f"{name} of {shape}", partial(attack, text), session)
        print(f"{name}: done", flush=True)

    async def _act(self, name: str, attack: Callable[[], Awaitable[None]], session: Session) -> None:
        self.acts.append(act := Act(name))
        try:
            await attack()
            if session.has_failed:
                self.problems.append(f"{name}: the page shows an error of its own")
        except (SessionError, httpx.HTTPError) as error:
            self.problems.append(f"{name}: {error!r}")
        act.ended = time.monotonic()

    async def _upload(self, content: bytes) -> None:
        """Upload a file of the largest size to Diagnose and to History."""
        session = self.sessions[0]
        await session.open("/diagnose")
        await session.upload("diagnose.file.0", "big.har", content)
        await session.open("/history")
        await session.upload("history.import.file", "big.har", content)
        await session.press("history.import")

    async def _exchange(self, text: str) -> None:
        self.server.body = f'{{"client_secret": "{CANARY}", "error": {text}'.encode("utf-8", "replace")
        await self.sessions[2].press("token.send")

    async def _call_back(self, text: str) -> None:
        http, query = self.sessions[2].http, f"code={CANARY}&state={CANARY}&{text}"
        await http.get(f"/callback?{quote(query, safe='=&', errors='replace')[:60_000]}")
        form = {"content-type": "application/x-www-form-urlencoded"}
        await http.post("/callback", content=query.encode("utf-8", "replace")[:65_000], headers=form)


@dataclass
class Changing:
    """A token endpoint whose answer is changed from outside."""

    body: bytes = b"{}"

    def __call__(self, connection: socket.socket) -> None:
        response("400 Bad Request", self.body, **JSON)(connection)


def rows_without_an_end(database: Path) -> int:
    """Count the rows with neither a response nor a failure: all but the callbacks should have one."""
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT count(*) FROM exchanges WHERE status IS NULL AND failure = '' AND step <> 'callback'"
        return int(connection.execute(query).fetchone()[0])


def main() -> int:
    """Run the command, and return its exit status."""
    parser = argparse.ArgumentParser("python -m tests.hostile.console", description=__doc__)
    parser.add_argument("--size", type=int, default=64, help="of each text, in KiB")
    parser.add_argument("--only", default="", help="a part of the names of the shapes to try")
    parser.add_argument("--minutes", type=float, default=30, help="the longest time of the attack")
    options = parser.parse_args()
    texts = {name: make(options.size * 1024) for name, make in SHAPES.items() if options.only in name}
    home, changing = Path(tempfile.mkdtemp()) / "home", Changing()
    (home / "providers").mkdir(parents=True)
    with serving(changing) as server:
        port = free_port()
        url = f"http://localhost:{port}"
        (home / "providers" / "hostile.toml").write_text(PROFILE.format(console=url, server=server.url))
        settings = {
            "CONSOLE_HOME": str(home),
            "CONSOLE_PORT": str(port),
            "CONSOLE_CLIENT_HOSTILE_ID": "demo-app",
            "CONSOLE_CLIENT_HOSTILE_SECRET": CANARY,
        }
        log = (home / "log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=os.environ | settings, stdout=log, stderr=log
        )
        try:
            while True:
                with suppress(httpx.TransportError):
                    httpx.get(f"{url}/_stcore/health", trust_env=False).raise_for_status()
                    break
            attack = Attack(url, changing, texts)
            with watching(url, process.pid) as probes:
                asyncio.run(attack.run(options.minutes))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    unended = rows_without_an_end(home / "history.db")
    leaks = [file.name for file in home.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()]
    for act in sorted(attack.acts, key=lambda act: act.begun - act.ended)[:SLOWEST]:
        print(f"{act.name} took {act.ended - act.begun:.1f} s")
    for wait in probes.waits:
        if wait.seconds > SLOW_PROBE:
            parts = f"{probes.machine(wait):.2f} s for the machine, {wait.work:.2f} s of work by the console"
            acts = ", ".join(act.name for act in attack.acts if act.is_during(wait))
            print(f"a probe waited {wait.seconds:.2f} s ({parts}) during {acts}")
    largest = {
        act.name: max((wait.memory for wait in probes.waits if act.is_during(wait)), default=0) for act in attack.acts
    }
    for name in sorted(largest, key=largest.__getitem__)[-LARGEST:]:
        print(f"{largest[name]} MiB during {name}")
    memory = max(largest.values())
    longest = max(wait.seconds for wait in probes.waits)
    excess = max(wait.seconds - probes.machine(wait) for wait in probes.waits)
    idle = max(wait.seconds for wait in probes.idle)
    print(
        f"{len(texts)} shapes of {options.size} KiB; {len(probes.waits)} probes, the longest {longest:.2f} s; ", end=""
    )
    print(f"the idle server's {idle:.2f} s; the most beyond the idle server's {excess:.2f} s")
    print(f"{probes.waits[0].memory} MiB of memory at first, {memory} at most; ", end="")
    print(f"{unended} rows without an end; files with the secret: {leaks or 'none'}")
    for problem in attack.problems:
        print(problem)
    exceeded = longest > LONGEST_PROBE or memory > MOST_MEMORY
    return 1 if exceeded or unended or leaks or attack.problems else 0


if __name__ == "__main__":
    sys.exit(main())
