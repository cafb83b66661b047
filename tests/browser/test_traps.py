"""Traps of the walkthrough: lost tokens, surviving edits, denied and refused authorizations, and the keyboard."""

import re
from typing import TYPE_CHECKING

from playwright.sync_api import FilePayload, Page, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Walk

MOST_TABS = 30
"""Presses of the Tab key from the first page to the answer of the API."""

FOCUSED = "key => document.activeElement.classList.contains(`st-key-${key}`)"


def is_in_view(walk: "Walk", key: str) -> bool:
    height = walk.page.viewport_size["height"] if walk.page.viewport_size else 0
    return 0 < walk.top(key) < height


def await_focus(walk: "Walk", key: str) -> None:
    """Wait until a container has the focus, and until the run that gave it has removed what stood there before."""
    walk.page.wait_for_function(FOCUSED, arg=key)
    walk.settle()
    walk.page.wait_for_function(FOCUSED, arg=key)


def test_nothing_is_lost_or_said_of_another_flow(walk: "Walk") -> None:
    scope = walk.at("authorize.field.scope.value").locator("input")
    walk.type("authorize.field.scope.value", "read")
    expect(walk.at("authorize.field.scope.reset")).to_be_visible()
    walk.press("walkthrough.start_over")
    expect(scope).to_have_value("read write v2")
    expect(walk.at("authorize.field.scope.reset")).to_have_count(0)

    walk.authorize()
    await_focus(walk, "step-token")
    walk.exchange()
    await_focus(walk, "tokens")
    first = walk.at("tokens").locator("pre code").first.inner_text()
    walk.pick("call.action", "Refresh the token")
    walk.press("refresh.send")
    await_focus(walk, "refresh-top")
    assert is_in_view(walk, "refresh.exchange")
    assert is_in_view(walk, "refresh.send")
    refreshed = walk.at("refreshed_tokens").locator("pre code").first.inner_text()
    walk.press("rail.token")
    expect(walk.at("step.token")).to_contain_text(first)
    expect(walk.at("step.token")).not_to_contain_text(refreshed)
    walk.at("refreshed_tokens.scope").locator("summary").click()
    expect(walk.at("refreshed_tokens")).to_contain_text("scope requested read write v2")

    tokens = walk.at("refreshed_tokens")
    walk.press("walkthrough.start_over")
    expect(tokens).to_have_count(0)
    walk.press("walkthrough.undo")
    expect(tokens).to_contain_text(refreshed)
    walk.pick("walkthrough.client.sandbox", "website-app")
    expect(tokens).to_have_count(0)
    walk.press("walkthrough.undo")
    expect(tokens).to_contain_text(refreshed)


def test_denied_and_refused_authorizations_are_told_once(walk: "Walk") -> None:
    walk.authorize("deny")
    assert "The user denied access" in walk.card("callback")
    assert "no response recorded" not in walk.at("callback.card").inner_text()
    walk.press("rail.authorize")
    expect(walk.at("authorize.exchange")).to_be_visible()
    expect(walk.at("authorize.card")).to_have_count(0)
    walk.press("rail.token")
    expect(walk.at("token.send").locator("button")).not_to_have_attribute("kind", "primary")

    walk.press("walkthrough.start_over")
    walk.type("authorize.field.redirect_uri.value", "https://elsewhere.example/callback")
    with walk.page.context.expect_page() as refused:
        walk.at("authorize.open").locator("a").click()
    refused.value.close()
    expect(walk.at("authorize.card")).to_contain_text("The redirect URI is not registered or not allowed")
    walk.page.locator("[data-testid=stMain]").evaluate("main => main.scrollTo(0, main.scrollHeight)")
    assert is_in_view(walk, "authorize.open")

    walk.press("rail.call")
    walk.pick("call.action", "Refresh the token")
    walk.type("refresh.field.refresh_token.value", "gibberish-that-a-person-typed-in")
    walk.press("refresh.send")
    assert "known as" not in walk.card("refresh")


def test_client_secret_is_hidden_while_it_is_typed(walk: "Walk") -> None:
    walk.pick("walkthrough.client.sandbox", "Your own client")
    field = walk.at("walkthrough.client_secret").locator("input")
    expect(field).to_have_attribute("type", "password")
    walk.at("walkthrough.client_secret").locator("button").last.click()
    expect(field).to_have_attribute("type", "text")


def test_client_secret_is_taken_when_tab_leads_to_its_eye(walk: "Walk") -> None:
    walk.pick("walkthrough.client.sandbox", "Your own client")
    walk.type("walkthrough.client_id", "demo-app")
    field = walk.at("walkthrough.client_secret").locator("input")
    field.click()
    walk.page.keyboard.type("demo-secret")
    walk.page.keyboard.press("Tab")
    expect(walk.at("walkthrough.client_secret").get_by_label("Show password")).to_be_focused()
    walk.page.keyboard.press("Tab")
    expect(field).to_have_value("«client_secret 11ch»")
    walk.authorize()
    expect(walk.at("step.token")).to_contain_text("Code expires in")

    walk.reach("token.field.client_secret.value")
    again = walk.at("token.field.client_secret.value").locator("input")
    again.fill("another-secret")
    again.press("Tab")
    expect(again).to_have_value("«client_secret 14ch»")
    walk.exchange()
    assert "The client credentials are invalid" in walk.card("token")

    walk.press("token.field.client_secret.reset")
    walk.exchange()
    walk.at("tokens").wait_for()


def tab_to(page: Page, key: str) -> int:
    """Press Tab until an element inside the container with a key has the focus, and return how often."""
    for count in range(1, MOST_TABS + 1):
        page.keyboard.press("Tab")
        if page.evaluate("key => Boolean(document.activeElement.closest(`.st-key-${key}`))", key):
            return count
    raise AssertionError(f"{key} was not reached")


def test_flow_needs_few_tabs_and_its_shortcuts_work(walk: "Walk") -> None:
    page = walk.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    walk.at("authorize.open").wait_for()
    walk.at("walkthrough.provider").locator("input").wait_for()
    walk.settle()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    page.keyboard.press("Enter")
    tabs = 1 + tab_to(page, "authorize-open")
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")
    consent = opened.value
    consent.locator("button[value=approve]").wait_for()
    while not consent.evaluate("document.activeElement.value === 'approve'"):
        consent.keyboard.press("Tab")
        tabs += 1
    consent.keyboard.press("Enter")
    consent.get_by_text("tab").first.wait_for()
    consent.close()
    await_focus(walk, "step-token")
    tabs += tab_to(page, "token-send")
    page.keyboard.press("Enter")
    await_focus(walk, "tokens")
    tabs += tab_to(page, "tokens-use")
    page.keyboard.press("Enter")
    walk.settle()
    tabs += tab_to(page, "api-send")
    page.keyboard.press("Enter")
    await_focus(walk, "api-top")
    expect(walk.at("api.exchange")).to_contain_text("200 OK")
    assert tabs <= MOST_TABS, tabs

    page.keyboard.press("?")
    expect(page.get_by_text("Copy the error report")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_text("Copy the error report")).to_be_hidden()
    walk.pick("call.action", "Refresh the token")
    walk.at("refresh.field.refresh_token.value").locator("input").fill("gibberish-that-a-person-typed-in")
    page.keyboard.press("Control+Enter")
    await_focus(walk, "refresh-top")
    assert "gibberish" not in walk.card("refresh")
    page.keyboard.press("y")
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('Documented error 11')")
    walk.open("/history")
    walk.at("history.filter.line").locator("input").wait_for()
    walk.settle()
    page.keyboard.press("/")
    page.wait_for_function("() => document.activeElement.closest('.st-key-history-filter-line')")


def test_on_a_phone_the_answer_and_the_next_step_are_in_view(walk: "Walk") -> None:
    walk.page.set_viewport_size({"width": 390, "height": 844})
    expect(walk.at("authorize.open")).to_be_visible()
    walk.page.wait_for_function("() => document.querySelector('.st-key-rail').clientHeight < 150")
    assert is_in_view(walk, "authorize.open")
    walk.page.goto(f"{walk.url}/diagnose")
    walk.at("diagnose.text").locator("textarea").fill(
        'HTTP/1.1 400 Bad Request\nContent-Type: application/json\n\n{"error":"invalid_grant"}'
    )
    walk.press("diagnose.read")
    verdict = walk.at("diagnose.verdict")
    expect(verdict).to_contain_text("invalid_grant")
    assert walk.top("diagnose.verdict") < 200
    assert walk.top("diagnose.text") > walk.top("diagnose.verdict")


def test_misspelt_scope_is_corrected_by_one_fix_that_works(walk: "Walk") -> None:
    walk.authorize()
    walk.exchange()
    walk.press("rail.call")
    walk.pick("call.action", "Application token")
    walk.type("application.field.scope.value", "read wirte v2")
    walk.press("application.send")
    assert "+ scope: read write v2" in walk.card("application")
    walk.press("application.fix.1")
    expect(walk.at("application_tokens")).to_contain_text("read write v2")
    expect(walk.at("application.fix.1")).to_have_count(0)


def test_large_file_shows_progress_and_keeps_nobody_waiting(walk: "Walk") -> None:
    walk.open("/diagnose")
    entry = '{"request":{"method":"GET","url":"https://p.example/a?b=c"},"response":{"status":200}},\n'
    har = '{"log":{"entries":[' + entry * (10 * 1024 * 1024 // len(entry)) + "{}]}}"
    walk.at("diagnose.verdict").wait_for()
    walk.page.locator("input[type=file]").first.set_input_files(
        {"name": "large.har", "mimeType": "application/json", "buffer": har.encode()}
    )
    expect(walk.at("diagnose.waiting")).to_be_visible()
    other = type(walk)(walk.page.context.new_page(), walk.url)
    other.open("/errors")
    other.at("errors.list").wait_for()
    expect(walk.at("diagnose.waiting")).to_have_count(0)
    expect(walk.at("diagnose.verdict")).to_contain_text(re.compile("exchanges|could not be read"))
    walk.at("diagnose.text").locator("textarea").fill("HTTP/1.1 400 Bad Request\n\n" + '{"error":"invalid_grant"}')
    walk.press("diagnose.read")
    expect(walk.at("diagnose.verdict")).to_contain_text("invalid_grant")


def test_table_leaves_the_buttons_above_it_free(walk: "Walk") -> None:
    walk.authorize()
    walk.exchange()
    walk.open("/history")
    table = walk.page.get_by_test_id("stDataFrame").first
    table.hover()
    tools = walk.page.get_by_test_id("stElementToolbar").first.bounding_box()
    delete = walk.at("history.delete.open").bounding_box()
    assert tools is not None
    assert delete is not None
    assert tools["y"] >= delete["y"] + delete["height"]
    walk.at("history.delete.open").locator("button").click()
    walk.at("history.delete.count").wait_for()


def test_profile_that_is_imported_again_makes_no_twin(walk: "Walk") -> None:
    walk.open("/providers")
    file: FilePayload = {
        "name": "twin.toml",
        "mimeType": "text/plain",
        "buffer": b'name = "Twin"\nresponse_mode = "query"\n',
    }
    for said in ("The profile was imported.", "Nothing was imported: this profile is here already"):
        walk.at("providers.open").get_by_text("New profile").click()
        walk.at("providers.import").locator("input[type=file]").set_input_files(file)
        expect(walk.page.get_by_text(said)).to_be_visible()
    expect(walk.at("providers.open").get_by_text("Twin")).to_have_count(1)


def test_name_of_a_profile_is_shown_to_the_letter(walk: "Walk") -> None:
    name = (
        'A <b>server</b> of "Größe" & Co: https://evil.example/ www.evil.example me@evil.example **x** `y` $a^2$ -> '
        ":streamlit: :material/check: :red[x] [l](https://evil.example/) ![i](https://evil.example/i.png) \\ #1"
    )
    walk.open("/providers")
    walk.press("providers.new.empty")
    walk.type("providers.field.name", name)
    walk.press("providers.save")
    walk.at("providers.open").wait_for()
    for place in (
        walk.at("providers.open").locator("label", has_text="Größe"),
        walk.page.get_by_role("heading", level=2),
    ):
        expect(place).to_contain_text("evil.example")
        assert name in place.inner_text().replace("\u2060", "")
        expect(place.locator("a, img")).to_have_count(0)


def test_host_without_an_address_is_named_and_the_console_has_its_own_port(walk: "Walk") -> None:
    port = walk.url.rpartition(":")[2]
    expect(walk.at("authorize.field.redirect_uri.value").locator("input")).to_have_value(
        f"http://localhost:{port}/callback"
    )
    walk.pick("walkthrough.provider", "Any OAuth server")
    walk.type("walkthrough.issuer", "https://nowhere.invalid")
    walk.press("walkthrough.discover")
    expect(walk.page.get_by_text("could not be resolved").first).to_be_visible()
    expect(walk.page.get_by_text("No metadata was found")).to_have_count(0)


def test_single_keys_can_be_switched_off(walk: "Walk") -> None:
    page = walk.page
    listed = page.get_by_text("Copy the error report")
    walk.at("authorize.open").wait_for()
    walk.settle()
    page.locator(".shortcuts > summary").click()
    page.locator(".shortcuts input").uncheck()
    page.locator(".shortcuts > summary").click()
    expect(listed).to_be_hidden()
    page.reload()
    walk.at("authorize.open").wait_for()
    walk.settle()
    page.locator("h1").first.click()
    page.keyboard.press("?")
    page.locator(".shortcuts > summary").click()
    expect(listed).to_be_visible()
    expect(page.locator(".shortcuts input")).not_to_be_checked()
    page.locator(".shortcuts input").check()
    page.locator("h1").first.click()
    page.keyboard.press("?")
    expect(listed).to_be_hidden()


def test_start_again_loses_no_token(walk: "Walk") -> None:
    walk.authorize()
    walk.exchange()
    first = walk.at("tokens").locator("pre code").first.inner_text()
    walk.press("rail.token")
    walk.press("token.send")
    walk.card("token")
    walk.press("token.fix.1")
    expect(walk.at("authorize.open")).to_be_visible()
    walk.press("walkthrough.undo")
    expect(walk.at("tokens")).to_contain_text(first)


def test_preflight_names_the_cause_that_the_response_will_have(walk: "Walk") -> None:
    walk.authorize()
    walk.type("token.field.client_id.value", "inactive-app")
    walk.type("token.field.client_secret.value", "inactive-secret")
    expect(walk.at("token.preflight")).to_contain_text("is published as inactive")
    walk.exchange()
    assert "The client is inactive" in walk.face("token")

    walk.press("rail.call")
    walk.pick("call.action", "Application token")
    walk.press("application.send")
    walk.at("application_tokens").wait_for()
    walk.pick("call.action", "Call the API")
    expect(walk.at("api.preflight")).to_contain_text("application")
    walk.press("api.send")
    assert "Documented error 9" in walk.card("api")
