"""The pages of a console that shares its sandbox, or its database alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from oauth.history import misdirected
from oauth.history.schema import consoles
from oauth.installation import Installation, current
from oauth_sandbox import MOUNTED, Api, embedded
from oauth_sandbox.app import together
from oauth_sandbox.clock import utc_now
from oauth_sandbox.configuration import ready_made
from oauth_sandbox.control.access import ControlAccess
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.testing import serving

if TYPE_CHECKING:
    from tests.pages.conftest import Page

TOKEN = "the-token-of-a-shared-sandbox"
PAGE = "sandbox.py"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox server that the console is told of, before it reads its settings."""
    sandboxes = {api: Sandbox(utc_now, configuration=ready_made(api)) for api in MOUNTED}
    below = {path: sandboxes[api] for api, path in MOUNTED.items()}
    with serving(together(ControlAccess(TOKEN, open=False), below)) as url:
        monkeypatch.setenv("CONSOLE_SANDBOX_URL", f"{url}/")
        monkeypatch.setenv("CONSOLE_SANDBOX_TOKEN", TOKEN)
        monkeypatch.setattr("oauth_sandbox.steering.FRESH_SECONDS", 0.0)
        yield sandboxes[Api.PARTNER]


def test_a_login_at_the_shared_sandbox(shared: Sandbox, page: "Page") -> None:
    page.paste(page.decide())
    page.press("token.send")
    assert "«access_token #" in page.text()
    assert [it.number for it in shared.log.entries()] == [2, 1]
    assert embedded().log.entries() == ()
    assert TOKEN not in page.text()


def test_the_sandbox_page_shows_and_changes_the_shared_one(shared: Sandbox, page: "Page") -> None:
    page.go(PAGE)
    assert current().settings.sandbox_url in page.text()
    assert "client_id demo-app\nclient_secret demo-secret" in page.text()
    page.press("sandbox.clock.600")
    assert shared.clock.offset.total_seconds() == 600
    assert "10 min" in page.text()
    page.app.toggle(key="sandbox.active.demo-app").set_value(False)
    page.run()
    assert not shared.client("demo-app").active
    page.open("sandbox.tab", "Faults")
    page.press("sandbox.fault.add")
    assert [rule.number for rule in shared.faults.rules] == [1]
    page.press("sandbox.fault.remove.1")
    assert not shared.faults.rules
    secret = shared.issue_code("demo-app", "http://localhost/callback", ("read",))
    page.open("sandbox.tab", "Codes and tokens")
    assert list(page.app.dataframe[0].value["shown as"]) == [current().vault().redact_value("code", secret)]
    page.press("sandbox.reset")
    assert shared.client("demo-app").active
    assert embedded().clock.offset == timedelta()


def test_step_warns_of_a_client_that_is_inactive_at_the_shared_sandbox(shared: Sandbox, page: "Page") -> None:
    shared.change_client("demo-app", active=False)
    page.press("rail.token")
    assert "is published as inactive" in page.text()


def test_a_drill_runs_at_the_shared_sandbox(shared: Sandbox, page: "Page") -> None:
    page.go("errors.py", error="2")
    page.press("drill.2-expired.run")
    assert shared.log.entries()
    assert any(badge.value.find("passed") >= 0 for badge in page.app.markdown)
    assert shared.clock.offset == timedelta()


def test_an_absent_sandbox_is_named_and_the_other_pages_go_on(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("CONSOLE_SANDBOX_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("CONSOLE_SANDBOX_TOKEN", TOKEN)
    page: Page = request.getfixturevalue("page")
    assert "The owner of the data approves" in page.text()
    page.go(PAGE)
    assert "The sandbox at http://127.0.0.1:1 did not respond" in page.text()
    page.go("history.py")
    assert not page.app.exception


OWN = "This sandbox is of this console alone"


def test_a_console_beside_another_says_that_the_sandbox_is_its_own(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("CONSOLE_DATABASE_URL", postgresql_url)
    console: Installation = request.getfixturevalue("console")
    page: Page = request.getfixturevalue("page")
    page.go(PAGE)
    assert OWN not in page.text()
    with console.history.database.writing() as connection:
        seen = datetime.now(UTC) - timedelta(seconds=30)
        connection.execute(consoles.insert(), [{"id": "another", "seen_at": seen}])
    page.go(PAGE)
    assert f"1 other console uses the same history. {OWN}" in page.text()
    assert "CONSOLE_SANDBOX_URL" in page.text()
    page.go("errors.py", error="2")
    assert OWN in page.text()
    with console.history.database.writing() as connection:
        connection.execute(consoles.update().values(seen_at=seen - timedelta(minutes=5)))
    page.go(PAGE)
    assert OWN not in page.text()


@pytest.mark.parametrize("page_file", ["diagnose.py", "providers.py", "history.py"])
def test_a_page_says_that_a_file_reached_another_console(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, page_file: str
) -> None:
    monkeypatch.setenv("CONSOLE_DATABASE_URL", postgresql_url)
    console: Installation = request.getfixturevalue("console")
    page: Page = request.getfixturevalue("page")
    page.go(page_file)
    assert "A file reached another console" not in page.text()
    misdirected.note(console.history.database, datetime.now(UTC))
    page.run()
    assert "A file reached another console" in page.text()
    assert "at one console (docs/operate.md, Several consoles)" in page.text()
