"""A walkthrough survives what happens to its tab and to its console, or the page says what was lost."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.canaries import leaks
from tests.servers import postgresql
from tests.servers.cable import Cable

if TYPE_CHECKING:
    from tests.browser.conftest import Console, Walk

TOKEN = re.compile(r"^[0-9a-f]{40}$")


def flow(walk: "Walk") -> Locator:
    return walk.page.get_by_text(re.compile(r"^Flow [0-9a-f]{10}$"))


def open_page(walk: "Walk") -> Page:
    """Open the provider's page, and return its tab without a decision."""
    walk.reach("authorize.open")
    walk.settle()
    with walk.page.context.expect_page() as opened:
        walk.at("authorize.open").locator("a").click()
    walk.at("step.callback").wait_for()
    walk.settle()
    return opened.value


def test_a_reload_in_each_step_goes_on_with_the_flow(walk: "Walk") -> None:
    page = walk.page
    walk.type("walkthrough.case", "T-1")
    walk.type("authorize.field.scope.value", "v2 write read")
    # The link shows that the page has run with both.
    expect(walk.at("authorize.open").locator("a")).to_have_attribute("href", re.compile(r"scope=v2(\+|%20)write"))
    id = flow(walk).inner_text()

    page.reload()
    expect(flow(walk)).to_have_text(id)
    expect(walk.at("authorize.field.scope.value").locator("input")).to_have_value("v2 write read")
    expect(walk.at("walkthrough.case").locator("input")).to_have_value("T-1")

    consent = open_page(walk)
    page.reload()
    walk.at("step.callback").wait_for()
    consent.locator("button[value=approve]").click()
    expect(consent.get_by_text("The console keeps it for your flow")).to_be_visible()
    walk.at("step.token").wait_for()

    page.reload()
    walk.at("step.token").wait_for()
    expect(page.get_by_text(re.compile("Code expires in"))).to_have_count(1)
    walk.exchange()
    walk.at("tokens").wait_for()

    page.reload()
    walk.at("tokens").wait_for()
    expect(flow(walk)).to_have_text(id)
    expect(walk.at("tokens").get_by_text("Access token expires in")).to_be_visible()
    expect(walk.at("tokens").locator("pre code").filter(has_text=TOKEN)).to_have_count(0)
    walk.press("tokens.reveal.access_token")
    expect(walk.at("tokens").locator("pre code").filter(has_text=TOKEN)).to_have_count(1)
    walk.press("api.send")
    walk.at("api.exchange").wait_for()

    page.reload()
    expect(walk.at("api.exchange")).to_contain_text("200 OK")
    expect(walk.at("tokens").locator("pre code").filter(has_text=TOKEN)).to_have_count(0)


def test_a_callback_that_comes_while_no_tab_is_open_is_taken_by_the_next_one(walk: "Walk") -> None:
    consent = open_page(walk)
    walk.page.close()
    consent.locator("button[value=approve]").click()
    expect(consent.get_by_text("open the console again in the same browser")).to_be_visible()
    again = type(walk)(consent, walk.url)
    again.open()
    again.at("step.token").wait_for()
    again.exchange()
    again.at("tokens").wait_for()


def test_a_reload_while_a_request_is_on_its_way_waits_for_its_response(walk: "Walk") -> None:
    walk.authorize()
    late = {"fault": "latency", "seconds": 8, "client_id": "demo-app", "endpoint": "token"}
    assert httpx.post(f"{walk.url}/sandbox/control/faults", json=late, timeout=30).status_code == 201
    walk.at("token.send").locator("button").click()
    walk.page.get_by_text("Waiting for the response").wait_for()
    walk.page.reload()
    walk.at("walkthrough.sending").or_(walk.at("tokens")).first.wait_for()
    walk.at("tokens").wait_for()
    expect(walk.at("walkthrough.sending")).to_have_count(0)
    expect(walk.at("diagram").get_by_text("token · POST")).to_have_count(1)


def test_the_back_button_comes_back_to_the_flow(walk: "Walk") -> None:
    walk.authorize()
    id = flow(walk).inner_text()
    walk.page.get_by_role("link", name="History").click()
    walk.at("history.filter.line").wait_for()
    walk.page.go_back()
    walk.at("step.token").wait_for()
    walk.page.goto("about:blank")
    walk.page.go_back()
    walk.at("step.token").wait_for()
    expect(flow(walk)).to_have_text(id)


def test_a_second_tab_says_so_and_one_of_both_goes_on(walk: "Walk") -> None:
    walk.authorize()
    second = type(walk)(walk.page.context.new_page(), walk.url)
    second.open()
    second.at("walkthrough.second").wait_for()
    second.exchange()
    second.at("tokens").wait_for()

    walk.page.bring_to_front()
    walk.press("token.send")
    overtaken = walk.at("walkthrough.overtaken")
    overtaken.wait_for()
    expect(overtaken).to_be_in_viewport()
    expect(walk.at("tokens")).to_have_count(0)
    walk.press("walkthrough.show")
    walk.at("tokens").wait_for()
    expect(walk.at("walkthrough.overtaken")).to_have_count(0)

    third = type(walk)(walk.page.context.new_page(), walk.url)
    third.open()
    third.at("walkthrough.second").wait_for()
    third.press("walkthrough.own_flow")
    third.at("authorize.open").wait_for()
    expect(third.at("tokens")).to_have_count(0)
    own = flow(third).inner_text()
    assert urlsplit(third.page.url).query.startswith("tab=")
    third.type("walkthrough.case", "T-3")
    third.page.reload()
    expect(flow(third)).to_have_text(own)
    walk.page.bring_to_front()
    walk.press("api.send")
    walk.at("api.exchange").wait_for()
    expect(walk.at("walkthrough.overtaken")).to_have_count(0)


def test_a_second_tab_is_named_until_it_is_closed(walk: "Walk") -> None:
    walk.authorize()
    second = type(walk)(walk.page.context.new_page(), walk.url)
    second.open()
    second.at("walkthrough.second").wait_for()
    walk.page.close()
    expect(second.at("walkthrough.second")).to_have_count(0)


def test_a_tab_in_the_background_lets_the_other_one_take_the_callback(walk: "Walk") -> None:
    consent = open_page(walk)
    second = type(walk)(walk.page.context.new_page(), walk.url)
    second.open()
    second.at("step.callback").wait_for()
    consent.bring_to_front()
    consent.locator("button[value=approve]").click()
    consent.get_by_text("The console keeps it").wait_for()
    for tab in (walk, second):
        tab.page.bring_to_front()
        expect(tab.at("step.token").or_(tab.at("walkthrough.overtaken")).first).to_be_visible()
    behind = walk if walk.at("walkthrough.overtaken").count() else second
    behind.page.bring_to_front()
    behind.press("walkthrough.show")
    behind.at("step.token").wait_for()


def test_after_a_lost_network_the_tab_goes_on(tools: Any, running: "Console", page: Page) -> None:
    with Cable(int(running.url.rpartition(":")[2])) as cable:
        walk = tools.Walk(page, f"http://localhost:{cable.port}")
        walk.open()
        walk.type("walkthrough.case", "T-9")
        id = flow(walk).inner_text()
        cable.cut()
        page.locator("[data-testid=stApp]:not([data-test-connection-state=CONNECTED])").wait_for()
        cable.mend()
        page.locator("[data-testid=stApp][data-test-connection-state=CONNECTED]").wait_for()
        walk.press("rail.token")
        expect(flow(walk)).to_have_text(id)
        expect(walk.at("walkthrough.lost")).to_have_count(0)


def restart(tools: Any, console: "Console", **settings: str) -> "Console":
    console.process.kill()
    console.process.wait()
    again: Console = tools.start_console(console.home, port=int(console.url.rpartition(":")[2]), **settings)
    return again


def test_a_killed_console_with_sqlite_says_which_flow_was_lost(tools: Any, page: Page, tmp_path: Path) -> None:
    console = tools.start_console(tmp_path / "home")
    try:
        walk = tools.Walk(page, console.url)
        walk.open()
        consent = open_page(walk)
        id = flow(walk).inner_text().removeprefix("Flow ")
        url = consent.url
        walk.press("rail.authorize")  # where nothing on the page asks the server by itself
        console = restart(tools, console)
        walk.at("walkthrough.lost").wait_for()
        expect(walk.at("walkthrough.lost")).to_contain_text(f"Exchanges of flow {id}")
        consent.goto(url)
        consent.locator("button[value=approve]").click()
        expect(consent.get_by_text("the flow that asked for it was lost")).to_be_visible()
        assert "code=" in consent.url
        page.bring_to_front()
        walk.at("walkthrough.lost").get_by_role("link").click()
        page.wait_for_url(re.compile(rf"/history\?flow={id}"))
        page.go_back()
        walk.authorize()
        walk.exchange()
        walk.at("tokens").wait_for()
        expect(walk.at("walkthrough.lost")).to_have_count(0)
    finally:
        tools.stop_console(console)


def test_fields_of_a_killed_console_are_reset_at_once(tools: Any, page: Page, tmp_path: Path) -> None:
    console = tools.start_console(tmp_path / "home")
    try:
        walk = tools.Walk(page, console.url)
        walk.open()
        walk.type("walkthrough.case", "T-1")
        walk.type("authorize.field.scope.value", "v2")
        console = restart(tools, console)
        expect(walk.at("walkthrough.lost")).to_contain_text("The fields were reset")
        expect(walk.at("walkthrough.case").locator("input")).to_have_value("")
        expect(walk.at("authorize.field.scope.value").locator("input")).to_have_value("read write v2")
    finally:
        tools.stop_console(console)


def test_a_killed_console_with_postgresql_goes_on(
    tools: Any, page: Page, context: BrowserContext, tmp_path: Path, postgresql_server: postgresql.Server
) -> None:
    url = postgresql_server.url(postgresql_server.new_database())
    settings = {"CONSOLE_DATABASE_URL": url}
    arrivals: list[str] = []
    context.on("request", lambda request: arrivals.append(request.url) if "/callback?" in request.url else None)
    console = tools.start_console(tmp_path / "home", **settings)
    try:
        walk = tools.Walk(page, console.url)
        walk.open()
        walk.authorize()
        walk.exchange()
        walk.at("tokens").wait_for()
        id = flow(walk).inner_text()
        walk.press("tokens.reveal.access_token")
        token = walk.at("tokens").locator("pre code").filter(has_text=TOKEN).first.inner_text().strip()
        callback = parse_qs(urlsplit(arrivals[0]).query)
        cookies = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
        secrets = {"token": token, "code": callback["code"][0], "state": callback["state"][0]} | cookies
        assert leaks(secrets, postgresql_server.dump(url)) == []

        console = restart(tools, console, **settings)
        walk.at("walkthrough.second").wait_for()
        expect(walk.at("walkthrough.second")).to_contain_text("This flow goes on here")
        expect(flow(walk)).to_have_text(id)
        walk.press("tokens.reveal.access_token")
        expect(walk.at("tokens").get_by_text(token).first).to_be_visible()
    finally:
        tools.stop_console(console)


@pytest.mark.parametrize("cookie", [True, False])
def test_another_browser_finds_nothing(tools: Any, walk: "Walk", cookie: bool) -> None:
    walk.authorize()
    id = flow(walk).inner_text()
    browser = walk.page.context.browser
    assert browser is not None
    other = browser.new_context()
    try:
        if cookie:
            names = {it["name"]: "x" * 32 for it in walk.page.context.cookies() if "name" in it}
            other.add_cookies([{"name": name, "value": value, "url": walk.url} for name, value in names.items()])
        stranger = tools.Walk(other.new_page(), walk.url)
        stranger.open()
        stranger.at("authorize.open").wait_for()
        expect(flow(stranger)).not_to_have_text(id)
    finally:
        other.close()
