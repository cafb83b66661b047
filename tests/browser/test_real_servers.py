"""The walkthrough against foreign authorization servers, starting from their issuer."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from joserfc.jwk import ECKey
from playwright.sync_api import Locator, Page, expect

from tests.diagnosis.test_promises import everything
from tests.servers.running import (
    canaille,
    django_allauth,
    django_oauth_toolkit,
    mcp_sdk,
    node_oauth2_server,
    oidc_provider,
)

pytestmark = pytest.mark.servers

if TYPE_CHECKING:
    from tests.browser.conftest import Console, Walk

Consent = Callable[[Page], None]
CLIENT_KEY = ECKey.import_key(generate_private_key(SECP256R1()), {"kid": "client-key", "alg": "ES256", "use": "sig"})


@pytest.fixture(scope="module")
def node(running: "Console") -> Iterator[str]:
    with oidc_provider(
        f"{running.url}/callback", CLIENT_JWK=json.dumps(CLIENT_KEY.as_dict(private=False)), DPOP_NONCE="required"
    ) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def django(running: "Console", tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with django_oauth_toolkit(tmp_path_factory.mktemp("django"), f"{running.url}/callback") as issuer:
        yield issuer


def approve_at_oidc_provider(page: Page) -> None:
    """Log in with any name, then give consent. The server skips what it already knows."""
    login, consent = page.locator("input[name=login]"), page.locator("input[name=prompt][value=consent]")
    expect(login.or_(consent).or_(arrived(page)).first).to_be_attached()
    if login.count():
        login.fill("alice")
        page.locator("input[name=password]").fill("any")
        page.locator("button[type=submit]").click()
        expect(consent.or_(arrived(page)).first).to_be_attached()
    if consent.count():
        page.locator("button[type=submit]").click()


def approve_at_django(page: Page) -> None:
    """Log in at Django, then give consent at django-oauth-toolkit, unless it refuses before that."""
    login, allow = page.locator("input[name=username]"), page.locator("input[name=allow]")
    expect(login.or_(allow).first).to_be_attached()
    if login.count():
        login.fill("demo")
        page.locator("input[name=password]").fill("demo-password")
        page.locator("input[type=submit]").click()
        expect(allow.or_(arrived(page)).first).to_be_attached()
    if allow.count():
        allow.click()


def only_wait(page: Page) -> None:
    """Wait for a redirect without user interaction."""
    arrived(page).wait_for()


def arrived(page: Page) -> Locator:
    """Return the text of the console's page after the redirect."""
    return page.get_by_text("tab").first


def discover_server(walk: "Walk", issuer: str) -> None:
    """Choose the generic profile, and discover the issuer."""
    walk.pick("walkthrough.provider", "Any OAuth server")
    walk.type("walkthrough.issuer", issuer)
    walk.press("walkthrough.discover")
    expect(walk.at("walkthrough.server")).to_contain_text("The server's metadata is filled in")


def register(walk: "Walk", issuer: str) -> None:
    """Choose the generic profile, discover the issuer, and register a client there."""
    discover_server(walk, issuer)
    walk.press("register.send")
    expect(walk.step("register")).to_contain_text("The client is registered")
    expect(walk.at("authorize.field.client_id.value").locator("input").first).not_to_have_value("")


def discover(walk: "Walk", issuer: str, client_id: str, secret: str = "") -> None:
    """Choose the generic profile, discover the issuer, and enter the client."""
    discover_server(walk, issuer)
    walk.type("walkthrough.client_id", client_id)
    expect(walk.at("authorize.field.client_id.value").locator("input").first).to_have_value(client_id)
    if secret:
        walk.type("walkthrough.client_secret", secret)
        expect(walk.at("walkthrough.client_secret").locator("input").first).to_have_value(
            re.compile("«client_secret #")
        )


def ask_for(walk: "Walk", name: str, value: str) -> None:
    """Set a parameter of the authorization request and send it."""
    walk.type(f"authorize.field.{name}.value", value)
    box = walk.at(f"authorize.field.{name}.send").locator("input[type=checkbox]")
    if not box.is_checked():
        walk.untick(f"authorize.field.{name}.send")
    link = walk.at("authorize.open").locator("a")
    expect(link).to_have_attribute("href", re.compile(f"&{re.escape(urlencode({name: value}))}(&|$)"))


def authorize(walk: "Walk", consent: Consent) -> None:
    """Open the server's page in its own tab, approve there, and return with the callback."""
    walk.reach("authorize.open")
    with walk.page.context.expect_page() as opened:
        walk.at("authorize.open").locator("a").click()
    tab = opened.value
    consent(tab)
    arrived(tab).wait_for()
    tab.close()
    walk.at("callback.details").wait_for(state="attached")
    walk.settle()


def more_options(walk: "Walk") -> None:
    walk.at("walkthrough.options").locator("label").first.click()
    walk.settle()


def call(walk: "Walk", what: str, action: str) -> None:
    """Send an action of step 4, and wait for its response."""
    walk.pick("call.action", what)
    send(walk, action)


def send(walk: "Walk", action: str) -> None:
    """Send an action, and wait for the row of its response: other texts change while a run draws the page."""
    exchange = walk.at(f"{action}.exchange")
    walk.reach(f"{action}.send")
    before = re.search(r"row (\d+)", exchange.text_content() or "") if exchange.count() else None
    walk.press(f"{action}.send")
    # While a run moves it, the page has it twice.
    row = re.compile(rf"row (?!{before[1] if before else 0}(?!\d))\d")
    expect(exchange.filter(has_text=row).first).to_be_attached()


def registered_card(walk: "Walk", action: str, error: str) -> str:
    """Return the text of an action's error card, which names a registered error and no documented one."""
    card = walk.at(f"{action}.card")
    expect(card).to_contain_text(error)
    text = card.inner_text()
    assert "Documented error" not in text
    return text


def exchange_and_verify_the_signature(walk: "Walk") -> None:
    send(walk, "token")
    verify_the_signature(walk)


def verify_the_signature(walk: "Walk") -> None:
    expect(walk.at("tokens")).to_contain_text("«refresh_token #")
    walk.press("tokens.jwks.send")
    expect(walk.at("tokens.inside.id_token")).to_contain_text("no check failed")


def introspect_refresh_and_revoke(walk: "Walk") -> None:
    call(walk, "Introspect", "introspect")
    expect(walk.step("call")).to_contain_text("The token is active")
    call(walk, "Refresh the token", "refresh")
    expect(walk.step("call")).to_contain_text("The refresh token was replaced")
    call(walk, "Revoke", "revoke")
    expect(walk.step("call")).to_contain_text("The server reports that the token is no longer valid")
    call(walk, "Introspect", "introspect")
    expect(walk.step("call")).to_contain_text("The token is not active")


def test_oidc_provider_from_its_issuer_to_a_revoked_token(walk: "Walk", node: str) -> None:
    discover(walk, node, "web-app", "web-app-secret-0123456789")
    more_options(walk)
    ask_for(walk, "scope", "openid email offline_access")
    ask_for(walk, "prompt", "consent")
    authorize(walk, approve_at_oidc_provider)
    exchange_and_verify_the_signature(walk)
    expect(walk.at("tokens")).to_contain_text("is opaque")
    call(walk, "UserInfo", "userinfo")
    expect(walk.at("userinfo.exchange")).to_contain_text("alice@example.com")
    expect(walk.step("call")).to_contain_text("Same user as in the id_token")
    introspect_refresh_and_revoke(walk)
    call(walk, "UserInfo", "userinfo")
    registered_card(walk, "userinfo", "invalid_token")


def test_django_oauth_toolkit_from_its_issuer_to_a_revoked_token(walk: "Walk", django: str) -> None:
    discover(walk, django, "web-app", "web-app-secret-0123456789")
    ask_for(walk, "scope", "openid read introspection")
    authorize(walk, approve_at_django)
    exchange_and_verify_the_signature(walk)
    call(walk, "UserInfo", "userinfo")
    expect(walk.step("call")).to_contain_text("Same user as in the id_token")
    introspect_refresh_and_revoke(walk)


@pytest.mark.parametrize(("server", "consent"), [("node", approve_at_oidc_provider), ("django", approve_at_django)])
def test_used_code_and_wrong_secret_are_registered_errors(
    walk: "Walk", server: str, consent: Consent, request: pytest.FixtureRequest
) -> None:
    discover(walk, request.getfixturevalue(server), "web-app", "web-app-secret-0123456789")
    authorize(walk, consent)
    send(walk, "token")
    walk.at("tokens").wait_for()
    send(walk, "token")
    registered_card(walk, "token", "invalid_grant")
    walk.press("walkthrough.start_over")
    walk.type("walkthrough.client_secret", "another-secret-0123456789")
    authorize(walk, consent)
    send(walk, "token")
    registered_card(walk, "token", "invalid_client")


@pytest.mark.parametrize(("server", "consent"), [("node", approve_at_oidc_provider), ("django", approve_at_django)])
def test_wrong_verifier_is_refused(walk: "Walk", server: str, consent: Consent, request: pytest.FixtureRequest) -> None:
    discover(walk, request.getfixturevalue(server), "web-app", "web-app-secret-0123456789")
    authorize(walk, consent)
    walk.type("token.field.code_verifier.value", "another-verifier-" + "x" * 40)
    send(walk, "token")
    registered_card(walk, "token", "invalid_grant")


def test_unknown_scope_at_django_oauth_toolkit(walk: "Walk", django: str) -> None:
    discover(walk, django, "web-app", "web-app-secret-0123456789")
    ask_for(walk, "scope", "openid no-such-scope")
    authorize(walk, approve_at_django)
    registered_card(walk, "callback", "invalid_scope")


def test_login_required_at_oidc_provider(walk: "Walk", node: str) -> None:
    discover(walk, node, "web-app", "web-app-secret-0123456789")
    more_options(walk)
    ask_for(walk, "prompt", "none")
    authorize(walk, only_wait)
    registered_card(walk, "callback", "login_required")


def test_pushed_parameters_at_oidc_provider(walk: "Walk", node: str) -> None:
    discover(walk, node, "par-app", "par-app-secret-0123456789")
    walk.press("rail.par")
    send(walk, "par")
    expect(walk.at("authorize.field.request_uri.value")).to_be_visible()
    authorize(walk, approve_at_oidc_provider)
    send(walk, "token")
    expect(walk.at("tokens")).to_contain_text("«access_token #")


def test_dpop_with_the_nonce_of_oidc_provider(walk: "Walk", node: str) -> None:
    discover(walk, node, "dpop-app", "dpop-app-secret-0123456789")
    more_options(walk)
    walk.at("authorize.dpop").locator("label").first.click()
    walk.settle()
    authorize(walk, approve_at_oidc_provider)
    send(walk, "token")
    registered_card(walk, "token", "use_dpop_nonce")
    send(walk, "token")
    expect(walk.at("tokens")).to_contain_text("The access token is bound to the DPoP key")
    call(walk, "UserInfo", "userinfo")
    if walk.at("userinfo.card").count():
        registered_card(walk, "userinfo", "use_dpop_nonce")
        send(walk, "userinfo")
    expect(walk.at("userinfo.exchange")).to_contain_text("200 OK")


def test_signed_assertion_at_oidc_provider(walk: "Walk", node: str) -> None:
    discover(walk, node, "jwt-app")
    more_options(walk)
    authorize(walk, approve_at_oidc_provider)
    walk.pick("token.secret_in", "private_key_jwt")
    walk.press("token.assertion")
    walk.at("token.assertion.key").locator("textarea").fill(json.dumps(CLIENT_KEY.as_dict(private=True)))
    walk.at("token.assertion.key").locator("textarea").press("Control+Enter")
    expect(walk.page.get_by_text("The key signs with ES256")).to_be_visible()
    walk.page.keyboard.press("Escape")
    send(walk, "token")
    expect(walk.at("tokens")).to_contain_text("«access_token #")


def test_device_grant_at_oidc_provider(walk: "Walk", node: str) -> None:
    discover(walk, node, "device-app")
    more_options(walk)
    walk.press("rail.device")
    walk.pick("device.secret_in", "None (public client)")
    send(walk, "device")
    with walk.page.context.expect_page() as opened:
        walk.at("device.open").locator("a").click()
    tab = opened.value
    tab.locator("button[type=submit]").first.click()
    approve_at_oidc_provider(tab)
    tab.get_by_text("Sign-in Success").wait_for()
    tab.close()
    expect(walk.at("poll.send").locator("button")).to_be_enabled()
    walk.press("poll.send")
    expect(walk.at("device_tokens")).to_contain_text("«access_token #")


# Servers of other projects, from their address alone to a revoked token; nothing is typed but the login.


@pytest.fixture(scope="module")
def servers(running: "Console", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Start a server by name when it is first asked for."""
    callback = f"{running.url}/callback"
    starts: dict[str, Callable[[], AbstractContextManager[str]]] = {
        "canaille": lambda: canaille(tmp_path_factory.mktemp("canaille"), callback),
        "django_allauth": lambda: django_allauth(tmp_path_factory.mktemp("allauth"), callback),
        "mcp_sdk": lambda: mcp_sdk(callback),
        "node_oauth2_server": lambda: node_oauth2_server(callback),
    }
    with ExitStack() as stack:
        yield cache(lambda name: stack.enter_context(starts[name]()))


def log_in_and_allow(page: Page) -> None:
    """Log in as the user of the server, on one page or two, then give consent."""
    name = page.locator("input[name=login], input[name=username]").and_(page.locator(":visible")).first
    password = page.locator("input[name=password]")
    allow = page.locator("button[value=accept], button[value=grant], button[value=true]").first
    while True:
        expect(name.or_(password).or_(allow).or_(arrived(page)).first).to_be_visible()
        if allow.is_visible():
            allow.click()
            return
        if arrived(page).is_visible():
            return
        if name.is_visible():
            name.fill("demo")
        if password.is_visible():
            password.fill("demo-password")
        with page.expect_navigation():
            page.locator("form button[type=submit], form button:not([type])").first.click()


def test_canaille_from_its_address_to_a_revoked_token(walk: "Walk", servers: Callable[[str], str]) -> None:
    register(walk, servers("canaille"))
    authorize(walk, log_in_and_allow)
    exchange_and_verify_the_signature(walk)
    call(walk, "UserInfo", "userinfo")
    expect(walk.step("call")).to_contain_text("Same user as in the id_token")
    introspect_refresh_and_revoke(walk)


def test_django_allauth_from_its_address_to_a_revoked_token(walk: "Walk", servers: Callable[[str], str]) -> None:
    register(walk, servers("django_allauth"))
    authorize(walk, log_in_and_allow)
    send(walk, "token")
    expect(walk.at("token.card")).to_contain_text("The server does not decode the HTTP Basic credentials")
    walk.press("token.fix.1")
    verify_the_signature(walk)
    call(walk, "UserInfo", "userinfo")
    expect(walk.step("call")).to_contain_text("Same user as in the id_token")
    introspect_refresh_and_revoke(walk)


def test_mcp_sdk_from_its_address_to_a_revoked_token(walk: "Walk", servers: Callable[[str], str]) -> None:
    register(walk, servers("mcp_sdk"))
    authorize(walk, log_in_and_allow)
    walk.pick("token.secret_in", "Body")
    send(walk, "token")
    expect(walk.at("tokens")).to_contain_text("«refresh_token #")
    call(walk, "Refresh the token", "refresh")
    expect(walk.step("call")).to_contain_text("The refresh token was replaced")
    call(walk, "Revoke", "revoke")
    expect(walk.step("call")).to_contain_text("The server reports that the token is no longer valid")


def test_node_oauth2_server_from_its_address_to_a_revoked_token(walk: "Walk", servers: Callable[[str], str]) -> None:
    register(walk, servers("node_oauth2_server"))
    authorize(walk, log_in_and_allow)
    send(walk, "token")
    expect(walk.at("tokens")).to_contain_text("«refresh_token #")
    call(walk, "UserInfo", "userinfo")
    expect(walk.at("userinfo.exchange")).to_contain_text("Demo")
    call(walk, "Refresh the token", "refresh")
    expect(walk.step("call")).to_contain_text("The refresh token was replaced")
    call(walk, "Revoke", "revoke")
    call(walk, "UserInfo", "userinfo")
    registered_card(walk, "userinfo", "invalid_token")


def edit(walk: "Walk", action: str, field: str, value: str | None) -> None:
    """Change a field, or with ``None`` tick it or untick it."""
    if value is None:
        walk.untick(f"{action}.field.{field}.send")
    else:
        walk.type(f"{action}.field.{field}.value", value)


def provoke(walk: "Walk", action: str, field: str, value: str | None, *causes: str) -> None:
    """Send an action with a field changed, or left out, then put it back. One of the causes is the first named."""
    before = walk.at(f"{action}.field.{field}.value").locator("input, textarea").first.input_value()
    edit(walk, action, field, value)
    send(walk, action)
    headline = walk.face(action)
    assert any(TITLES[cause][1:] in headline for cause in causes), (field, value, headline)
    edit(walk, action, field, None if value is None else before)


TITLES = {rule.id: rule.title for rule in everything()}
NONSENSE = "nonsense-0123456789abcdef0123456789abcdef0123456789"


@pytest.mark.parametrize("server", ["canaille", "django_allauth", "mcp_sdk", "node_oauth2_server"])
def test_usual_failures_name_their_cause_first(walk: "Walk", server: str, servers: Callable[[str], str]) -> None:
    register(walk, servers(server))

    def begin() -> None:
        walk.press("walkthrough.start_over")
        authorize(walk, log_in_and_allow)
        if server == "django_allauth":  # it does not decode HTTP Basic
            walk.pick("token.secret_in", "Body")

    begin()
    provoke(walk, "token", "grant_type", None, "grant_type.left_out")
    provoke(walk, "token", "grant_type", "authorisation_code", "grant.misspelt")
    provoke(walk, "token", "code", None, "code.left_out")
    provoke(walk, "token", "code", NONSENSE, "code.another", "code.mistaken")
    provoke(walk, "token", "client_secret", NONSENSE, "client.secret_differs")
    provoke(walk, "token", "client_id", NONSENSE, "client.id_differs")
    provoke(walk, "token", "redirect_uri", "https://elsewhere.example/callback", "redirect_uri.differs")
    begin()
    provoke(walk, "token", "code_verifier", NONSENSE, "pkce.verifier_differs")
    begin()
    send(walk, "token")
    walk.at("tokens").wait_for()
    send(walk, "token")
    assert TITLES["code.used"][1:] in walk.card("token")
    walk.pick("call.action", "Refresh the token")
    provoke(walk, "refresh", "refresh_token", NONSENSE, "refresh_token.another", "refresh_token.mistaken")
