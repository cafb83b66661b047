"""Attack a running console: ``python -m tests.hostile.console [--size 64] [--only NAME]``, for up to 30 minutes.

Four sessions in one Chromium work at once while every hostile shape, of ``--size`` KiB, is pasted on Diagnose, imported
on History, answered to a token request, and sent to ``/callback``. A health probe is sent every 50 ms.
Printed are the longest wait for a probe, the most memory the server had, the rows without an end, and the places at
which the canary secret is found. The exit status is 1 when a limit was exceeded.

It needs Chromium, and is not part of the test run.
"""

import argparse
import asyncio
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import httpx
from playwright.async_api import BrowserContext, Error, FilePayload, Locator, Page, async_playwright

from tests.failures import JSON
from tests.hostile.servers import response, serving
from tests.hostile.shapes import SHAPES
from tests.servers.running import free_port

ROOT = Path(__file__).parent.parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
CANARY = "canary-7f3d9b1e5a2c8046-canary"
LONGEST_PROBE = 1.0
"""Seconds."""
MOST_MEMORY = 400
"""MiB of resident memory of the server's process."""
BIG = {"empty objects", "lines", "pairs"}
"""Shapes that are tried as large files, too."""

PATIENCE = 180_000
"""Milliseconds that one step of a session may take; a slow one is no breach, a stopped probe is."""

PROFILE = """
name = "Hostile"
authorization_endpoint = "{console}/sandbox/oauth/authorize/"
token_endpoint = "{server}/token"
scope = "read write v2"
"""


@dataclass
class Watch:
    """What was seen of a server: waits for probes in seconds, and memory in MiB."""

    url: str
    process: int
    stopped: threading.Event = field(default_factory=threading.Event)
    longest: float = 0.0
    probes: int = 0
    memory: int = 0
    slow: list[tuple[str, float]] = field(default_factory=list)
    doing: dict[str, str] = field(default_factory=dict)

    def probe(self) -> None:
        """Ask for the health every 50 ms until it is stopped."""
        with httpx.Client(trust_env=False, timeout=120) as client:
            while not self.stopped.wait(0.05):
                begun = time.monotonic()
                client.get(f"{self.url}/_stcore/health").raise_for_status()
                waited = time.monotonic() - begun
                self.probes += 1
                self.longest = max(self.longest, waited)
                if waited > LONGEST_PROBE / 2:
                    self.slow.append((", ".join(self.doing.values()), waited))
                status = Path(f"/proc/{self.process}/status").read_text()
                self.memory = max(self.memory, int(status.partition("VmRSS:")[2].split()[0]) // 1024)


class Session:
    """A tab of the console, driven by the keys of its widgets."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url

    async def open(self, path: str) -> None:
        await self.page.goto(self.url + path)
        await self.settle()

    async def settle(self) -> None:
        """Wait until the page has nothing left to run."""
        await self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        await self.page.wait_for_function(
            "() => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')"
        )

    async def press(self, key: str) -> None:
        await self._at(key).locator("button").first.click()
        await self.settle()

    async def fill(self, key: str, text: str) -> None:
        await self._at(key).locator("input, textarea").first.fill(text)
        await self._at(key).locator("input, textarea").first.press("Tab")
        await self.settle()

    async def upload(self, key: str, name: str, content: bytes) -> None:
        files: FilePayload = {"name": name, "mimeType": "application/json", "buffer": content}
        await self._at(key).locator("input[type=file]").set_input_files(files)
        await self.page.get_by_text(name).first.wait_for()
        await self.settle()

    def _at(self, key: str) -> Locator:
        return self.page.locator(f".st-key-{key.replace('.', '-')}")


async def paste(session: Session, text: str) -> None:
    """Diagnose a text, with a secret in front of it."""
    await session.open("/diagnose")
    await session.fill("diagnose.text", f"client_secret={CANARY}&{text}")
    await session.press("diagnose.read")


async def import_file(session: Session, text: str) -> None:
    """Import a file that begins as a HAR."""
    await session.open("/history")
    await session.press("history.import.open")
    entry = f'{{"request": {{"method": "GET", "url": "https://p.example/?client_secret={CANARY}"}}}},'
    content = f'{{"log": {{"entries": [{entry}{text}'.encode("utf-8", "replace")
    await session.upload("history.import.file", "hostile.har", content)
    await session.press("history.import")


async def authorize(session: Session) -> None:
    """Walk to the token request of the hostile provider."""
    page = session.page
    await session.open("/")
    await page.locator(".st-key-walkthrough-provider input[role=combobox]").click()
    await page.get_by_role("option", name="Hostile").click()
    await session.settle()
    link = page.locator(".st-key-authorize-open a")
    await link.wait_for()
    async with page.context.expect_page() as opened:
        await link.click()
    consent = await opened.value
    await consent.locator("button[value=approve]").click()
    await consent.get_by_text("tab").first.wait_for()
    await consent.close()
    await page.locator(".st-key-callback-details").wait_for()
    await session.settle()


async def look_around(session: Session) -> NoReturn:
    """Do what a colleague does meanwhile: go from page to page, until it is cancelled."""
    while True:
        for path in ("/", "/history", "/errors", "/sandbox-state"):
            await session.open(path)


class Attack:
    """Every shape at one console, in sessions that work at once."""

    def __init__(self, watch: Watch, server: "Changing", texts: Mapping[str, str]) -> None:
        self.watch, self.server, self.texts = watch, server, texts
        self.problems: list[str] = []

    async def run(self, context: BrowserContext) -> None:
        """Run the four sessions and the callbacks to their end."""
        sessions = [Session(await context.new_page(), self.watch.url) for _ in range(4)]
        await authorize(sessions[2])
        colleague = asyncio.create_task(look_around(sessions[3]))
        try:
            await asyncio.gather(
                self._each("paste", lambda text: paste(sessions[0], text), sessions[0]),
                self._each("import", lambda text: import_file(sessions[1], text), sessions[1]),
                self._each("answer", lambda text: self._exchange(sessions[2], text), sessions[2]),
                self._each("callback", self._call_back),
            )
            await self._each_big(sessions[0])
        finally:
            colleague.cancel()
            await asyncio.gather(colleague, return_exceptions=True)

    async def _each(self, name: str, act: Callable[[str], Awaitable[None]], session: Session | None = None) -> None:
        for shape, text in self.texts.items():
            self.watch.doing[name] = f"{name} of {shape}"
            try:
                await act(text)
                if session and await session.page.locator("[data-testid=stException]").count():
                    self.problems.append(f"{name} of {shape}: the page shows a traceback")
            except (Error, httpx.HTTPError) as error:
                self.problems.append(f"{name} of {shape}: {str(error).splitlines()[0]}")
        del self.watch.doing[name]
        print(f"{name}: done", flush=True)

    async def _each_big(self, session: Session) -> None:
        """Upload files of the largest size that Diagnose takes."""
        for shape in BIG & self.texts.keys():
            self.watch.doing["big"] = f"49 MiB of {shape}"
            with tempfile.NamedTemporaryFile(suffix=".har") as file:
                file.write(SHAPES[shape](49 * 1024 * 1024).encode("utf-8", "replace"))
                file.flush()
                for path, key in (("/diagnose", "diagnose.file.0"), ("/history", "history.import.file")):
                    await session.open(path)
                    if path == "/history":
                        await session.press("history.import.open")
                    await session.page.locator(f".st-key-{key.replace('.', '-')} input[type=file]").set_input_files(
                        file.name
                    )
                    await session.page.get_by_text(Path(file.name).name).first.wait_for()
                    await session.settle()
                    if path == "/history":
                        await session.press("history.import")
            print(f"49 MiB of {shape}: done", flush=True)
        self.watch.doing.pop("big", None)

    async def _exchange(self, session: Session, text: str) -> None:
        self.server.body = f'{{"client_secret": "{CANARY}", "error": {text}'.encode("utf-8", "replace")
        await session.press("token.send")

    async def _call_back(self, text: str) -> None:
        query = f"code={CANARY}&state={CANARY}&{text}"
        async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
            await client.get(f"{self.watch.url}/callback?{quote(query, safe='=&', errors='replace')[:60_000]}")
            form = {"content-type": "application/x-www-form-urlencoded"}
            content = query.encode("utf-8", "replace")[:65_000]
            await client.post(f"{self.watch.url}/callback", content=content, headers=form)


@dataclass
class Changing:
    """A token endpoint whose answer is changed from outside."""

    body: bytes = b"{}"

    def __call__(self, connection: socket.socket) -> None:
        response("400 Bad Request", self.body, **JSON)(connection)


async def run(watch: Watch, server: Changing, texts: Mapping[str, str], minutes: float) -> list[str]:
    """Attack for at most these minutes, and return what went wrong."""
    attack = Attack(watch, server, texts)
    async with async_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        context = await browser.new_context()
        context.set_default_timeout(PATIENCE)
        try:
            await asyncio.wait_for(attack.run(context), minutes * 60)
        except TimeoutError:
            attack.problems.append(f"Not done after {minutes:g} minutes: {', '.join(watch.doing.values())}")
        await browser.close()
    return attack.problems


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
            watch = Watch(url, process.pid)
            probing = threading.Thread(target=watch.probe)
            probing.start()
            problems = asyncio.run(run(watch, changing, texts, options.minutes))
            watch.stopped.set()
            probing.join()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    unended = rows_without_an_end(home / "history.db")
    leaks = [file.name for file in home.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()]
    for doing, waited in watch.slow:
        print(f"a probe waited {waited:.2f} s during {doing}")
    print(f"{len(texts)} shapes of {options.size} KiB; {watch.probes} probes, the longest {watch.longest:.2f} s")
    print(f"most memory {watch.memory} MiB; {unended} rows without an end; files with the secret: {leaks or 'none'}")
    for problem in problems:
        print(problem)
    exceeded = watch.longest > LONGEST_PROBE or watch.memory > MOST_MEMORY
    return 1 if exceeded or unended or leaks or problems else 0


if __name__ == "__main__":
    sys.exit(main())
