"""The gate, with an OpenID provider and with a proxy's JWT, in front of an application that says what it was given."""

import json
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Semaphore
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from oauth import kept_flows
from oauth.access import LOCAL, Person, Role, documents
from oauth.access.audit import Audit, Selection
from oauth.access.documents import FAILURE_LIFETIME, Documents
from oauth.access.openid import Provider
from oauth.access.register import LIFETIME, REFUSALS
from oauth.access.roles import Rules
from oauth.access.seal import HEADER, LONGEST_SESSION, Seal
from oauth.access.sign_in import Unreachable
from oauth.access.sign_in import load as load_sign_in
from oauth.exports import links
from oauth.history.store import History, HistoryError
from oauth.redaction import Vault
from oauth.routes.gate import OPEN, person_of
from oauth.routes.sign_in import AT_A_TIME, PATIENCE, gate
from oauth.settings import load
from tests.routes.conftest import serving
from tests.servers.authorization_server import Server

ROLES = "admin=groups:admins, support=email:seven@example.com, reader=groups:staff"
HTML = {"Accept": "text/html,*/*"}


class Console:
    """A console behind the gate. ``now`` is its clock, ``given`` what reached the application."""

    def __init__(self, home: Path, base: str = "", **environ: str) -> None:
        environ = {"CONSOLE_HOME": str(home), "CONSOLE_KEY": "a key of thirty-two characters.."} | environ
        self.settings = load({"CONSOLE_PUBLIC_URL": f"http://localhost:1{base}", "CONSOLE_ROLES": ROLES} | environ)
        self.now = datetime.now(UTC)
        self.history = History(self.settings.database_url, lambda: self.now)
        self.given: list[Person | None] = []
        sign_in = load_sign_in({"CONSOLE_ROLES": ROLES} | environ, self.settings.sign_in)
        assert sign_in is not None
        inner = Starlette(routes=[WebSocketRoute("/{path:path}", self._stream), Route("/{path:path}", self._show)])
        inner.add_middleware(
            lambda app: gate(
                sign_in, self.settings, Audit(self.history, Vault(b"key"), is_on=True), lambda: self.now, base
            )(app)
        )
        self.app = inner

    @contextmanager
    def running(self) -> "Iterator[Console]":
        with serving(self.app) as self.address, httpx.Client(base_url=self.address, trust_env=False) as self.client:
            yield self
        self.history.database.engine.dispose()

    def socket(self, headers: Sequence[tuple[str, str]] = (), path: str = "/_stcore/stream") -> ClientConnection:
        """Connect as a page does, with the cookies of this browser."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())
        address = f"{self.address.replace('http', 'ws', 1)}{path}"
        return connect(address, additional_headers=[("Cookie", cookies), *headers], proxy=None)

    def _show(self, request: Request) -> Response:
        self.given.append(person_of(request))
        sealed = request.headers.getlist(HEADER)
        headers = {"Cache-Control": "public"} if "static" in request.url.path else {}
        return HTMLResponse(f"{request.url.path} {len(sealed)} {request.headers.get(HEADER, '')}", headers=headers)

    async def _stream(self, socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(text)


@contextmanager
def provider(methods: object = ("client_secret_basic",), **endpoints: str) -> Iterator[Server]:
    server = Server()
    app = server.app()
    members = {"token_endpoint_auth_methods_supported": methods}

    def metadata(_: Request) -> Response:
        addresses = {"jwks_uri": f"{server.issuer}/jwks", "userinfo_endpoint": f"{server.issuer}/userinfo"}
        return JSONResponse(server.metadata() | addresses | members | endpoints)

    app.router.routes.append(Route("/.well-known/openid-configuration", metadata))
    with serving(app) as server.issuer:
        yield server


@pytest.fixture
def server() -> Iterator[Server]:
    with provider() as running:
        yield running


@pytest.fixture
def console(tmp_path: Path, server: Server) -> Iterator[Console]:
    with open_id_console(tmp_path, server) as console:
        yield console


@contextmanager
def open_id_console(home: Path, server: Server, base: str = "", **environ: str) -> Iterator[Console]:
    environ = {
        "CONSOLE_SIGN_IN": "oidc",
        "CONSOLE_OIDC_ISSUER": server.issuer,
        "CONSOLE_OIDC_CLIENT_ID": server.client_id,
        "CONSOLE_OIDC_CLIENT_SECRET": server.secret,
    } | environ
    with Console(home, base, **environ).running() as console:
        yield console


def is_refused(console: Console, headers: Sequence[tuple[str, str]] = (), path: str = "/_stcore/stream") -> bool:
    """Whether the connection of a page is answered with 403."""
    with pytest.raises(InvalidStatus) as caught:
        console.socket(headers, path)
    return caught.value.response.status_code == 403


def audited(console: Console) -> list[tuple[str, str, str, str]]:
    rows = Audit(console.history, Vault(b"key"), is_on=True).page(Selection(), None, 99)
    return [(row.event, row.name, row.role, row.detail) for row in reversed(rows)]


def member_of(server: Server, *groups: str, **claims: Any) -> None:
    server.change_id_token = lambda token: token | {"groups": list(groups)} | claims


def to_provider(console: Console, path: str = "/history?step=token&row=3") -> httpx.Response:
    """Open a page as nobody, and follow to the provider and back; return the answer to the callback."""
    console.client.cookies.clear()
    asked = console.client.get(path, headers=HTML)
    assert asked.status_code == 303
    begun = console.client.get(asked.headers["Location"])
    assert begun.status_code == 303, begun.text
    approved = httpx.get(begun.headers["Location"], trust_env=False)
    assert approved.status_code == 302
    return console.client.get(approved.headers["Location"].removeprefix("http://localhost:1"))


def test_sign_in_ends_at_the_address_that_was_asked_for(console: Console, server: Server) -> None:
    member_of(server, "staff", "admins", name="Ada")
    back = to_provider(console)
    assert (back.status_code, back.headers["Location"]) == (303, "/history?step=token&row=3")
    assert console.client.get("/history", headers=HTML).status_code == 200
    [person] = console.given
    assert person is not None
    assert (person.id, person.name, person.role) == (f"7@{server.issuer}", "Ada", Role.ADMIN)
    assert person.claims["groups"] == ["admins", "staff"]


def test_cookie_is_of_this_host_only_and_no_token_is_in_it(console: Console, server: Server) -> None:
    member_of(server, "staff")
    back = to_provider(console)
    [cookie] = [text for text in back.headers.get_list("set-cookie") if "_person=" in text]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= attributes
    [age] = [int(part.removeprefix("max-age=")) for part in attributes if part.startswith("max-age=")]
    assert 590 <= age <= 600
    assert not any(token in cookie for token in server._tokens)
    assert "secure" not in attributes  # http on this machine


def test_cookie_is_secure_where_the_console_is_published_with_tls(tmp_path: Path, server: Server) -> None:
    with open_id_console(tmp_path, server, CONSOLE_PUBLIC_URL="https://c.example") as console:
        begun = console.client.get("/sign-in?to=/", headers=HTML)
    [cookie] = begun.headers.get_list("set-cookie")
    assert "; Secure" in cookie
    assert "redirect_uri=https%3A%2F%2Fc.example%2Fsign-in%2Fcallback" in begun.headers["Location"]


@pytest.mark.parametrize("base", ["", "/console"])
def test_cookie_of_a_session_can_be_set_by_this_host_only_with_tls(tmp_path: Path, server: Server, base: str) -> None:
    member_of(server, "staff")
    with open_id_console(tmp_path, server, base, CONSOLE_PUBLIC_URL=f"https://c.example{base}") as console:
        begun = console.client.get(f"{base}/sign-in?to={base}/history")
        [attempt] = begun.headers.get_list("set-cookie")
        assert f"Path={base}/sign-in" in attempt
        assert not attempt.startswith("__Host-")
        approved = httpx.get(begun.headers["Location"], trust_env=False)
        callback = approved.headers["Location"].removeprefix("https://c.example")
        back = console.client.get(callback, headers={"Cookie": attempt.partition(";")[0]})
        assert back.headers["Location"] == f"{base}/history"
        [cookie] = [text for text in back.headers.get_list("set-cookie") if "_person=" in text]
        assert cookie.startswith("__Host-console_")
        assert {"Path=/", "Secure"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
        from_sibling = cookie.removeprefix("__Host-").partition("=")[0] + "=forged"
        headers = {"Cookie": f"{cookie.partition(';')[0]}; {from_sibling}"}
        assert console.client.get(f"{base}/history", headers=headers).status_code == 200
        left = console.client.get(f"{base}/sign-out", headers=headers)
        [removal] = left.headers.get_list("set-cookie")
        assert {"Path=/", "Secure", "Max-Age=0"} <= {part.strip() for part in removal.split(";")}


def test_console_below_a_path_signs_in_there(tmp_path: Path, server: Server) -> None:
    member_of(server, "staff")
    with open_id_console(tmp_path, server, base="/console") as console:
        back = to_provider(console, "/console/history")
        assert back.headers["Location"] == "/console/history"
        assert console.client.get("/console/history", headers=HTML).status_code == 200
        assert console.client.get("/console/callback").status_code == 200
        assert console.client.get("/callback").status_code == 401


@pytest.mark.parametrize(
    "to", ["//evil.example/", "/\\evil.example", "https://evil.example", "/a\\b", "/a\r\nX: y", "", "javascript:1"]
)
def test_sign_in_never_ends_at_another_host(console: Console, server: Server, to: str) -> None:
    member_of(server, "staff")
    begun = console.client.get("/sign-in", params={"to": to})
    approved = httpx.get(begun.headers["Location"], trust_env=False)
    back = console.client.get(approved.headers["Location"].removeprefix("http://localhost:1"))
    assert back.headers["Location"] == "/"


def test_several_tabs_can_sign_in_at_once(console: Console, server: Server) -> None:
    member_of(server, "staff")
    begun = [console.client.get("/sign-in", params={"to": f"/tab{number}"}) for number in range(4)]
    for number, answer in enumerate(begun):
        approved = httpx.get(answer.headers["Location"], trust_env=False)
        back = console.client.get(approved.headers["Location"].removeprefix("http://localhost:1"))
        assert back.headers["Location"] == f"/tab{number}"
    for number in range(20):
        console.client.get("/sign-in", params={"to": f"/tab{number}"})
    assert len([name for name in console.client.cookies if "_to_" in name]) <= 5


def test_only_listed_paths_are_open(console: Console) -> None:
    for path in OPEN:
        assert console.client.get(path).status_code == 200
    for path in ("/", "/history", "/static/js/main.js", "/_stcore/host-config", "/_stcore/upload_file/a/b",
                 "/download/history.csv", "/callback/more", "/callbackx", "/sandbox", "/sandboxx/a", "/api",
                 "/_stcore/healthx", "/_stcore/health/", "/media/x", "/oauth2callback", "/auth/login",
                 "//callback", "/x/%2e%2e/callback"):  # fmt: skip
        assert console.client.get(path).status_code == 401, path
        assert console.client.post(path).status_code == 401, path
    assert console.given == [LOCAL] * len(OPEN)
    for path in ("/", *OPEN, "/sandbox/_stcore/stream", "/api/_stcore/stream"):
        assert is_refused(console, path=path), path


def test_header_of_the_gate_from_outside_is_removed(console: Console, server: Server) -> None:
    member_of(server, "staff")
    console.client.get("/callback", headers={HEADER: "forged"})
    to_provider(console)
    answer = console.client.get("/history", headers={HEADER.upper(): "forged"})
    assert answer.text.split()[:2] == ["/history", "1"]
    assert "forged" not in answer.text
    assert [row for row in audited(console) if HEADER in row[3]] == [
        ("refusal", "", "none", f"It brought the header {HEADER}, which only the gate writes. The header was removed.")
    ] * 2


def test_file_for_a_person_is_in_no_cache(console: Console, server: Server) -> None:
    member_of(server, "staff")
    to_provider(console)
    assert console.client.get("/media/audit.csv").headers["Cache-Control"] == "no-store"
    assert console.client.get("/static/js/main.js").headers["Cache-Control"] == "public"


def test_person_without_a_role_sees_only_who_it_is(console: Console, server: Server) -> None:
    member_of(server, "others", name="<b>Bob")
    to_provider(console)
    answer = console.client.get("/history", headers=HTML)
    assert answer.status_code == 403
    assert "You are &lt;b&gt;Bob" in answer.text
    assert f"7@{server.issuer}" in answer.text
    assert console.client.get("/who-am-i").status_code == 200
    assert console.given == []
    assert is_refused(console)


@pytest.mark.parametrize(("verified", "status"), [(True, 200), (False, 403), ("true", 403), (None, 403)])
def test_unverified_email_address_gives_no_role(
    console: Console, server: Server, verified: object, status: int
) -> None:
    member_of(server, email="seven@example.com", email_verified=verified)
    to_provider(console)
    assert console.client.get("/history", headers=HTML).status_code == status


@pytest.mark.parametrize(
    ("in_token", "in_userinfo", "status"),
    [
        ({}, {"email": "seven@example.com", "email_verified": True}, 200),
        ({"email": "seven@example.com"}, {"email": "seven@example.com", "email_verified": True}, 200),
        ({"email": "seven@example.com", "email_verified": True}, {"email": "other@example.com"}, 200),
        ({"email": "seven@example.com"}, {"email": "other@example.com", "email_verified": True}, 403),
        ({"email": "seven@example.com"}, {"email_verified": True}, 403),
        ({"email_verified": True}, {"email": "seven@example.com"}, 403),
        ({"email_verified": True}, {"email": "seven@example.com", "email_verified": False}, 403),
        ({"email": "seven@example.com", "email_verified": False}, {"email_verified": True}, 403),
    ],
)
def test_email_address_is_verified_by_the_answer_that_has_it(
    console: Console,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    in_token: dict[str, object],
    in_userinfo: dict[str, object],
    status: int,
) -> None:
    monkeypatch.setattr(Provider, "_userinfo", lambda *_: {"sub": "7"} | in_userinfo)
    server.change_id_token = lambda token: token | in_token
    to_provider(console)
    assert console.client.get("/history", headers=HTML).status_code == status


def test_session_ends_with_the_id_token(console: Console, server: Server) -> None:
    member_of(server, "staff")
    to_provider(console)
    assert console.client.get("/history", headers=HTML).status_code == 200
    console.now += timedelta(seconds=601)
    assert console.client.get("/history", headers=HTML).status_code == 303
    assert console.client.get("/download/history.csv").status_code == 401


def test_session_lasts_a_day_at_most(console: Console, server: Server) -> None:
    member_of(server, "staff", exp=int(console.now.timestamp()) + 10**9)
    back = to_provider(console)
    [cookie] = [text for text in back.headers.get_list("set-cookie") if "_person=" in text]
    assert f"Max-Age={LONGEST_SESSION.total_seconds():.0f}" in cookie
    console.now += LONGEST_SESSION - timedelta(seconds=1)
    assert console.client.get("/history", headers=HTML).status_code == 200
    console.now += timedelta(seconds=1)
    assert console.client.get("/history", headers=HTML).status_code == 303


def test_open_page_is_cut_off_when_the_session_ends(console: Console, server: Server) -> None:
    member_of(server, "staff", exp=int(console.now.timestamp()) + 3)
    to_provider(console)
    with console.socket() as socket:
        socket.send("a")
        assert socket.recv(10) == "a"
        with pytest.raises(ConnectionClosed):
            socket.recv(20)


def test_sign_out_ends_the_session_for_a_copy_of_the_cookie_and_on_other_consoles(
    tmp_path: Path, console: Console, server: Server
) -> None:
    member_of(server, "staff")
    to_provider(console)
    cookies = dict(console.client.cookies)
    with open_id_console(tmp_path, server) as other:
        other.client.cookies.update(cookies)
        assert other.client.get("/history", headers=HTML).status_code == 200
        assert console.client.get("/sign-out", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert console.client.get("/history", headers=HTML).status_code == 200
        assert console.client.get("/sign-out").status_code == 200
        assert not any("_person" in name for name in console.client.cookies)
        console.client.cookies.update(cookies)
        assert console.client.get("/history").status_code == 401
        other.now += LIFETIME
        assert other.client.get("/history").status_code == 401


def test_sign_out_forgets_the_flows_of_the_person_in_that_browser(
    console: Console, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[tuple[str, str]] = []
    monkeypatch.setattr(kept_flows, "forget", lambda _, cookie, person: forgotten.append((cookie, person)))
    member_of(server, "staff")
    to_provider(console)
    person = console.client.get("/who-am-i", headers={"Accept": "application/json"}).text
    console.client.cookies.set(links.cookie_name(console.settings), "the cookie of this browser")
    assert console.client.get("/sign-out").status_code == 200
    [(cookie, id)] = forgotten
    assert cookie == "the cookie of this browser"
    assert id
    assert id in person


def test_sign_out_with_a_copy_of_the_cookie_is_not_another_row_of_the_audit(console: Console, server: Server) -> None:
    member_of(server, "staff")
    to_provider(console)
    cookies = dict(console.client.cookies)
    for _ in range(3):
        console.client.cookies.update(cookies)
        assert console.client.get("/sign-out").status_code == 200
    assert [row[0] for row in audited(console)] == ["sign-in", "sign-out"]


def test_open_page_can_do_nothing_after_a_sign_out(console: Console, server: Server) -> None:
    member_of(server, "staff")
    to_provider(console)
    with console.socket() as socket:
        socket.send("a")
        assert socket.recv(10) == "a"
        assert console.client.get("/sign-out").status_code == 200
        socket.send("b")
        with pytest.raises(ConnectionClosed):
            socket.recv(10)


def test_forged_cookie_is_refused(console: Console, server: Server) -> None:
    member_of(server, "staff")
    to_provider(console)
    [(name, value)] = [(name, value) for name, value in console.client.cookies.items() if "_person" in name]
    for forged in (
        value[:-2] + ("A" if value[-2] != "A" else "B") + value[-1],
        "e30." + value.split(".", 1)[1],
        "x",
        "a.b.c",
    ):
        console.client.cookies.clear()
        console.client.cookies.set(name, forged)
        answer = console.client.get("/history", headers=HTML)
        assert answer.status_code == 401
        assert "/sign-in" in answer.text
        assert is_refused(console)
    assert console.given == []


def test_cookie_of_another_key_is_refused(tmp_path: Path, console: Console, server: Server) -> None:
    member_of(server, "staff")
    to_provider(console)
    [value] = [value for name, value in console.client.cookies.items() if "_person" in name]
    with open_id_console(tmp_path, server, CONSOLE_KEY="another key of thirty-two chars.") as other:
        other.client.cookies.set(f"{links.cookie_name(other.settings)}_person", value)
        assert other.client.get("/history").status_code == 401


def _change(**claims: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda token: {name: value for name, value in (token | claims).items() if value is not None}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_change(iss="https://evil.example"), "iss"),
        (_change(iss=None), "iss"),
        (_change(aud="another"), "aud"),
        (_change(aud=None), "aud"),
        (_change(azp="another"), "azp"),
        (_change(exp=1), "exp"),
        (_change(iat=None), "iat"),
        (_change(exp=None), "exp"),
        (_change(exp="9999999999"), "exp"),
        (_change(nonce="another"), "nonce"),
        (_change(nonce=None), "nonce"),
        (_change(sub=None), "sub"),
        (_change(sub=""), "sub"),
        (_change(sub=7), "sub"),
        (_change(sub="7\x00"), "sub"),
        (_change(sub="7" * 256), "sub"),
        (_change(sub="8"), "another person"),
        (_change(nbf=9999999999), "Not valid yet"),
        (_change(at_hash="wrong"), "at_hash"),
    ],
)
def test_wrong_id_token_is_refused(
    console: Console, server: Server, change: Callable[[dict[str, Any]], dict[str, Any]], reason: str
) -> None:
    server.change_id_token = change
    back = to_provider(console)
    assert back.status_code == 403
    assert reason in back.text
    assert console.client.get("/history").status_code == 401


def test_id_token_of_another_key_or_without_a_signature_is_refused(
    console: Console, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = server.signing
    server.signing = RSAKey.generate_key(2048, parameters={"kid": "server-key"})
    assert to_provider(console).status_code == 403
    server.signing = own
    for forge in (_unsigned, _signed_with_public_key(own)):
        monkeypatch.setattr(server, "_sign", forge)
        back = to_provider(console)
        assert back.status_code == 403
        assert "signature" in back.text


def _unsigned(claims: dict[str, Any]) -> str:
    header, body, _ = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("x" * 32)).split(".")
    assert header
    return f"eyJhbGciOiJub25lIn0.{body}."


def _signed_with_public_key(key: Key) -> Callable[[dict[str, Any]], str]:
    public = str(key.as_dict(private=False)["n"])
    return lambda claims: jwt.encode({"alg": "HS256", "kid": "server-key"}, claims, OctKey.import_key(public))


def _signed(key: Key, kid: str) -> Callable[[dict[str, Any]], str]:
    return lambda claims: jwt.encode({"alg": "RS256", "kid": kid}, claims, key)


def test_key_that_is_new_at_the_provider_is_read_and_not_more_than_once_a_minute(
    console: Console, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    member_of(server, "staff")
    assert to_provider(console).status_code == 303
    server.signing = RSAKey.generate_key(2048, parameters={"kid": "new-key"})
    monkeypatch.setattr(server, "_sign", _signed(server.signing, "new-key"))
    server.published[:] = [server.signing.as_dict(private=False)]
    assert to_provider(console).status_code == 403
    console.now += timedelta(seconds=61)
    assert to_provider(console).status_code == 303


def test_callback_of_another_browser_or_provider_is_refused(console: Console, server: Server) -> None:
    member_of(server, "staff")
    assert console.client.get("/sign-in/callback?code=a&state=b").status_code == 403
    begun = console.client.get("/sign-in", params={"to": "/"})
    approved = httpx.get(begun.headers["Location"], trust_env=False).headers["Location"]
    stolen = dict(console.client.cookies)
    console.client.cookies.clear()
    assert console.client.get(approved.removeprefix("http://localhost:1")).status_code == 403
    console.client.cookies.update(stolen)
    server.answers_as = "https://evil.example"  # after the right one was asked
    assert "another provider" in to_provider(console).text


def test_refusal_of_the_provider_is_shown_with_a_way_on(console: Console) -> None:
    begun = console.client.get("/sign-in", params={"to": "/history"})
    state = httpx.URL(begun.headers["Location"]).params["state"]
    back = console.client.get("/sign-in/callback", params={"error": "access_denied<b>", "state": state})
    assert back.status_code == 403
    assert "access_denied&lt;b&gt;" in back.text
    assert 'href="/history"' in back.text


def test_provider_that_does_not_answer_is_named(tmp_path: Path) -> None:
    server = Server(issuer="http://127.0.0.1:9")
    with open_id_console(tmp_path, server) as console:
        answer = console.client.get("/sign-in", params={"to": "/history"})
    assert answer.status_code == 503
    assert "127.0.0.1:9/.well-known/openid-configuration could not be read" in answer.text


def test_keys_that_never_arrive_end_the_sign_in_with_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    total = documents.CONNECTION.total_timeout
    assert PATIENCE + 4 * total < 60, "metadata, token, keys and userinfo, before a proxy gives up"
    monkeypatch.setattr(documents, "CONNECTION", replace(documents.CONNECTION, read_timeout=0.5))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        keys = f"http://127.0.0.1:{silent.getsockname()[1]}/jwks"
        with provider(jwks_uri=keys) as server, open_id_console(tmp_path, server) as console:
            back = to_provider(console)
    assert back.status_code == 503
    assert f"{keys} could not be read: read timeout" in back.text
    assert "Sign in again" in back.text


def test_people_go_on_while_the_provider_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_over, arrived = Event(), Semaphore(0)

    def wait(*_: object) -> str:
        arrived.release()
        is_over.wait(30)
        raise Unreachable("no answer")

    monkeypatch.setattr(Provider, "authorization_url", wait)
    server = Server(issuer="http://127.0.0.1:9")
    with open_id_console(tmp_path, server) as console, ThreadPoolExecutor(60) as pool:
        come_in(console, server)
        begun = [pool.submit(httpx.get, f"{console.address}/sign-in", trust_env=False, timeout=30) for _ in range(60)]
        try:
            assert all(arrived.acquire(timeout=20) for _ in range(AT_A_TIME))
            assert console.client.get("/history", timeout=20).status_code == 200
        finally:
            is_over.set()
        assert {answer.result().status_code for answer in begun} == {503}


def come_in(console: Console, server: Server) -> None:
    """Have the cookie of somebody who signed in at another console with the same key."""
    seal = Seal(console.settings, Rules.parse(ROLES))
    claims = {"sub": "7", "groups": ["staff"], "exp": console.now.timestamp() + 600}
    sealed = seal.sealed(server.issuer, claims, console.now)
    console.client.cookies.set(f"{links.cookie_name(console.settings)}_person", sealed)


def test_document_that_could_not_be_read_is_not_asked_for_by_each_request() -> None:
    now, asked = [datetime.now(UTC)], []

    def ask(*_: object) -> Mapping[str, Any]:
        asked.append(now[0])
        if len(asked) == 1:
            now[0] += timedelta(seconds=10)  # the time for which one request waits
            raise Unreachable("no answer")
        return {}

    documents = Documents(lambda: now[0], ask)
    for _ in range(9):
        with pytest.raises(Unreachable):
            documents.read("https://p.example/keys")
    now[0] += FAILURE_LIFETIME
    assert documents.read("https://p.example/keys") == {}
    assert len(asked) == 2


def test_long_address_loses_its_query_and_not_the_sign_in(console: Console, server: Server) -> None:
    member_of(server, "staff")
    for path, end in (
        (f"/history?q={secrets.token_urlsafe(3000)}", "/history"),
        (f"/{secrets.token_urlsafe(3000)}", "/"),
        ("/history?q=" + "%F0%9F%98%80" * 200, "/history"),
    ):
        begun = console.client.get("/sign-in", params={"to": unquote(path)})
        assert all(len(cookie) < 2000 for cookie in begun.headers.get_list("set-cookie"))
        assert to_provider(console, path).headers["Location"] == end


def test_code_that_the_provider_refuses_is_in_the_audit(console: Console, server: Server) -> None:
    state = httpx.URL(console.client.get("/sign-in").headers["Location"]).params["state"]
    query = {"code": "forged", "state": state, "iss": server.issuer}
    assert console.client.get("/sign-in/callback", params=query).status_code == 503
    [(event, _, _, detail)] = audited(console)
    assert event == "refusal"
    assert "invalid_grant" in detail


@pytest.mark.parametrize("name", ["Ada\ud800", "Ada\x00", "A\r\nda", "\u202eAda", " Ada "])
def test_name_is_kept_without_what_cannot_be_shown(
    console: Console, server: Server, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(server, "_sign", _escaped(server.signing))
    member_of(server, "staff", name=name, email=f"seven@{name}")
    assert to_provider(console).status_code == 303
    assert console.client.get("/history", headers=HTML).status_code == 200
    assert [row[:2] for row in audited(console)] == [("sign-in", "Ada")]


@pytest.mark.parametrize("email", ["seven\u202e@example.com", " seven@example.com", ["seven"], {"seven": 1}, 7])
def test_email_address_that_only_looks_like_the_one_of_a_rule_gives_no_role(
    console: Console, server: Server, monkeypatch: pytest.MonkeyPatch, email: object
) -> None:
    monkeypatch.setattr(server, "_sign", _escaped(server.signing))
    member_of(server, email=email, email_verified=True)
    assert to_provider(console).status_code == 303
    assert console.client.get("/history", headers=HTML).status_code == 403


def _escaped(key: Key) -> Callable[[dict[str, Any]], str]:
    """Sign as a provider does whose JSON has no character beyond ASCII."""
    header = {"alg": "RS256", "kid": "server-key"}
    return lambda claims: jws.serialize_compact(header, json.dumps(claims).encode(), key)


@pytest.mark.parametrize(
    "member", [{"alg": ["RS256"]}, {"alg": {}}, {"use": ["sig"]}, {"kty": []}, {"kid": {}}, {"n": 5}]
)
def test_key_of_an_odd_form_is_a_refusal(console: Console, server: Server, member: dict[str, Any]) -> None:
    member_of(server, "staff")
    server.published[:] = [server.published[0] | member, None, 7, "key"]
    assert to_provider(console).status_code == 403


@pytest.mark.parametrize("methods", [5, True, {}, "client_secret_post", None])
def test_metadata_with_an_odd_list_of_methods_is_read_as_one_without(tmp_path: Path, methods: object) -> None:
    with provider(methods) as server:
        member_of(server, "staff")
        with open_id_console(tmp_path, server) as console:
            assert to_provider(console).status_code == 303


# A proxy


@contextmanager
def proxied(home: Path, key: Key, **environ: str) -> Iterator[Console]:
    keys = Starlette(routes=[Route("/keys", lambda _: JSONResponse({"keys": [key.as_dict(private=False)]}))])
    with serving(keys) as address:
        settings = {
            "CONSOLE_SIGN_IN": "proxy",
            "CONSOLE_JWT_HEADER": "Cf-Access-Jwt-Assertion",
            "CONSOLE_JWT_ISSUER": "https://team.example",
            "CONSOLE_JWT_AUDIENCE": "console",
            "CONSOLE_JWT_JWKS": f"{address}/keys",
        }
        with Console(home, **(settings | environ)).running() as console:
            yield console


def voucher(console: Console, key: Key, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    now = int(console.now.timestamp())
    content = {"iss": "https://team.example", "aud": ["console"], "sub": "7", "iat": now, "exp": now + 300}
    content |= {"groups": ["staff"], "jti": secrets.token_hex(4)} | claims
    content = {name: value for name, value in content.items() if value is not None}
    return jwt.encode({"alg": "RS256", "kid": "k"} | dict(header or {}), content, key, algorithms=["RS256", "HS256"])


def test_person_whom_the_proxy_vouches_for_comes_in(tmp_path: Path) -> None:
    key = RSAKey.generate_key(2048, parameters={"kid": "k"})
    with proxied(tmp_path, key) as console:
        headers = {"Cf-Access-Jwt-Assertion": voucher(console, key)}
        assert console.client.get("/history", headers=headers).status_code == 200
        assert console.given[0] is not None
        assert (console.given[0].id, console.given[0].role) == ("7@team.example", Role.READER)
        with console.socket([*headers.items()]) as socket:
            socket.send("a")
            assert socket.recv(10) == "a"


def test_voucher_without_a_time_of_issue_is_accepted(tmp_path: Path) -> None:
    key = RSAKey.generate_key(2048, parameters={"kid": "k"})
    with proxied(tmp_path, key) as console:
        headers = {"Cf-Access-Jwt-Assertion": voucher(console, key, iat=None)}
        assert console.client.get("/history", headers=headers).status_code == 200


FORMS: Mapping[str, tuple[Key, Mapping[str, Any], Mapping[str, Any], Role]] = {
    "Cloudflare Access": (
        RSAKey.generate_key(2048, parameters={"kid": "k"}),
        {"alg": "RS256", "kid": "k", "typ": "JWT"},
        {"aud": ["32eafc"], "iss": "https://team.cloudflareaccess.com", "sub": "7335d417-61da", "iat": 0, "nbf": 0,
         "email": "seven@example.com", "type": "app", "custom": {"team": "oauth"}},
        Role.READER,
    ),
    "Google IAP": (
        ECKey.generate_key("P-256", parameters={"kid": "k"}),
        {"alg": "ES256", "kid": "k", "typ": "JWT"},
        {"aud": "/projects/1/global/backendServices/2", "iss": "https://cloud.google.com/iap", "iat": 0,
         "sub": "accounts.google.com:1", "email": "seven@example.com", "hd": "example.com"},
        Role.SUPPORT,
    ),
    "Teleport": (
        RSAKey.generate_key(2048, parameters={"kid": "k"}),
        {"alg": "RS256", "typ": "JWT"},
        {"aud": ["http://127.0.0.1:34679"], "iss": "aws", "nbf": 0, "sub": "alice", "username": "alice",
         "roles": ["admin"], "traits": {"logins": ["root"]}},
        Role.OPERATOR,
    ),
}  # fmt: skip
"""JWTs as the documentation of proxies shows them: key, header and claims, and the role of the rules below."""


@pytest.mark.parametrize("proxy", FORMS)
def test_jwt_of_a_documented_proxy_gives_a_role(tmp_path: Path, proxy: str) -> None:
    key, header, claims, role = FORMS[proxy]
    aud = claims["aud"] if isinstance(claims["aud"], str) else claims["aud"][0]
    roles = "reader=custom.team:oauth, support=hd:example.com, operator=roles:admin, admin=email:seven@example.com"
    settings = {"CONSOLE_JWT_ISSUER": claims["iss"], "CONSOLE_JWT_AUDIENCE": aud, "CONSOLE_ROLES": roles}
    with proxied(tmp_path, key, **settings) as console:
        token = jwt.encode({**header}, {**claims, "exp": int(console.now.timestamp()) + 300}, key)
        assert console.client.get("/history", headers={"Cf-Access-Jwt-Assertion": token}).status_code == 200
        assert console.given[0] is not None
        assert console.given[0].role == role


def test_bearer_token_of_a_proxy_is_read_from_authorization(tmp_path: Path) -> None:
    key = RSAKey.generate_key(2048, parameters={"kid": "k"})
    with proxied(tmp_path, key, CONSOLE_JWT_HEADER="Authorization") as console:
        headers = {"Authorization": f"Bearer {voucher(console, key)}"}
        assert console.client.get("/history", headers=headers).status_code == 200


def test_whom_nobody_vouches_for_stays_out(tmp_path: Path) -> None:
    key, other = (RSAKey.generate_key(2048, parameters={"kid": "k"}) for _ in range(2))
    with proxied(tmp_path, key) as console:
        name = "Cf-Access-Jwt-Assertion"
        right = voucher(console, key)
        forged = {
            "none at all": [],
            "empty": [(name, "")],
            "no JWT": [(name, "someone@example.com")],
            "two": [(name, right), (name, right)],
            "unsigned": [(name, _unsigned({"sub": "7"}))],
            "key": [(name, voucher(console, other))],
            "public key as a secret": [(name, voucher(console, OctKey.import_key("x" * 32), {"alg": "HS256"}))],
            "kid": [(name, voucher(console, other, {"kid": "other"}))],
            "audience": [(name, voucher(console, key, aud=["another"]))],
            "issuer": [(name, voucher(console, key, iss="https://evil.example"))],
            "expired": [(name, voucher(console, key, exp=int(console.now.timestamp()) - 1))],
            "no end": [(name, voucher(console, key, exp=None))],
            "not yet": [(name, voucher(console, key, nbf=int(console.now.timestamp()) + 300))],
            "nobody": [(name, voucher(console, key, sub=None))],
            "changed": [(name, right[:-4] + "AAAA")],
            "another header": [("X-Forwarded-User", "admin"), ("X-Forwarded-Email", "seven@example.com")],
        }
        for case, headers in forged.items():
            assert console.client.get("/history", headers=headers).status_code == 401, case
            assert is_refused(console, headers), case
        assert console.given == []


def test_voucher_counts_until_it_expires(tmp_path: Path) -> None:
    key = RSAKey.generate_key(2048, parameters={"kid": "k"})
    with proxied(tmp_path, key) as console:
        headers = {"Cf-Access-Jwt-Assertion": voucher(console, key)}
        assert console.client.get("/history", headers=headers).status_code == 200
        console.now += timedelta(seconds=301)
        assert console.client.get("/history", headers=headers).status_code == 401


# The audit


def test_who_comes_goes_and_gets_another_role_is_in_the_audit(console: Console, server: Server) -> None:
    member_of(server, "staff", name="Ada", email="ada@example.com")
    to_provider(console)
    console.client.get("/sign-out")
    member_of(server, "admins", name="Ada", email="ada@example.com")
    to_provider(console)
    assert audited(console) == [
        ("sign-in", "Ada", "reader", "ada@example.com"),
        ("sign-out", "Ada", "reader", ""),
        ("sign-in", "Ada", "admin", "ada@example.com"),
        ("role", "Ada", "admin", "reader before, admin now"),
    ]


def test_refusals_are_in_the_audit_and_cannot_fill_it(console: Console, server: Server) -> None:
    server.change_id_token = _change(aud="another")
    to_provider(console)
    console.client.cookies.set(f"{links.cookie_name(console.settings)}_person", "forged")
    console.client.get("/history?row=7", headers={"X-Forwarded-For": "203.0.113.9"})
    first, second = Audit(console.history, Vault(b"key"), is_on=True).page(Selection(), None, 9)[::-1]
    assert (first.event, first.object, first.allowed) == ("refusal", "/sign-in/callback", False)
    assert "Issued for another" in first.detail
    assert (second.object, second.address) == ("/history", "127.0.0.1 (forwarded for 203.0.113.9)")
    for number in range(100):
        headers = {"X-Forwarded-For": f"10.0.0.{number}, 198.51.100.1"}  # only the last one is the proxy's
        assert console.client.get("/history", headers=headers).status_code == 401
    assert len(audited(console)) == 2 + REFUSALS.requests
    console.client.get("/history", headers={"X-Forwarded-For": "203.0.113.9"})
    assert len(audited(console)) == 3 + REFUSALS.requests, "a flood of one source hides no other"


def test_nobody_comes_in_while_the_audit_cannot_be_written(
    console: Console, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise HistoryError("The disk is full.")

    monkeypatch.setattr(Audit, "record", fail)
    member_of(server, "staff")
    back = to_provider(console)
    assert back.status_code == 503
    assert "The disk is full." in back.text
    assert console.client.get("/history").status_code == 401


def test_jwt_of_a_person_is_one_sign_in_until_their_role_changes(tmp_path: Path) -> None:
    key = RSAKey.generate_key(2048, parameters={"kid": "k"})
    with proxied(tmp_path, key) as console:
        for groups in (["staff"], ["staff"], ["admins"], ["admins"]):
            headers = {"Cf-Access-Jwt-Assertion": voucher(console, key, groups=groups)}
            assert console.client.get("/history", headers=headers).status_code == 200
        assert [row[:3] for row in audited(console)] == [
            ("sign-in", "7", "reader"), ("sign-in", "7", "admin"), ("role", "7", "admin"),
        ]  # fmt: skip
