"""Two consoles with one sandbox, behind each proxy as docs/operate.md has it."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.benchmarks.two_consoles import console_of, drills_at_once, walk_through
from tests.servers import postgresql, proxies


@pytest.mark.proxies
@pytest.mark.parametrize("proxy", proxies.NAMES)
def test_two_consoles_are_one(
    tools: Any, browser: Browser, postgresql_server: postgresql.Server, tmp_path: Path, proxy: str
) -> None:
    """Logins, a download and an upload where the proxy chooses; behind one, all drills on both at once."""
    database = postgresql_server.url(postgresql_server.new_database())
    consoles, sent = set(), []
    with proxies.team(tmp_path, database, proxy) as team:
        for _ in range(2):
            context = browser.new_context(ignore_https_errors=True)
            context.set_default_timeout(tools.PATIENCE)
            context.on("request", lambda request: sent.append(f"{request.url} {request.headers} {request.post_data}"))
            walk = tools.Walk(context.new_page(), team.url)
            walk_through(walk)
            walk.open("/history?step=callback&-case=drill")
            walk.press("history.download.open")
            with walk.page.expect_download() as download:
                walk.at("history.download.jsonl").locator("a:visible").first.click()
            rows = download.value.path().read_bytes()
            walk.open("/history")
            walk.press("history.import.open")
            walk.at("history.import.file").locator("input[type=file]").set_input_files(
                {"name": "history.jsonl", "mimeType": "application/jsonl", "buffer": rows}
            )
            walk.at("history.import").locator("button:visible").last.click()
            expect(walk.page.get_by_text("imported").first).to_be_visible()
            consoles.add(console_of(context))
            assert proxies.SANDBOX_TOKEN not in walk.page.content()
            context.close()
        if proxy == "haproxy":  # the others pass requests on alike, and this takes a minute
            assert drills_at_once(browser, team.url)
    assert "none" not in consoles
    assert proxies.SANDBOX_TOKEN.encode() not in postgresql_server.dump(database)
    assert not [url for url in sent if proxies.SANDBOX_TOKEN in url]
