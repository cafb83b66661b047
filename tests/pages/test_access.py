from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oauth.access import Action, Person, Role, people, tokens
from oauth.access.audit import Audit, Event, Selection
from oauth.access.tokens import Scope
from oauth.history.database import HistoryError
from oauth.installation import Installation, now
from pages.parts.access import audit as audit_page
from pages.parts.common import session
from tests.pages.test_permissions import key_of
from tests.pages.widgets import action_of

if TYPE_CHECKING:
    from tests.pages.conftest import Page

ADA = Person("7@login.example", "Ada", Role.ADMIN)
BOB = Person("8@login.example", "Bob", Role.READER)


@pytest.fixture(autouse=True)
def person(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Person], None]:
    """A console with a sign-in; returns a function that changes who uses it, who is Ada."""
    monkeypatch.setenv("CONSOLE_SIGN_IN", "oidc")
    monkeypatch.setenv("CONSOLE_PUBLIC_URL", "https://console.example")
    users = [ADA]
    monkeypatch.setattr(session, "person", lambda: users[-1])
    return users.append


@pytest.fixture
def access(page: "Page", console: Installation) -> "Page":
    """The page Access."""
    people.seen(console.history.database, ADA, "", now())
    page.go("access.py")
    return page


def create(page: "Page", name: str, *scopes: Scope) -> None:
    page.app.text_input(key="access.token.name").set_value(name)
    page.app.pills(key="access.token.scopes").set_value(list(scopes))
    page.press("access.token.create")


def audited(console: Installation) -> list[str]:
    return [f"{entry.name}: {entry.object}, {entry.detail}" for entry in console.audit().page(Selection(), None, 9)]


def test_token_is_shown_once_and_works(access: "Page", console: Installation) -> None:
    create(access, "nightly", Scope.HISTORY, Scope.DIAGNOSE)
    [secret] = [code.value for code in access.app.code]
    found = tokens.find(console.history.database, secret)
    assert found is not None
    assert (found.name, found.scopes, found.created_by) == ("nightly", (Scope.HISTORY, Scope.DIAGNOSE), ADA.id)
    assert found.expires_at - found.created_at == timedelta(days=90)
    access.press("access.token.seen")
    assert secret not in access.text()
    text = access.text()
    assert "nightly\nhistory:read diagnose" in text
    assert "last used just now, created just now by Ada" in text
    assert audited(console) == ["Ada: nightly, created for 90 days: history:read diagnose"]


def test_token_that_cannot_be_created_says_why(access: "Page", console: Installation) -> None:
    create(access, "nightly")
    assert "A token needs at least one scope" in access.text()
    create(access, "nightly", Scope.DIAGNOSE)
    create(access, "nightly", Scope.DIAGNOSE)
    assert "The token nightly already exists" in access.text()
    assert len(tokens.all_tokens(console.history.database)) == 1


def test_revoked_token_is_gone(access: "Page", console: Installation) -> None:
    create(access, "nightly", Scope.DIAGNOSE)
    access.press("access.token.1.revoke.sure")
    assert "No tokens" in access.text()
    assert not access.app.code, "the revoked one is shown no longer"
    assert tokens.all_tokens(console.history.database) == []
    assert audited(console)[0] == "Ada: nightly, revoked"


def test_nothing_is_done_that_cannot_be_audited(
    access: "Page", console: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise HistoryError("The history is full.")

    monkeypatch.setattr(Audit, "record", fail)
    create(access, "nightly", Scope.DIAGNOSE)
    assert "The history is full." in access.text()
    assert tokens.all_tokens(console.history.database) == []


def test_who_lost_the_role_creates_and_revokes_no_tokens(
    access: "Page", console: Installation, person: Callable[[Person], None]
) -> None:
    create(access, "nightly", Scope.DIAGNOSE)
    person(BOB)
    create(access, "other", Scope.DIAGNOSE)
    assert [token.name for token in tokens.all_tokens(console.history.database)] == ["nightly"]


def test_page_says_who_may_open_it(page: "Page", person: Callable[[Person], None]) -> None:
    person(BOB)
    page.go("access.py")
    assert "To create and revoke tokens, you need the role admin; yours is reader." in page.text()
    assert not [button.key for button in page.app.button if button.key and button.key.startswith("access.")]


def test_every_widget_needs_the_role_of_an_admin(access: "Page") -> None:
    create(access, "nightly", Scope.DIAGNOSE)
    keys = registered(access)
    access.open("access.tab", "Audit")
    keys |= registered(access)
    assert {"access.token.1.revoke.sure", "access.token.create", "access.audit.person", "access.audit.older"} <= keys
    assert {action_of(key) for key in keys} == {Action.TOKENS, Action.AUDIT}


def registered(page: "Page") -> set[str]:
    """The keys of the page's widgets that the browser can send something for."""
    keys = {key_of(id) for id in page.app._session_state._state._new_widget_state.widget_metadata}
    return {key for key in keys if key.startswith("access.")}


def show_audit(page: "Page") -> list[str]:
    page.open("access.tab", "Audit")
    frames = page.app.dataframe
    return [f"{row['who']} {row['event']} {row['object']}" for _, row in frames[0].value.iterrows()] if frames else []


@pytest.fixture
def filled(console: Installation) -> None:
    people.seen(console.history.database, BOB, "", now())
    for number in range(audit_page.PAGE + 20):
        console.audit().record((ADA, BOB)[number % 2], (Event.REVEAL, Event.EXPORT)[number % 4 == 0], str(number))


def test_audit_is_shown_newest_first_and_page_by_page(access: "Page", filled: None) -> None:
    shown = show_audit(access)
    assert (len(shown), shown[0], shown[-1]) == (100, "Bob reveal 119", "Ada export 20")
    access.press("access.audit.older")
    assert show_audit(access)[0] == "Bob reveal 19"
    assert access.app.button(key="access.audit.older").disabled
    access.press("access.audit.newest")
    assert show_audit(access)[0] == "Bob reveal 119"


def test_audit_is_filtered_by_person_event_and_day(access: "Page", filled: None, console: Installation) -> None:
    show_audit(access)
    access.pick("access.audit.person", ADA.id)
    assert show_audit(access)[0] == "Ada reveal 118"
    access.pick("access.audit.event", "export")
    assert show_audit(access)[0] == "Ada export 116"
    assert "30 rows" in access.text()
    access.app.date_input(key="access.audit.until").set_value(now().date() - timedelta(days=1))
    access.run()
    assert show_audit(access) == []
    assert "Nothing in the audit matches" in access.text()
    access.app.date_input(key="access.audit.until").set_value(now().date())
    access.app.date_input(key="access.audit.since").set_value(now().date())
    access.run()
    assert len(show_audit(access)) == 30


def test_download_has_the_filtered_rows_and_is_audited(console: Installation, filled: None) -> None:
    octets = audit_page._csv(console.audit(), Selection(person=ADA.id), BOB, "10.0.0.1")
    assert octets.count(b"\r\n") == 61
    entry = console.audit().page(Selection(), None, 1)[0]
    assert (entry.name, entry.event, entry.object) == ("Bob", "export", f"audit person:{ADA.id}")
    assert (entry.detail, entry.address) == ("60 rows, csv", "10.0.0.1")


def test_console_without_a_sign_in_has_no_such_page(
    monkeypatch: pytest.MonkeyPatch, person: Callable[[Person], None], request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("CONSOLE_SIGN_IN", "off")
    page: Page = request.getfixturevalue("page")
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        page.go("access.py")
