"""The parser against curl itself: each command is run against a loopback server, and read by the parser."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from oauth import paste
from oauth.exchange import Request

pytestmark = pytest.mark.process

CURL = shutil.which("curl")
needs_curl = pytest.mark.skipif(CURL is None, reason="there is no curl on the path to compare with")

# URL stands for the address of the loopback server, without a path.
COMMANDS = [
    "curl URL",
    "curl URL/",
    "curl URL/a/b?x=1",
    "curl 'URL/a?x=1&y=2#fragment'",
    "curl URL/a/../b/./c",
    "curl URL/a/..",
    "curl URL/../../x",
    "curl --path-as-is URL/a/../b",
    "curl 'URL?x=1'",
    "curl 'URL/a?'",
    "curl --url URL/named",
    "curl HOST/without-scheme",
    "curl http://user:pa%20ss@HOST/x",
    "curl -u client:secret URL/x",
    "curl --user 'client:se:cret' URL/x",
    "curl -uclient:secret URL/x",
    "curl -u client: URL/x",
    "curl --basic -u a:b URL/x",
    "curl --oauth2-bearer 0123abcd URL/users/me",
    "curl --oauth2-bearer abc -u a:b URL/users/me",
    "curl -u a:b -H 'Authorization: Bearer xyz' URL/x",
    "curl -H 'Authorization: Bearer xyz' -H 'Version: 2.0' URL/users/me",
    "curl -d a=1 URL/token",
    "curl -d a=1 -d b=2 URL/token",
    "curl -da=1 URL/token",
    "curl --data a=1 --data-raw '@b' URL/token",
    "curl --data-binary $'line\\nbreak' URL/token",
    "curl --data-ascii 'a b' URL/token",
    "curl -d '' URL/token",
    "curl -d '{\"grant_type\":\"authorization_code\"}' -H 'Content-Type: application/json' URL/token",
    "curl -H 'content-type: application/json' -d '{}' URL/token",
    "curl -H 'Content-Type:' -d a=1 URL/token",
    "curl --json '{\"a\":1}' URL/token",
    "curl --json '{\"a\":' --json '1}' URL/token",
    "curl --json '{}' -H 'Accept: text/plain' URL/token",
    "curl --json '{}' -H 'content-type: application/vnd.api+json' URL/token",
    "curl --data-urlencode 'code=a b+c/d&e' URL/token",
    "curl --data-urlencode 'a b' URL/token",
    "curl --data-urlencode '=a=b' URL/token",
    "curl --data-urlencode 'name=žluť' -d x=1 URL/token",
    'curl --data-urlencode "it=it\'s ~-._!*()" URL/token',
    "curl -G -d a=1 -d b=2 URL/search",
    "curl -G --data-urlencode 'redirect_uri=https://a.example/cb?x=1' 'URL/oauth/authorize/?client_id=7'",
    "curl --get URL/x -d a=1",
    "curl -G URL/x",
    "curl --url-query a=1 URL/x",
    "curl --url-query 'q=a b' --url-query b=2 'URL/x?z=0'",
    "curl -X PUT -d a=1 URL/x",
    "curl -XDELETE URL/x",
    "curl --request PATCH --json '{}' URL/x",
    "curl -I URL/x",
    "curl --head URL/x",
    "curl -G -I -d a=1 URL/x",
    "curl -X POST URL/x",
    "curl -F a=1 -F 'b=two words' URL/x",
    "curl -F 'a=1;type=text/plain' URL/x",
    "curl -F 'data=x;filename=\"n.txt\";type=text/csv' URL/x",
    "curl --form-string 'a=@b;c' URL/x",
    "curl -F 'a=\"quoted;semi\"' URL/x",
    "curl -b 'sid=1; other=2' URL/x",
    "curl -b sid=1 -b b=2 URL/x",
    "curl -b sid=1 -H 'Cookie: own=3' URL/x",
    "curl -A 'Mine/1.0' URL/x",
    "curl -A '' URL/x",
    "curl -H 'User-Agent: Own' URL/x",
    "curl -e https://ref.example/ URL/x",
    "curl -r 0-99 URL/x",
    "curl --compressed URL/x",
    "curl -H 'Accept:' URL/x",
    "curl -H 'X-Empty;' URL/x",
    "curl -H 'X-None:' URL/x",
    "curl -H 'Host: www.olx.pl' URL/x",
    "curl -H 'X-Trail: a  ' -H 'X-Two: b' URL/x",
    "curl -H 'X:without-space' URL/x",
    "curl -H 'no colon' URL/x",
    "curl -sSL -o /dev/null -w '%{http_code}' URL/x",
    "curl -sSLXPOST -da=1 URL/x",
    "curl -x URL http://api.example/x?y=1",
    "curl -x HOST -u a:b http://api.example/token -d a=1",
    "curl --proxy http://pu:pp@HOST http://api.example/x",
    "curl -x URL -U pu:pp http://api.example:8080/x",
    "curl \\\n  -X POST \\\n  URL/token \\\n  -d a=1",
    "curl $'URL/x' -H $'X-Ansi: \\'quoted\\' \\x41\\u0042'",
    'curl "URL/x" -H "X-Quote: \\"a\\" \\\\ b"',
    "curl URL/x -d a'b'\"c\"d",
    "curl URL/x -d a=1 > /dev/null 2>&1",
    "curl URL/x -d a=1 | cat",
    "curl URL/x # a comment",
    "curl --no-compressed --max-time 10 --connect-timeout 5 URL/x",
    "curl --oauth2 abc --max-t 5 URL/x",
    "curl -d a=1 -H 'Transfer-Encoding:' URL/x",
    "curl -d a=1 -H 'Content-Length: 3' URL/x",
    "curl -H 'Expect:' -d a=1 URL/x",
    "curl URL/%C3%A9?q=%20",
    "curl --request-target /other URL/x",
]

# cmd or PowerShell, and the POSIX command that sends the same.
OTHER_SHELLS = [
    (
        'curl ^"URL/x^" ^\n  -H ^"accept: */*^" ^\n  --data-raw ^"a=1^&b=2^"',
        "curl URL/x -H 'accept: */*' --data-raw 'a=1&b=2'",
    ),
    ('curl -X POST "URL/token" ^\n -d "{\\"code\\":\\"a b\\"}"', 'curl -X POST URL/token -d \'{"code":"a b"}\''),
    ('C:\\> curl "URL/token" ^\r\n -d "a=""b"""', "curl URL/token -d 'a=\"b\"'"),
    ('curl ^"URL/x^" -d ^"two^\n\nlines^"', "curl URL/x -d $'two\\nlines'"),
    ('curl URL/x -H "X-Path: C:\\dir\\\\" ^\n -d a', "curl URL/x -H 'X-Path: C:\\dir\\' -d a"),
    ('curl.exe -X POST URL/token `\n  -d "a=1&b=2"', "curl -X POST URL/token -d 'a=1&b=2'"),
    ("curl.exe URL/token `\r\n -H 'X: it''s' -d 'a'", 'curl URL/token -H "X: it\'s" -d a'),
    ('PS C:\\Users\\me> curl.exe URL/token -d "a=`"b`"`tc"', "curl URL/token -d $'a=\"b\"\\tc'"),
    ('curl.exe URL/token `\n --json \'{\\"code\\":\\"x\\"}\'', 'curl URL/token --json \'{"code":"x"}\''),
    ('curl.exe URL/token `\n -d "{\\`"code\\`":1}"', "curl URL/token -d '{\"code\":1}'"),
]


def placed(command: str, port: int) -> str:
    return command.replace("URL", f"http://127.0.0.1:{port}").replace("HOST", f"127.0.0.1:{port}")


def sent_by_curl(command: str, recorder: Any, folder: Path) -> bytes:
    assert CURL is not None
    before = len(recorder.requests)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "CURL_HOME": str(folder)}
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True)
    assert len(recorder.requests) == before + 1, done.stderr.decode()
    received: bytes = recorder.requests[-1]
    return received


def wire(request: Request) -> bytes:
    """The request as it goes over the wire."""
    parts = urlsplit(request.url)
    target = parts.path + (f"?{request.url.partition('?')[2]}" if "?" in request.url else "")
    if any(name == "Proxy-Connection" for name, _ in request.headers):
        target = request.url
    lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers)]
    return "\r\n".join([*lines, "", ""]).encode() + request.body


def comparable(message: bytes) -> bytes:
    """Without what differs between curls and runs: its version, what it can decompress, a form's random boundary, the
    letter case of percent-encoding, and the white space behind a header's colon."""
    message = re.sub(rb"User-Agent: curl/[^\r]+\r\n", b"", message)
    message = re.sub(rb"(Accept-Encoding: deflate, gzip)[^\r]*", rb"\1", message)
    message = re.sub(rb"\A[^\r]+", lambda line: re.sub(rb"%..", lambda code: code[0].upper(), line[0]), message)
    message = re.sub(rb"(?m)^([\w-]+): ?", rb"\1: ", message)
    if boundary := re.search(rb"boundary=(-{24}\w+)", message):
        message = message.replace(boundary[1], b"BOUNDARY")
    return message


@needs_curl
@pytest.mark.parametrize("command", COMMANDS)
def test_the_request_is_the_one_that_curl_sends(command: str, recorder: Any, tmp_path: Path) -> None:
    command = placed(command, recorder.port)
    (result,) = paste.read(command)
    assert result.request is not None
    assert comparable(wire(result.request)) == comparable(sent_by_curl(command, recorder, tmp_path))


@needs_curl
@pytest.mark.parametrize(("command", "same"), OTHER_SHELLS)
def test_other_shells_send_what_the_posix_command_sends(command: str, same: str, recorder: Any, tmp_path: Path) -> None:
    (result,) = paste.read(placed(command, recorder.port))
    assert result.request is not None
    same = placed(same, recorder.port)
    assert comparable(wire(result.request)) == comparable(sent_by_curl(same, recorder, tmp_path))


def test_enough_commands_are_compared() -> None:
    assert len(set(COMMANDS)) >= 60
