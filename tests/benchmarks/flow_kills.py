"""Stopping a console in the middle of a flow, in Chromium: ``python -m tests.benchmarks.flow_kills [--times 20]``.

A tab walks through a flow at a provider in this process, which counts how often each code arrives. At a random moment
the console behind the tab is killed (``kill -9``) and started anew, with SQLite and with PostgreSQL; or it is stopped
(SIGTERM) while another console with the same database takes its place, as in a rolling restart. Then the tab is read:

- *resumed*: it shows the same flow, with everything that it had before
- *told*: it names the flow that was lost, or the request of which no response was recorded
- *false*: anything else, or a code that was sent twice without a press

Exit status 1 when anything was false.
"""

import argparse
import json
import random
import re
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, TimeoutError, sync_playwright

from tests.browser.conftest import FLAGS, PATIENCE, Console, Walk, chromium, start_console, stop_console
from tests.servers import postgresql
from tests.servers.cable import Cable
from tests.servers.running import free_port

PROFILE = """
name = "Provider"
authorization_endpoint = "{url}/authorize"
token_endpoint = "{url}/token"
api = "{url}/api"
scope = "read"
"""
CLIENT = {"CONSOLE_CLIENT_PROVIDER_ID": "client", "CONSOLE_CLIENT_PROVIDER_SECRET": "secret-of-the-client"}
MOMENTS = ("typed", "opened", "returned", "sending", "tokens")
"""What the tab has done when its console is stopped."""

LONGEST_SECONDS = 60


class Provider(BaseHTTPRequestHandler):
    """Approves every authorization, and issues a token for every code; ``arrived`` counts the codes."""

    arrived: ClassVar[Counter[str]] = Counter()
    delay = 0.0

    def do_GET(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if "redirect_uri" not in query:
            self.send_error(404)
            return
        self.send_response(302)
        self.send_header("Location", f"{query['redirect_uri']}?code={secrets.token_hex(20)}&state={query['state']}")
        self.end_headers()

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.arrived[body["code"][0]] += 1
        time.sleep(self.delay)
        answer = {"access_token": secrets.token_hex(20), "token_type": "bearer", "expires_in": 3600}
        text = json.dumps(answer).encode()
        with suppress(ConnectionError):  # the console that asked was killed
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def provider() -> Iterator[str]:
    """Run the provider; yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()


def walk_until(walk: Walk, moment: str, chance: random.Random) -> str:
    """Begin a flow and go on until a moment; return the flow's id."""
    walk.press("walkthrough.start_over")
    walk.at("authorize.open").wait_for()
    walk.settle()
    walk.type("walkthrough.case", "T-1")
    flow = shown(walk.page)
    if moment == "typed":
        return flow
    walk.reach("authorize.open")
    with walk.page.context.expect_page() as opened:
        walk.at("authorize.open").locator("a").click()
    opened.value.get_by_role("heading", name="Callback received").wait_for()
    opened.value.close()
    if moment == "opened":
        return flow
    walk.at("step.token").wait_for()
    walk.settle()
    if moment == "returned":
        return flow
    Provider.delay = 2.0 if moment == "sending" else 0.0
    before = Provider.arrived.total()
    walk.reach("token.send")
    walk.at("token.send").locator("button").first.click()
    if moment == "sending":
        until(lambda: Provider.arrived.total() > before)
        time.sleep(chance.uniform(0, 1))
    else:
        walk.at("tokens").wait_for()
        walk.settle()
    return flow


def shown(page: Page) -> str:
    """Return the id of the flow that a tab shows."""
    return page.get_by_text(re.compile(r"^Flow [0-9a-f]{10}$")).inner_text().removeprefix("Flow ")


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "what is waited for does not happen"
        time.sleep(0.02)


def outcome(walk: Walk, flow: str, moment: str) -> str:
    """Read the tab after its console was stopped: resumed, told, or a description of what is false."""
    walk.page.locator("[data-testid=stApp][data-test-connection-state=CONNECTED]").wait_for()
    lost, sending = walk.at("walkthrough.lost"), walk.at("walkthrough.sending")
    try:
        walk.at("walkthrough.second").or_(lost).or_(sending).first.wait_for()
    except TimeoutError:
        return f"false: {moment}, nothing is said: {walk.page.locator('body').inner_text()}"
    walk.settle()
    if lost.count():
        words = "The fields were reset" if moment == "typed" else f"Exchanges of flow {flow}"
        named = words in lost.inner_text()
        return "told" if named and shown(walk.page) != flow else f"false: {moment}, {lost.inner_text()}"
    if shown(walk.page) != flow:
        return f"false: {moment}, another flow"
    if sending.count():
        return "told" if moment == "sending" else f"false: {moment}, {sending.inner_text()}"
    proof = {"typed": "authorize.open", "opened": "step.token", "returned": "step.token"}.get(moment, "tokens")
    walk.at(proof).first.wait_for()
    return "resumed"


class Consoles:
    """One console at a time behind a cable, and the ways to replace it by another one."""

    def __init__(self, home: Path, settings: dict[str, str]) -> None:
        self._home = home
        self._settings: dict[str, Any] = settings
        self._console = self._start(free_port())
        self.cable = Cable(self._port)

    @property
    def _port(self) -> int:
        return int(self._console.url.rpartition(":")[2])

    def kill(self) -> None:
        """Kill the console, and start it anew."""
        self._console.process.kill()
        self._console.process.wait()
        self._console = self._start(self._port)

    def roll(self) -> None:
        """Start another console, lead new connections there, and stop the one before."""
        before, self._console = self._console, self._start(free_port())
        self.cable.target = self._port
        stop_console(before)

    def stop(self) -> None:
        """Stop the console."""
        stop_console(self._console)

    def _start(self, port: int) -> Console:
        return start_console(self._home, port=port, **self._settings)


def run(walk: Walk, way: str, times: int, chance: random.Random, consoles: Consoles) -> Counter[str]:
    """Stop consoles that many times; return how often each outcome came."""
    outcomes: Counter[str] = Counter()
    for number in range(times):
        moment = MOMENTS[number % len(MOMENTS)]
        walk.open()
        flow = walk_until(walk, moment, chance)
        if way.endswith("restart"):
            consoles.roll()
        else:
            consoles.kill()
        result = outcome(walk, flow, moment)
        Provider.delay = 0.0
        outcomes[result] += 1
        print(f"{way} {number + 1}, {moment}: {result}", flush=True)
    return outcomes


def main() -> None:
    """Stop consoles in each of the three ways, and print the outcomes."""
    parser = argparse.ArgumentParser(description="Stop a console in the middle of a flow.")
    parser.add_argument("--times", type=int, default=20, help="of each way (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    programs = postgresql.programs()
    assert programs is not None, "PostgreSQL is not installed"
    totals: dict[str, Counter[str]] = {}
    with (
        sync_playwright() as playwright,
        provider() as url,
        postgresql.running_server(programs) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for way in ("SQLite, kill -9", "PostgreSQL, kill -9", "PostgreSQL, rolling restart"):
            settings = CLIENT | {"CONSOLE_KEY": "k" * 32}
            if way.startswith("PostgreSQL"):
                settings["CONSOLE_DATABASE_URL"] = server.url(server.new_database())
            home = Path(folder) / re.sub(r"\W+", "-", way)
            (home / "providers").mkdir(parents=True)
            (home / "providers" / "provider.toml").write_text(PROFILE.format(url=url))
            context = browser.new_context()
            context.set_default_timeout(PATIENCE)
            consoles = Consoles(home, settings)
            with consoles.cable:
                walk = Walk(context.new_page(), f"http://localhost:{consoles.cable.port}")
                walk.open()
                walk.pick("walkthrough.provider", "Provider")
                try:
                    totals[way] = run(walk, way, arguments.times, chance, consoles)
                finally:
                    consoles.stop()
            context.close()
        browser.close()
    for way, outcomes in totals.items():
        print(f"{way}: {', '.join(f'{count} {name}' for name, count in outcomes.items())}")
    twice = [code for code, count in Provider.arrived.items() if count > 1]
    print(f"{len(Provider.arrived)} codes arrived at the provider, {len(twice)} of them more than once")
    if twice or any(name.startswith("false") for outcomes in totals.values() for name in outcomes):
        sys.exit(1)


if __name__ == "__main__":
    main()
