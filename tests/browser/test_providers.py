"""Profiles in a real browser: one from the metadata of a foreign server, and the partner API's own."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import trustme
from playwright.sync_api import Browser, expect

from oauth_sandbox.testing import running as sandbox_running
from tests.browser.canaries import leaks
from tests.browser.tunnels import proxy_to, tls_in_front_of
from tests.servers.running import django_oauth_toolkit

if TYPE_CHECKING:
    from tests.browser.conftest import Console, Walk

PLANTED = {"client_secret": "canary-of-the-operator-8Wd2", "password": "canary-of-the-proxy-3Lk9"}
REGISTERED = "https://shop.test/oauth/nothing-here"


def test_server_becomes_a_profile_that_is_edited_shared_and_used(
    walk: "Walk", running: "Console", tmp_path: Path
) -> None:
    with django_oauth_toolkit(tmp_path, f"{running.url}/callback") as issuer:
        walk.open("/providers")
        walk.type("providers.issuer", issuer)
        walk.press("providers.discover")
        walk.press("providers.new.discovered")
        walk.type("providers.field.name", "Our server")
        walk.page.get_by_role("tab", name="Lifetimes").click()
        walk.type("providers.field.lifetimes.code", "soon")
        walk.press("providers.save")
        wrong = walk.at("providers.wrong.lifetimes.code")
        expect(wrong).to_contain_text("Code is 'soon', and must be a whole number")
        walk.type("providers.field.lifetimes.code", "60")
        walk.press("providers.save")
        with walk.page.expect_download() as download:
            walk.at("providers.own.our-server.export").locator("button").click()
        content = download.value.path().read_text()
        assert f'issuer = "{issuer}"' in content
        assert "secret" not in content.replace("client_secret_", "")

        walk.at("providers.open").get_by_text("New profile").click()
        walk.at("providers.import").locator("input[type=file]").set_input_files(
            {"name": "shared.toml", "mimeType": "text/plain", "buffer": content.replace("Our", "Their").encode()}
        )
        walk.at("providers.own.their-server").wait_for()
        walk.settle()
        walk.press("providers.own.their-server.use")

        walk.at("walkthrough.client_id").wait_for()
        walk.type("walkthrough.client_id", "web-app")
        walk.type("walkthrough.client_secret", "web-app-secret-0123456789")
        _approve(walk)
        expect(walk.step("token")).to_contain_text("Code expires in")
        walk.exchange()
        expect(walk.at("tokens")).to_contain_text("«access_token #")


def _approve(walk: "Walk") -> None:
    """Log in at the server, approve there, and wait until the callback has arrived."""
    link = walk.at("authorize.open").locator("a")
    link.wait_for()
    walk.settle()
    with walk.page.context.expect_page() as opened:
        link.click()
    page = opened.value
    page.locator("input[name=username]").fill("demo")
    page.locator("input[name=password]").fill("demo-password")
    page.locator("input[type=submit]").click()
    page.locator("input[name=allow]").click()
    page.get_by_text("The code arrived").wait_for()
    page.close()
    walk.at("callback.details").wait_for(state="attached")
    walk.settle()


def test_partner_api_under_its_own_name_with_a_pasted_address(tools: Any, browser: Browser, tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    names = ("www.olx.pl", "www.olx.ua", "shop.test")
    with sandbox_running() as poland, sandbox_running() as ukraine:
        poland.sandbox.register(REGISTERED)
        poland.sandbox.put_client(
            msgspec.structs.replace(poland.sandbox.client("demo-app"), secret=PLANTED["client_secret"])
        )
        ukraine.sandbox.remove_client("demo-app")
        with (
            tls_in_front_of(_port(poland.url), ca, *names) as olx_pl,
            tls_in_front_of(_port(ukraine.url), ca, *names) as olx_ua,
            proxy_to({"www.olx.pl:443": olx_pl, "www.olx.ua:443": olx_ua, "shop.test:443": olx_pl}) as proxy,
        ):
            console = tools.start_console(
                tmp_path / "home",
                SSL_CERT_FILE=str(tmp_path / "ca.pem"),
                CONSOLE_PROXY_OLX_PL=f"http://ada:{PLANTED['password']}@127.0.0.1:{proxy}",
                CONSOLE_PROXY_OLX_UA=f"http://127.0.0.1:{proxy}",
                CONSOLE_CLIENT_OLX_PL_ID="demo-app",
                CONSOLE_CLIENT_OLX_PL_SECRET=PLANTED["client_secret"],
                CONSOLE_CLIENT_OLX_UA_ID="demo-app",
                CONSOLE_CLIENT_OLX_UA_SECRET=PLANTED["client_secret"],
            )
            context = browser.new_context(
                ignore_https_errors=True, proxy={"server": f"http://127.0.0.1:{proxy}", "bypass": "localhost"}
            )
            context.set_default_timeout(tools.PATIENCE)
            try:
                walk = tools.Walk(context.new_page(), console.url)
                walk.open()
                _in_poland(walk)
                assert leaks(PLANTED, walk.page.content().encode()) == []
                _in_another_country(walk)
                assert leaks(PLANTED, walk.page.content().encode()) == []
            finally:
                context.close()
                tools.stop_console(console)
            for path in (console.log, *(path for path in console.home.rglob("*") if path.is_file())):
                assert leaks(PLANTED, path.read_bytes()) == [], path.name


def _in_poland(walk: "Walk") -> None:
    walk.pick("walkthrough.provider", "OLX Partner API")
    walk.at("walkthrough.site.olx").wait_for()
    expect(walk.at("authorize.redirect.olx-pl")).to_contain_text("it uses the code first")
    walk.type("authorize.registered.olx-pl", REGISTERED)
    link = walk.at("authorize.open").locator("a")
    expect(link).to_have_attribute(
        "href", re.compile(f"client_id=demo-app&.*redirect_uri={quote(REGISTERED, safe='')}&")
    )
    with walk.page.context.expect_page() as opened:
        link.click()
    consent = opened.value
    assert consent.url.startswith("https://www.olx.pl/oauth/authorize/?")
    consent.locator("button[value=approve]").click()
    consent.wait_for_url(re.compile(re.escape(REGISTERED)))
    landed = consent.url
    consent.close()
    walk.at("callback.pasted").wait_for()
    walk.type("callback.pasted", landed)
    walk.press("callback.read")
    expect(walk.step("callback")).to_contain_text("The state matches the request")
    walk.exchange()
    expect(walk.at("tokens")).to_contain_text("«access_token #")
    walk.press("api.send")
    expect(walk.at("api.exchange")).to_contain_text("demo.user@example.com")


def _in_another_country(walk: "Walk") -> None:
    walk.pick("walkthrough.site.olx", "Ukraine")
    walk.at("authorize.url").locator("input[value='https://www.olx.ua/oauth/authorize/']").wait_for()
    walk.settle()
    walk.press("rail.call")
    walk.pick("call.action", "Application token")
    walk.press("application.send")
    card = walk.card("application")
    assert "Documented error 6 ·" in card or "Documented error 5 ·" in card
    assert "This client id worked at olx-pl, but never at olx-ua" in card


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
