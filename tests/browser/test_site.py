"""The reference as static pages, opened from the disk."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect

from oauth.catalogue import catalogues, site
from tests.catalogue.test_site import HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Request


@pytest.mark.usefixtures("home")
def test_pages_are_searched_and_opened_from_the_disk(browser: Browser, tmp_path: Path) -> None:
    own = catalogues.own_folder()
    own.mkdir(parents=True)
    (own / "hostile.toml").write_text(HOSTILE)
    folder = tmp_path / "reference"
    site.write(folder)
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = context.new_page()
    faults: list[str] = []
    outside: list[str] = []

    def note(request: "Request") -> None:
        if not request.url.startswith(folder.as_uri()):
            outside.append(request.url)

    def alarm(dialog: "Dialog") -> None:
        faults.append(dialog.message)
        dialog.dismiss()

    page.on("request", note)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", alarm)
    page.goto((folder / "entra" / "AADSTS50011.html").as_uri())
    page.get_by_role("searchbox").fill("refresh inactivity 700082")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_role("status")).to_have_text("1 found")
    page.get_by_role("link", name="entra/AADSTS700082").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The refresh token has expired through inactivity")
    page.get_by_role("link", name="Error reference").click()
    page.get_by_role("searchbox").fill("no such zebra")
    expect(page.get_by_role("status")).to_contain_text("Nothing found.")
    page.get_by_role("searchbox").fill("hostile/a/")
    expect(page.locator("#results")).to_contain_text("</h1><script src='https://evil.example/x.js'></script>")
    page.get_by_role("link", name="hostile/a/").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("evil.example")
    widths = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths[0] == widths[1], "the page scrolls sideways on a phone"
    assert (faults, outside) == ([], [])
    context.close()
