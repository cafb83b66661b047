import pytest

from oauth import paste
from oauth.exchange import Part, Request
from oauth.paste import ParseError

VERBOSE = """\
*   Trying 192.0.2.7:443...
* Connected to www.olx.pl (192.0.2.7) port 443 (#0)
* ALPN: offers h2,http/1.1
> POST /api/open/oauth/token HTTP/1.1
> Host: www.olx.pl
> Content-Length: 40
> Content-Type: application/x-www-form-urlencoded
>
} [40 bytes data]
* upload completely sent off: 40 out of 40 bytes
< HTTP/1.1 302 Found
< Location: https://www.olx.pl/login
<
* Issue another request to this URL: 'https://www.olx.pl/login'
> GET /login HTTP/1.1
> Host: www.olx.pl
>
< HTTP/1.1 400 Bad Request
< Content-Type: application/json
<
{ [25 bytes data]
{"error":"invalid_grant"}* Connection #0 to host www.olx.pl left intact
"""
COMMAND = "curl -v https://www.olx.pl/api/open/oauth/token -d grant_type=authorization_code -d code=abcdef"


def request(item: paste.Pasted) -> Request:
    assert item.request is not None
    return item.request


@pytest.mark.parametrize(
    "prompt", ["", "$ ", "# ", "user@host:~/work$ ", "  ", "PS C:\\work> ", "C:\\> ", "time ", "% ", "TOKEN=1 "]
)
def test_prompt_before_the_command_is_ignored(prompt: str) -> None:
    (result,) = paste.read(prompt + COMMAND)
    assert request(result).body == b"grant_type=authorization_code&code=abcdef"
    assert (result.step, result.source, result.response) == ("token", "curl command", None)


def test_a_command_inside_a_log_line_is_read() -> None:
    (result,) = paste.read(f"2026-11-23 10:00:00 INFO running: {COMMAND}")
    assert request(result).url == "https://www.olx.pl/api/open/oauth/token"


def test_several_commands_and_next_are_several_requests() -> None:
    text = "curl https://a.example/1 https://a.example/2 --next -d x https://a.example/3\n"
    text += "curl https://a.example/4 -d 'a; curl b'; curl https://a.example/5"
    urls = [(request(item).method, request(item).url[-1]) for item in paste.read(text)]
    assert urls == [("GET", "1"), ("GET", "2"), ("POST", "3"), ("POST", "4"), ("GET", "5")]


def test_unknown_option_is_named_and_its_value_is_not_an_address() -> None:
    (result,) = paste.read("curl --frobnicate value https://a.example/x -£")
    assert request(result).url == "https://a.example/x"
    assert result.repairs == (
        "curl has no option --frobnicate; it was left out",
        "curl has no option -£; it was left out",
    )


def test_shell_substitutions_are_not_expanded() -> None:
    (result,) = paste.read('curl "https://a.example/x?code=$CODE" -d "$(cat secret)"')
    assert request(result).url == "https://a.example/x?code=$CODE"
    assert result.repairs == ("shell variable or substitution was not expanded",)


@pytest.mark.parametrize(
    ("option", "note"),
    [
        ("-d @body.json", "the file body.json of --data was not read"),
        ("--json @body.json", "the file body.json of --json was not read"),
        ("--data-urlencode code@file", "the file file of --data-urlencode was not read"),
        ("-F a=@photo.png", "the file photo.png of --form was not read"),
        ("-T upload.bin", "the file upload.bin of --upload-file was not read"),
    ],
)
def test_a_file_is_named_and_never_read(option: str, note: str) -> None:
    (result,) = paste.read(f"curl https://a.example/x {option}")
    assert result.repairs == (note,)
    assert Part.REQUEST_BODY in result.unknown


def test_the_file_of_a_cookie_or_header_is_named_too() -> None:
    (result,) = paste.read("curl https://a.example/x -b jar.txt -H @headers.txt")
    assert result.repairs == (
        "the file headers.txt of --header was not read",
        "the file jar.txt of --cookie was not read",
    )
    assert not result.unknown


def test_output_behind_a_command_is_its_response() -> None:
    raw = 'HTTP/1.1 401 Unauthorized\n\n{"error": "invalid_token"}'
    first, second = paste.read(f"$ curl -i https://a.example/x\n{raw}\n$ curl https://a.example/y\n" + '{"id": 1}')
    assert (request(first).url, first.status) == ("https://a.example/x", 401)
    assert second.response is not None
    assert (request(second).url, second.status, second.response.body) == ("https://a.example/y", None, b'{"id": 1}')


def test_the_output_of_verbose_is_read_hop_by_hop() -> None:
    first, second = paste.read(VERBOSE)
    assert (request(first).method, request(first).url, first.status) == (
        "POST", "https://www.olx.pl/api/open/oauth/token", 302,
    )  # fmt: skip
    assert (request(second).url, second.status) == ("https://www.olx.pl/login", 400)
    assert second.response is not None
    assert second.response.body == b'{"error":"invalid_grant"}'
    assert second.response.headers == (("Content-Type", "application/json"),)


def test_a_command_knows_the_body_that_verbose_does_not_print() -> None:
    first, second = paste.read(f"$ {COMMAND}\n{VERBOSE}")
    assert request(first).body == b"grant_type=authorization_code&code=abcdef"
    assert (request(first).headers[1], first.status) == (("Content-Length", "40"), 302)
    assert (request(second).body, second.status) == (b"", 400)


def test_plain_http_is_recognised_by_the_port() -> None:
    (result,) = paste.read(
        "* Connected to a.example (192.0.2.1) port 80 (#0)\n> GET /x HTTP/1.1\n> Host: a.example\n>\n"
    )
    assert request(result).url == "http://a.example/x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("curl -d a=1", "line 1, column 1: the curl command has no address."),
        ("one\n$ curl 'https://a.example", "line 2, column 8: the quote that opens here is not closed."),
        ('curl "https://a.example', "line 1, column 6: the quote that opens here is not closed."),
    ],
)
def test_unreadable_command_is_refused_with_a_place(text: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        paste.read(text)
    assert str(caught.value) == f"Reading stopped at {message}"
