"""``--trace-ascii`` and ``--trace`` as curl itself writes it, against a loopback server."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from oauth import paste
from oauth.exchange import Response, Step
from oauth.paste.curl import trace
from tests.paste.curl.test_conformance import comparable, placed, wire

pytestmark = pytest.mark.process

CURL = shutil.which("curl")
needs_curl = pytest.mark.skipif(CURL is None, reason="there is no curl on the path to compare with")

COMMANDS = [
    "curl URL/a/b?x=1",
    "curl -u client:secret URL/x",
    "curl -d a=1 -d b=2 URL/token",
    'curl --json \'{"grant_type": "authorization_code", "code": "01234567890123456789"}\' URL/token',
    "curl -H 'X-Long: a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p' URL/x",
    "curl -H 'X-Sixty-four: 0123456789012345678901234567890123456789012345678' -d a=1 URL/x",
    "curl -X DELETE URL/x",
    "curl -I URL/x",
    "curl -G --data-urlencode 'redirect_uri=https://a.example/cb?x=1' URL/oauth/authorize/",
    "curl -F a=1 -F 'b=two words' URL/x",
    "curl -x HOST -u a:b http://api.example/token -d a=1",
]

ANSWERED = """\
10:34:15.827370 == Info: Connected to www.olx.pl (192.0.2.7) port 443 (#0)
10:34:15.827380 => Send SSL data, 5 bytes (0x5)
0000: .....
10:34:15.827410 => Send header, 65 bytes (0x41)
0000: POST /api/open/oauth/token HTTP/1.1
0025: Host: www.olx.pl
0037: Accept: */*
0044:
10:34:15.832028 => Send data, 3 bytes (0x3)
0000: a=1
10:34:15.832104 <= Recv header, 26 bytes (0x1a)
0000: HTTP/1.1 400 Bad Request
10:34:15.832139 <= Recv header, 37 bytes (0x25)
0000: Date: Mon, 23 Nov 2026 10:34:15 GMT
10:34:15.832182 <= Recv header, 2 bytes (0x2)
0000:
10:34:15.832195 <= Recv data, 84 bytes (0x54)
0000: {.  "error": "invalid_grant",.  "error_description": "Invalid re
0040: fresh token",.  "x": 1.5.}
10:34:15.832232 == Info: Connection #0 to host www.olx.pl left intact
"""


def traced(command: str, option: str, folder: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "CURL_HOME": str(folder)}
    command = command.replace("curl ", f"curl -s {option} trace --trace-time ", 1)
    subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, check=True)
    return (folder / "trace").read_text(encoding="ascii")


@needs_curl
@pytest.mark.parametrize("option", ["--trace-ascii", "--trace"])
@pytest.mark.parametrize("command", COMMANDS)
def test_the_request_is_the_one_that_curl_sent(command: str, option: str, recorder: Any, tmp_path: Path) -> None:
    (result,) = paste.read(traced(placed(command, recorder.port), option, tmp_path))
    received = recorder.requests[-1]
    assert result.source == "curl --trace output"
    assert result.status == 200
    assert result.request is not None
    sent = wire(result.request)
    if " -x " in command:  # through a proxy the target is the whole address
        sent = sent.replace(b"POST /token", b"POST http://api.example/token")
    if " -F " in command:  # the trace has a form's line breaks as they were
        assert b'name="b"\r\n\r\ntwo words\r\n' in sent
    assert comparable(sent).partition(b"\r\n\r\n")[0] == comparable(received).partition(b"\r\n\r\n")[0]
    assert sent.partition(b"\r\n\r\n")[2] == received.partition(b"\r\n\r\n")[2]


def test_dots_for_line_breaks_are_read_as_line_breaks() -> None:
    (result,) = paste.read(ANSWERED)
    assert result.step is Step.TOKEN
    assert result.request is not None
    assert (result.request.url, result.request.body) == ("https://www.olx.pl/api/open/oauth/token", b"a=1")
    assert isinstance(result.response, Response)
    assert json.loads(result.response.body) == {
        "error": "invalid_grant",
        "error_description": "Invalid refresh token",
        "x": 1.5,
    }
    assert result.started_at is not None
    assert trace.DOTS in result.repairs


DUMPED = """\
=> Send header, 31 bytes (0x1f)
0000: 50 4f 53 54 20 2f 74 20 48 54 54 50 2f 31 2e 31 POST /t HTTP/1.1
0010: 0d 0a 48 6f 73 74 3a 20 61 2e 65 0d 0a 0d 0a    ..Host: a.e....
=> Send data, 5 bytes (0x5)
0000: 61 3d c3 a9 2e                                  a=...
<= Recv header, 24 bytes (0x18)
0000: 48 54 54 50 2f 31 2e 31 20 34 30 30 20 42 61 64 HTTP/1.1 400 Bad
0010: 0d 0a 41 3a 0d 0a 0d 0a                         ..A:....
<= Recv data, 2 bytes (0x2)
0000: 7b 0a                                           {.
<= Recv data, 1 bytes (0x1)
0000: 7d                                              }
"""


def test_hexadecimal_trace_is_read_exactly() -> None:
    (result,) = paste.read(DUMPED)
    assert result.request is not None
    assert result.request.body.decode() == "a=\u00e9."
    assert isinstance(result.response, Response)
    assert result.response.body == b"{\n}"
    assert trace.DOTS not in result.repairs


def test_the_hops_of_a_redirect_are_exchanges_of_their_own() -> None:
    hop = (
        "=> Send header, 40 bytes (0x28)\n0000: GET /{} HTTP/1.1\n0011: Host: a.example\n0026:\n"
        "<= Recv header, 20 bytes (0x14)\n0000: HTTP/1.1 302 Found\n<= Recv header, 2 bytes (0x2)\n0000:\n"
    )
    result = paste.read(hop.format("a") + hop.format("b"))
    assert [item.request.url for item in result if item.request] == ["https://a.example/a", "https://a.example/b"]
    assert [item.status for item in result] == [302, 302]


def test_trace_behind_its_command_is_the_response() -> None:
    (result,) = paste.read(f"$ curl --trace-ascii - https://www.olx.pl/api/open/oauth/token -d a=1\n{ANSWERED}")
    assert result.status == 400
    assert result.request is not None
    assert result.request.body == b"a=1"
