"""The short way through the server: the same responses as uvicorn's own, however a request comes."""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from oauth_sandbox import endpoints
from oauth_sandbox.app import application
from oauth_sandbox.clock import utc_now
from oauth_sandbox.configuration import Api
from oauth_sandbox.faults.connection import Latency
from oauth_sandbox.protocol import Protocol
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint, IncomingRequest
from oauth_sandbox.response import Response
from oauth_sandbox.testing import serving

FORM = b"grant_type=client_credentials&client_id=machine-app&client_secret=machine-secret"
HEADS = (b"Host: sandbox.example", b"Content-Type: application/x-www-form-urlencoded")
DIFFERS = re.compile(rb"(?<=x-request-id: )[0-9a-f]{32}|(?<=date: )[^\r]+|[0-9a-f]{40}")
END = b"GET /health HTTP/1.1\r\nHost: sandbox.example\r\nConnection: close\r\n\r\n"


def post(body: bytes = FORM, *heads: bytes, line: bytes = b"POST /api/open/oauth/token HTTP/1.1") -> bytes:
    return b"\r\n".join((line, *HEADS, b"Content-Length: %d" % len(body), *heads, b"", body))


REQUESTS = {
    "token": post(),
    "refused": post(b"grant_type=client_credentials&client_id=machine-app&client_secret=wrong"),
    "unreadable": post(b"%ff=1", b"Origin: https://page.example"),
    "too large": post(b"a" * 70_000),
    "no body": post(b""),
    "query": post(line=b"POST /api/open/oauth/token?client_secret=s HTTP/1.1"),
    "asterisk": post(line=b"POST * HTTP/1.1"),
    "fragment": post(line=b"POST /api/open/oauth/token?client_secret=s#code=c HTTP/1.1"),
    "percent-encoded path": post(line=b"POST /api/open/oauth%2Ftoken HTTP/1.1"),
    "absolute address": post(line=b"POST http://sandbox.example/api/open/oauth/token HTTP/1.1"),
    "unknown path": post(line=b"POST /api/open/oauth/tokens HTTP/1.1"),
    "chunked": post(b"", line=b"POST /api/open/oauth/token HTTP/1.1").replace(
        b"Content-Length: 0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(FORM), FORM)
    ),
    "several": post() * 3 + post(line=b"PUT /api/open/oauth/token HTTP/1.1") + post(),
    "api": b"GET /api/partner/users/me HTTP/1.1\r\nHost: sandbox.example\r\nAuthorization: Bearer no\r\n\r\n",
    "an id": b"GET /api/partner/adverts/12?a=1 HTTP/1.1\r\nHost: sandbox.example\r\nAuthorization: Bearer no\r\n\r\n",
    "an id that is percent-encoded": b"GET /api/partner/adverts/%31 HTTP/1.1\r\nHost: sandbox.example\r\n\r\n",
    "no id": b"GET /api/partner/adverts/{id} HTTP/1.1\r\nHost: sandbox.example\r\n\r\n",
    "advert": post(b'{"title": 1}', b"Authorization: Bearer no", line=b"POST /api/partner/adverts HTTP/1.1"),
    "head": b"HEAD /api/partner/users/me HTTP/1.1\r\nHost: sandbox.example\r\n\r\n",
    "page": b"GET /oauth/authorize/?client_id=no HTTP/1.1\r\nHost: sandbox.example\r\n\r\n",
}


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(utc_now)


@pytest.fixture(scope="module")
def addresses(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    """One server with the short way, and one that hides the sandbox behind another application."""
    app = application(sandbox, dated=True)

    async def hidden(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    with ExitStack() as stack:
        short, usual = (stack.enter_context(serving(it, dated=False)) for it in (app, hidden))
        yield short, usual


def exchange(url: str, *parts: bytes) -> bytes:
    """Send the parts one after another, and return everything that comes, without what always differs."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            connection.sendall(part)
        connection.sendall(END)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    return DIFFERS.sub(b"*", received)


def test_a_token_takes_no_task(addresses: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(RequestResponseCycle, "run_asgi")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = httpx.post(f"{addresses[0]}/api/open/oauth/token", content=FORM, headers=headers, trust_env=False)
    assert response.status_code == 200


def json_from(connection: socket.socket) -> bytes:
    """Receive one response, to the end of its JSON."""
    received = b""
    while not received.endswith(b"}") and (chunk := connection.recv(65_536)):
        received += chunk
    return received


def is_open(place: tuple[str, int]) -> bool:
    try:
        socket.create_connection(place, timeout=20).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("name", REQUESTS)
def test_both_ways_give_the_same_response(addresses: tuple[str, str], name: str) -> None:
    short, usual = (exchange(url, REQUESTS[name]) for url in addresses)
    assert short == usual
    assert short.endswith(b'{"status":"ok"}'), "the connection was kept until its end"


def test_a_sandbox_of_its_own_gives_the_same_response(addresses: tuple[str, str], sandbox: Sandbox) -> None:
    made = httpx.post(f"{addresses[0]}/control/sandboxes", json={}, trust_env=False).json()
    path = urlsplit(made["url"]).path.encode()
    own = post(line=b"POST %b/api/open/oauth/token HTTP/1.1" % path)
    unknown = post(line=b"POST /sandboxes/0123/api/open/oauth/token HTTP/1.1")
    sandbox.log.clear()
    assert exchange(addresses[0], own) == exchange(addresses[1], own) == exchange(addresses[0], post())
    assert exchange(addresses[0], unknown).startswith(b"HTTP/1.1 404 ")
    assert [entry.status for entry in sandbox.log.entries()] == [404, 200], "its own log has its requests"


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_request_in_pieces_gets_the_same_response(addresses: tuple[str, str], size: int) -> None:
    whole = REQUESTS["token"] + REQUESTS["chunked"] + REQUESTS["refused"]
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    assert exchange(addresses[0], *pieces) == exchange(addresses[1], whole)


def test_a_request_that_breaks_off_is_logged(addresses: tuple[str, str], sandbox: Sandbox) -> None:
    for url in addresses:
        sandbox.log.clear()
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
            connection.sendall(post()[:-1])
        end = time.monotonic() + 20
        while not (entries := sandbox.log.entries()) and time.monotonic() < end:
            time.sleep(0.01)
        assert [(entry.status, entry.error) for entry in entries] == [(400, "invalid_request")]


def test_a_request_that_has_begun_is_answered_before_the_server_stops(sandbox: Sandbox) -> None:
    with ExitStack() as stack, ThreadPoolExecutor() as threads:
        address = urlsplit(stack.enter_context(serving(application(sandbox, dated=True), dated=False)))
        place = (address.hostname or "", address.port or 0)
        with socket.create_connection(place, timeout=20) as connection:
            connection.sendall(post()[:-1])
            httpx.get(f"http://{address.netloc}/health", trust_env=False)
            stopped = threads.submit(stack.close)
            end = time.monotonic() + 20
            while is_open(place) and time.monotonic() < end:
                time.sleep(0.01)
            connection.sendall(post()[-1:])
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK\r\n")
        stopped.result(20)


def test_a_body_that_is_too_large_is_refused_before_its_end(addresses: tuple[str, str]) -> None:
    address = urlsplit(addresses[0])
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(post(b"a" * 10_000_000)[:200_000])
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("request_", [REQUESTS["token"], REQUESTS["unknown path"]], ids=["short way", "usual way"])
def test_a_connection_is_closed_when_it_was_idle_and_not_before(
    addresses: tuple[str, str], monkeypatch: pytest.MonkeyPatch, request_: bytes
) -> None:
    idle = 0.8
    monkeypatch.setattr(Protocol, "timeout_keep_alive", property(lambda _: idle, lambda _, _value: None), raising=False)
    address = urlsplit(addresses[0])
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        begun = time.monotonic()
        while time.monotonic() < begun + 1.5 * idle:
            connection.sendall(request_)
            assert json_from(connection).startswith(b"HTTP/1.1 ")
        connection.sendall(request_[:50])
        connection.settimeout(1.5 * idle)
        with pytest.raises(TimeoutError):
            connection.recv(100)
        connection.settimeout(20)
        connection.sendall(request_[50:])
        assert json_from(connection).startswith(b"HTTP/1.1 ")
        answered = time.monotonic()
        assert connection.recv(100) == b"", "the end of the connection"
        assert idle * 0.9 < time.monotonic() - answered


def test_a_client_that_waits_for_a_100_gets_it(addresses: tuple[str, str]) -> None:
    address = urlsplit(addresses[0])
    head, _, body = post(FORM, b"Expect: 100-continue").partition(b"\r\n\r\n")
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
def test_a_wish_for_another_protocol_is_ignored_and_the_body_read(
    addresses: tuple[str, str], protocol: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    wish = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + protocol, b"HTTP2-Settings: AAEAAEAA")
    body, plain = (exchange(addresses[0], post(FORM, *headers)) for headers in (wish, ()))
    assert body == plain
    chunked = REQUESTS["chunked"].replace(b"Host:", b"Connection: upgrade\r\nUpgrade: h2c\r\nHost:")
    assert exchange(addresses[0], chunked[:-60], chunked[-60:]) == plain
    assert caplog.records == []


@pytest.mark.parametrize(
    "line",
    [
        b"CONNECT provider.example:443 HTTP/1.1",
        b"GET\0 / HTTP/1.1",
        b"GET /\xff HTTP/1.1",
        b"PRI * HTTP/2.0",
    ],
)
def test_what_is_no_request_to_a_server_is_refused(addresses: tuple[str, str], line: bytes) -> None:
    address = urlsplit(addresses[0])
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(line + b"\r\nHost: x\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_each_request_is_logged_and_answered_once(addresses: tuple[str, str], sandbox: Sandbox) -> None:
    sandbox.log.clear()
    assert exchange(addresses[0], post() * 20).count(b'"access_token"') == 20
    assert [entry.status for entry in sandbox.log.entries()] == [200] * 20


def test_responses_keep_the_order_of_the_requests_when_a_fault_delays_one(
    addresses: tuple[str, str], sandbox: Sandbox
) -> None:
    with sandbox.lock:
        sandbox.faults.add(Latency(seconds=0.05), client_id="demo-app")
    delayed = post(b"grant_type=refresh_token&client_id=demo-app&client_secret=demo-secret")
    statuses = re.findall(rb"HTTP/1.1 (\d+)", exchange(addresses[0], post() + delayed + post()))
    assert statuses == [b"200", b"400", b"200", b"200"]
    assert sandbox.faults.rules == ()


def test_a_header_never_breaks_the_line(
    addresses: tuple[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def split(_sandbox: Sandbox, _request: IncomingRequest) -> Response:
        return Response(200, b"{}", {"X-Text": "one\r\nSet-Cookie: two"})

    monkeypatch.setitem(endpoints.HANDLERS[Api.PARTNER], Endpoint.CITIES, split)
    response = httpx.get(f"{addresses[0]}/api/partner/cities", trust_env=False)
    assert (response.status_code, "set-cookie" in response.headers) == (500, False)
    assert "control character" in caplog.text
