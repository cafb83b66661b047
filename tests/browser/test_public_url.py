"""The console behind proxies, under its own name and path."""

import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from playwright.sync_api import Browser, expect

from oauth.catalogue.catalogues import PARTNER
from oauth.drills import drills
from tests.browser.tunnels import tls_in_front_of
from tests.servers import proxies

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
            metadata = f"http://localhost:{port}{path}/sandbox/generic/.well-known/openid-configuration"
            assert httpx.get(metadata, trust_env=False).json()["issuer"] == f"{public}/sandbox/generic"
        finally:
            context.close()
            tools.stop_console(running)


@pytest.mark.proxies
@pytest.mark.parametrize("proxy", proxies.NAMES)
def test_documented_proxy_publishes_every_part_of_the_console(
    tools: Any, browser: Browser, tmp_path: Path, proxy: str
) -> None:
    """The login, all drills, a download and an upload that is larger than nginx takes by default."""
    ca, outside = trustme.CA(), tools.free_port()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ca.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "console.pem"))
    public = f"https://localhost:{outside}"
    running = tools.start_console(tmp_path / "home", CONSOLE_PUBLIC_URL=public, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    port = int(running.url.rpartition(":")[2])
    text = proxies.documented(proxy, outside, [port], tmp_path / "console.pem")
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(tools.PATIENCE)
    try:
        with proxies.proxy(proxy, tmp_path / "proxy", text, outside):
            walk = tools.Walk(context.new_page(), public)
            walk.open()
            walk.authorize()
            walk.exchange()
            walk.at("tokens").wait_for()
            walk.open("/errors")
            walk.press("errors.run_all")
            of_the_sandbox = sum(drill.catalogue == PARTNER for drill in drills())
            expect(walk.page.get_by_text(f"{of_the_sandbox} passed, 0 failed")).to_be_visible(timeout=120_000)
            walk.open("/history?step=callback&-case=drill")
            walk.press("history.download.open")
            with walk.page.expect_download() as download:
                walk.at("history.download.jsonl").locator("a:visible").first.click()
            rows = download.value.path().read_bytes()
            assert rows.count(b"\n") == 1
            walk.open("/history")
            walk.press("history.import.open")
            walk.at("history.import.file").locator("input[type=file]").set_input_files(
                {"name": "history.jsonl", "mimeType": "application/jsonl", "buffer": rows + b"\n" * 2_000_000}
            )
            walk.at("history.import").locator("button:visible").last.click()
            expect(walk.page.get_by_text("1 already there").first).to_be_visible()
    finally:
        context.close()
        tools.stop_console(running)
