"""Requests with some values replaced and everything else as sent: names, order, encoding, mistakes. Sans-IO."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote_plus, unquote_plus, urlsplit

from oauth import parameters
from oauth.addresses import split
from oauth.exchange import Request
from oauth.parameters import Shape
from oauth.redaction import quoted

Swap = Callable[[str, str], str]
"""A function from a parameter's name and value to its new value."""

# A pattern, because a body that is not quite JSON must keep its mistakes.
MEMBER = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:\s*)("(?:[^"\\]|\\.)*"|[^\s,{}\[\]"]+)')

OF_THE_CONNECTION = (
    *("host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect"),
    *("accept-encoding", "cookie", "proxy-authorization", "proxy-connection"),
)
"""Headers of the connection to the original host, which are replaced or dropped."""


def named_values(request: Request) -> tuple[tuple[str, str], ...]:
    """Return names and values in the order header, body, query.

    HTTP Basic counts as ``client_id`` and ``client_secret``, a bearer token as ``access_token``. A body is read as what
    it looks like, whatever its ``Content-Type`` says.
    """
    pairs: list[tuple[str, str]] = []

    def note(name: str, value: str) -> str:
        pairs.append((name, value))
        return value

    rewrite(request, "", note)
    return tuple(pairs)


def rewrite(request: Request, url: str, swap: Swap) -> Request:
    """Return the request to ``url`` with its query, and with the values that ``swap`` returns."""
    headers = [
        (name, _credentials(value, swap) if name.lower() == "authorization" else value)
        for name, value in request.headers
        if name.lower() not in OF_THE_CONNECTION and not name.startswith(":")
    ]
    body = _body(request, swap)
    query = _form(split(quoted(request.url)).query, swap)
    length = [("Content-Length", str(len(body)))] if body or request.method in ("POST", "PUT", "PATCH") else []
    ours = [("Host", urlsplit(url).netloc), ("Accept-Encoding", "identity")]
    return replace(request, url=f"{url}?{query}" if query else url, headers=(*ours, *headers, *length), body=body)


def _credentials(value: str, swap: Swap) -> str:
    """Return the value of an ``Authorization`` header with its credentials swapped."""
    scheme, _, credentials = value.strip().partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "basic":
        pair = parameters.basic(Request("", "", (("Authorization", value),)))
        if pair is None or pair.problem or pair.hidden:
            return value
        after = (swap("client_id", pair.id), swap("client_secret", pair.secret))
        if after == (pair.id, pair.secret):
            return value
        return f"{scheme} {base64.b64encode(':'.join(after).encode()).decode()}"
    if scheme.lower() == "bearer" and credentials:
        prefix, _, suffix = value.rpartition(credentials)
        return prefix + swap("access_token", credentials) + suffix
    return value


def _body(request: Request, swap: Swap) -> bytes:
    text = request.body.decode("utf-8", "surrogateescape")
    look = parameters.read(request).look
    if look is Shape.JSON:
        text = MEMBER.sub(lambda match: _member(match, swap), text)
    elif look is Shape.FORM:
        text = _form(text, swap)
    return text.encode("utf-8", "surrogateescape")


def _member(match: re.Match[str], swap: Swap) -> str:
    name, colon, value = match.groups()
    before = _plain(value)
    after = swap(_plain(name), before)
    return name + colon + (value if after == before else json.dumps(after))


def _plain(text: str) -> str:
    """Decode a JSON string or number as text."""
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError:  # an invalid escape
        return text[1:-1]


def _form(text: str, swap: Swap) -> str:
    return "&".join(_pair(part, swap) for part in text.split("&"))


def _pair(part: str, swap: Swap) -> str:
    name, equals, value = part.partition("=")
    before = unquote_plus(value)
    after = swap(unquote_plus(name), before) if equals else before
    return part if after == before else f"{name}={quote_plus(after)}"
