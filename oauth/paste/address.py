"""Read an address from the browser, or its query alone: an authorization request, or a callback."""

import re

from oauth.exchange import Request
from oauth.paste.body import encoded
from oauth.paste.result import Pasted
from oauth.paste.step_guess import parameters, step_of

_PLAIN = re.compile(r"""["'<]?[^\s"'<>{}\\^`|]+[>"']?""")
_KNOWN = {"code", "state", "error", "response_type", "client_id", "grant_type", "access_token"}
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")


def confidence(text: str) -> float:
    """Return 0.9 for one address or several, each with a parameter of the flow."""
    lines = text.split()
    if not lines or "=" not in lines[0]:
        return 0.0
    return 0.9 if all(_PLAIN.fullmatch(line) and _parameters_of(line).keys() & _KNOWN for line in lines) else 0.0


def read(text: str) -> list[Pasted]:
    """Return one request for each address; the parameters of a token request alone are its form."""
    return [_request(line.strip("\"'<>")) for line in text.split()]


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
