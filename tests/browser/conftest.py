"""A real console in a process of its own, and a real Chromium that drives it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, TimeoutError, expect, sync_playwright

from tests.servers.running import free_port

ROOT = Path(__file__).parent.parent.parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # A name for the console behind a proxy, known to this browser alone.
    "--host-resolver-rules=MAP console.test 127.0.0.1",
]
PATIENCE = 60_000
"""Milliseconds that a page may take to show what a test waits for: a first page takes half of it on a busy machine."""

expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Console:
    """A running console."""

    url: str
    home: Path
    log: Path
    process: subprocess.Popen[bytes]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in Path(item.path).parts:
            item.add_marker(pytest.mark.browser)


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        reason = "Chromium is not installed, so the browser tests cannot run."
        if os.environ.get("CONSOLE_TEST_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


def start_console(
    home: Path, command: list[str] | None = None, port: int | None = None, base: str = "", **settings: str
) -> Console:
    """Start a console, on a free port if none is given, and wait until it answers below ``base``."""
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    log = home.parent / f"{home.name}.log"
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("CONSOLE_", "STREAMLIT_"))}
    environ |= {"CONSOLE_HOME": str(home), "CONSOLE_PORT": str(port)} | settings
    with log.open("wb") as output:
        process = subprocess.Popen(
            command or [sys.executable, "app.py"], cwd=ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT
        )
    url = f"http://localhost:{port}"
    deadline = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            if httpx.get(f"{url}{base}/_stcore/health", trust_env=False).status_code == 200:
                return Console(url, home, log, process)
        except httpx.TransportError:
            pass  # it is not listening yet
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"The console did not start:\n{log.read_text()}")


def stop_console(running: Console) -> None:
    running.process.send_signal(signal.SIGTERM)
    try:
        running.process.wait(10)
    except subprocess.TimeoutExpired:
        running.process.kill()
        running.process.wait()


@pytest.fixture
def tools() -> ModuleType:
    """This file, as pytest loaded it, for tests that start a console of their own."""
    return sys.modules[__name__]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    started = start_console(tmp_path_factory.mktemp("console") / "home")
    yield started
    stop_console(started)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the open pages say to the report of a failed test, before its context closes them."""
    report = yield
    context = getattr(item, "funcargs", {}).get("context")
    if report.when == "call" and report.failed and isinstance(context, BrowserContext):
        for page in context.pages:
            report.sections.append((f"Page {page.url}", page.locator("body").inner_text()))
    console = getattr(item, "funcargs", {}).get("running")
    if report.when == "call" and report.failed and isinstance(console, Console):
        report.sections.append(("Log of the console", console.log.read_text(errors="replace")[-4000:]))
    return report


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1440, "height": 1000}, timezone_id="Europe/Warsaw")
    opened.set_default_timeout(PATIENCE)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


class Walk:
    """The console in a browser tab, driven by the keys of its widgets."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self, path: str = "/") -> None:
        self.page.goto(self.url + path)

    def at(self, key: str) -> Locator:
        """The element with a widget's key."""
        return self.page.locator(f".st-key-{key.replace('.', '-')}")

    def step(self, card: str) -> Locator:
        """The frame of a step, open or folded."""
        return self.at(f"step.{card}").or_(self.at(f"step.{card}.done"))

    def reach(self, key: str) -> None:
        """Unfold the step and the editor that a widget is in."""
        self.at(key).first.wait_for(state="attached")
        self.settle()
        while (closed := self.page.locator("details:not([open])", has=self.at(key))).count():
            with suppress(TimeoutError):  # a run moved it, or opened it by itself
                closed.first.locator("summary").first.click(timeout=5_000)
            self.settle()

    def press(self, key: str) -> None:
        """Press a button, but not while a run still moves it: the pointer would go down on it and up beside it."""
        self.reach(key)
        button = self.at(key).locator("button").first
        button.wait_for()
        self.settle()
        button.click()
        self.settle()

    def type(self, key: str, text: str) -> None:
        self.reach(key)
        field = self.at(key).locator("input, textarea").first
        field.fill(text)
        field.press("Enter")
        self.settle()

    def untick(self, key: str) -> None:
        """Untick a checkbox, or tick it again."""
        self.reach(key)
        box = self.at(key).locator("input[type=checkbox]")
        is_ticked = box.is_checked()
        self.at(key).locator("label").first.click()
        expect(box).to_be_checked(checked=not is_ticked)
        self.settle()

    def pick(self, key: str, text: str) -> None:
        """Choose from a select box or a segmented control."""
        self.reach(key)
        box = self.at(key)
        box.locator("input[role=combobox], [role=radio]").first.wait_for()
        if box.locator("input[role=combobox]").count():
            option = self.page.get_by_role("option", name=text)
            # A page that is still scrolling or running closes the list again.
            for _ in range(10):
                box.locator("input[role=combobox]").click()
                self.settle()
                if option.count():
                    break
            option.click()
        else:
            box.get_by_role("radio", name=text).click()
        self.settle()

    def settle(self) -> None:
        """Wait until the page has nothing left to run.

        What was done to a widget asks for a run within the next frame, so that is waited for first.
        """
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.page.wait_for_function(
            "() => !document.querySelector('[data-testid=stApp][data-test-script-state=running]')"
            " && !document.querySelector('[data-testid=stApp][data-test-script-state=rerunRequested]')"
        )

    def authorize(self, decision: str = "approve") -> None:
        """Step 1 and 2: open the consent page in its own tab, decide there, and wait until the answer is here."""
        self.reach("authorize.open")
        link = self.at("authorize.open").locator("a")
        link.wait_for()
        self.settle()
        with self.page.context.expect_page() as opened:
            link.click()
        consent = opened.value
        consent.locator(f"button[value={decision}]").click()
        consent.get_by_text("tab").first.wait_for()
        consent.close()
        self.at("callback.details").wait_for(state="attached")
        self.settle()

    def exchange(self) -> None:
        """Step 3, with what stands in its fields."""
        self.press("token.send")

    def top(self, key: str) -> float:
        """The distance of an element from the top of the window, in pixels."""
        box = self.at(key).first.bounding_box()
        assert box is not None, key
        return box["y"]

    def face(self, action: str) -> str:
        """The text of a step's error card before its fold, once it is there, without the names of icons."""
        card = self.at(f"{action}.card")
        card.wait_for()
        self.settle()
        icons = ("check", "close", "question_mark", "timer", "build", "keyboard_arrow_right")
        return "\n".join(line for line in card.inner_text().splitlines() if line not in icons)

    def card(self, action: str) -> str:
        """The whole text of a step's error card, once it is there; its fold is opened."""
        self.face(action)
        fold = self.at(f"{action}.causes").locator("details:not([open]) > summary")
        if fold.count():
            fold.click()
            self.at(f"{action}.causes").locator("details[open]").wait_for()
        return self.at(f"{action}.card").inner_text()


@pytest.fixture
def walk(page: Page, running: Console) -> Walk:
    walk = Walk(page, running.url)
    walk.open()
    return walk
