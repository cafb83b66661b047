"""The Sandbox page as a developer uses it: provoke a fault, see what the integration did, switch a client off."""

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.conftest import Walk


def test_a_fault_is_set_on_the_page_met_in_the_walkthrough_and_seen_in_the_log(walk: "Walk") -> None:
    walk.open("/sandbox-state")
    walk.page.get_by_role("tab", name="Faults").click()
    walk.pick("sandbox.fault.kind", "request-limit")
    walk.press("sandbox.fault.add")
    expect(walk.page.get_by_text("request-limit · 1 to come")).to_be_visible()
    walk.open("/")
    walk.press("rail.token")
    walk.press("token.send")
    assert "403" in walk.card("token")
    walk.press("token.send")
    assert "Documented error 1 ·" in walk.card("token")
    walk.open("/sandbox-state")
    walk.page.get_by_role("tab", name="Faults").click()
    expect(walk.page.get_by_text("No fault is waiting.")).to_be_visible()
    walk.page.get_by_role("tab", name="Requests").click()
    log = walk.page.get_by_role("tabpanel", name="Requests").locator("[data-testid=stDataFrame]")
    expect(log).to_be_visible()


def test_a_client_switched_off_on_the_page_is_inactive_at_once(walk: "Walk") -> None:
    walk.open("/sandbox-state")
    walk.at("sandbox.active.demo-app").locator("label").first.click()
    walk.settle()
    walk.open("/")
    walk.press("rail.token")
    walk.press("token.send")
    assert "Documented error 5 ·" in walk.card("token")
    walk.open("/sandbox-state")
    walk.press("sandbox.reset")
    walk.open("/")
    walk.press("rail.token")
    walk.press("token.send")
    assert "Documented error 1 ·" in walk.card("token")
