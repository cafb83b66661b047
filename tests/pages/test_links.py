"""The authorization link and the flow behind it: whose values it has, and what is kept when a flow starts over."""

from typing import TYPE_CHECKING

import pytest

from oauth.exchange import Request
from oauth.flow import Field
from oauth.history.filters import Filters
from oauth.installation import Installation
from pages.parts.walkthrough import authorization

if TYPE_CHECKING:  # a conftest is no module to import; pytest hands out what is in it
    from tests.pages.conftest import Page


@pytest.fixture
def walk(page: "Page") -> "Page":
    """The walkthrough at a server whose endpoints were typed, with a client of the user's own."""
    page.pick("walkthrough.provider", "generic")
    page.type("walkthrough.profile.authorization_endpoint", "https://as.example/authorize")
    page.type("walkthrough.profile.token_endpoint", "https://as.example/token")
    page.type("walkthrough.client_id", "first")
    return page


def link(page: "Page") -> tuple[str, bool]:
    """Return the address of the link, and whether it is disabled."""
    item = next(item for item in page.app.link_button if item.key == "authorize.open")
    return str(item.proto.url), bool(item.proto.disabled)


def begin(page: "Page") -> None:
    """Do what a click on the link does, which AppTest cannot click."""
    current = page.app.session_state["console"]
    authorization.begin(current, Request("GET", link(page)[0]), [Field("client_id", "first", "", "")])
    page.run()


def test_link_needs_a_client_id_or_its_field_cleared(walk: "Page") -> None:
    assert not link(walk)[1]
    walk.type("walkthrough.client_id", "")
    assert link(walk)[1]
    assert "Enter the client ID above first" in walk.text()
    walk.untick("authorize.field.client_id.send")
    assert not link(walk)[1]


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("walkthrough.client_id", "second", "client"),
        ("walkthrough.profile.authorization_endpoint", "https://as.example/other", "provider"),
    ],
)
def test_another_client_or_endpoint_starts_a_new_flow_and_says_so(
    walk: "Page", key: str, value: str, what: str
) -> None:
    begin(walk)
    before = walk.app.session_state["console"].flow.state
    walk.type(key, value)
    assert walk.app.session_state["console"].flow.state != before
    assert f"The {what} changed, so a new flow has begun" in walk.text()
    begin(walk)
    assert "so a new flow has begun" not in walk.text()


def test_secret_may_be_typed_while_the_callback_is_awaited(walk: "Page") -> None:
    begin(walk)
    before = walk.app.session_state["console"].flow.state
    walk.type("walkthrough.client_secret", "a-secret-that-was-typed-late")
    assert walk.app.session_state["console"].flow.state == before


def test_start_over_forgets_edits_and_keeps_the_client_and_the_case(walk: "Page") -> None:
    walk.type("walkthrough.case", "T-1")
    walk.type("authorize.field.scope.value", "edited")
    walk.untick("authorize.field.state.send")
    walk.press("authorize.extra.add")
    walk.type("authorize.extra.1.name", "extra")
    walk.press("rail.token")
    walk.type("token.url", "https://as.example/elsewhere")
    walk.press("walkthrough.start_over")
    assert walk.value("authorize.field.scope.value") == ""
    assert walk.app.checkbox(key="authorize.field.state.send").value
    assert not any(str(item.key).startswith("authorize.extra.1") for item in walk.app.text_input)
    assert walk.value("walkthrough.client_id") == "first"
    assert walk.app.session_state["console"].flow.case == "T-1"
    walk.press("rail.token")
    assert walk.value("token.url") == "https://as.example/token"


def test_another_provider_has_none_of_the_edited_values(walk: "Page") -> None:
    walk.type("authorize.field.scope.value", "edited")
    walk.press("authorize.extra.add")
    walk.type("authorize.extra.1.name", "extra")
    walk.type("authorize.extra.1.value", "value")
    walk.pick("walkthrough.provider", "sandbox")
    assert "edited" not in link(walk)[0]
    assert "extra" not in link(walk)[0]


@pytest.mark.parametrize(
    ("text", "title", "error"),
    [
        (
            "oops! something went wrong\nerror: invalid_redirect_uri\nerror_description: redirect_uri did not match",
            "A redirect URI was refused",
            "invalid_redirect_uri",
        ),
        ('{"error": "invalid_client", "error_description": "No client found"}', "", "invalid_client"),
        ("<h1>Error</h1><p>The request cannot be processed", "The provider showed an error page", ""),
        ("Sorry, this app is not known here.", "The provider showed an error page", ""),
    ],
)
def test_text_of_an_error_page_is_the_answer_of_step_1(
    walk: "Page", console: Installation, text: str, title: str, error: str
) -> None:
    begin(walk)
    walk.paste(text)
    row = next(iter(console.history.rows(Filters(step="authorize"))))
    assert row.error == error
    assert "pasted" in row.exchange.marks
    assert title in walk.text()
    assert "This callback was refused" not in walk.text()
    assert walk.app.session_state["console"].flow.callback is None


def test_page_that_was_not_opened_by_the_link_is_read_too(walk: "Page", console: Installation) -> None:
    walk.paste('{"error": "invalid_client"}')
    assert [row.error for row in console.history.rows(Filters(step="authorize"))] == ["invalid_client"]
