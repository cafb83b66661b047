from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oauth.history import deadlines
from oauth.installation import Installation
from tests.history import pauses
from tests.servers.postgresql import Server

if TYPE_CHECKING:
    from tests.pages.conftest import Page


@pytest.fixture
def in_postgresql(home: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A console with its history in PostgreSQL; to be named before the page."""
    monkeypatch.setenv("CONSOLE_DATABASE_URL", postgresql_url)


@pytest.mark.usefixtures("in_postgresql")
def test_frozen_postgresql_costs_a_press_one_wait_and_the_walkthrough_goes_on(
    postgresql_server: Server, page: "Page", console: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[Exception] = []
    begin, run = deadlines.Pauses.begin, page.run

    def counted(pauses: deadlines.Pauses, error: Exception, *, of_writing: bool) -> None:
        waits.append(error)
        begin(pauses, error, of_writing=of_writing)

    def run_once() -> None:
        pauses.end(console.history.database)  # as if the last press was a while ago
        waits.clear()
        run()
        assert len(waits) <= 1, "a press waits for the server once"

    page.paste(page.decide())
    monkeypatch.setattr(deadlines.Pauses, "begin", counted)
    monkeypatch.setattr(page, "run", run_once)
    with postgresql_server.frozen():
        page.press("token.send")
        assert "its server does not respond" in page.text()
        page.press("api.send")
        assert "its server does not respond" in page.text()
        assert "demo.user@example.com" in page.text()
    assert max(deadlines.CONNECT_SECONDS, deadlines.ANSWER_SECONDS) <= 2
    page.press("api.send")
    assert "its server does not respond" not in page.text()
