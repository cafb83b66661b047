"""The commands that people copy, run for real against a server that gives back what arrived."""

import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oauth.exchange import Headers, Request
from oauth.formatting import curl, httpie, httpx_code, raw_request

pytestmark = pytest.mark.process

JSON: Headers = (("Content-Type", "application/json"),)
HIDDEN = "«refresh_token #9f2a41d07b 40ch»"
Received = tuple[str, list[tuple[str, str]], bytes]


def by_shell(command: str, folder: Path) -> "subprocess.CompletedProcess[bytes]":
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(folder), "HTTPIE_CONFIG_DIR": str(folder)}
    return subprocess.run(["sh", "-c", command], capture_output=True, env=environment, cwd=folder, timeout=60)


def by_python(code: str, folder: Path) -> "subprocess.CompletedProcess[bytes]":
    file = folder / "request.py"
    file.write_text(code, "utf-8")
    return subprocess.run([sys.executable, str(file)], capture_output=True, cwd=folder, timeout=60)


def by_socket(message: str, folder: Path) -> "subprocess.CompletedProcess[bytes]":
    """Raw has the message as it is read, with line feeds; on the wire its head has CRLF."""
    head, _, body = message.partition("\n\n")
    host = next(line for line in head.split("\n") if line.startswith("Host: "))[6:]
    with socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2]))) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body.encode())
        connection.recv(1000)
    return subprocess.CompletedProcess([], 0)


TOOLS: dict[str, tuple[Callable[[Request], str], Callable[[str, Path], "subprocess.CompletedProcess[bytes]"]]] = {
    "curl": (curl, by_shell),
    "httpie": (httpie, by_shell),
    "httpx": (httpx_code, by_python),
    "raw": (raw_request, by_socket),
}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[[str, Request], Received]]:
    if shutil.which("curl") is None:
        pytest.fail("These tests run the real curl; install it.")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        host = f"127.0.0.1:{server.getsockname()[1]}"

        def send(tool: str, request: Request) -> Received:
            headers = tuple((name, host if name == "Host" else value) for name, value in request.headers)
            write, use = TOOLS[tool]
            text = write(Request(request.method, request.url.replace("a.test", host), headers, request.body))
            received: list[Received] = []
            thread = threading.Thread(target=lambda: received.append(answered(server)))
            thread.start()
            done = use(text, tmp_path)
            thread.join()
            assert done.returncode == 0, done.stderr
            line, arrived, body = received[0]
            return line, [(name, "a.test" if value == host else value) for name, value in arrived], body

        yield send


def answered(server: socket.socket) -> Received:
    connection, _ = server.accept()
    connection.settimeout(60)
    with connection, connection.makefile("rb") as file:
        line = file.readline().decode().strip()
        headers = []
        while (text := file.readline().decode().strip()) != "":
            name, _, value = text.partition(":")
            headers.append((name, value.strip()))
        lengths = [int(value) for name, value in headers if name.lower() == "content-length"]
        body = file.read(lengths[0]) if lengths else b""
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    return line, headers, body


def request(method: str = "POST", target: str = "/token", headers: Headers = JSON, body: bytes = b"") -> Request:
    length = (("Content-Length", str(len(body))),) if body or method in ("POST", "PUT") else ()
    return Request(method, f"http://a.test{target}", (("Host", "a.test"), *headers, *length), body)


TEXTS = [
    b'{"client_secret":"it\'s \\"quoted\\"", "b": "$HOME `id` \\\\ %s %% \\n"}',
    b"grant_type=refresh_token&refresh_token=" + HIDDEN.encode(),
    b"@/etc/hostname",
    b"-d --data",
    b"=1",
    b"line one\nline two\r\n\n",
    "zażółć «gęślą» \u2028😀".encode(),
    b"!history ~ * ? & | ; <in >out #",
    b"'",
    b"\\",
    b" ",
]
BINARY = [b"\xff\xfe\0\x80%d\\n'-'", b"--boundary\0", bytes(range(256))]
WITHOUT_BODY = [
    request("POST"),
    request("PUT", headers=()),
    request("GET", "/", ()),
    request("GET", "/cities?a=1&b=%20c&empty=&d", (("Authorization", "Bearer it's"), ("Version", "2.0"))),
    request("GET", "/a%2Fb?redirect_uri=https%3A%2F%2Fapp.example%2Fcb", ()),
    request(
        "GET", "/", (("X-Empty", ""), ("X-Twice", "1"), ("X-Twice", "2"), ("Cookie", f"a={HIDDEN}"), ("Accept", "*/*"))
    ),
    request(
        "GET", "/", (("X-Quotes", "\"a\" 'b' \\ $c `d` %s"), ("X-At", "@file"), ("X-Equal", "=1"), ("X-Dash", "-x"))
    ),
    request("GET", "/", (("User-Agent", "oauth-console/1.0"), ("Accept-Encoding", "gzip"), ("Connection", "close"))),
    request("GET", "/", (("Authorization", f"Bearer {HIDDEN}"),)),
]
ODD_TARGETS = ["/a[1-3]{x,y}?z=[]|", "/a/../b/./c/%2e%2E/d", "/%7Euser/%41", "/?"]


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("body", TEXTS)
def test_the_same_body_arrives(run: Callable[[str, Request], Received], tool: str, body: bytes) -> None:
    sent = request(headers=(("User-Agent", "oauth-console/1.0"), *JSON), body=body)
    line, arrived, came = run(tool, sent)
    assert (line, sorted(arrived), came) == ("POST /token HTTP/1.1", sorted(sent.headers), body)


@pytest.mark.parametrize("tool", ["curl", "httpie", "httpx"])  # raw is text, and says where a body is none
@pytest.mark.parametrize("body", BINARY)
def test_the_same_octets_arrive(run: Callable[[str, Request], Received], tool: str, body: bytes) -> None:
    sent = request(headers=(("Content-Type", "application/octet-stream"),), body=body)
    line, arrived, came = run(tool, sent)
    assert (line, sorted(arrived), came) == ("POST /token HTTP/1.1", sorted(sent.headers), body)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("sent", WITHOUT_BODY)
def test_the_same_request_line_and_headers_arrive_and_no_others(
    run: Callable[[str, Request], Received], tool: str, sent: Request
) -> None:
    line, arrived, body = run(tool, sent)
    assert line == f"{sent.method} {sent.url.removeprefix('http://a.test')} HTTP/1.1"
    assert sorted(arrived) == sorted(sent.headers)
    assert body == b""


@pytest.mark.parametrize("tool", ["curl", "httpx", "raw"])  # HTTPie rewrites these, as its docstring says
@pytest.mark.parametrize("target", ODD_TARGETS)
def test_unusual_targets_arrive_unchanged(run: Callable[[str, Request], Received], tool: str, target: str) -> None:
    line, _, _ = run(tool, request("GET", target, ()))
    assert line == f"GET {target} HTTP/1.1"


@pytest.mark.parametrize("tool", ["curl", "httpx", "raw"])  # HTTPie adds a length
def test_a_method_without_a_body_has_no_length(run: Callable[[str, Request], Received], tool: str) -> None:
    line, arrived, _ = run(tool, request("DELETE", "/x", ()))
    assert (line, arrived) == ("DELETE /x HTTP/1.1", [("Host", "a.test")])


@pytest.mark.parametrize("tool", ["httpie", "httpx"])
def test_a_body_goes_with_any_method(run: Callable[[str, Request], Received], tool: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        line, _, body = run(tool, request(method, body=b"{}"))
        assert (line, body) == (f"{method} /token HTTP/1.1", b"{}")


def test_the_copied_text_is_readable() -> None:
    sent = request(headers=(("Accept", "*/*"), *JSON), body=b'{"a":1}')
    assert httpie(sent) == (
        "http --ignore-netrc \\\n  --ignore-stdin \\\n  --raw='{\"a\":1}' \\\n  POST \\\n  http://a.test/token \\\n"
        "  'Accept:*/*' \\\n  Content-Type:application/json \\\n  User-Agent: \\\n  Accept-Encoding: \\\n  Connection:"
    )
    assert httpx_code(sent) == (
        'import httpx\n\nheaders = [\n    ("Host", "a.test"),\n    ("Accept", "*/*"),\n'
        '    ("Content-Type", "application/json"),\n]\n'
        'request = httpx.Request("POST", "http://a.test/token",\n    headers=headers,\n    content="{\\"a\\":1}",\n)\n'
        "with httpx.Client(trust_env=False) as client:\n    response = client.send(request)\n"
        "print(response.status_code, response.text)\n"
    )
