from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from oauth_sandbox import Api, embedded

if TYPE_CHECKING:
    from tests.pages.conftest import Page


def chips(page: "Page") -> list[str]:
    return [link.proto.label for link in page.app.get("page_link") if "-badge[" in link.proto.label]


def test_nothing_unusual_has_no_chip(page: "Page") -> None:
    page.go("history.py")
    assert chips(page) == []


def test_a_moved_clock_of_a_sandbox_is_a_chip_on_the_other_pages(page: "Page") -> None:
    sandbox = embedded(Api.PARTNER)
    sandbox.clock.move(timedelta(days=1).total_seconds())
    try:
        page.go("history.py")
        assert chips(page) == [":orange-badge[Sandbox clock +1 d]"]
        page.go("sandbox.py")
        assert chips(page) == []
    finally:
        sandbox.clock.reset()


def test_a_history_that_is_not_kept_is_a_chip(page: "Page", monkeypatch: pytest.MonkeyPatch) -> None:
    page.app.session_state["console"].recorder.problem = "disk full"
    page.go("diagnose.py")
    assert chips(page) == [":orange-badge[History not kept]"]
