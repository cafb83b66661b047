"""A client is registered at the server, used, and deleted, from the server's or the API's address alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from oauth.history.filters import Filters
from oauth.installation import Installation
from oauth_sandbox.testing import serving
from tests.servers.authorization_server import Server

if TYPE_CHECKING:  # a conftest is no module to import; pytest hands out what is in it
    from tests.pages.conftest import Page

INITIAL_TOKEN = "canary-initial-access-token-5d1f0b7a"


@pytest.fixture
def authorization_server() -> Iterator[Server]:
    server = Server()
    with serving(server.app()) as url:
        server.issuer = url
        yield server


def discover(page: "Page", address: str) -> None:
    page.pick("walkthrough.provider", "generic")
    page.type("walkthrough.issuer", address)
    page.press("walkthrough.discover")


def link(page: "Page") -> str:
    return str(next(item.proto.url for item in page.app.link_button if item.key == "authorize.open"))


def exchange(page: "Page") -> None:
    page.paste(httpx.get(link(page), trust_env=False).headers["location"])
    page.press("token.send")


def test_client_is_registered_used_and_deleted(
    page: "Page", authorization_server: Server, console: Installation, home: Path
) -> None:
    discover(page, authorization_server.issuer)
    page.press("register.send")
    registered = authorization_server.registered
    assert registered["application_type"] == "native"
    assert registered["redirect_uris"] == [page.value("authorize.field.redirect_uri.value")]
    assert registered["grant_types"] == ["authorization_code", "refresh_token"]
    assert registered["token_endpoint_auth_method"] == "client_secret_basic"
    assert page.value("walkthrough.client_id") == authorization_server.client_id
    assert page.value("walkthrough.client_secret").startswith("«client_secret #")
    exchange(page)
    assert "200 OK" in page.text()
    page.press("unregister.send")
    assert authorization_server.registered == {}
    assert page.value("walkthrough.client_id") == ""
    assert "Register a client here" in [button.label for button in page.app.button]
    rows = [row.exchange for row in console.history.rows(Filters()) if row.exchange.step == "register"]
    assert [(row.request.method, row.response and row.response.status) for row in rows] == [
        ("DELETE", 204),
        ("POST", 201),
    ]
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    for secret in (authorization_server.secret, authorization_server.registration_token):
        assert secret.encode() not in kept
        assert secret not in page.text()


def test_address_of_an_api_is_enough(page: "Page", authorization_server: Server) -> None:
    discover(page, f"{authorization_server.issuer}/userinfo")
    assert "The address is an API" in page.text()
    page.press("register.send")
    assert page.value("authorize.field.scope.value") == "read write"
    resource = f"{authorization_server.issuer}/userinfo"
    assert httpx.URL(link(page)).params["resource"] == resource
    exchange(page)
    form = next(form for path, form in authorization_server.received if path == "/token")
    assert form["resource"] == resource
    page.press("api.send")
    assert "seven@example.com" in page.text()


def test_initial_access_token_is_asked_for_and_kept_secret(
    page: "Page", authorization_server: Server, home: Path
) -> None:
    authorization_server.initial_token = INITIAL_TOKEN
    discover(page, authorization_server.issuer)
    page.press("register.send")
    assert "only with an initial access token" in page.text()
    page.type("register.initial_token", INITIAL_TOKEN)
    assert page.value("register.initial_token").startswith("«access_token #")
    page.press("register.send")
    assert page.value("walkthrough.client_id") == authorization_server.client_id
    assert INITIAL_TOKEN not in page.text()
    assert INITIAL_TOKEN.encode() not in b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("field", "value", "title"),
    [
        ("redirect_uris", "https://a.example/#x", "A redirect URI was refused"),
        ("grant_types", "{}", "A field of the registration was refused"),
    ],
)
def test_refused_registration_is_explained(
    page: "Page", authorization_server: Server, field: str, value: str, title: str
) -> None:
    discover(page, authorization_server.issuer)
    page.type(f"register.field.{field}.value", value)
    page.press("register.send")
    assert title in page.text()
    assert page.value("walkthrough.client_id") == ""


def test_public_client_is_registered_where_the_server_has_no_other(page: "Page", authorization_server: Server) -> None:
    authorization_server.methods = ("none",)
    discover(page, authorization_server.issuer)
    page.press("register.send")
    assert "public client" in page.text()
    exchange(page)
    assert "200 OK" in page.text()
    form = next(form for path, form in authorization_server.received if path == "/token")
    assert form["client_id"] == authorization_server.client_id
    assert "client_secret" not in form


def test_client_of_one_server_is_not_sent_to_another(page: "Page", authorization_server: Server) -> None:
    discover(page, authorization_server.issuer)
    page.press("register.send")
    page.type("authorize.field.scope.value", "of the first server")
    first = authorization_server.client_id
    other = Server()
    with serving(other.app()) as url:
        other.issuer = url
        discover(page, url)
        assert page.value("walkthrough.client_id") == ""
        assert page.value("authorize.field.scope.value") == ""
        assert first not in link(page)
        assert "Enter the client ID above first" in page.text()
        page.press("register.send")
        assert other.client_id in link(page)
    discover(page, authorization_server.issuer)
    assert page.value("walkthrough.client_id") == first
