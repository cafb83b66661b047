"""A single-page application at the sandbox: the setting ``cors`` decides whether it may read what it asks for."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest

from oauth_sandbox.testing import SteeredSandbox

JAVASCRIPT = Path(__file__).parent / "javascript"
CALLBACK = "http://localhost:7000/callback"
STATE = "8c7dd922ad47494f"

pytestmark = [pytest.mark.browser, pytest.mark.servers]


class Quiet(SimpleHTTPRequestHandler):
    """Files without a log."""

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@pytest.fixture
def application(npm_ci: Callable[[Path], None]) -> Iterator[str]:
    """The address of the application, which is another origin than the sandbox's."""
    npm_ci(JAVASCRIPT)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(JAVASCRIPT))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/page.html"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("cors", "title", "findings"),
    [
        ("closed", "TypeError: Failed to fetch", ["called-from-browser"]),
        ("open", "Signed in: Demo user", []),
    ],
)
def test_a_single_page_application(
    application: str, steered_sandbox: SteeredSandbox, cors: str, title: str, findings: list[str]
) -> None:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "Chromium is not installed, so its tests cannot run."
        if os.environ.get("CONSOLE_TEST_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    control, site = steered_sandbox.control, steered_sandbox.url
    control.settings(behaviour={"cors": cors})
    query = {
        "client_id": "demo-app",
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "read v2",
        "state": STATE,
    }
    callback = control.approve(f"{site}/oauth/authorize/?{urlencode(query)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{application}#{urlencode({'site': site, 'callback': callback, 'state': STATE})}")
        page.wait_for_function("document.title.includes(':')")
        assert page.title() == title
        browser.close()
    assert control.lint() == findings
