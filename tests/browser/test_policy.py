"""The pages under their Content Security Policy, in both themes, with charts, downloads and an upload."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.conftest import Walk

REPORT = (
    "document.addEventListener('securitypolicyviolation', event => console.error('policy', event.violatedDirective))"
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_violates_its_policy(walk: "Walk", theme: str) -> None:
    page, violations = walk.page, list[str]()
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.add_init_script(REPORT)
    page.on("console", lambda message: violations.append(message.text) if "olicy" in message.text else None)
    walk.open()
    walk.authorize()
    walk.exchange()
    walk.at("diagram").locator("table").wait_for()
    page.wait_for_function("() => document.activeElement.classList.contains('st-key-tokens')")  # a script ran
    walk.open("/history")
    walk.press("history.download.open")
    with page.expect_download() as download:
        walk.at("history.download.jsonl").locator("a:visible").first.click()
    walk.open("/history")  # closes the popover
    walk.press("history.import.open")
    walk.at("history.import.file").locator("input[type=file]").set_input_files(
        {"name": "history.jsonl", "mimeType": "application/jsonl", "buffer": download.value.path().read_bytes()}
    )
    walk.at("history.import").locator("button:visible").last.click()
    expect(page.get_by_text("exchanges imported").first).to_be_visible()
    walk.open("/history?show=charts")
    walk.at("history.chart.durations").locator("canvas, svg").first.wait_for()
    for path in ("/diagnose", "/providers", "/errors", "/sandbox-state", "/callback"):
        walk.open(path)
        page.locator("h1").first.wait_for()
    assert violations == []
