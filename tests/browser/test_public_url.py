"""The console behind a TLS proxy, under its own name and path."""

import sys
from pathlib import Path
from typing import Any

import pytest
import trustme
from playwright.sync_api import Browser, expect

from tests.browser.tunnels import tls_in_front_of

NAME = "console.test"


@pytest.mark.parametrize(("start", "path"), [("python", ""), ("python", "/tools/console"), ("streamlit", "/console")])
def test_callback_returns_to_the_public_url(
    tools: Any, browser: Browser, tmp_path: Path, start: str, path: str
) -> None:
    port = tools.free_port()
    streamlit = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with tls_in_front_of(port, trustme.CA(), NAME) as outside:
        public = f"https://{NAME}:{outside}{path}"
        running = tools.start_console(
            tmp_path / "home", streamlit if start == "streamlit" else None, port, path, CONSOLE_PUBLIC_URL=public
        )
        context = browser.new_context(ignore_https_errors=True)
        context.set_default_timeout(tools.PATIENCE)
        try:
            walk = tools.Walk(context.new_page(), public)
            walk.open()
            walk.at("authorize.field.redirect_uri.value").locator("input").wait_for()
            expect(walk.at("authorize.field.redirect_uri.value").locator("input").first).to_have_value(
                f"{public}/callback"
            )
            walk.authorize()
            expect(walk.step("callback")).to_contain_text("The state matches the request")
            walk.open("/history")
            walk.at("history.table").wait_for()
        finally:
            context.close()
            tools.stop_console(running)
