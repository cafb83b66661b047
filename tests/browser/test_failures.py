"""Failures in the walkthrough itself: the card is shown, and the server received one request."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from oauth.catalogue import answers
from tests.failures import (
    ANSWERS,
    FAILURES,
    JSON,
    PROXY_PASSWORD,
    bundle,
    client_files,
    self_signed,
    server_context,
)
from tests.hostile import servers as hostile

if TYPE_CHECKING:
    from tests.browser.conftest import Walk

SHOWN = (
    *(("failure", kind) for kind in ("refused", "unknown_host", "reset", "read_timeout", "tls_expired",
      "tls_self_signed", "tls_wrong_name", "tls_protocol", "tls_client_certificate", "cut_off", "malformed",
      "undecodable")),
    *(("answer", kind) for kind in ("redirect_elsewhere", "html_as_json", "unpacked_too_large", "rate_limited",
      "server_error")),
)  # fmt: skip

PROFILE = """
name = "Hostile"
authorization_endpoint = "{url}/sandbox/oauth/authorize/"
token_endpoint = "{url}/sandbox/api/open/oauth/token"
scope = "read write v2"
[connection]
read_timeout = 0.5
{more}
"""


@contextmanager
def walking(tools: Any, page: Page, home: Path, more: str, **settings: str) -> Iterator["Walk"]:
    """Start a console with a custom profile and the sandbox's client, and authorize there."""
    port = tools.free_port()
    (home / "providers").mkdir(parents=True)
    text = PROFILE.format(url=f"http://localhost:{port}", more=more)
    (home / "providers" / "hostile.toml").write_text(text)
    client = {"CONSOLE_CLIENT_HOSTILE_ID": "demo-app", "CONSOLE_CLIENT_HOSTILE_SECRET": "demo-secret"}
    settings = {"CONSOLE_CERTIFICATES": "/"} | settings
    console = tools.start_console(home, port=port, **client, **settings)
    try:
        walk = tools.Walk(page, console.url)
        walk.open()
        walk.pick("walkthrough.provider", "Hostile")
        walk.authorize()
        yield walk
    finally:
        tools.stop_console(console)


@pytest.fixture
def trusting_walk(tools: Any, page: Page, tmp_path: Path) -> Iterator["Walk"]:
    """A profile that trusts the tests' authority."""
    with walking(tools, page, tmp_path / "home", f'ca_bundle = "{bundle()}"') as walk:
        yield walk


@pytest.fixture
def careless_walk(tools: Any, page: Page, tmp_path: Path) -> Iterator["Walk"]:
    """A profile that verifies no certificate, on a console that allows that."""
    with walking(tools, page, tmp_path / "home", "verify = false", CONSOLE_ALLOW_INSECURE_TLS="1") as walk:
        yield walk


def send_to(walk: "Walk", url: str) -> None:
    walk.type("token.url", url)
    walk.press("token.send")


def test_each_failure_has_its_card_under_the_failed_request(tools: Any, trusting_walk: "Walk") -> None:
    walk = trusting_walk
    for table, kind in SHOWN:
        scenario = next(iter((FAILURES if table == "failure" else ANSWERS)[kind].values()))
        with scenario() as case:
            send_to(walk, case.url)
            # While a run goes on, the card of the one before may still be there.
            card = walk.at("token.card").filter(has_text=answers()[kind].title).last
            expect(card).to_contain_text(answers()[kind].remedy[0])
            expect(walk.at("token.card")).to_have_count(1)
        if case.server is not None:
            assert len(case.server.requests) == case.requests, kind


def test_certificate_of_a_trusted_authority_is_accepted(trusting_walk: "Walk") -> None:
    answer = hostile.response("200 OK", b'{"access_token": "abc", "token_type": "bearer"}', **JSON)
    with hostile.serving_tls(server_context(), answer) as server:
        send_to(trusting_walk, server.url)
        trusting_walk.at("tokens").wait_for()
    assert "certificate not checked" not in trusting_walk.page.content()


def test_unverified_certificate_is_marked_in_the_walkthrough_and_in_the_history(careless_walk: "Walk") -> None:
    walk = careless_walk
    answer = hostile.response("200 OK", b'{"access_token": "abc", "token_type": "bearer"}', **JSON)
    with hostile.serving_tls(self_signed(), answer) as server:
        send_to(walk, server.url)
        walk.at("tokens").wait_for()
    walk.press("rail.token")
    walk.page.get_by_text("certificate not checked").first.wait_for()
    walk.open("/history?row=3")
    walk.page.get_by_text("certificate not checked").first.wait_for()
    walk.page.get_by_text(answers()["tls_unverified"].title).first.wait_for()


def test_proxy_password_and_client_key_appear_nowhere(tools: Any, page: Page, tmp_path: Path) -> None:
    certificate, key = client_files()
    home = tmp_path / "home"
    more = f'client_certificate = "{certificate}"\nclient_key = "{key}"'
    with hostile.proxying(f"someone:{PROXY_PASSWORD}") as proxy:
        address = f"http://someone:{PROXY_PASSWORD}@127.0.0.1:{proxy.port}"
        with walking(tools, page, home, more, CONSOLE_PROXY_HOSTILE=address) as walk:
            walk.press("token.send")
            walk.at("tokens").wait_for()
            walk.press("rail.token")
            walk.page.get_by_text("through a proxy").first.wait_for()
            shown = walk.page.content()
    assert proxy.requests[0].startswith(b"POST http://localhost:")
    key_lines = [line for line in Path(key).read_text().splitlines() if not line.startswith("-")]
    written = [path.read_bytes() for path in (*home.rglob("*"), tmp_path / "home.log") if path.is_file()]
    assert len(written) > 2
    for secret in (PROXY_PASSWORD, b64encode(f"someone:{PROXY_PASSWORD}".encode()).decode(), *key_lines):
        assert secret not in shown
        assert not any(secret.encode() in content for content in written)
