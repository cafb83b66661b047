"""The History page as support uses it: find, narrow, open, compare, pass on, delete."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import BrowserContext, FilePayload, expect

from oauth.exchange import Exchange, Request, Response, Step
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.redaction import Vault
from oauth.settings import load

if TYPE_CHECKING:
    from tests.browser.conftest import Console, Walk

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ROWS = 120

REFUSED = "Authorization code doesn't exist or is invalid for the client"

SECRET = "customer-secret-0123456789"


@pytest.fixture
def history(running: "Console") -> Iterator[History]:
    """The console's own history, with exchanges of two clients in it: every tenth was refused."""
    kept = History(f"sqlite:///{running.home / 'history.db'}", lambda: datetime.now(UTC))
    vault = Vault(load({"CONSOLE_HOME": str(running.home)}).derived_key("fingerprint"))
    if kept.count(Filters(case="seeded")) != ROWS:
        for number in range(ROWS):
            keep(kept, vault, number)
    yield kept
    kept.database.engine.dispose()


def keep(history: History, vault: Vault, number: int) -> int:
    refused = number % 10 == 0
    code = f"code-of-flow-{number // 20:04}-0123456789"
    as_json = (("Content-Type", "application/json"),)
    sent = Exchange(
        Step.TOKEN,
        Request(
            "POST",
            "https://www.olx.pl/api/open/oauth/token",
            as_json,
            f'{{"grant_type": "authorization_code", "client_secret": "{SECRET}", "code": "{code}"}}'.encode(),
        ),
        START + timedelta(minutes=number),
        flow=f"flow{number // 20}",
        case="seeded",
        provider="olx-pl",
        client_id="one-app" if number % 2 == 0 else "two-app",
    )
    id = history.begin(vault.redact(sent))
    body = f'{{"error": "invalid_grant", "error_description": "{REFUSED}"}}' if refused else '{"token_type": "bearer"}'
    answered = replace(
        sent, response=Response(400 if refused else 200, headers=as_json, body=body.encode()), duration_ms=84
    )
    history.complete(
        id,
        vault.redact(answered),
        documented_error=2 if refused else None,
        error="invalid_grant" if refused else "",
        error_description=REFUSED if refused else "",
    )
    return id


def type_term(walk: "Walk", text: str) -> None:
    field = walk.at("history.filter.line").locator("input")
    field.click()
    field.press_sequentially(text)
    field.press("Enter")
    field.press("Escape")
    walk.page.get_by_role("heading", name="History").click()
    walk.settle()


def proposes_without_covering(walk: "Walk") -> None:
    """The filter line proposes clients of the list, and the rows make room for the proposals."""
    field = walk.at("history.filter.line").locator("input")
    field.click()
    field.press_sequentially("client:")
    proposals = walk.page.get_by_test_id("stMultiSelectDropdown")
    expect(proposals).to_contain_text("client:one-app")
    walk.page.wait_for_function(
        "() => document.querySelector('[data-testid=stMultiSelectDropdown]').getBoundingClientRect().bottom"
        " <= document.querySelector('.st-key-history-table').getBoundingClientRect().top"
    )
    field.fill("")
    field.press("Escape")
    walk.page.get_by_role("heading", name="History").click()


def shown(walk: "Walk", text: str) -> None:
    """Wait for the count above the list."""
    expect(walk.at("history.bar")).to_contain_text(text)
    walk.settle()


def first_row(walk: "Walk") -> None:
    """Click the first row of the list: it is drawn on a canvas, so by its place."""
    tick(walk, "history.table", 0)


def tick(walk: "Walk", key: str, row: int) -> None:
    table = walk.at(key).locator("canvas").first
    table.wait_for()
    box = table.bounding_box()
    assert box is not None
    walk.page.mouse.click(box["x"] + 16, box["y"] + 48 + 32 * row)
    walk.settle()


def test_a_filter_is_typed_completed_and_a_facet_clicked_and_the_link_shows_the_same(
    walk: "Walk", history: History, context: BrowserContext
) -> None:
    walk.open("/history?case=seeded")
    shown(walk, f"{ROWS} exchanges")
    proposes_without_covering(walk)
    # The toolbar of the table, which is there while the pointer is, covers no button.
    table = walk.at("history.table").bounding_box()
    assert table is not None
    walk.page.mouse.move(table["x"] + 400, table["y"] + 100)
    expect(walk.at("history.table").get_by_test_id("stElementToolbar")).to_be_visible()
    walk.press("history.delete.open")
    expect(walk.at("history.delete.count")).to_be_visible()
    walk.page.keyboard.press("Escape")
    type_term(walk, "status:4")
    shown(walk, "12 exchanges")
    expect(walk.at("history.filter.line")).to_contain_text("status:4xx")
    type_term(walk, "invalid grant")
    shown(walk, "12 exchanges")
    type_term(walk, "-client:two-app")
    walk.at("history.filter.client").get_by_text("one-app").click()
    walk.page.wait_for_url("**&client=one-app**")
    shown(walk, "12 exchanges")
    address = walk.page.url
    assert "status=4xx" in address
    assert "-client=two-app" in address
    fresh = context.new_page()
    fresh.goto(address)
    for text in ("status:4xx", "client:one-app", "case:seeded", "invalid grant"):
        expect(fresh.locator(".st-key-history-filter-line")).to_contain_text(text)
    expect(fresh.locator(".st-key-history-bar")).to_contain_text("12 exchanges")
    expect(
        fresh.locator(
            ".st-key-history-filter-status button[aria-checked=true], .st-key-history-filter-status "
            "[aria-pressed=true], .st-key-history-filter-status [kind=pillsActive]"
        )
    ).to_have_count(1)


def test_a_wrong_term_is_named_and_stays_to_be_corrected(walk: "Walk", history: History) -> None:
    walk.open("/history?case=seeded")
    shown(walk, f"{ROWS} exchanges")
    type_term(walk, "colour:red")
    expect(walk.page.get_by_text("Unknown filter 'colour'")).to_be_visible()
    expect(walk.at("history.filter.line")).to_contain_text("colour:red")
    shown(walk, f"{ROWS} exchanges")


def test_the_list_is_paged_a_row_opened_and_compared_with_the_last_success(walk: "Walk", history: History) -> None:
    walk.open("/history?case=seeded")
    shown(walk, f"{ROWS} exchanges")
    walk.press("history.older")
    walk.page.wait_for_url("**before=**")
    walk.press("history.newest")
    type_term(walk, "error:2")
    shown(walk, "12 exchanges")
    first_row(walk)
    walk.page.wait_for_url("**row=**")
    assert "Documented error 2 ·" in walk.card("history")
    expect(walk.at("history.exchange").get_by_text("Response").first).to_be_visible()
    walk.press("history.compare.success")
    walk.page.wait_for_url("**with=**")
    expect(walk.page.get_by_text(re.compile(r"\(400\) and row \d+ \(200\): \d+ of \d+ fields differ"))).to_be_visible()
    walk.at("history.note").locator("textarea").fill("called them back")
    walk.press("history.labels.save")
    expect(walk.at("history.note").locator("textarea").first).to_have_value("called them back")
    walk.settle()
    assert history.count(Filters(note="called them")) == 1


def test_the_request_is_copied_without_its_secret(walk: "Walk", history: History) -> None:
    walk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row = history.page(Filters(case="seeded"), None, 1)[0].exchange.id
    walk.open(f"/history?row={row}")
    exchange = walk.at("history.exchange")
    exchange.get_by_role("tab", name="cURL").click()
    exchange.get_by_text("curl --url").hover()
    exchange.get_by_role("tabpanel", name="cURL").get_by_role("button", name="Copy to clipboard").click()
    copied = walk.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl --url https://www.olx.pl/api/open/oauth/token")
    assert "$CLIENT_SECRET" in copied
    assert "«" not in copied
    assert SECRET not in walk.page.content()


def test_repeats_open_as_a_filter(walk: "Walk", history: History) -> None:
    walk.open("/history?case=seeded&show=repeats")
    shown(walk, f"{ROWS} exchanges")
    tick(walk, "history.repeats", 1)
    walk.page.wait_for_url("**error=2**")
    shown(walk, "12 exchanges")
    expect(walk.at("history.filter.line")).to_contain_text("description:")


def test_the_list_follows_what_another_console_records(walk: "Walk", history: History, running: "Console") -> None:
    walk.open("/history?case=followed")
    expect(walk.page.get_by_text("No exchanges match these filters")).to_be_visible()
    one = history.page(Filters(case="seeded"), None, 1)[0].exchange
    begun = replace(one, id=None, case="followed", started_at=datetime.now(UTC), response=None)
    id = history.begin(begun)
    walk.open("/history?case=followed")
    shown(walk, "1 exchange")
    first_row(walk)
    walk.page.wait_for_url(f"**row={id}**")
    walk.press("history.close")
    later = history.begin(replace(begun, started_at=datetime.now(UTC)))
    # The list is a canvas, with its cells behind it for readers of the screen.
    cells = walk.at("history.table").locator("[role=gridcell]")
    expect(cells.filter(has_text=re.compile(rf"^{later}$"))).to_be_attached()
    first_row(walk)
    walk.page.wait_for_url(f"**row={later}**")


def test_a_view_is_saved_and_found_again(walk: "Walk", history: History) -> None:
    walk.open("/history?case=seeded&status=4xx")
    shown(walk, "12 exchanges")
    walk.press("history.views")
    walk.at("history.view.name").locator("input").fill("Refused")
    walk.page.get_by_role("button", name="Save", exact=True).click()
    walk.settle()
    walk.open("/history")
    walk.press("history.views")
    walk.press("history.view.1.open")
    shown(walk, "12 exchanges")


def test_a_secret_is_found_and_leaves_the_page(walk: "Walk", history: History) -> None:
    walk.open("/history")
    walk.press("history.secret.open")
    walk.at("history.secret").locator("input").fill(SECRET)
    walk.at("history.secret.look").locator("button").click()
    expect(walk.page.get_by_text(re.compile(r"As client_secret: in 12\d exchanges"))).to_be_visible()
    expect(walk.at("history.secret").locator("input").first).to_have_value("")
    assert SECRET not in walk.page.content()
    walk.press("history.secret.client_secret")
    walk.page.wait_for_url("**text=**")
    assert SECRET not in walk.page.url


def test_a_har_is_imported_without_its_secrets(walk: "Walk", history: History) -> None:
    har = {
        "log": {
            "version": "1.2",
            "creator": {"name": "browser", "version": "1"},
            "entries": [
                {
                    "startedDateTime": "2026-11-21T10:00:00Z",
                    "time": 12,
                    "request": {"method": "GET", "url": f"https://p.example/me?access_token={SECRET}", "headers": []},
                    "response": {"status": 200, "statusText": "OK", "headers": [], "content": {"text": "{}"}},
                }
            ],
        }
    }
    walk.open("/history")
    walk.press("history.import.open")
    content: FilePayload = {"name": "customer.har", "mimeType": "application/json", "buffer": json.dumps(har).encode()}
    walk.at("history.import.file").locator("input[type=file]").set_input_files(content)
    walk.type("history.import.case", "imported")
    walk.press("history.import")
    expect(walk.page.get_by_text("1 exchange imported")).to_be_visible()
    kept = history.page(Filters(case="imported"), None, 5)
    assert ["«access_token #" in row.exchange.request.url for row in kept] == [True]


def test_what_the_filters_show_is_deleted_once_its_number_is_typed(walk: "Walk", history: History) -> None:
    one = history.page(Filters(case="seeded"), None, 1)[0].exchange
    for _ in range(3):
        history.begin(replace(one, id=None, case="to delete"))
    walk.open('/history?case="to delete"')
    shown(walk, "3 exchanges")
    walk.press("history.delete.open")
    walk.press("history.delete.count")
    field = walk.at("history.delete.agreed").locator("input")
    field.fill("3")
    walk.page.get_by_role("button", name="Delete 3", exact=True).click()
    expect(walk.page.get_by_text("3 exchanges deleted")).to_be_visible()
    assert history.count(Filters(case="to delete")) == 0
    assert history.count(Filters(case="seeded")) == ROWS
