"""What a support engineer does: drills, and a customer's ticket from paste to fix."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.sync_api import expect

from oauth.catalogue.catalogues import PARTNER
from oauth.drills import drills

if TYPE_CHECKING:
    from tests.browser.conftest import Walk

OF_THE_SANDBOX = sum(drill.catalogue == PARTNER for drill in drills())
"""Number of the drills of the API that the chosen sandbox behaves like."""


def test_run_all_drills_passes(walk: "Walk") -> None:
    walk.open("/errors")
    walk.at("errors.run_all").locator("button").first.click()
    expect(walk.page.get_by_text(f"{OF_THE_SANDBOX} passed, 0 failed")).to_be_visible(timeout=120_000)


def test_two_simultaneous_runs_of_all_drills_pass(walk: "Walk") -> None:
    """Their drills move one clock and change the same clients, so that they take turns."""
    walk.open("/errors")
    other = type(walk)(walk.page.context.new_page(), walk.url)
    other.open("/errors")
    people = (walk, other)
    for person in people:
        person.at("errors.run_all").locator("button").first.click()
    for person in people:
        expect(person.page.get_by_text(f"{OF_THE_SANDBOX} passed, 0 failed")).to_be_visible(timeout=120_000)
    walk.open("/sandbox-state")
    expect(walk.page.get_by_text(", real time")).to_be_visible()


def test_waiting_for_the_sandbox_names_the_running_drill(walk: "Walk") -> None:
    """Somebody's drill takes long, and meanwhile another drill and a request of the walkthrough are wanted."""
    titles = {drill.id: drill.title for drill in drills()}
    walk.open("/errors?error=2")
    people = [type(walk)(walk.page.context.new_page(), walk.url) for _ in range(2)]
    people[0].open("/errors?error=3")
    people[1].open("/")
    people[1].authorize()
    late = {"fault": "latency", "seconds": 8, "client_id": "demo-app", "endpoint": "token"}
    assert httpx.post(f"{walk.url}/sandbox/control/faults", json=late, timeout=30).status_code == 201
    waiting = f"Waiting for the sandbox, which is used by: {titles['2-used']}"
    walk.at("drill.2-used.run").locator("button").click()
    expect(walk.page.get_by_text("The callback arrived")).to_be_visible()
    people[0].at("drill.3-left-out.run").locator("button").click()
    people[1].at("token.send").locator("button").click()
    for person in people:
        expect(person.page.get_by_text(waiting)).to_be_visible()
    expect(walk.at("drill.2-used").get_by_text("passed")).to_be_visible()
    expect(people[0].at("drill.3-left-out").get_by_text("passed")).to_be_visible()
    expect(people[1].at("tokens")).to_be_visible()


def test_customers_used_code_is_pasted_diagnosed_and_fixed(walk: "Walk") -> None:
    """The customer's integration exchanged the code, and more than ten minutes later sent it again with curl."""
    arrivals: list[str] = []
    walk.page.context.on(
        "request", lambda request: arrivals.append(request.url) if "/callback?" in request.url else None
    )
    walk.authorize()
    code = parse_qs(urlsplit(arrivals[0]).query)["code"][0]
    walk.exchange()
    walk.at("tokens").wait_for()
    ticket = (
        f"curl -i {walk.url}/sandbox/api/open/oauth/token -H 'Content-Type: application/json' -d "
        f"""'{{"grant_type":"authorization_code","client_id":"demo-app","client_secret":"demo-secret","code":"{code}",
"redirect_uri":"{walk.url}/callback","scope":"read write v2"}}'
HTTP/1.1 400 Bad Request
Date: Fri, 01 Jan 2100 00:00:00 GMT
Content-Type: application/json
X-Request-Id: ticket-4711

{{"error": "invalid_grant", "error_description": "Authorization code doesn't exist or is invalid for the client"}}"""
    )
    walk.open("/diagnose")
    walk.at("diagnose.history").locator("label").first.click()
    walk.settle()
    walk.at("diagnose.text").locator("textarea").fill(ticket)
    walk.press("diagnose.read")
    card = walk.card("diagnose.1")
    assert "Documented error 2 ·" in card
    assert "The same code was exchanged before" in card
    assert "codes live 10 min" in card
    assert code not in walk.page.content()
    walk.type("diagnose.case", "T-4711")
    walk.press("diagnose.save")
    expect(walk.page.get_by_text("Saved as rows")).to_be_visible()
    walk.press("diagnose.1.open")
    expect(walk.at("token.field.code.value").locator("input").first).to_have_value("«code #" + _mark(card) + " 40ch»")
    walk.exchange()
    assert "Documented error 2 ·" in walk.card("token")
    walk.press("token.fix.1")
    walk.authorize()
    walk.exchange()
    expect(walk.at("token.fixed")).to_contain_text("The fix worked")
    expect(walk.at("token.fixed")).to_contain_text("after: 200")


def test_ticket_is_marked_with_what_was_read_from_it(walk: "Walk") -> None:
    """Nothing is recognised in the first words; an example shows how it is done; then comes the ticket."""
    walk.open("/diagnose")
    walk.at("diagnose.text").locator("textarea").fill("It does not work.")
    walk.press("diagnose.read")
    expect(walk.at("diagnose.nothing")).to_contain_text("Nothing was recognised")
    walk.press("diagnose.example.log")
    expect(walk.at("diagnose.1.card")).to_contain_text("Documented error 11")
    walk.press("diagnose.restore")
    expect(walk.at("diagnose.text").locator("textarea").first).to_have_value("It does not work.")
    secret = "a-customers-real-secret-0001"
    walk.at("diagnose.text").locator("textarea").fill(
        f"""We use <b>{secret}</b>:
curl https://www.olx.pl/api/open/oauth/token -d grant_type=refresh_token -d client_id=7 -d client_secret={secret}
HTTP/1.1 400 Bad Request

{{"error": "invalid_grant", "error_description": "Invalid refresh token"}}
HTTP/1.1 404 Not Found
"""
    )
    walk.press("diagnose.read")
    marked = walk.at("diagnose.source.2").locator("code").first
    expect(marked).to_contain_text("1│ HTTP/1.1 400 Bad Request")
    expect(marked).to_contain_text("2│ HTTP/1.1 404 Not Found")
    expect(marked).to_contain_text("│ We use <b>«client_secret #")
    assert secret not in walk.page.content()
    expect(walk.at("diagnose.1.card")).to_be_visible()
    expect(walk.at("diagnose.2.card")).to_be_hidden()
    walk.at("diagnose.2.details").locator("summary").first.click()
    expect(walk.at("diagnose.2.card")).to_be_visible()


def _mark(card: str) -> str:
    """The fingerprint of the code that the card quotes."""
    return card.partition("«code #")[2].partition(" ")[0]
