"""Two people of different roles at one console, who signed in at an OpenID provider."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, expect
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from oauth_sandbox.testing import serving
from tests.servers.authorization_server import Server
from tests.servers.running import free_port

if TYPE_CHECKING:
    from tests.browser.conftest import Console, Walk

ROLES = "operator=groups:developers, support=groups:support, reader=*"


@pytest.fixture(scope="module")
def provider() -> Iterator[Server]:
    server = Server()
    app = server.app()

    def metadata(_: Request) -> Response:
        return JSONResponse(server.metadata() | {"jwks_uri": f"{server.issuer}/jwks"})

    app.router.routes.append(Route("/.well-known/openid-configuration", metadata))
    with serving(app) as server.issuer:
        yield server


@pytest.fixture
def team(tools: ModuleType, provider: Server, tmp_path: Path) -> "Iterator[Console]":
    port = free_port()
    settings = {
        "CONSOLE_PUBLIC_URL": f"http://localhost:{port}",
        "CONSOLE_SIGN_IN": "oidc",
        "CONSOLE_ROLES": ROLES,
        "CONSOLE_OIDC_ISSUER": provider.issuer,
        "CONSOLE_OIDC_CLIENT_ID": provider.client_id,
        "CONSOLE_OIDC_CLIENT_SECRET": provider.secret,
    }
    started = tools.start_console(tmp_path / "home", port=port, **settings)
    yield started
    tools.stop_console(started)


@pytest.fixture
def person(tools: ModuleType, browser: Browser, provider: Server, team: "Console") -> "Iterator[Callable[..., Walk]]":
    """Signs somebody in, in a browser of their own."""
    opened: list[Any] = []

    def sign_in(name: str, *groups: str) -> "Walk":
        provider.change_id_token = lambda token: token | {"sub": name, "name": name, "groups": list(groups)}
        opened.append(browser.new_context(viewport={"width": 1440, "height": 1000}))
        walk: Walk = tools.Walk(opened[-1].new_page(), team.url)
        walk.open()
        walk.settle()
        return walk

    yield sign_in
    for context in opened:
        context.close()


def pages_of(walk: "Walk") -> list[str]:
    names = ("Walkthrough", "Diagnose", "History", "Errors", "Sandbox", "Providers")
    return [name for name in names if walk.page.get_by_role("link", name=name).first.is_visible()]


def says(walk: "Walk", text: str) -> None:
    expect(walk.page.get_by_text(text).first).to_be_visible()


def test_people_of_different_roles_see_and_do_what_they_may_and_nothing_else(person: "Callable[..., Walk]") -> None:
    ada, anna, eve = person("ada", "developers"), person("anna"), person("eve", "support")
    assert len(pages_of(ada)) == 6
    for walk in (anna, eve):
        assert pages_of(walk) == ["Diagnose", "History", "Errors"]
        assert walk.page.url.endswith("/diagnose"), "home is the first page that one may use"
        walk.open("/sandbox-state")
        says(walk, "To change the sandbox, you need the role operator")

    ada.open("/errors?entry=partner/2")
    ada.press("drill.2-used.run")
    says(ada, "1 passed, 0 failed")
    anna.open("/history?origin=*")
    says(anna, "No exchanges yet.")
    anna.open("/history?row=1")
    says(anna, "No exchanges yet.")

    anna.open("/diagnose")
    anna.press("diagnose.example.log")
    assert not anna.at("diagnose.1.replay").count()
    anna.press("diagnose.save")
    says(anna, "Saved as rows")
    anna.open("/history?origin=*&row=1")
    says(anna, "1 exchange, newest first")
    says(anna, "Row 1 does not exist in this history.")
    assert not any(anna.at(f"history.{tool}.open").count() for tool in ("download", "import", "delete"))

    eve.open("/history?origin=*&row=1")
    says(eve, "Row 1")
    assert eve.at("history.labels.save").count() == 1
    assert not eve.at("history.delete.open").count()
    eve.press("history.download.open")
    link = eve.page.locator("a[href*='/download/history.csv']").first.get_attribute("href") or ""
    own = {cookie["name"]: cookie for cookie in eve.page.context.cookies()}
    [browsers] = [cookie for name, cookie in own.items() if name.startswith("console_") and "person" not in name]
    assert "another browser" in anna.page.context.request.get(link).text()
    anna.page.context.add_cookies([{"name": browsers["name"], "value": browsers["value"], "url": anna.url}])
    assert "another person" in anna.page.context.request.get(link).text()
    assert eve.page.context.request.get(link).text().count("\r\n") > 2
