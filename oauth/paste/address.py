"""Read an address from the browser, or its query alone: an authorization request, or a callback."""

import re
from collections.abc import Iterator

from oauth.exchange import Request
from oauth.paste.body import encoded
from oauth.paste.result import Block, Pasted
from oauth.paste.step_guess import parameters, step_of

_LINE = re.compile(
    r"""(?:^|(?<=[ \t]))[ \t]*(?P<address>["'<]?[^\s"'<>{}\\^`|=]+=[^\s"'<>{}\\^`|]*[>"']?)[ \t\r]*$""", re.MULTILINE
)
_KNOWN = {"code", "state", "error", "response_type", "client_id", "grant_type", "access_token"}
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")


def find(text: str) -> Iterator[Block]:
    """Yield one request for each line that is an address with a parameter of the flow.

    The parameters of a token request alone are its form.
    """
    for line in _LINE.finditer(text):
        if _parameters_of(line["address"]).keys() & _KNOWN:
            yield Block(line.start("address"), line.end("address"), (_request(line["address"].strip("\"'<>")),))


def exchange(method: str, url: str) -> Pasted:
    """Return a request for an address, with its step."""
    request = Request(method, url)
    return Pasted(request, step=step_of(request, None), source="address")


def _request(line: str) -> Pasted:
    if line[:1] in "?#" or line.startswith("/") or _ABSOLUTE.match(line):
        return exchange("GET", line)
    if "?" in line or "#" in line:
        return exchange("GET", f"https://{line}")
    if "grant_type" in _parameters_of(line):
        request = Request("POST", "", (("Content-Type", "application/x-www-form-urlencoded"),), encoded(line))
        return Pasted(request, step=step_of(request, None), source="form")
    return exchange("GET", f"?{line}")


def _parameters_of(line: str) -> dict[str, str]:
    return parameters(line) if "?" in line or "#" in line else parameters(f"?{line}")
