"""The Providers page: profiles created, edited, validated and shared, and then used in the walkthrough."""

import stat
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from oauth.history.filters import Filters
from oauth.installation import Installation
from oauth.providers.profile import RESERVED_FIELDS, Provider
from oauth_sandbox.testing import serving
from pages.parts.providers.profile_form import GROUPS

if TYPE_CHECKING:  # a conftest is no module to import; pytest hands out what is in it
    from tests.pages.conftest import Page

PAGE = "providers.py"
SECRET = "canary-5d1f0b7a-of-the-operator"


@pytest.fixture
def issuer() -> Iterator[str]:
    """A server with an RFC 8414 document below a path."""

    async def document(request: Request) -> JSONResponse:
        base = str(request.base_url).rstrip("/") + "/t1"
        return JSONResponse(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "revocation_endpoint": f"{base}/revoke",
                "response_types_supported": ["code"],
                "scopes_supported": ["read", "write"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        )

    app = Starlette(routes=[Route("/.well-known/oauth-authorization-server/t1", document)])
    with serving(app) as url:
        yield f"{url}/t1"


def files(home: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted((home / "providers").glob("*"))}


def create(page: "Page", **values: str) -> None:
    """Create a profile from scratch with these values."""
    page.go(PAGE)
    page.press("providers.new.empty")
    for name, text in values.items():
        page.type(f"providers.field.{name}", text)
    page.press("providers.save")


def test_profile_is_created_and_used_in_the_walkthrough(page: "Page", home: Path) -> None:
    create(page, name="My server", token_endpoint="https://as.example/token", scope="read")
    assert "The profile was saved" in "".join(item.value for item in page.app.success)
    assert files(home) == {
        "my-server.toml": 'name = "My server"\ntoken_endpoint = "https://as.example/token"\nscope = "read"\n'
    }
    assert stat.S_IMODE((home / "providers" / "my-server.toml").stat().st_mode) == 0o600
    page.press("providers.own.my-server.use")
    page.go("walkthrough.py")
    page.press("rail.token")
    assert page.value("token.url") == "https://as.example/token"
    assert page.app.session_state["console"].flow.provider.id == "my-server"


def test_problem_is_shown_at_its_field_and_nothing_typed_is_lost(page: "Page", home: Path) -> None:
    page.go(PAGE)
    page.press("providers.new.empty")
    page.type("providers.field.token_endpoint", "as.example/token")
    page.type("providers.field.lifetimes.code", "soon")
    page.press("providers.field.headers.add")
    page.type("providers.field.headers.1.name", "Authorization")
    page.type("providers.field.headers.1.value", "Bearer abcdefgh12345678")
    page.type("providers.field.connection.read_timeout", "0")
    page.press("providers.save")
    text = page.text()
    assert "Addresses › Token endpoint: must begin with https://" in text
    assert "Name and notes › Name: must be one line of text, and not empty" in text
    assert "Lifetimes and limits › Lifetimes › Code: is 'soon', and must be a whole number" in text
    assert "API › Headers 1 › Value: is the value of Authorization, which is a secret" in text
    assert page.value("providers.field.token_endpoint") == "as.example/token"
    assert page.value("providers.field.lifetimes.code") == "soon"
    assert page.value("providers.field.headers.1.name") == "Authorization"
    assert files(home) == {}


def test_invalid_connection_setting_is_named(page: "Page", home: Path) -> None:
    page.go(PAGE)
    page.press("providers.new.empty")
    page.type("providers.field.name", "Xy")
    page.type("providers.field.connection.read_timeout", "0")
    page.type("providers.field.connection.ca_bundle", "/nowhere/ca.pem")
    page.press("providers.save")
    assert "Connection › Connection › Read timeout: " in page.text()
    assert "Connection › Connection › CA bundle: " in page.text()
    assert files(home) == {}
    page.type("providers.field.connection.read_timeout", "2.5")
    page.type("providers.field.connection.ca_bundle", "")
    page.press("providers.save")
    assert files(home) == {"xy.toml": 'name = "Xy"\n\n[connection]\nread_timeout = 2.5\n'}


def test_proxy_with_a_password_is_refused_with_the_variable_to_use(page: "Page", home: Path) -> None:
    page.go(PAGE)
    page.press("providers.new.empty")
    page.type("providers.field.name", "Xy")
    page.type("providers.field.connection.proxy", f"http://ada:{SECRET}@proxy.example:3128")
    page.press("providers.save")
    assert "CONSOLE_PROXY_PROVIDER" in page.text()
    assert files(home) == {}


def test_built_in_profile_is_duplicated_and_edited(page: "Page", home: Path) -> None:
    page.go(PAGE)
    page.open("providers.open", "olx")
    page.pick("providers.site.olx", "olx-ua")
    page.press("providers.shipped.olx.duplicate")
    assert page.value("providers.field.name") == "OLX Partner API, Ukraine, copy"
    assert page.value("providers.field.token_endpoint") == "https://www.olx.ua/api/open/oauth/token"
    assert page.value("providers.field.headers.1.name") == "Version"
    page.type("providers.field.name", "Ours")
    page.press("providers.field.step_notes.2.remove")
    page.press("providers.field.endpoints.add")
    page.type("providers.field.endpoints.3.path", "/adverts")
    page.press("providers.save")
    content = files(home)["ours.toml"]
    assert 'path = "/adverts"' in content
    assert "uses the code first" not in content
    assert "parameter" not in content
    page.press("providers.own.ours.edit")
    page.type("providers.field.name", "Ours, renamed")
    page.press("providers.save")
    assert files(home)["ours.toml"] == content.replace('"Ours"', '"Ours, renamed"')


def test_cancel_leaves_the_file_unchanged(page: "Page", home: Path) -> None:
    create(page, name="Xy")
    page.press("providers.own.xy.edit")
    page.type("providers.field.name", "Y")
    page.press("providers.cancel")
    assert files(home) == {"xy.toml": 'name = "Xy"\n'}


def test_form_keeps_its_values_over_another_page(page: "Page") -> None:
    page.go(PAGE)
    page.press("providers.new.empty")
    page.type("providers.field.name", "Half")
    page.go("errors.py")
    page.go(PAGE)
    assert page.value("providers.field.name") == "Half"


def test_walkthrough_falls_back_after_its_profile_is_deleted(page: "Page", home: Path) -> None:
    create(page, name="Xy", token_endpoint="https://as.example/token")
    page.press("providers.own.xy.use")
    page.go("walkthrough.py")
    page.go(PAGE)
    page.press("providers.own.xy.delete.sure")
    assert files(home) == {}
    page.go("walkthrough.py")
    assert page.app.session_state["console"].flow.provider.id == "sandbox"


def test_invalid_file_is_listed_with_its_problem(page: "Page", home: Path) -> None:
    create(page, name="Good")
    (home / "providers" / "bad.toml").write_text('name = "B"\npkce = "S512"\n')
    (home / "providers" / "sandbox.toml").write_text('name = "Mine"\n')
    page.go(PAGE)
    text = page.text()
    assert "pkce is 'S512', and must be one of: off, S256, plain" in text
    assert "has the name of a built-in profile" in text
    assert "Good" in text
    page.go("walkthrough.py")
    assert page.app.session_state["console"].flow.provider.name == "Sandbox (embedded)"
    page.go(PAGE)
    page.press("providers.own.bad.delete.sure")
    assert sorted(files(home)) == ["good.toml", "sandbox.toml"]


def test_imported_file_makes_no_twin_and_says_which_profile_has_its_name(page: "Page", home: Path) -> None:
    create(page, name="Xy", scope="read")
    content = files(home)["xy.toml"]
    upload(page, content)
    assert files(home) == {"xy.toml": content}
    assert "this profile is here already" in "".join(item.value for item in page.app.success)
    assert page.app.radio(key="providers.open").value == "xy"
    upload(page, content.replace("read", "write"))
    assert files(home) == {"xy.toml": content, "xy-2.toml": content.replace("read", "write")}
    assert "imported as xy-2, beside another with the same name" in "".join(item.value for item in page.app.success)


def upload(page: "Page", content: str) -> None:
    page.open("providers.open", "")
    page.app.file_uploader(key="providers.import").upload("xy.toml", content.encode())
    page.run()


def test_form_checks_a_field_as_it_is_typed(page: "Page", home: Path) -> None:
    page.go(PAGE)
    page.press("providers.new.empty")
    assert ":material/error:" not in page.text(), "an empty form is no mistake"
    page.type("providers.field.response_mode", "banana")
    assert "Response mode must be empty or one of: query, fragment, form_post" in page.text()
    page.type("providers.field.name", "Xy")
    page.press("providers.save")
    assert "Requests › Response mode: must be empty or one of" in page.text()
    assert files(home) == {}
    page.type("providers.field.response_mode", "form_post")
    assert ":material/error:" not in page.text()
    page.press("providers.save")
    assert files(home) == {"xy.toml": 'name = "Xy"\nresponse_mode = "form_post"\n'}


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        (f'client_secret = "{SECRET}"', "client_secret: holds a secret"),
        (f'token_endpoint = "https://a:{SECRET}@as.example/"', "token_endpoint: has what looks like a secret"),
        ("pkce = 1", "pkce: is 1"),
    ],
)
def test_invalid_import_is_refused_with_the_field(page: "Page", home: Path, added: str, problem: str) -> None:
    page.go(PAGE)
    page.app.file_uploader(key="providers.import").upload("m.toml", f'name = "X"\n{added}\n'.encode())
    page.run()
    assert problem in page.text()
    assert SECRET not in page.text()
    assert files(home) == {}


def test_issuer_becomes_a_profile(page: "Page", home: Path, issuer: str, console: Installation) -> None:
    page.go(PAGE)
    page.type("providers.issuer", issuer)
    page.press("providers.discover")
    assert "The server's metadata is filled in" in page.text()
    exchanges = [row.exchange for row in console.history.rows(Filters())]
    assert {exchange.step for exchange in exchanges} == {"discovery"}
    assert [exchange.response.status for exchange in exchanges if exchange.response] == [200, 404, 404]
    page.press("providers.new.discovered")
    assert page.value("providers.field.token_endpoint") == f"{issuer}/token"
    assert page.app.selectbox(key="providers.field.pkce").value == "S256"
    assert page.app.selectbox(key="providers.field.client_authentication").value == "client_secret_post"
    page.type("providers.field.name", "Found")
    page.press("providers.save")
    assert f'issuer = "{issuer}"' in files(home)["found.toml"]


def test_issuer_is_enough_in_the_walkthrough_and_can_be_saved(page: "Page", home: Path, issuer: str) -> None:
    page.pick("walkthrough.provider", "generic")
    page.type("walkthrough.issuer", issuer)
    page.press("walkthrough.discover")
    assert page.value("authorize.url") == f"{issuer}/authorize"
    assert page.value("authorize.field.scope.value") == "", "not all that the server knows"
    assert page.app.session_state["console"].flow.provider.revocation_endpoint == f"{issuer}/revoke"
    page.press("walkthrough.keep")
    page.go(PAGE)
    assert page.value("providers.field.token_endpoint") == f"{issuer}/token"


def test_host_without_an_address_is_named_and_no_document_missed(page: "Page") -> None:
    page.pick("walkthrough.provider", "generic")
    page.type("walkthrough.issuer", "https://nowhere.invalid")
    page.press("walkthrough.discover")
    assert "No server was reached" in page.text()
    assert "could not be resolved" in page.text()
    assert "No metadata was found" not in page.text()


def test_server_without_metadata_is_entered_by_hand(page: "Page", server: str) -> None:
    page.pick("walkthrough.provider", "generic")
    page.type("walkthrough.issuer", server)
    page.press("walkthrough.discover")
    assert "No metadata was found" in page.text()
    page.type("walkthrough.profile.authorization_endpoint", "https://as.example/authorize")
    page.type("walkthrough.profile.token_endpoint", "https://as.example/token")
    assert page.value("authorize.url") == "https://as.example/authorize"
    assert page.app.session_state["console"].flow.provider.id == "generic-as.example"


def test_invalid_address_is_not_requested(page: "Page", console: Installation) -> None:
    page.pick("walkthrough.provider", "generic")
    page.type("walkthrough.issuer", "ftp://as.example")
    page.press("walkthrough.discover")
    assert "Enter the issuer" in page.text()
    assert console.history.count(Filters()) == 0


def test_operators_client_is_offered_without_showing_or_storing_its_secret(
    home: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("CONSOLE_CLIENT_SANDBOX_ID", "demo-app")
    monkeypatch.setenv("CONSOLE_CLIENT_SANDBOX_SECRET", SECRET)
    page: Page = request.getfixturevalue("page")
    assert "environment" in "".join(page.app.selectbox(key="walkthrough.client.sandbox").options)
    page.paste(page.decide())
    assert page.value("token.field.client_secret.value").startswith("«client_secret #")
    page.press("token.send")
    text = page.text()
    assert "invalid_client" in text  # the sandbox has another secret for it, so this one was sent
    assert SECRET not in text
    for path in home.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


def test_client_from_streamlit_secrets_is_offered(page: "Page", monkeypatch: pytest.MonkeyPatch) -> None:
    page.app.secrets["clients"] = {"sandbox": {"id": "from-secrets", "secret": SECRET, "title": "the shop"}}
    page.run()
    options = "".join(page.app.selectbox(key="walkthrough.client.sandbox").options)
    assert "from-secrets · the shop" in options
    page.pick("walkthrough.client.sandbox", "from-secrets")
    assert page.value("authorize.field.client_id.value") == "from-secrets"
    assert SECRET not in page.text()


def test_contradiction_of_the_metadata_is_shown(page: "Page", issuer: str) -> None:
    page.pick("walkthrough.provider", "generic")
    page.type("walkthrough.issuer", issuer)
    page.press("walkthrough.discover")
    page.type("walkthrough.client_id", "app")
    page.press("rail.call")
    page.choose("call.action", "application")
    page.press("application.send")
    text = page.text()
    assert "The server contradicts its metadata" in text
    assert f"token_endpoint\npromised: {issuer}/token\nobserved: it returned 404" in text


def test_form_has_every_field_of_a_custom_profile_once() -> None:
    drawn = [name for names in GROUPS.values() for name in names]
    assert sorted(drawn) == sorted({item.name for item in fields(Provider)} - set(RESERVED_FIELDS))
