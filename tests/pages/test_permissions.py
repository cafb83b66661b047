"""What each role may do on the pages: the tables of pages and widgets are compared with what is drawn.

A widget that is drawn and not listed fails, and so does one that the role may not use.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import streamlit

import oauth_sandbox as sandbox
from oauth.access import LOCAL, MINIMUM, Action, Person, Role
from oauth.catalogue import editing
from oauth.history.filters import Filters
from oauth.installation import Installation
from oauth.providers import custom, load
from oauth.settings import Settings
from oauth_sandbox import embedded, fault_from
from pages.parts.common import permissions, provider, session
from tests.catalogue.test_catalogues import ACME
from tests.hostile.entries import damage_history
from tests.pages.widgets import action_of

if TYPE_CHECKING:
    from tests.pages.conftest import Page

PAGES = Path(__file__).parent.parent.parent / "pages"
EVERY_PAGE = [name for name in permissions.PAGES if name != "access"]
"""The pages of a console without a sign-in."""


@pytest.fixture
def as_role(monkeypatch: pytest.MonkeyPatch) -> Callable[[Role], None]:
    """Makes whoever uses the pages a person of another role, who owns what is in the history."""

    def change(role: Role) -> None:
        monkeypatch.setattr(session, "person", lambda: Person(LOCAL.id, "Anna", role))

    return change


@pytest.fixture
def walked(page: "Page", console: Installation) -> "Page":
    """A console with everything in it: a flow with a failure, a profile and a catalogue of its own, an armed fault."""
    page.app.toggle(key="walkthrough.options").set_value(True)
    page.paste(page.decide())
    page.press("token.send")
    page.press("token.send")
    custom.write(console.settings.home, custom.duplicate(load("http://localhost")["github"], "own", "Own"))
    editing.create("acme", ACME)
    embedded().faults.add(fault_from("latency", {"seconds": 0.0}))
    return page


def newest(console: Installation) -> str:
    return str(console.history.page(Filters(), None, 1)[0].exchange.id)


def press_if_drawn(page: "Page", key: str) -> None:
    if any(button.key == key for button in page.app.button):
        page.press(key)


def diagnosed(page: "Page") -> None:
    page.go("diagnose.py")
    press_if_drawn(page, "diagnose.example.curl")


def about_to_delete(page: "Page") -> None:
    page.go("history.py", show="", row="")
    press_if_drawn(page, "history.delete.count")


def catalogues(page: "Page", button: str = "") -> None:
    page.go("errors.py", entry="")
    page.app.session_state["errors.document"] = True
    page.run()
    press_if_drawn(page, button)


def own_profile(page: "Page", button: str = "") -> None:
    page.go("providers.py")
    if any(radio.key == "providers.open" for radio in page.app.radio):
        page.open("providers.open", "own")
    press_if_drawn(page, button)


def sandbox_tab(page: "Page", name: str) -> None:
    page.go("sandbox.py")
    page.app.session_state["sandbox.tab"] = name
    page.run()


def visits(row: str) -> Iterator[Callable[["Page"], None]]:
    """The states of all pages that are looked at, in an order in which none is in the way of the next."""
    yield lambda page: page.go("walkthrough.py")
    yield diagnosed
    yield lambda page: page.go("history.py")
    yield about_to_delete
    yield lambda page: page.go("history.py", show="repeats")
    yield lambda page: page.go("history.py", show="charts")
    yield lambda page: page.go("history.py", show="", row=row)
    yield lambda page: page.go("errors.py", entry="partner/2")
    yield lambda page: page.go("errors.py", entry="acme/E-17")
    yield catalogues
    yield own_profile
    for tab in ("Clients", "Codes and tokens", "Faults", "Lint", "Requests"):
        yield partial(sandbox_tab, name=tab)
    yield lambda page: page.go("errors.py", document=row)
    yield partial(own_profile, button="providers.own.own.edit")


def key_of(id: str) -> str:
    """The key in the id of an element."""
    _, _, key = id.removeprefix("$$ID-").partition("-")
    return key


def elements(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        yield from elements(child) if hasattr(child, "children") else (child,)


def offered(page: "Page", row: str) -> set[str]:
    """The keys of all widgets that a session draws or registers on any page: it can be sent something."""
    keys: set[str] = set()
    for visit in visits(row):
        visit(page)
        drawn = [element.proto for element in elements(page.app._tree)]
        keys |= {key_of(proto.id) for proto in drawn if getattr(proto, "id", "")}
        targets = {proto.page for proto in drawn if type(proto).__name__ == "PageLink"}
        assert all(permissions.may(permissions.PAGES[FILES.get(target, target)]) for target in targets)
    return keys | {key_of(id) for id in page.app._session_state._state._new_widget_state.widget_metadata}


FILES = {"": "walkthrough", "sandbox-state": "sandbox"}
"""The names of pages whose address is another."""


@pytest.mark.parametrize("role", Role)
def test_a_role_is_offered_what_it_may_do_and_nothing_else(
    walked: "Page", console: Installation, as_role: Callable[[Role], None], role: Role
) -> None:
    row = newest(console)
    as_role(Role.ADMIN)
    everything = offered(type(walked)(), row)
    assert len(everything) > 200
    assert {action_of(key) for key in everything} >= set(Action) - UNSEEN
    as_role(role)
    assert offered(type(walked)(), row) == {key for key in everything if permissions.may(action_of(key))}


UNSEEN = {Action.READ_ALL, Action.TOKENS, Action.AUDIT}
"""Actions without a widget of the pages that are looked at."""


def test_the_widgets_of_a_whole_walkthrough_are_listed(walked: "Page") -> None:
    walked.go("walkthrough.py")
    for id in walked.app._session_state._state._new_widget_state.widget_metadata:
        assert action_of(key_of(id)) in (Action.SEND, None)


@pytest.mark.parametrize("role", Role)
def test_the_page_access_is_for_those_who_may(
    page: "Page", console: Installation, as_role: Callable[[Role], None], monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    monkeypatch.setattr(Settings, "sign_in", property(lambda _: "oidc"))
    as_role(role)
    page.run()
    page.go("access.py")
    assert ("Not allowed" in page.text()) is (role < Role.ADMIN)
    keys = {key_of(element.proto.id) for element in elements(page.app._tree) if getattr(element.proto, "id", "")}
    assert len(keys) > 3 or role < Role.ADMIN
    assert all(permissions.may(action_of(key)) for key in keys)


def state(console: Installation) -> list[object]:
    """What a person of another role may not change."""
    files = sorted(path for path in console.settings.home.rglob("*.toml"))
    it = embedded()
    return [
        list(console.history.rows(Filters())),
        [(path.name, path.read_bytes()) for path in files],
        [(client.client_id, client.active, client.grants) for client in it.clients()],
        it.clock.offset,
        it.faults.rules,
        [[item.state for item in it.issued(kind)] for kind in sandbox.Kind],
        len(it.log.entries()),
        len(it.lint.findings()),
    ]


def pressable(page: "Page") -> dict[str, Any]:
    """The buttons and switches that are drawn and not disabled, by key."""
    drawn: list[Any] = [*page.app.button, *page.app.toggle, *page.app.checkbox]
    return {item.key: item for item in drawn if not item.disabled}


def test_a_widget_that_was_drawn_under_another_role_does_nothing(
    walked: "Page", console: Installation, as_role: Callable[[Role], None]
) -> None:
    as_role(Role.ADMIN)
    page, row = type(walked)(), newest(console)
    before, pressed = state(console), 0
    for visit in visits(row):
        visit(page)
        for key in pressable(page):
            if MINIMUM[action_of(key) or Action.READ] > Role.READER:
                as_role(Role.ADMIN)
                visit(page)
                if key not in pressable(page):  # an unsaved form was changed by the press before
                    page = type(walked)()
                    visit(page)
                item = pressable(page)[key]
                as_role(Role.READER)
                item.set_value(not item.value)
                page.run()
                assert state(console) == before, key
                pressed += 1
        as_role(Role.ADMIN)
    assert pressed > 50


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("walkthrough.py", ""),
        ("sandbox.py", "To change the sandbox, you need the role operator; yours is reader."),
        ("providers.py", "To change profiles of providers, you need the role operator; yours is reader."),
    ],
)
def test_the_address_of_a_page_says_who_may_open_it(
    page: "Page", as_role: Callable[[Role], None], file: str, sentence: str
) -> None:
    as_role(Role.READER)
    page.go(file)
    assert sentence in page.text()
    assert page.app.title[0].value == ("Not allowed" if sentence else "Diagnose"), "home is the first page one may use"


@pytest.mark.parametrize(
    ("role", "names"),
    [
        (Role.NONE, []),
        (Role.READER, ["diagnose", "history", "errors"]),
        (Role.SUPPORT, ["diagnose", "history", "errors"]),
        (Role.OPERATOR, EVERY_PAGE),
        (Role.ADMIN, EVERY_PAGE),
    ],
)
def test_the_navigation_has_the_pages_that_a_role_may_open(
    page: "Page", as_role: Callable[[Role], None], monkeypatch: pytest.MonkeyPatch, role: Role, names: list[str]
) -> None:
    shown: list[str] = []

    def navigation(pages: list[Any], **named: Any) -> Any:
        shown[:] = [item.title.lower() for item in pages if item.visibility == "visible"]
        return draw(pages, **named)

    draw = streamlit.navigation
    monkeypatch.setattr(streamlit, "navigation", navigation)
    as_role(role)
    page.go("history.py")
    assert shown == names


def test_a_person_without_a_role_is_told_so(page: "Page", as_role: Callable[[Role], None]) -> None:
    as_role(Role.NONE)
    for file in PAGES.glob("*.py"):
        if file.stem in EVERY_PAGE:
            page.go(file.name)
            assert "you have none. Whoever runs this console gives roles" in page.text()


@pytest.mark.parametrize(
    ("roles", "offered_to"),
    [
        ("", [Role.OPERATOR, Role.ADMIN]),
        ("operator", [Role.OPERATOR, Role.ADMIN]),
        ("Admin", [Role.ADMIN]),
        ("admin, operator", [Role.OPERATOR, Role.ADMIN]),
        ("administrator", []),
        ("admin, root", []),
    ],
)
def test_a_client_of_the_operator_is_offered_to_its_roles(
    page: "Page",
    console: Installation,
    as_role: Callable[[Role], None],
    monkeypatch: pytest.MonkeyPatch,
    roles: str,
    offered_to: list[Role],
) -> None:
    client = {"CONSOLE_CLIENT_SANDBOX_ID": "team-app", "CONSOLE_CLIENT_SANDBOX_ROLES": roles}
    settings = replace(console.settings, providers=client)
    monkeypatch.setattr(provider, "current", lambda: replace(console, settings=settings))
    for role in (Role.OPERATOR, Role.ADMIN):
        as_role(role)
        page.go("walkthrough.py")
        options = page.app.selectbox(key="walkthrough.client.sandbox").options
        assert any("team-app" in option for option in options) is (role in offered_to)
        assert ("The roles of the client team-app are" in page.text()) is (not offered_to)


def test_a_damaged_row_is_deleted_by_those_who_may(
    page: "Page", console: Installation, as_role: Callable[[Role], None]
) -> None:
    damage_history(console.history)
    for role in (Role.OPERATOR, Role.ADMIN):
        as_role(role)
        page.go("history.py", row="2")
        is_offered = any(button.key == "history.one.delete" for button in page.app.button)
        assert is_offered is (role is Role.ADMIN)


def test_every_page_has_an_action() -> None:
    files = {path.stem for path in PAGES.glob("*.py")} - {"navigation"}
    assert set(permissions.PAGES) == files


def test_an_unlisted_widget_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"history2\.new is not in tests/pages/widgets"):
        action_of("history2.new")
