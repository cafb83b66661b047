"""Text that people read and copy: HTTP messages, curl commands, bodies, times."""

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.exchange import Headers, Request, Response
from oauth.formatting import curl, curl_to_run, duration, fields, pretty_body, raw_request, raw_response, span

JSON: Headers = (("Content-Type", "application/json"),)
FORM: Headers = (("Content-Type", "application/x-www-form-urlencoded"),)
HIDDEN = "«refresh_token #9f2a41d07b 40ch»"


def test_raw_request_is_the_message_that_was_sent() -> None:
    request = Request(
        "POST", "https://u:p@a.test:8443/oauth/token?x=1#part", (("Host", "a.test:8443"), *JSON), '{"é":1}'.encode()
    )
    assert raw_request(request) == (
        'POST /oauth/token?x=1 HTTP/1.1\nHost: a.test:8443\nContent-Type: application/json\n\n{"é":1}'
    )


def test_raw_request_keeps_a_placeholder_in_the_query_whole() -> None:
    request = Request("GET", f"https://a.test?code={HIDDEN}&state=x")
    assert raw_request(request).splitlines()[0] == f"GET /?code={HIDDEN}&state=x HTTP/1.1"


def test_raw_response_shows_undecodable_characters_and_marks_truncation() -> None:
    response = Response(400, "Bad Request", (("Date", "now"),), b"\xff\0", cut=True)
    assert (
        raw_response(response)
        == "HTTP/1.1 400 Bad Request\nDate: now\n\n�\0\n… truncated: the rest of the body is missing"
    )
    assert raw_response(Response(204, http_version="HTTP/2")) == "HTTP/2 204\n\n"


Received = tuple[str, list[tuple[str, str]], bytes]


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[[Request], Received]]:
    """Return a function that runs a request's curl command in a shell and returns what a server received."""
    if shutil.which("curl") is None:
        pytest.fail("These tests run the real curl; install it.")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send(request: Request) -> Received:
            port = server.getsockname()[1]
            host = f"127.0.0.1:{port}"
            headers = tuple((name, host if name == "Host" else value) for name, value in request.headers)
            command = curl(Request(request.method, request.url.replace("a.test", host), headers, request.body))
            received: list[Received] = []
            server.settimeout(20)
            thread = threading.Thread(target=lambda: received.append(_receive(server)))
            thread.start()
            done = subprocess.run(["sh", "-c", command], capture_output=True, env={"PATH": "/usr/bin:/bin"}, timeout=20)
            thread.join()
            assert done.returncode == 0, done.stderr
            line, received_headers, body = received[0]
            return line, [(name, "a.test" if value == host else value) for name, value in received_headers], body

        yield send


def _receive(server: socket.socket) -> Received:
    connection, _ = server.accept()
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


def with_length(*headers: tuple[str, str], body: bytes) -> Headers:
    return (("Host", "a.test"), *headers, ("Content-Length", str(len(body))))


BODIES = [
    b'{"client_secret":"it\'s \\"quoted\\"", "b": "$HOME `id` \\\\"}',
    b"grant_type=refresh_token&refresh_token=" + HIDDEN.encode(),
    b"@/etc/hostname",
    b"line one\nline two\r\n\n",
    b"",
    "zażółć «gęślą»".encode(),
    b"\xff\xfe\0\x80%d\\n'-'",
    b"--boundary\0",
    b"!history ~ * ? & | ; <in >out",
]


@pytest.mark.parametrize("body", BODIES)
def test_curl_sends_the_same_body(run: Callable[[Request], Received], body: bytes) -> None:
    headers = with_length(("User-Agent", "oauth-console/1.0"), *FORM, body=body)
    line, received, received_body = run(Request("POST", "http://a.test/api/open/oauth/token", headers, body))
    assert line == "POST /api/open/oauth/token HTTP/1.1"
    assert sorted(received) == sorted(headers)
    assert received_body == body


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/", ()),
        ("GET", "/cities?a=1&b=%20c", (("Authorization", "Bearer it's"), ("Version", "2.0"))),
        ("GET", "/a[1-3]{x,y}?z=[]", (("Accept", "application/json"),)),
        ("GET", "/a/../b/./c/%2e%2E/d", (("User-Agent", "x"),)),
        ("HEAD", "/", ()),
        ("DELETE", "/x", ()),
        ("POST", "/no-body", ()),
        (
            "GET",
            "/",
            (("X-Empty", ""), ("X-Twice", "1"), ("X-Twice", "2"), ("Cookie", f"a={HIDDEN}"), ("Accept", "*/*")),
        ),
        ("GET", "/", (("X-Quotes", "\"a\" 'b' \\ $c"),)),
    ],
)
def test_curl_sends_the_same_request_line_and_headers(
    run: Callable[[Request], Received], method: str, target: str, headers: Headers
) -> None:
    line, received_headers, body = run(Request(method, f"http://a.test{target}", (("Host", "a.test"), *headers)))
    assert line == f"{method} {target} HTTP/1.1"
    assert sorted(received_headers) == sorted([("Host", "a.test"), *headers])
    assert body == b""


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_curl_sends_a_body_with_any_method(run: Callable[[Request], Received], method: str) -> None:
    headers = with_length(*JSON, body=b"{}")
    line, received_headers, body = run(Request(method, "http://a.test/x", headers, b"{}"))
    assert (line, sorted(received_headers), body) == (f"{method} /x HTTP/1.1", sorted(headers), b"{}")


def test_curl_is_readable() -> None:
    request = Request("POST", "https://a.test/token", (("Host", "a.test"), ("Accept", "*/*"), *JSON), b'{"a":1}')
    assert curl(request) == (
        "curl --url https://a.test/token \\\n"
        "  --header 'Accept: */*' \\\n"
        "  --header 'Content-Type: application/json' \\\n"
        "  --header User-Agent: \\\n"
        "  --data-raw '{\"a\":1}'"
    )


def test_curl_refuses_a_url_whose_placeholder_was_not_replaced() -> None:
    command = curl(Request("GET", f"http://127.0.0.1:1/?code={HIDDEN}"))
    done = subprocess.run(["sh", "-c", command], capture_output=True, env={"PATH": "/usr/bin:/bin"}, timeout=20)
    assert done.returncode == 3  # curl's exit code for a malformed URL: nothing was sent


def test_pretty_json_keeps_numbers_order_and_repeated_names() -> None:
    body = b'{"b":1.50,"a":[],"a":[1e3,{"c":"x, {y}: \\"z\\""}],"n":{},"t":null}'
    text, language = pretty_body(body, JSON)
    assert language == "json"
    assert text == (
        '{\n  "b": 1.50,\n  "a": [],\n  "a": [\n    1e3,\n    {\n      "c": "x, {y}: \\"z\\""\n    }\n  ],\n'
        '  "n": {},\n  "t": null\n}'
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_pretty_json_parses_to_the_same_value(value: object) -> None:
    text, _ = pretty_body(json.dumps({"v": value}).encode(), ())
    assert json.loads(text) == {"v": value}
    assert text == json.dumps({"v": value}, indent=2)


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b'{"a": 1,}', JSON, ('{"a": 1,}', "text")),
        (b"[" * 100_000, JSON, ("[" * 100_000, "text")),
        (b"a=1%2B1&b=+c&d", FORM, ("a = 1+1\nb =  c\nd = ", "text")),
        (f"refresh_token={HIDDEN}&a=b".encode(), FORM, (f"refresh_token = {HIDDEN}\na = b", "text")),
        (b"<!DOCTYPE html><p>x", (), ("<!DOCTYPE html><p>x", "html")),
        (b"<p>x", (("content-type", "text/html; charset=utf-8"),), ("<p>x", "html")),
        (b"plain", (), ("plain", "text")),
        (b"", (), ("", "text")),
        (bytes(range(256)), (), ("(binary, 256 bytes)", "text")),
    ],
)
def test_other_bodies_are_formatted_by_their_type(body: bytes, headers: Headers, expected: tuple[str, str]) -> None:
    assert pretty_body(body, headers) == expected


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            Request("GET", f"https://a.test/cb?state={HIDDEN}&error=a+b&x="),
            [("state", HIDDEN), ("error", "a b"), ("x", "")],
        ),
        (
            Request("POST", "https://a.test/?q=1", FORM, f"a=%26&code={HIDDEN}".encode()),
            [("q", "1"), ("a", "&"), ("code", HIDDEN)],
        ),
        (Request("POST", "/t", (), b"a=1"), [("a", "1")]),
        (
            Request("POST", "/t", JSON, b'{"a":"x","n":12,"a":[1,{"b":true}]}'),
            [("a", "x"), ("n", "12"), ("a", '[1, {"b": true}]')],
        ),
        (Request("POST", "/t", JSON, b'{"a":'), []),
        (Request("POST", "http://[", JSON, b"[1]"), []),
    ],
)
def test_fields_are_decoded(request_: Request, expected: list[tuple[str, str]]) -> None:
    assert fields(request_) == expected


@given(url=st.text(), body=st.binary(), name=st.text(), value=st.text())
def test_any_request_can_be_formatted(url: str, body: bytes, name: str, value: str) -> None:
    request = Request("POST", url, ((name, value), *FORM), body)
    assert raw_request(request).startswith("POST ")
    assert curl(request)
    assert isinstance(fields(request), list)
    assert pretty_body(body, request.headers)[1] in ("json", "html", "text")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (duration(0), "0 ms"),
        (duration(84), "84 ms"),
        (duration(2306), "2.31 s"),
        (duration(65_000), "1 min 5 s"),
        (span(852), "14 min 12 s"),
        (span(600), "10 min"),
        (span(0.4), "0 s"),
        (span(-3), "0 s"),
        (span(7260), "2 h 1 min"),
        (span(2_591_999), "29 d 23 h"),
        (span(86_400 + 59), "1 d"),
    ],
)
def test_durations_are_short(text: str, expected: str) -> None:
    assert text == expected


def test_curl_to_run_reads_secrets_from_shell_variables_and_has_no_noise() -> None:
    body = '{"a":"it\'s","client_secret":"«client_secret 11ch»","code":"«code #9f2a41d07b 40ch»"}'.encode()
    headers = (("Host", "a.test"), ("User-Agent", "x"), ("Accept", "*/*"), ("Content-Length", "9"), *JSON)
    command, variables = curl_to_run(Request("POST", "http://a.test/token", headers, body))
    assert variables == ("CLIENT_SECRET", "CODE")
    assert command.startswith(
        "curl --url http://a.test/token \\\n  --header 'Content-Type: application/json' \\\n  --data-raw "
    )
    script = f"curl() {{ printf '%s\\n' \"$@\"; }}\n{command}"
    environment = {"PATH": "/usr/bin:/bin", "CLIENT_SECRET": "s e'c$r\"et", "CODE": "c"}
    done = subprocess.run(["sh", "-c", script], capture_output=True, env=environment, timeout=20)
    assert done.stdout.decode().splitlines()[-1] == '{"a":"it\'s","client_secret":"s e\'c$r"et","code":"c"}'


def test_curl_to_run_writes_basic_as_user_and_numbers_secrets_of_one_kind() -> None:
    other = HIDDEN.replace("9f", "8e")
    headers = (("Authorization", "Basic demo-app:«client_secret 11ch»"),)
    command, variables = curl_to_run(Request("GET", f"https://a.test/?a={HIDDEN}&b={other}&c={HIDDEN}", headers))
    assert variables == ("REFRESH_TOKEN", "REFRESH_TOKEN_2", "CLIENT_SECRET")
    assert '--user demo-app:"$CLIENT_SECRET"' in command.replace("'", "")
    assert (
        command.replace("'", "")
        .splitlines()[0]
        .startswith('curl --url https://a.test/?a="$REFRESH_TOKEN"&b="$REFRESH_TOKEN_2"&c="$REFRESH_TOKEN"')
    )
