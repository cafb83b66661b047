"""A flow that is kept for a browser: another session of the same browser goes on where it was."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from oauth import kept_flows
from oauth.exchange import Step
from oauth.history.filters import Filters
from oauth.history.store import HistoryError
from oauth.installation import Installation, now
from oauth.kept_flows import KeptFlows
from pages.parts.common import session
from pages.parts.walkthrough import keeping
from tests.pages.conftest import Page

COOKIE = "the-value-of-a-cookie-that-only-one-browser-has"


@pytest.fixture(autouse=True)
def stop(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A function that empties the process's memory, as its end does."""
    monkeypatch.setattr(session, "browser", lambda: COOKIE)

    def end() -> None:
        monkeypatch.setattr(kept_flows, "_memory", {})

    end()
    return end


def state(page: Page) -> Any:
    return page.app.session_state[session.SESSION]


def sent(console: Installation, step: Step) -> int:
    return console.history.count(Filters(step=step.value))


def test_a_reload_after_each_step_goes_on(page: Page) -> None:
    flow, scope = state(page).flow, page.value("authorize.field.scope.value")
    page.type("authorize.field.scope.value", "read")
    page.type("walkthrough.case", "T-1")

    page = Page()
    assert state(page).flow.id == flow.id
    assert page.value("authorize.field.scope.value") == "read"
    assert page.value("walkthrough.case") == "T-1"
    page.type("authorize.field.scope.value", scope)

    page = Page()
    page.paste(page.decide())
    page = Page()
    assert (state(page).flow.state, state(page).step) == (flow.state, "token")
    assert "The state matches the request" in page.text()

    page.press("token.send")
    tokens = state(page).flow.tokens
    page = Page()
    assert (state(page).flow.tokens, state(page).step) == (tokens, "call")
    assert tokens.access_token not in page.text()

    page.press("api.send")
    page = Page()
    assert state(page).shown["api"].exchange.response.status == 200
    assert [item.exchange.step.value for item in state(page).sequence] == ["callback", "token", "api"]


def test_an_error_comes_back_with_its_cause_and_its_fix(page: Page) -> None:
    page.paste(page.decide())
    page.type("token.field.client_secret.value", "not-the-secret-of-this-client")
    page.press("token.send")
    before = state(page).shown["token"]
    page = Page()
    assert state(page).shown["token"] == before
    assert before.diagnosis.causes
    assert page.value("token.field.client_secret.value").startswith("«client_secret")


def test_own_client_keys_and_options_come_back(page: Page) -> None:
    page.pick("walkthrough.client.sandbox", session.OWN_CLIENT)
    page.type("walkthrough.client_id", "my-client")
    page.type("walkthrough.client_secret", "the-secret-of-my-client-0815")
    page.app.toggle(key="walkthrough.options").set_value(True)
    page.run()
    page.app.toggle(key="authorize.dpop").set_value(True)
    page.run()
    before = state(page).flow
    page = Page()
    assert state(page).flow == before
    assert state(page).flow.client.secret == "the-secret-of-my-client-0815"
    assert state(page).flow.dpop_key.thumbprint == before.dpop_key.thumbprint


def test_start_over_is_not_undone_by_a_reload(page: Page) -> None:
    page.paste(page.decide())
    page.press("token.send")
    token = state(page).flow.tokens.access_token
    page.press("walkthrough.start_over")
    flow = state(page).flow.id
    page = Page()
    assert state(page).flow.id == flow
    assert state(page).flow.tokens is None
    assert token not in str(state(page).vault.remembered())
    assert not any(button.key == "walkthrough.undo" for button in page.app.button)


def test_a_code_is_sent_by_one_of_two_tabs(page: Page, console: Installation) -> None:
    page.paste(page.decide())
    second = Page()
    page.press("token.send")
    second.press("token.send")
    assert sent(console, Step.TOKEN) == 1
    assert "Another tab went on with this flow" in second.text()
    second.press("walkthrough.show")
    assert state(second).flow.tokens == state(page).flow.tokens
    assert "Another tab went on" not in second.text()


def test_a_tab_that_found_out_sends_nothing_and_may_have_its_own_flow(page: Page, console: Installation) -> None:
    page.paste(page.decide())
    second = Page()
    page.type("token.field.code.value", "edited")
    second.run()
    assert "Another tab went on with this flow" in second.text()
    second.press("token.send")
    assert sent(console, Step.TOKEN) == 0
    second.press("walkthrough.own_flow")
    assert "Another tab" not in second.text()
    assert state(second).flow.id != state(page).flow.id
    second.type("walkthrough.case", "T-2")
    page.run()
    assert "Another tab" not in page.text()
    assert state(Page()).flow.id == state(page).flow.id


def test_a_flow_of_a_stopped_console_is_said_to_be_lost(page: Page, stop: Callable[[], None]) -> None:
    page.paste(page.decide())
    flow = state(page).flow.id
    stop()
    page = Page()
    assert "Your flow was lost" in page.text()
    assert f"The console that had flow {flow} in its memory" in page.text()
    links = [link.proto for link in page.app.get("page_link")]
    assert [link.label for link in links if "flow" in link.query_string] == [f"Exchanges of flow {flow}"]
    assert state(page).flow.id != flow
    page.type("walkthrough.case", "T-1")
    assert "Your flow was lost" in page.text()
    page.paste(page.decide())
    page.run()
    assert "Your flow was lost" not in page.text()


def test_fields_of_a_stopped_console_are_said_to_be_reset(page: Page, stop: Callable[[], None]) -> None:
    page.type("authorize.field.scope.value", "read")
    stop()
    page = Page()
    assert "The fields were reset" in page.text()


def test_what_another_version_kept_is_said_to_be_lost(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.paste(page.decide())
    monkeypatch.setattr(keeping, "SHAPE", keeping.SHAPE + 1)
    assert "Your flow was lost" in Page().text()


def test_a_request_that_was_begun_is_not_sent_again(
    page: Page, console: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.paste(page.decide())
    held = page.app.session_state["kept flow"]
    until = now() + timedelta(seconds=30)
    content = keeping._decoded(held.content)
    assert content is not None

    flows = KeptFlows(console.history.database, timedelta(hours=1))
    kept = flows.load(held.name)
    assert kept is not None
    begun = msgspec.json.encode(replace(content, sending=keeping._Sending("token", until)))
    assert flows.save(held.name, replace(kept, generation=kept.generation + 1, payload=begun))

    second = Page()
    assert "A token request of this flow was begun" in second.text()
    second.press("token.send")
    assert sent(console, Step.TOKEN) == 0

    monkeypatch.setattr(keeping, "now", lambda: until)
    second.run()
    assert "No response to a token request of this flow was recorded" in second.text()
    second.press("token.send")
    assert sent(console, Step.TOKEN) == 1
    assert "No response to a token request" not in second.text()


def test_a_store_that_fails_stops_nothing(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise HistoryError("The database is away.")

    page.paste(page.decide())
    monkeypatch.setattr(KeptFlows, "_write", fail)
    monkeypatch.setattr(KeptFlows, "generation", fail)
    page.press("token.send")
    assert state(page).flow.tokens is not None


def test_a_flow_that_could_not_be_read_does_not_replace_what_was_begun_since(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise HistoryError("The database is away.")

    page.paste(page.decide())
    with monkeypatch.context() as patch:
        for name in ("load", "save", "generation"):
            patch.setattr(KeptFlows, name, fail)
        second = Page()
        second.type("walkthrough.case", "T-2")
    begun = state(second).flow.id
    second.run()
    assert state(second).flow.id == begun != state(page).flow.id
    assert "Another tab went on with this flow" in second.text()
    second.press("walkthrough.show")
    assert state(second).flow.id == state(page).flow.id


def test_a_browser_without_a_cookie_keeps_nothing(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "browser", lambda: "")
    kept_flows._memory.clear()
    other = Page()
    other.paste(other.decide())
    assert kept_flows._memory == {}
    assert state(Page()).flow.id != state(other).flow.id


def test_a_tab_that_was_overtaken_gives_the_callback_back(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other tab saved between the look and the taking."""
    page.press("rail.callback")
    second = Page()
    answer = httpx.get(page.decide(), trust_env=False)
    assert answer.status_code == 200
    page.type("walkthrough.case", "T-1")
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "is_overtaken", lambda: False)
        second.run()
    second.run()
    assert "Another tab went on with this flow" in second.text()
    page.run()
    assert state(page).flow.code


def test_start_over_in_a_tab_that_was_overtaken_begins_its_own(page: Page) -> None:
    page.paste(page.decide())
    second = Page()
    page.press("token.send")
    second.press("walkthrough.start_over")
    assert "Another tab went on" not in second.text()
    assert state(Page()).flow.tokens == state(page).flow.tokens
    second.paste(second.decide())
    second.press("token.send")
    assert state(second).flow.tokens is not None
