"""A catalogue is written from the documentation page of an API that the console does not know."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from oauth.exchange import Exchange, Request, Response, Step
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.recorder import Recorder
from oauth.redaction import Vault

ROOT = Path(__file__).parent.parent.parent

if TYPE_CHECKING:
    from tests.browser.conftest import Console, Walk

DOCUMENTATION = "https://developers.glean.com/errors"
CALL = Request("GET", "https://acme-be.glean.com/rest/api/v1/search")
BODY = """{
  "type": "https://developers.glean.com/errors/NAME",
  "title": "TITLE",
  "status": STATUS,
  "detail": "Human-readable explanation specific to this occurrence.",
  "code": "CODE",
  "documentation_url": "https://developers.glean.com/errors/NAME",
  "request_id": "req_7f8a9b0c1d2e"
}"""


def body(code: str, status: int) -> str:
    name, title = code.replace("_", "-"), code.replace("_", " ").title()
    return BODY.replace("NAME", name).replace("TITLE", title).replace("STATUS", str(status)).replace("CODE", code)


def record(history: History, code: str, status: int) -> None:
    """Record an answer whose words are those of the occurrence, and not those of the documentation."""
    recorder = Recorder(history, Vault(b"key"))
    begun = recorder.begin(Exchange(Step.API, CALL, datetime.now(UTC)))
    said = body(code, status).replace("Human-readable explanation", "The search of ada is refused,")
    recorder.complete(begun, replace(begun.live, response=Response(status, body=said.encode())))


def write(walk: "Walk", **values: str) -> None:
    for name, text in values.items():
        field = walk.at(f"errors.document.{name.replace('__', '.')}").locator("input, textarea").first
        field.fill(text)
        field.press("Tab")
    walk.settle()


def test_catalogue_is_written_from_a_documentation_page_and_its_errors_are_recognised(
    walk: "Walk", running: "Console"
) -> None:
    history = History(f"sqlite:///{running.home / 'history.db'}", lambda: datetime.now(UTC))
    record(history, "insufficient_permissions", 403)
    walk.open("/history?row=1")
    walk.page.get_by_text("Document this error").first.click()
    expect(walk.at("errors.document.checks")).to_contain_text("Row 1 is recognised as this error.")
    write(walk, head__documentation=DOCUMENTATION, head__hosts="*.glean.com")
    write(walk, field__cause="The token lacks a scope.", field__remedy="Check the scopes.\nAsk an admin to grant them.")
    walk.press("errors.document.more")
    expect(walk.page.get_by_text("Row 1 is recognised as it.")).to_be_visible()
    write(walk, field__example=body("token_expired", 401))
    # While a run moves the field, the page has it in both places.
    expect(walk.at("errors.document.field.title").locator("input").first).to_have_value("Token expired")
    write(walk, field__cause="Its lifetime is over.", field__remedy="Refresh it.")
    expect(walk.at("errors.document.checks")).to_contain_text("The example is recognised as this error.")
    walk.press("errors.document.save")
    expect(walk.at("errors.own.glean")).to_contain_text("Glean · 2 errors · glean.toml")

    record(history, "token_expired", 401)
    command = [sys.executable, "-m", "oauth", "history", "recognise"]
    done = subprocess.run(
        command, cwd=ROOT, env={"CONSOLE_HOME": str(running.home)}, capture_output=True, text=True, check=True
    )
    assert "1  answer/unknown_error → glean/insufficient_permissions\n" in done.stdout
    assert [row.entry for row in history.rows(Filters())] == ["glean/token_expired", "glean/insufficient_permissions"]
    history.database.engine.dispose()
    walk.open("/history?row=1")
    expect(walk.at("history.card")).to_contain_text("Ask an admin to grant them.")
    expect(walk.at("history.card")).to_contain_text("the host acme-be.glean.com")
