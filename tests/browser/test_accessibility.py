"""Every page in both themes, in the states that people see most, has nothing that axe finds (WCAG 2.2)."""

from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import Browser

if TYPE_CHECKING:
    from types import ModuleType

    from tests.browser.conftest import Console, Walk

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
OPTIONS = {
    # Streamlit's file uploader is a section of this role with a label.
    "rules": {"presentation-role-conflict": {"enabled": False}},
}

STYLED = """() => [...document.querySelectorAll("style")].some(it => it.textContent.includes("stCaptionContainer"))
    && document.getAnimations().every(it => !(it instanceof CSSTransition) || it.playState !== "running")"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(
    browser: Browser, running: "Console", tools: "ModuleType", theme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, color_scheme=theme)
    context.set_default_timeout(tools.PATIENCE)
    walk = tools.Walk(context.new_page(), running.url)
    walk.open()
    walk.at("authorize.open").locator("a").wait_for()
    check(walk, "the first page")
    walk.authorize()
    walk.exchange()
    walk.press("api.send")
    walk.at("api.exchange").first.wait_for()
    check(walk, "a call with its tokens")
    walk.press("rail.token")
    walk.press("token.send")
    walk.card("token")
    check(walk, "an error card, unfolded")
    for path, key in (
        ("diagnose", "diagnose.text"),
        ("history?row=1", "history.open"),
        ("errors?entry=partner/2", "errors.entry"),
        ("sandbox-state", "sandbox.client.demo-app"),
        ("providers", "providers.new"),
    ):
        walk.open(f"/{path}")
        walk.at(key).first.wait_for()
        check(walk, path)
    walk.press("providers.new.empty")
    walk.at("providers.field.name").wait_for()
    check(walk, "the form of a profile")
    context.close()


def check(walk: "Walk", state: str) -> None:
    """Run axe over what is drawn now, once the page has its style and nothing fades: half a fade has less contrast."""
    walk.settle()
    walk.page.wait_for_function(STYLED)
    walk.page.evaluate(AXE)
    found = walk.page.evaluate("options => axe.run(document, options)", OPTIONS)["violations"]
    assert not found, f"{state}: " + "; ".join(
        f"{item['id']}: {node['html']} {node['failureSummary']}" for item in found for node in item["nodes"]
    )
