"""What is done on the pages of a console with a sign-in is in the audit, once, and is not done when it cannot be."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from oauth.access import Person, Role, people
from oauth.access.audit import Audit, Event, Selection
from oauth.catalogue import editing
from oauth.exchange import Exchange, Request, Step
from oauth.history.database import HistoryError
from oauth.history.filters import Filters
from oauth.installation import Installation, now
from oauth.providers import custom, load
from oauth_sandbox import embedded
from pages.parts.common import session
from tests.catalogue.test_catalogues import ACME

if TYPE_CHECKING:
    from tests.pages.conftest import Page

PEOPLE = [Person("7@login.example", "Ada", Role.ADMIN)]


@pytest.fixture(autouse=True)
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ada, an admin, uses a console whose audit is on; its address stays that of the tests' server."""
    monkeypatch.setattr(Installation, "audit", lambda self: Audit(self.history, self.vault(), is_on=True))
    monkeypatch.setattr(session, "person", lambda: PEOPLE[-1])


def audited(console: Installation) -> list[tuple[str, str, str]]:
    rows = console.audit().page(Selection(), None, 99)
    assert {(row.person, row.name, row.role) for row in rows} <= {("7@login.example", "Ada", "admin")}
    return [(row.event, row.object, row.detail) for row in reversed(rows)]


def newest(console: Installation) -> int:
    id = console.history.page(Filters(), None, 1)[0].exchange.id
    assert id is not None
    return id


def delete_all(page: "Page") -> None:
    page.press("history.delete.count")
    page.app.text_input(key="history.delete.agreed").set_value("2")
    page.press("history.delete")


def test_each_change_has_one_row(page: "Page", console: Installation) -> None:
    page.paste(page.decide())
    page.press("token.send")
    assert audited(console) == [], "what is sent is in the history"
    page.press("tokens.reveal.access_token")
    page.press("tokens.reveal.access_token")
    assert audited(console) == [("reveal", "tokens.reveal.access_token", "")], "hiding is no change"

    number = newest(console)
    page.go("history.py", row=str(number))
    page.app.text_area(key="history.note").set_value("asked the customer")
    page.press("history.labels.save")
    page.press("history.labels.save")
    delete_all(page)
    assert audited(console)[1:] == [
        ("annotation", f"row {number}", ""),
        ("deletion", "-origin:drill,import", "2 exchanges"),
    ]
    assert console.history.get(number) is None

    custom.write(console.settings.home, custom.duplicate(load("http://localhost")["github"], "own", "Own"))
    page.go("providers.py")
    page.open("providers.open", "own")
    page.press("providers.own.own.delete.sure")
    assert audited(console)[3:] == [("profile", "own", "deleted")]

    page.go("sandbox.py")
    page.press("sandbox.clock.600")
    page.press("sandbox.reset")
    assert audited(console)[4:] == [("sandbox", "move 600.0", ""), ("sandbox", "reset", "")]


def test_catalogue_is_named(page: "Page", console: Installation) -> None:
    editing.create("acme", ACME)
    page.go("errors.py", entry="")
    page.app.session_state["errors.document"] = True
    page.run()
    page.press("errors.own.acme.delete.sure")
    assert audited(console) == [("catalogue", "acme", "The catalogue was deleted.")]


def test_nothing_is_done_that_cannot_be_recorded(
    page: "Page", console: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.paste(page.decide())
    page.press("token.send")
    number = newest(console)

    def fail(*_: object, **__: object) -> None:
        raise HistoryError("The audit cannot be written.")

    monkeypatch.setattr(Audit, "record", fail)
    page.press("tokens.reveal.access_token")
    assert "The audit cannot be written." in page.text()
    assert page.app.session_state["console"].revealed == ""
    page.go("history.py", row=str(number))
    delete_all(page)
    assert console.history.get(number) is not None
    page.go("sandbox.py")
    before = embedded().clock.offset
    page.press("sandbox.clock.600")
    assert embedded().clock.offset == before
    assert "The audit cannot be written." in page.text()


def test_refused_action_is_in_the_audit_without_its_arguments(
    page: "Page", console: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.paste(page.decide())
    page.press("token.send")
    monkeypatch.setattr(session, "person", lambda: Person("7@login.example", "Ada", Role.READER))
    page.press("tokens.reveal.access_token")
    [row] = console.audit().page(Selection(), None, 9)
    assert (row.event, row.object, row.allowed, row.role) == (Event.REFUSAL, "reveal", False, "reader")


def test_row_of_another_is_refused_and_in_the_audit_once(
    page: "Page", console: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Exchange(Step.API, Request("GET", "https://p.example/canary"), now(), owner="8@login.example")
    own = replace(other, request=Request("GET", "https://p.example/own"), owner="7@login.example")
    console.history.begin(own)
    number = console.history.begin(other)
    monkeypatch.setattr(session, "person", lambda: replace(PEOPLE[0], role=Role.READER))
    for row in (number, number, number + 1):
        page.go("history.py", row=str(row))
        assert f"Row {row} does not exist in this history." in page.text()
        assert "canary" not in page.text()
    rows = console.audit().page(Selection(), None, 9)
    assert [(row.event, row.object, row.allowed) for row in rows] == [("refusal", f"row {number}", False)]


def test_rows_have_the_names_of_people(page: "Page", console: Installation) -> None:
    people.seen(console.history.database, replace(PEOPLE[0], id="8@login.example", name="*Bob*"), "", now())
    people.seen(console.history.database, PEOPLE[0], "", now())
    page.paste(page.decide())
    sent = Exchange(Step.API, Request("GET", "https://p.example/"), now(), owner="8@login.example")
    number = console.history.begin(sent)
    page.go("history.py")
    assert set(page.app.dataframe[0].value["by"]) == {"Ada", "*Bob*"}
    page.go("history.py", row=str(number))
    assert "by 8@login.example · *Bob*" in page.text()


def test_files_and_forms_are_named(page: "Page", console: Installation) -> None:
    page.go("providers.py")
    page.app.file_uploader(key="providers.import").upload("xy.toml", b'name = "Xy"\n')
    page.run()
    page.open("providers.open", "")
    page.press("providers.new.empty")
    page.type("providers.field.name", "Zz")
    page.press("providers.save")
    assert audited(console) == [("profile", "xy", "imported"), ("profile", "zz", "saved")]

    page.go("errors.py", entry="")
    page.app.session_state["errors.document"] = True
    page.run()
    page.app.file_uploader(key="errors.document.import").upload("acme.toml", ACME.encode())
    page.run()
    assert audited(console)[2:] == [("catalogue", "acme", "acme.toml was imported.")]

    har = b'{"log": {"entries": []}}'
    page.go("history.py")
    page.app.file_uploader(key="history.import.file").upload("customer.har", har)
    page.run()
    page.app.text_input(key="history.import.case").set_value("T-1")
    page.press("history.import")
    assert audited(console)[3:] == [("import", "T-1", f"{len(har)} octets")]
