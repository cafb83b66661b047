"""How the console feels in a browser, beside a Streamlit app of a title and a button.

Run it with ``python -m tests.benchmarks.feel``. Both are servers of their own, driven in turn by the same Chromium, so
each figure is a ratio of medians within one run. "Drawn" is the moment at which what was waited for is visible.
Processor time is the server's. It takes two to three minutes.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import FLAGS, Console, Walk, chromium, start_console, stop_console

ROUNDS = 5
RERUNS = 30
WAITING = 10
"""Seconds for which a waiting tab is watched."""

BLANK = """
import os
from pathlib import Path
import streamlit as st

app = st.App(Path(__file__).parent / "page.py")
if __name__ == "__main__":
    app.run(config={"server.port": int(os.environ["CONSOLE_PORT"]), "server.headless": True})
"""
BLANK_PAGE = """
import streamlit as st

st.title("Blank")
with st.container(key="shown"):
    st.text(st.session_state.setdefault("presses", 0))


def press():
    st.session_state.presses += 1


st.button("Press", key="press", on_click=press)
"""
PAGES = {
    "/": ".st-key-authorize-open a",
    "/diagnose": ".st-key-diagnose-text textarea",
    "/history": ".st-key-history-filter-line",
    "/errors": ".st-key-errors-list canvas",
    "/sandbox-state": ".st-key-sandbox-client-demo-app",
    "/providers": ".st-key-providers-new",
}
"""The pages that are reloaded, with the element that is waited for."""

AIMS = {"/": 2.5}
DONE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def main() -> int:
    """Measure, and print a table."""
    path = chromium()
    if path is None:
        print("Chromium is not installed.", file=sys.stderr)
        return 2
    print("This takes two to three minutes.", flush=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        blank_script = Path(folder) / "app.py"
        blank_script.write_text(BLANK)
        (Path(folder) / "page.py").write_text(BLANK_PAGE)
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        servers: list[Console] = []
        started: list[float] = []
        for name, command in (("blank", [sys.executable, str(blank_script)]), ("console", None)):
            before = time.perf_counter()
            servers.append(start_console(Path(folder) / name, command))
            started.append(time.perf_counter() - before)
        try:
            _measure(browser, servers[0], servers[1], started)
        finally:
            browser.close()
            for server in servers:
                stop_console(server)
    return 0


def _measure(browser: Browser, blank: Console, console: Console, started: list[float]) -> None:
    print(f"{'':44}{'console':>10}{'blank':>10}{'ratio':>7}{'aim':>6}", flush=True)
    _print("start to healthy, s", started[1], started[0], 1.7)
    pages = [browser.new_page(viewport={"width": 1440, "height": 1000}) for _ in range(2)]
    walk, bare = Walk(pages[0], console.url), Walk(pages[1], blank.url)
    first = [_timed(bare, lambda: _visible(bare, "/", ".st-key-press button"))]
    first.append(_timed(walk, lambda: _visible(walk, "/", PAGES["/"])))
    _print("start to the first page drawn, s", started[1] + first[1], started[0] + first[0], 1.7)
    for page in pages:
        page.wait_for_selector(DONE)
    _print("memory after the first page, MiB", _memory(console), _memory(blank), 2)

    for path, element in PAGES.items():
        seconds, ours = [], []
        for _ in range(ROUNDS):
            seconds.append(_timed(bare, partial(_visible, bare, "/", ".st-key-press button")))
            ours.append(_timed(walk, partial(_visible, walk, path, element)))
        _print(f"reload of {path}, s", statistics.median(ours), statistics.median(seconds), AIMS.get(path, 2))
    walk.open()
    walk.at("authorize.open").wait_for()

    cost = [_processor(server, partial(_rerun, page)) for server, page in zip((console, blank), pages, strict=True)]
    _print("server's processor time of a rerun, ms", cost[0] * 1000 / RERUNS, cost[1] * 1000 / RERUNS, 2)

    def press(count: list[int]) -> None:
        bare.page.locator(".st-key-press button").click()
        count[0] += 1
        bare.page.get_by_text(str(count[0]), exact=True).wait_for()

    presses = [0]
    seconds = [_timed(bare, lambda: press(presses)) for _ in range(ROUNDS)]
    exchanges, calls = [], []
    for _ in range(ROUNDS):
        walk.authorize()
        walk.settle()
        exchanges.append(_timed(walk, lambda: _press(walk, "token.send", "tokens")))
        walk.settle()
        walk.at("api.send").locator("button").wait_for()
        calls.append(_timed(walk, lambda: _press(walk, "api.send", "api.exchange")))
        walk.press("walkthrough.start_over")
    _print("Exchange the code, to its result drawn, s", statistics.median(exchanges), statistics.median(seconds), 5)
    _print("Call the endpoint, to its result drawn, s", statistics.median(calls), statistics.median(seconds), 4)

    with walk.page.context.expect_page() as opened:
        walk.at("authorize.open").locator("a").click()
    opened.value.locator("button[value=approve]").wait_for()
    walk.settle()
    share = _processor(console, lambda: time.sleep(WAITING)) / WAITING
    print(f"{'a tab that waits for its callback':44}{share:10.1%}{'of a core':>17}{'1%':>6}", flush=True)


def _print(what: str, ours: float, blank: float, aim: float) -> None:
    print(f"{what:44}{ours:10.2f}{blank:10.2f}{ours / blank:7.2f}{aim:6.1f}", flush=True)


def _visible(walk: Walk, path: str, element: str) -> None:
    walk.page.goto(walk.url + path, wait_until="commit")
    walk.page.wait_for_selector(element)


def _press(walk: Walk, key: str, result: str) -> None:
    walk.at(key).locator("button").click()
    walk.at(result).first.wait_for()


def _rerun(page: Page) -> None:
    """Run the script again, ``RERUNS`` times."""
    page.bring_to_front()
    page.locator("h1").click()
    for _ in range(RERUNS):
        page.keyboard.press("r")
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        page.wait_for_selector(DONE)


def _timed(walk: Walk, action: Callable[[], None]) -> float:
    """Return the seconds of an action, in the tab at the front."""
    walk.page.bring_to_front()
    before = time.perf_counter()
    action()
    return time.perf_counter() - before


def _processor(server: Console, action: Callable[[], None]) -> float:
    """Return the processor time that the server took during an action, in seconds."""
    before = _ticks(server)
    action()
    return (_ticks(server) - before) / os.sysconf("SC_CLK_TCK")


def _ticks(server: Console) -> int:
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _memory(server: Console) -> float:
    """Return what the server holds of the machine's memory, in MiB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    sys.exit(main())
