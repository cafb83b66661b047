"""A flow that is kept for a browser: another session of the same browser goes on where it was."""

import pytest

from oauth import kept_flows
from oauth.installation import Installation
from pages.parts.common import session
from tests.pages.conftest import Page

COOKIE = "the-value-of-a-cookie-that-only-one-browser-has"


@pytest.fixture(autouse=True)
def browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "browser", lambda: COOKIE)
    monkeypatch.setattr(kept_flows, "_memory", {})


def flow(page: Page) -> str:
    return page.app.session_state[session.SESSION].flow.id


def test_a_reload_after_each_step_goes_on(page: Page) -> None:
    page.press("rail.authorize")
    page.type("authorize.field.scope.value", "read")
    id = flow(page)

    page = Page()
    assert flow(page) == id
    assert page.value("authorize.field.scope.value") == "read"

    page.paste(page.decide())
    page = Page()
    assert flow(page) == id
    assert "The state matches the request" in page.text()

    page.press("token.send")
    page = Page()
    assert flow(page) == id
    assert page.app.session_state[session.SESSION].step == "call"
    token = page.app.session_state[session.SESSION].flow.tokens.access_token
    assert token not in page.text()

    page.press("api.send")
    page = Page()
    shown = page.app.session_state[session.SESSION].shown
    assert shown["api"].exchange.response.status == 200
    assert [item.exchange.step.value for item in page.app.session_state[session.SESSION].sequence] == [
        "authorize", "callback", "token", "api",
    ]
