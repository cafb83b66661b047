"""Read an address from the browser, or its query alone: an authorization request, or a callback."""

import re

from oauth.exchange import Part, Request
from oauth.paste.body import encoded
from oauth.paste.result import Pasted
from oauth.paste.step_guess import parameters, step_of

_SIGNS = r"[^\s\"'<>{}\\^`|=]"
_VALUE = r"[^\s\"'<>{}\\^`|]*+"
_REST = (
    r"(?:(?<=[^\n]{40})\r?\n[ \t]{0,20}(?!HTTP/)(?=[^\s&=]{0,200}\d)(?=[^\s&=]{0,200}[A-Za-z])[\w.~%+/-]{4,4000}"
    rf"(?:&{_SIGNS}{{1,200}}={_VALUE})*(?=[>\"']?[ \t\r]*$)){{0,20}}"
)
"""The rest of a long value, which a mail program put on the next lines, and the parameters behind it."""

LINE = re.compile(
    r"(?!error=[^\s&]*[ \t\r]*\n[ \t]*error_description\b)"
    r"(?=\S*?\b(?:code|error|response_type|grant_type)=|[^\s?#]*[?#]\S*?\b(?:state|client_id|access_token)=)"
    rf"[\"'<]?{_SIGNS}{{1,2000}}={_VALUE}(?:\s{{1,20}}&{_SIGNS}{{1,200}}={_VALUE})*{_REST}[>\"']?[ \t\r]*$",
    re.MULTILINE,
)
"""A line that is only an address with a parameter of the flow, or parameters, which may go on in the next lines.

Members of an error that stand in lines of their own are none.
"""

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")


def read(line: str) -> Pasted:
    """Return the request of such a line; the parameters of a token request alone are its form."""
    return _request("".join(line.strip().strip("\"'<>").split()))


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
        unknown = frozenset({Part.METHOD, Part.REQUEST_HEADERS})
        return Pasted(request, step=step_of(request, None), source="form", unknown=unknown)
    return exchange("GET", f"?{line}")


def _parameters_of(line: str) -> dict[str, str]:
    return parameters(line) if "?" in line or "#" in line else parameters(f"?{line}")
