"""The Sandbox page as a developer uses it: provoke a fault, see what the integration did, switch a client off."""

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.conftest import Walk


def test_fault_added_on_the_page_strikes_the_walkthrough_and_is_logged(walk: "Walk") -> None:
    walk.open("/sandbox-state")
    walk.page.get_by_role("tab", name="Faults").click()
    walk.pick("sandbox.fault.kind", "request-limit")
    walk.press("sandbox.fault.add")
    expect(walk.page.get_by_text("request-limit · 1 left")).to_be_visible()
    walk.open("/")
    walk.press("rail.token")
    walk.press("token.send")
    expect(walk.at("token.card")).to_contain_text("HTTP/1.1 403 Forbidden")
    walk.press("token.send")
    expect(walk.at("token.card")).to_contain_text("Documented error 1 ·")
    walk.open("/sandbox-state")
    walk.page.get_by_role("tab", name="Faults").click()
    expect(walk.page.get_by_text("No faults are pending.")).to_be_visible()
    walk.page.get_by_role("tab", name="Requests").click()
    log = walk.page.get_by_role("tabpanel", name="Requests").locator("[data-testid=stDataFrame]")
    expect(log).to_be_visible()


def test_client_deactivated_on_the_page_is_inactive_immediately(walk: "Walk") -> None:
    walk.open("/sandbox-state")
    walk.at("sandbox.active.demo-app").locator("label").first.click()
    until_active(walk, "false")
    walk.open("/")
    walk.press("rail.token")
    walk.press("token.send")
    expect(walk.at("token.card")).to_contain_text("Documented error 5 ·")
    walk.open("/sandbox-state")
    walk.press("sandbox.reset")
    until_active(walk, "true")
    walk.open("/")
    walk.press("rail.token")
    walk.press("token.send")
    expect(walk.at("token.card")).to_contain_text("Documented error 1 ·")


def until_active(walk: "Walk", active: str) -> None:
    """Wait until the sandbox itself says so."""
    asked = "(await (await fetch('/sandbox/control/clients/demo-app')).json()).active"
    walk.page.wait_for_function(f"async () => {asked} === {active}")


def test_token_is_revoked_in_its_row_and_is_invalid_from_then_on(walk: "Walk") -> None:
    walk.authorize()
    walk.exchange()
    walk.at("tokens").wait_for()
    walk.open("/sandbox-state")
    walk.page.get_by_role("tab", name="Codes and tokens").click()
    tokens = walk.page.get_by_role("tabpanel").locator(".dvn-scroller").nth(1)
    tokens.wait_for()
    walk.settle()
    tokens.click(position={"x": 50, "y": 48})
    asked = "(await (await fetch('/sandbox/control/access-tokens')).json())[0].state"
    walk.page.wait_for_function(f"async () => {asked} === 'revoked'")
