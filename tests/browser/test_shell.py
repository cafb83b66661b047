"""What frames every page, in a browser: links, titles, and a server that goes away and comes back."""

from pathlib import Path
from types import ModuleType

from playwright.sync_api import Page, expect

WORDS = "getComputedStyle(document.querySelector('[data-testid=stApp]'), '::before').content"
PAGES = ["Walkthrough", "Diagnose", "History", "Errors", "Sandbox", "Providers"]


def test_a_lost_connection_is_said_in_the_console_s_words_until_the_server_is_back(
    tools: ModuleType, page: Page, tmp_path: Path
) -> None:
    console = tools.start_console(tmp_path / "home")
    try:
        page.goto(f"{console.url}/diagnose")
        expect(page.get_by_role("link", name="Providers")).to_be_visible()
        names = page.locator("[data-testid=stTopNavLink]").all_inner_texts()
        assert [name.split()[-1] for name in names] == PAGES
        expect(page).to_have_title("Diagnose · OAuth Console")
        assert "countdown" not in page.evaluate(WORDS)
        tools.stop_console(console)
        page.wait_for_function(f"() => {WORDS}.includes('every countdown has stopped')")
        expect(page.locator(".stDialog")).to_be_hidden()  # Streamlit's own words
        console = tools.start_console(tmp_path / "home", port=int(console.url.rpartition(":")[2]))
        page.wait_for_function(f"() => !{WORDS}.includes('countdown')")
    finally:
        tools.stop_console(console)
