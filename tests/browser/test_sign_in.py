"""The sign-in in a browser: at foreign OpenID providers, and by the JWT of a proxy."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import Key, RSAKey
from playwright.sync_api import Browser, BrowserContext, Page, TimeoutError, expect
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from oauth.access.audit import Audit, Selection
from oauth.exchange import Exchange, Request, Response, Step
from oauth.history.store import History
from oauth.redaction import Vault
from tests.browser.test_real_servers import approve_at_oidc_provider, authorize, discover
from tests.routes.conftest import serving
from tests.servers import postgresql, proxies
from tests.servers.running import django_oauth_toolkit, free_port, oidc_provider

if TYPE_CHECKING:
    from tests.browser.conftest import Console, Walk

pytestmark = pytest.mark.servers

ROLES = "admin=groups:admins, operator=groups:operators, support=email:sam@example.com, reader=groups:staff"


def client_of(issuer: str, client_id: str = "console", **more: str) -> dict[str, str]:
    """The settings of a console that is a client of a provider in tests/servers."""
    return {
        "CONSOLE_SIGN_IN": "oidc",
        "CONSOLE_OIDC_ISSUER": issuer,
        "CONSOLE_OIDC_CLIENT_ID": client_id,
        "CONSOLE_OIDC_CLIENT_SECRET": f"{client_id}-secret-0123456789",
        "CONSOLE_ROLES": ROLES,
    } | more


@dataclass(frozen=True)
class Team:
    """Two consoles at one address, the provider where their people sign in, and their database."""

    url: str
    issuer: str
    database: str

    def record(self, name: str, client_id: str) -> int:
        """Record an exchange of a person, which was refused; return its row."""
        vault = Vault(b"nothing in it is a secret")
        history = History(self.database, lambda: datetime.now(UTC))
        request = Request("POST", "https://www.olx.pl/api/open/oauth/token", (), b"grant_type=authorization_code")
        sent = Exchange(Step.TOKEN, request, datetime.now(UTC), owner=f"{name}@{self.issuer}", client_id=client_id)
        row = history.begin(vault.redact(sent))
        body = b'{"error": "invalid_grant"}'
        done = vault.redact(replace(sent, response=Response(400, body=body)))
        history.complete(row, done, documented_error=None, error="invalid_grant", error_description="")
        history.database.engine.dispose()
        return row


@pytest.fixture(scope="module")
def team(postgresql_server: postgresql.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A team that signs in at oidc-provider; HAProxy keeps no browser at one of its consoles."""
    outside = free_port()
    database = postgresql_server.url(postgresql_server.new_database())
    with (
        oidc_provider(f"http://localhost:{outside}/sign-in/callback") as issuer,
        proxies.two_consoles(tmp_path_factory.mktemp("team"), database, outside, **client_of(issuer)) as (address, _),
    ):
        yield Team(address, issuer, database)


@contextmanager
def console_of_one(tools: Any, folder: Path, **environ: str) -> Iterator[tuple["Console", str]]:
    """A console whose people sign in at oidc-provider, which knows it as a client of the walkthrough as well."""
    port = tools.free_port()
    address = f"http://localhost:{port}"
    with oidc_provider(f"{address}/sign-in/callback {address}/callback", **environ) as issuer:
        running = tools.start_console(
            folder / "home",
            port=port,
            CONSOLE_PUBLIC_URL=address,
            **client_of(issuer, CONSOLE_ALLOWED_HOSTS="127.0.0.1"),
        )
        try:
            yield running, issuer
        finally:
            tools.stop_console(running)


def log_in(page: Page, name: str) -> None:
    """Log in at oidc-provider, which knows everybody: ``bob.staff`` is bob of the group staff."""
    page.locator("input[name=login]").fill(name)
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.locator("input[name=prompt][value=consent]").wait_for(state="attached")
    page.locator("button[type=submit]").click()


def log_in_at_django(page: Page, name: str) -> None:
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill("demo-password")
    page.locator("input[type=submit]").click()
    page.locator("input[name=allow]").click()


def sign_in(walk: "Walk", name: str, path: str = "/history") -> "Walk":
    """Open a page as nobody, log in at oidc-provider, and wait for the page."""
    walk.open(path)
    log_in(walk.page, name)
    walk.at("shell.person").wait_for()
    walk.settle()
    return walk


def someone_else(context: BrowserContext) -> None:
    """Make oidc-provider, which is at another host, forget who logged in."""
    context.clear_cookies(domain="127.0.0.1")


def sign_out(page: Page, url: str) -> None:
    page.goto(f"{url}/who-am-i")
    page.get_by_role("link", name="Sign out").click()
    page.get_by_text("You are signed out").wait_for()


BANNER = "getComputedStyle(document.querySelector('.stApp'), '::before').content"


def until_cut_off(walk: "Walk") -> None:
    """Go from page to page until the console says that nobody is signed in any more."""
    end = time.monotonic() + 60
    for name in cycle(("Errors", "History")):
        if "Your sign-in has ended" in banner(walk) or time.monotonic() > end:
            break
        with suppress(TimeoutError):  # it was cut off meanwhile, and its links are disabled
            walk.page.get_by_role("link", name=name).first.click(timeout=1_000)
        with suppress(TimeoutError):
            walk.page.wait_for_function(f"() => {BANNER}.includes('Your sign-in has ended')", timeout=1_000)
    assert "Your sign-in has ended" in banner(walk)


def banner(walk: "Walk") -> str:
    """The words that the browser itself draws over a page that lost its connection."""
    words: str = walk.page.evaluate(BANNER)
    return words


def cookie_header(context: BrowserContext) -> dict[str, str]:
    """The cookies of a browser for the console, for requests that it would not send by itself."""
    own = [cookie for cookie in context.cookies() if cookie["domain"] == "localhost"]
    return {"Cookie": "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in own)}


# At a provider


@pytest.mark.proxies
def test_sign_in_at_oidc_provider_ends_at_the_page_that_was_asked_for(tools: Any, page: Page, team: Team) -> None:
    walk = sign_in(tools.Walk(page, team.url), "ada.admins", "/history?status=4xx")
    assert page.url == f"{team.url}/history?status=4xx"
    expect(walk.at("history.filter.line").or_(page.get_by_text("No exchanges yet")).first).to_be_visible()
    walk.press("shell.person")
    expect(page.get_by_text("ada", exact=True)).to_be_visible()
    expect(page.get_by_text("Role: admin")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Who am I?").click()
    who = opened.value
    expect(who.get_by_role("heading")).to_have_text("You are ada")
    facts = dict(zip(who.locator("dt").all_inner_texts(), who.locator("dd").all_inner_texts(), strict=True))
    assert facts["id"].startswith("ada.admins@")
    assert (facts["role"], facts["groups"], facts["email"]) == ("admin", "admins", "ada@example.com")


@pytest.mark.proxies
def test_sign_in_at_django_oauth_toolkit_ends_at_the_page_that_was_asked_for(
    tools: Any, page: Page, tmp_path: Path, postgresql_server: postgresql.Server
) -> None:
    outside = free_port()
    database = postgresql_server.url(postgresql_server.new_database())
    with django_oauth_toolkit(tmp_path, f"http://localhost:{outside}/sign-in/callback") as issuer:
        client = client_of(issuer, "web-app", CONSOLE_OIDC_SCOPE="openid")
        with proxies.two_consoles(tmp_path, database, outside, **client) as (address, _):
            walk = tools.Walk(page, address)
            walk.open("/history?status=4xx")
            log_in_at_django(page, "demo")
            walk.press("shell.person")
            assert page.url == f"{address}/history?status=4xx"
            expect(page.get_by_text("demo", exact=True)).to_be_visible()
            expect(page.get_by_text("Role: reader")).to_be_visible()
            sign_out(page, address)
            page.goto(f"{address}/history")
            expect(page.locator("input[name=allow]").or_(walk.at("shell.person")).first).to_be_visible()


@pytest.mark.proxies
def test_after_a_sign_out_another_tab_can_do_nothing(tools: Any, page: Page, team: Team) -> None:
    walk = sign_in(tools.Walk(page, team.url), "bob.staff", "/errors")
    cookies = cookie_header(page.context)
    assert httpx.get(f"{team.url}/who-am-i", headers=cookies, trust_env=False).status_code == 200
    other = page.context.new_page()
    sign_out(other, team.url)
    other.close()  # else this page is in the background, where nothing that is drawn counts as stable
    end = time.monotonic() + 30
    while any(  # the other console asks the database again after five seconds
        httpx.get(f"{team.url}/who-am-i", headers=cookies, trust_env=False).status_code == 200 for _ in range(2)
    ):
        assert time.monotonic() < end
    until_cut_off(walk)
    for path in ("/who-am-i", "/_stcore/host-config", "/download/history.csv", "/history"):
        assert httpx.get(team.url + path, headers=cookies, trust_env=False).status_code == 401, path
    someone_else(page.context)
    page.reload()
    page.locator("input[name=login]").wait_for()


@pytest.mark.proxies
@pytest.mark.parametrize("name", ["eve", "sam.unverified"])
def test_person_without_a_role_sees_only_who_it_is(tools: Any, page: Page, team: Team, name: str) -> None:
    """A group gives a role, or a verified address: one that nobody has checked is not its owner's."""
    walk = tools.Walk(page, team.url)
    sockets: list[Any] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    walk.open("/history")
    log_in(page, name)
    page.get_by_text("no rule of CONSOLE_ROLES gives you a role").wait_for()
    assert f"{name}@http://127.0.0.1" in page.content()
    assert sockets == []


@pytest.mark.proxies
def test_verified_address_gives_its_role(tools: Any, page: Page, team: Team) -> None:
    walk = sign_in(tools.Walk(page, team.url), "sam")
    walk.press("shell.person")
    expect(page.get_by_text("Role: support")).to_be_visible()


# Roles

PAGES = {
    "reader": ["Diagnose", "History", "Errors"],
    "support": ["Diagnose", "History", "Errors"],
    "operator": ["Walkthrough", "Diagnose", "History", "Errors", "Sandbox", "Providers"],
    "admin": ["Walkthrough", "Diagnose", "History", "Errors", "Sandbox", "Providers", "Access"],
}


@pytest.mark.proxies
@pytest.mark.parametrize(
    ("name", "role"),
    [("bob.staff", "reader"), ("sam", "support"), ("olga.operators", "operator"), ("ada.admins", "admin")],
)
def test_role_opens_its_pages_only(tools: Any, page: Page, team: Team, name: str, role: str) -> None:
    walk = sign_in(tools.Walk(page, team.url), name)
    names = page.locator("[data-testid=stTopNavLink]").all_inner_texts()
    assert [name.split()[-1] for name in names] == PAGES[role]
    for path, title in (("/sandbox-state", "Sandbox"), ("/providers", "Providers"), ("/access", "Access")):
        if title not in PAGES[role]:
            walk.open(path)
            expect(page.get_by_text(f"yours is {role}")).to_be_visible()


@pytest.mark.proxies
def test_reader_sees_their_own_exchanges_and_support_sees_all(
    tools: Any, browser: Browser, page: Page, team: Team
) -> None:
    own = team.record("bob.staff", "bobs-app")
    other = team.record("ada.admins", "adas-app")
    reader = sign_in(tools.Walk(page, team.url), "bob.staff", "/history?status=4xx")
    expect(reader.at("history.bar")).to_contain_text("1 exchange")
    missing = f"Row {other} does not exist in this history"
    for query, text in {
        f"row={other}": missing,
        f"row={own}&with={other}": missing,
        "client=adas-app": "0 exchanges",
        "show=repeats": "1 exchange,",
        "show=charts": "bobs-app 1",
    }.items():
        reader.open(f"/history?{query}")
        expect(page.get_by_text(text).first).to_be_visible()
        reader.settle()
        for key in ("history.download.open", "history.import.open", "history.delete.open"):
            expect(reader.at(key)).to_have_count(0)
    assert "adas-app" not in page.locator("[data-testid=stMain]").inner_text()
    reader.open(f"/history?row={own}")
    expect(reader.at("history.open")).to_contain_text("bobs-app")
    with context_of(browser) as context:
        support = sign_in(tools.Walk(context.new_page(), team.url), "sam", f"/history?row={other}")
        expect(support.at("history.open")).to_contain_text("adas-app")
        expect(support.at("history.delete.open")).to_have_count(0)
        support.open("/history?status=4xx")
        support.press("history.download.open")
        link = support.at("history.download").locator("a:visible").first.get_attribute("href")
        assert link is not None
        for cookies in ({}, cookie_header(page.context)):
            refused = httpx.get(link, headers=cookies, trust_env=False)
            assert refused.status_code in (401, 403), refused.text
        with support.page.expect_download() as download:
            support.at("history.download").locator("a:visible").first.click()
        text = download.value.path().read_text()
        assert "adas-app" in text
        assert "bobs-app" in text


@pytest.mark.proxies
def test_sign_in_forged_cookie_and_sign_out_are_in_the_audit(tools: Any, page: Page, team: Team) -> None:
    sign_in(tools.Walk(page, team.url), "ann.staff", "/errors")
    cookies = cookie_header(page.context)["Cookie"]
    forged = {"Cookie": re.sub(r"(_person=.{20}).", r"\1", cookies)}
    assert httpx.get(f"{team.url}/history?row=7", headers=forged, trust_env=False).status_code == 401
    sign_out(page, team.url)
    history = History(team.database, lambda: datetime.now(UTC))
    rows = Audit(history, Vault(b"nothing in it is a secret"), is_on=True).page(Selection(), None, 3)
    history.database.engine.dispose()
    assert [row.event for row in rows] == ["sign-out", "refusal", "sign-in"]
    assert [row.person == f"ann.staff@{team.issuer}" for row in rows] == [True, False, True]
    assert "/history" in rows[1].object
    assert "CONSOLE_KEY" in rows[1].detail


@contextmanager
def context_of(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of another person."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(60_000)
    yield context
    context.close()


# The end of a session


def test_page_says_that_its_session_has_ended_and_goes_on_after_another_sign_in(
    tools: Any, browser: Browser, page: Page, tmp_path: Path
) -> None:
    with console_of_one(tools, tmp_path, ID_TOKEN_SECONDS="20") as (running, _):
        warming = browser.new_context()
        sign_in(tools.Walk(warming.new_page(), running.url), "olga.operators", "/errors")
        warming.close()
        walk = sign_in(tools.Walk(page, running.url), "olga.operators", "/")
        walk.pick("walkthrough.provider", "Any OAuth server")
        walk.type("walkthrough.client_id", "my-client")
        page.locator("html[data-signed-out]").wait_for(state="attached")
        assert "Your sign-in has ended" in banner(walk)
        tools.Walk(page.context.new_page(), running.url).open("/errors")  # the provider knows her still
        page.locator("[data-test-connection-state=CONNECTED]").wait_for()
        assert banner(walk) == "none"
        expect(walk.at("walkthrough.client_id").locator("input").first).to_have_value("my-client")


def test_next_person_in_a_tab_finds_nothing_of_the_one_before(tools: Any, page: Page, tmp_path: Path) -> None:
    with console_of_one(tools, tmp_path) as (running, _):
        walk = sign_in(tools.Walk(page, running.url), "olga.operators", "/")
        walk.pick("walkthrough.provider", "Any OAuth server")
        walk.type("walkthrough.client_id", "my-client")
        tab = page.context.new_page()
        sign_out(tab, running.url)
        until_cut_off(walk)
        someone_else(page.context)
        sign_in(tools.Walk(tab, running.url), "omar.operators", "/errors")
        page.locator("[data-test-connection-state=CONNECTED]").wait_for()
        page.get_by_role("link", name="Walkthrough").click()
        walk.at("walkthrough.provider").wait_for()
        walk.settle()
        expect(walk.at("walkthrough.client_id")).to_have_count(0)


# The walkthrough


def test_operator_gets_tokens_behind_the_sign_in(tools: Any, page: Page, tmp_path: Path) -> None:
    """The redirect URI of the walkthrough, and the sandbox for the console itself, need no sign-in."""
    with console_of_one(tools, tmp_path) as (running, issuer):
        walk = sign_in(tools.Walk(page, running.url), "olga.operators", "/")
        walk.authorize()
        walk.exchange()
        walk.at("tokens").wait_for()
        discover(walk, issuer, "web-app", "web-app-secret-0123456789")
        authorize(walk, approve_at_oidc_provider)
        walk.exchange()
        walk.at("tokens").wait_for()
        walk.open("/history?step=token")
        expect(walk.at("history.table").or_(page.get_by_text("2 exchanges")).first).to_be_visible()


# A proxy that signs people in

HEADER = "Cf-Access-Jwt-Assertion"


def voucher(key: Key, **claims: Any) -> str:
    now = int(time.time())
    content = {"iss": "https://team.example", "aud": ["console"], "sub": "7", "exp": now + 3600, "iat": now}
    return jwt.encode({"alg": "RS256", "kid": "k"}, content | {"groups": ["admins"]} | claims, key)


@pytest.mark.proxies
def test_proxy_vouches_for_a_person_and_nobody_else_does(
    tools: Any, browser: Browser, page: Page, tmp_path: Path
) -> None:
    key, other = (RSAKey.generate_key(2048, parameters={"kid": "k"}) for _ in range(2))
    keys = Starlette(routes=[Route("/keys", lambda _: JSONResponse({"keys": [key.as_dict(private=False)]}))])
    outside, inside = tools.free_port(), tools.free_port()
    public = f"http://localhost:{outside}"
    text = proxies.configuration("haproxy-minimal.cfg", outside, inside)
    text = text.replace("default_backend", f"http-request set-header {HEADER} {voucher(key)}\n    default_backend", 1)
    with serving(keys) as issuer, proxies.proxy("haproxy", tmp_path / "proxy", text, outside):
        running = tools.start_console(
            tmp_path / "home",
            port=inside,
            CONSOLE_PUBLIC_URL=public,
            CONSOLE_SIGN_IN="proxy",
            CONSOLE_ROLES=ROLES,
            CONSOLE_JWT_HEADER=HEADER,
            CONSOLE_JWT_ISSUER="https://team.example",
            CONSOLE_JWT_AUDIENCE="console",
            CONSOLE_JWT_JWKS=f"{issuer}/keys",
        )
        try:
            walk = tools.Walk(page, public)
            walk.open("/errors")
            walk.press("shell.person")
            expect(page.get_by_text("Role: admin")).to_be_visible()
            expect(page.get_by_role("link", name="Sign out")).to_have_count(0)  # the proxy's own
            past = voucher(key, exp=int(time.time()) - 1)
            for forged in ("", voucher(other), past, "eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0.", "ada@example.com"):
                assert_nobody(browser, running.url, {HEADER: forged} if forged else {"X-Forwarded-User": "ada"})
            with_forged = browser.new_context(extra_http_headers={HEADER: voucher(other)})
            past_proxy = tools.Walk(with_forged.new_page(), public)
            past_proxy.open("/errors")
            past_proxy.at("shell.person").wait_for()  # the proxy replaces what a browser sends
            with_forged.close()
        finally:
            tools.stop_console(running)


def assert_nobody(browser: Browser, url: str, headers: Mapping[str, str]) -> None:
    """Assert that a browser with these headers gets neither a page nor a WebSocket."""
    context = browser.new_context(extra_http_headers=dict(headers))
    page = context.new_page()
    answer = page.goto(f"{url}/errors")
    assert answer is not None
    assert answer.status == 401
    failed = page.evaluate(
        """url => new Promise(done => {
          const socket = new WebSocket(url);
          socket.onopen = () => done(false);
          socket.onerror = () => done(true);
        })""",
        f"{url.replace('http', 'ws', 1)}/_stcore/stream",
    )
    assert failed
    context.close()
