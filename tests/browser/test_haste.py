"""The walkthrough used faster than the browser can draw it."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from tests.browser.conftest import Walk

IMPATIENCE = """async frames => {
    const press = key => document.querySelector(`.st-key-${key} button`).click();
    const passed = async count => { for (; count > 0; count--) await new Promise(requestAnimationFrame); };
    press("token-send");
    await passed(frames);
    press("walkthrough-start_over");
    await passed(frames / 2);
    press("walkthrough-start_over");
}"""
"""Pressing *Start over* while a response is being drawn, and again while the new flow is."""


def test_starting_over_in_haste_leaves_no_field_out(walk: "Walk") -> None:
    browser = walk.page.context.new_cdp_session(walk.page)
    for frames in (0, 4, 20):
        walk.authorize()
        walk.at("token.send").locator("button").wait_for()
        browser.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        walk.page.evaluate(IMPATIENCE, frames)
        browser.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        link = walk.at("authorize.open").locator("a")
        link.wait_for()
        walk.settle()
        sent = parse_qs(urlsplit(link.get_attribute("href") or "").query)
        assert sent.keys() == {"client_id", "response_type", "redirect_uri", "scope", "state"}
        boxes = walk.page.locator("[class*=st-key-authorize-field][class*=-send] input")
        assert [box.is_checked() for box in boxes.all()] == [True] * len(sent)
