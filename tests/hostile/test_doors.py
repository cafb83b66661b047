"""Pages of other origins and rewriting proxies, against running consoles: personal, published, or with more hosts."""

import base64
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.hostile.servers import Server, proxying
from tests.servers.running import free_port, running

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
PUBLISHED = "https://console.test/tools"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Console:
    """A running console; ``base`` is its path, ``outside`` counts what it asks other hosts for."""

    port: int
    base: str
    outside: Server

    @property
    def own(self) -> str:
        return "https://console.test" if self.base else f"http://localhost:{self.port}"

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, body: str = "") -> httpx.Response:
        """Send a request, as a proxy on this machine does that rewrites ``Host``."""
        url = f"http://127.0.0.1:{self.port}{self.base}{path}"
        headers = {"Host": f"localhost:{self.port}"} | (headers or {})
        return httpx.request(method, url, headers=headers, content=body, trust_env=False, timeout=60)

    def shake_hands(self, headers: dict[str, str]) -> int:
        """Open a WebSocket to Streamlit, and return the status of the response (RFC 6455 §4.2.2)."""
        headers = {
            "Host": f"localhost:{self.port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(b"sixteen octets..").decode(),
        } | headers
        lines = [f"GET {self.base}/_stcore/stream HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        with socket.create_connection(("127.0.0.1", self.port), 60) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            return int(connection.recv(64).split()[1])


@pytest.fixture(scope="module")
def consoles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Console]]:
    """A personal console, a published one, and one that is reached by another name without being published.

    Whatever they ask other hosts for goes to a proxy that counts it.
    """
    started: dict[str, Console] = {}
    with ExitStack() as stack:
        outside = stack.enter_context(proxying())
        proxy = f"http://127.0.0.1:{outside.port}"
        for kind, published in (("personal", ""), ("published", PUBLISHED), ("named", "")):
            port = free_port()
            environ = {
                "CONSOLE_HOME": str(tmp_path_factory.mktemp("console")),
                "CONSOLE_PORT": str(port),
                "CONSOLE_PUBLIC_URL": published,
                **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy),
            }
            command = [sys.executable, "app.py"]
            if kind == "named":
                options = (
                    f"--server.port={port} --server.allowedHosts=localhost --server.allowedHosts=console.test".split()
                )
                command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
            stack.enter_context(running(command, ROOT, environ, port))
            started[kind] = Console(port, "/tools" if published else "", outside)
        yield started


@pytest.fixture(params=["personal", "published"])
def console(request: pytest.FixtureRequest, consoles: dict[str, Console]) -> Console:
    return consoles[request.param]


def foreign(port: int) -> Sequence[dict[str, str]]:
    """Return what browsers send for pages that are not the console's, by ``port`` of the console."""
    return [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": f"http://127.0.0.1:{port}"},  # the same server under another name is another origin
        {"Origin": "http://localhost"},
        {"Origin": f"http://localhost:{port}.evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://[bad"},
        {"Origin": "a" * 5000},
        {"Origin": f"http://evil.example:{port}", "Host": f"evil.example:{port}"},  # DNS rebinding
        {"Origin": f"http://localhost.evil.example:{port}", "Host": f"localhost.evil.example:{port}"},
        {"Origin": "http://x", "Host": "x"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ]


CHANGES = [
    ("POST", "/sandbox/api/open/oauth/token"),
    ("POST", "/sandbox/oauth/authorize/?client_id=demo-app"),
    ("POST", "/sandbox/control/reset"),
    ("DELETE", "/sandbox/control/faults"),
    ("PUT", "/_stcore/upload_file/session/file"),
    ("DELETE", "/_stcore/upload_file/session/file"),
    ("POST", "/_stcore/agent/interact"),
    ("POST", "/download/history.csv"),
    ("PATCH", "/"),
    ("POST", "//callback"),
    ("POST", "/callback/"),
]


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_changes_from_pages_of_other_origins_are_refused(console: Console, method: str, path: str) -> None:
    for headers in foreign(console.port):
        answer = console.request(method, path, FORM | headers)
        assert answer.status_code == 403, headers
        assert "another origin" in answer.text
        assert "access-control-allow-origin" not in answer.headers


def test_websockets_of_other_origins_are_refused_and_nobody_outside_is_asked(console: Console) -> None:
    for headers in foreign(console.port):
        assert console.shake_hands(headers) == 403, headers
    assert console.outside.requests == []


def test_websockets_of_the_console_and_of_programs_open_and_nobody_outside_is_asked(console: Console) -> None:
    assert console.shake_hands({"Origin": console.own}) == 101
    assert console.shake_hands({"Origin": console.own, "Sec-Fetch-Site": "same-origin"}) == 101
    assert console.shake_hands({}) == 101
    assert console.outside.requests == []


def test_a_published_console_does_not_take_its_inner_address_for_its_own(consoles: dict[str, Console]) -> None:
    """A program at that port of the user's machine is another origin, and a proxy may have rewritten ``Host``."""
    console = consoles["published"]
    inner = {"Origin": f"http://localhost:{console.port}"}
    assert console.shake_hands(inner) == 403
    assert console.request("POST", "/sandbox/api/open/oauth/token", inner).status_code == 403


def test_the_own_pages_and_programs_are_admitted(console: Console) -> None:
    for headers in ({}, {"Origin": console.own}, {"Origin": console.own, "Sec-Fetch-Site": "same-origin"}):
        answer = console.request("POST", "/sandbox/api/open/oauth/token", FORM | headers, "grant_type=nothing")
        assert answer.json()["error"] == "unsupported_grant_type"


def test_probes_links_and_the_providers_form_are_admitted(console: Console) -> None:
    assert console.request("GET", "/_stcore/health", {"Host": "10.0.0.5"}).text == "ok"
    assert console.request("GET", "/sandbox/health").status_code == 200
    for headers in ({}, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}):
        assert "<title>" in console.request("GET", "/history?step=token", headers).text
        assert console.request("GET", "/sandbox/oauth/authorize/", headers).status_code == 400
        assert "Unknown state" in console.request("GET", "/callback?code=c&state=s", headers).text
    for origin in ("https://provider.example", "null"):
        headers = FORM | {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
        assert "Unknown state" in console.request("POST", "/callback", headers, "code=c&state=s").text


@pytest.mark.parametrize("path", ["/", "/history", "/callback", "/download/history.csv", "/sandbox/oauth/authorize/"])
def test_no_page_can_be_framed_or_read_as_another_type(console: Console, path: str) -> None:
    headers = console.request("GET", path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["default-src"] in ("'none'", "'self'")
    assert "'unsafe" not in policy.get("script-src", "")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] in ("same-origin", "no-referrer")


def test_other_files_of_the_console_carry_the_headers_and_the_sandbox_answers_as_a_provider(console: Console) -> None:
    for path in ("/_stcore/health", "/_stcore/host-config", "/favicon.png"):
        headers = console.request("GET", path).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    answer = console.request("POST", "/sandbox/api/open/oauth/token", FORM)
    assert "Content-Security-Policy" not in answer.headers
    assert "Set-Cookie" not in answer.headers


def test_the_cookie_is_set_once_and_not_by_a_callback(console: Console) -> None:
    cookie = console.request("GET", "/").headers["Set-Cookie"]
    assert "; HttpOnly; SameSite=Lax" in cookie
    assert cookie.endswith("; Secure") == bool(console.base)
    assert cookie.startswith("__Host-console_") == bool(console.base), "no other host of the domain can set it"
    assert "; Path=/;" in cookie
    assert "console_" not in console.request("GET", "/", {"Cookie": cookie.partition(";")[0]}).headers.get(
        "Set-Cookie", ""
    )
    assert "Set-Cookie" not in console.request("POST", "/callback", FORM, "code=c&state=s").headers


def test_behind_a_proxy_that_hides_itself_the_control_is_closed(consoles: dict[str, Console]) -> None:
    assert consoles["personal"].request("GET", "/sandbox/control/clock").status_code == 200
    for console in (consoles["published"], consoles["named"]):
        for headers in ({}, {"Origin": console.own}, {"Authorization": "Bearer wrong"}):
            assert console.request("GET", "/sandbox/control/clock", headers).status_code == 401
            headers = {"Content-Type": "application/json"} | headers
            assert console.request("POST", "/sandbox/control/reset", headers, "{}").status_code == 401


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Proto", "X-Forwarded-Server", "X-Original-Host", "True-Client-IP", "CF-Connecting-IP", "Via"]
)
def test_a_proxy_that_names_itself_finds_the_control_of_a_personal_console_closed(
    consoles: dict[str, Console], name: str
) -> None:
    assert consoles["personal"].request("GET", "/sandbox/control/clock", {name: "x"}).status_code == 403
