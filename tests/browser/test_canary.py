"""Planted secrets do not appear at rest, in the log, in an export or on the page."""

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.browser.canaries import downloads, leaks

if TYPE_CHECKING:
    from tests.browser.conftest import Console, Walk

PLANTED = {
    "client_secret": "canary-client-secret-7Qm4",
    "code_verifier": "canary-verifier-/+ü9-zX",
    "password": "canary-password-b81",
}


def type_everywhere(walk: "Walk", token: str) -> None:
    """Type a secret of an earlier session into every text that is kept or put into an address."""
    walk.open("/?tab=canary")  # a flow of its own: the one before goes on
    walk.at("authorize.open").wait_for()
    walk.type("walkthrough.case", f"T-1 {token}")
    walk.authorize()
    walk.open("/history?row=1")
    walk.type("history.note", f"the customer's token is {token}")
    walk.press("history.labels.save")
    walk.open("/errors?document=1")
    walk.type("errors.document.head.name", f"Shop {token}")
    walk.at("errors.document.field.cause").locator("textarea").fill(f"The token {token} is used up.")
    walk.press("errors.document.save")
    expect(walk.at("errors.document.wrong.cause")).to_contain_text("has a secret in it")
    walk.open(f"/history?text={token}")
    walk.at("history.filter.line").wait_for()
    walk.settle()


def copied_report(walk: "Walk") -> str:
    """Copy the error report of step 3, and return the text on the clipboard."""
    walk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    walk.press("token.support")
    text = "async () => await navigator.clipboard.readText()"
    walk.page.wait_for_function(text)
    return str(walk.page.evaluate(text))


def test_secrets_stay_in_the_session(walk: "Walk", running: "Console") -> None:
    secrets = dict(PLANTED)
    arrivals: list[str] = []
    walk.page.context.on(
        "request", lambda request: arrivals.append(request.url) if "/callback?" in request.url else None
    )
    walk.authorize()
    arrived = parse_qs(urlsplit(arrivals[0]).query)
    secrets |= {"code": arrived["code"][0], "state": arrived["state"][0]}
    walk.exchange()
    walk.at("tokens").wait_for()
    for name in ("access_token", "refresh_token"):
        walk.press(f"tokens.reveal.{name}")
        shown = walk.at("tokens").locator("pre code").filter(has_text=re.compile(r"^[0-9a-f]{40}$")).first
        expect(shown).to_be_visible()
        token = shown.inner_text().strip()
        assert len(token) == 40
        secrets[name] = token
        walk.press(f"tokens.reveal.{name}")
    walk.press("api.send")
    walk.at("api.exchange").wait_for()
    walk.type("token.field.client_secret.value", PLANTED["client_secret"])
    for number, name in enumerate(("code_verifier", "password"), 1):
        while not walk.at(f"token.extra.{number}.name").count():  # on a busy machine a press can meet a run
            walk.press("token.extra.add")
        walk.type(f"token.extra.{number}.name", name)
        walk.type(f"token.extra.{number}.value", PLANTED[name])
    walk.pick("token.body", "Form")
    walk.pick("token.secret_in", "Basic")
    walk.exchange()
    walk.card("token")
    copied = copied_report(walk)
    assert leaks(secrets, copied.encode()) == []
    assert "«" in copied
    walk.press("walkthrough.start_over")  # keeps the flow with its secrets for Undo
    walk.press("walkthrough.undo")
    walk.card("token")
    # The page with the values of its fields.
    content = walk.page.content() + str(
        walk.page.evaluate("() => [...document.querySelectorAll('input, textarea')].map(field => field.value)")
    )
    assert leaks(secrets, content.encode()) == []
    pasted = {"pasted_secret": "canary-pasted-secret-5tR", "pasted_code": "canary0pasted0code0000000000000000000001"}
    body = f'{{"client_secret": "{pasted["pasted_secret"]}", "code": "{pasted["pasted_code"]}"}}'
    walk.open("/diagnose")
    walk.at("diagnose.text").locator("textarea").fill(f"curl https://x.example/token --json '{body}'")
    walk.press("diagnose.read")
    walk.at("diagnose.1.exchange").wait_for()
    walk.press("diagnose.save")
    expect(walk.page.get_by_text("Saved as rows")).to_be_visible()
    assert leaks(pasted, walk.page.content().encode()) == []
    secrets |= pasted
    type_everywhere(walk, secrets["access_token"])
    assert leaks(secrets, walk.page.url.encode() + walk.page.content().encode()) == []
    walk.open("/history")
    files = [*downloads(walk), running.log, *(path for path in running.home.rglob("*") if path.is_file())]
    assert {"history.db", "history.db-wal"} <= {path.name for path in files}
    for path in files:
        content_of_file = path.read_bytes()
        assert leaks(secrets, content_of_file) == [], f"{path.name} has a secret"
    # The search itself works: it finds the placeholders.
    assert (
        "«access_token #".encode()
        in (running.home / "history.db-wal").read_bytes() + (running.home / "history.db").read_bytes()
    )
