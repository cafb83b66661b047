"""The middleware around everything the console serves: the requests that it admits, and the headers of its responses.

A page of another origin, such as another port of this machine, can make a browser send requests to the console. The
browser names it in ``Origin`` and ``Sec-Fetch-Site``; command line clients and probes send neither.
"""

import base64
import hashlib
import logging
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oauth.exports.links import HOST_PREFIX

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing (RFC 9110 §9.2.1). Another origin may link to a page, and cannot read the response."""

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]/?#@]+))(?::[0-9]{1,5})?")
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entrance:
    """The addresses that are the console's own.

    ``origins`` are listed by the operator. The address that the browser requested is another, if its host is one of
    ``hosts`` (a name, an address, ``*.`` and a name, or ``*``) or there are none. A console that is ``published`` by a
    proxy has only listed ones, because the proxy may rewrite the host. ``base`` is the path of the console, ``cookie``
    the name of the cookie that tells browsers apart.
    """

    hosts: Collection[str]
    origins: Collection[str] = ()
    published: bool = False
    base: str = ""
    cookie: str = "console"

    def admits(self, scope: Scope) -> bool:
        """Return whether a request or a WebSocket comes from the console's own pages, or from no page at all."""
        if scope["type"] == "http" and (
            scope["method"] in SAFE_METHODS
            # The provider's form (OAuth 2.0 Form Post Response Mode §2); the state in it is what counts.
            or scope["path"] == f"{self.base}/callback"
        ):
            return True
        headers = Headers(scope=scope)
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return False
        origin = headers.get("origin")
        return origin is None or self.is_own(origin.lower(), headers.get("host", "").lower())

    def is_own(self, origin: str, host: str) -> bool:
        """Return whether an origin is the console's own, in a request to ``host``; both in lower case."""
        if origin in self.origins or self.published:
            return origin in self.origins
        name = _HOST.fullmatch(host)
        if name is None or origin not in (f"http://{host}", f"https://{host}"):
            return False
        patterns = (pattern.strip().lower().strip("[]") for pattern in self.hosts)
        return not self.hosts or any(fnmatchcase(name[1] or name[2], pattern) for pattern in patterns)


class Doors:
    """ASGI middleware that refuses requests of other origins, sends the security headers, and sets the cookie.

    ``policy`` is the Content Security Policy of the pages. A response that has a header of its own keeps it.
    """

    def __init__(self, app: ASGIApp, entrance: Entrance, policy: str) -> None:
        self._app = app
        self._entrance = entrance
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an admitted request on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        is_admitted = self._entrance.admits(scope)
        app: ASGIApp = self._app if is_admitted else _refuse
        if scope["type"] == "websocket":
            await app(_with_host_of_origin(scope) if is_admitted else scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._complete(scope, MutableHeaders(raw=message.setdefault("headers", [])))
            await send(message)

        await app(scope, receive, send_with_headers)

    def _complete(self, scope: Scope, headers: MutableHeaders) -> None:
        is_page = headers.get("content-type", "").startswith("text/html")
        in_sandbox = scope["path"].startswith(f"{self._entrance.base}/sandbox/")
        if in_sandbox and not is_page:
            return  # the sandbox's API responds as a provider does
        if is_page and not in_sandbox and "content-security-policy" not in headers:
            self._set_cookie(scope, headers)
        for name, value in self._headers.items():
            headers.setdefault(name, value)

    def _set_cookie(self, scope: Scope, headers: MutableHeaders) -> None:
        if self._entrance.cookie in HTTPConnection(scope).cookies:
            return
        secure = "; Secure" if any(origin.startswith("https:") for origin in self._entrance.origins) else ""
        name, value = self._entrance.cookie, secrets.token_urlsafe(24)
        path = "/" if name.startswith(HOST_PREFIX) else self._entrance.base or "/"
        headers.append("Set-Cookie", f"{name}={value}; Path={path}; HttpOnly; SameSite=Lax{secure}")


def page_policy(html: str) -> str:
    """Return the Content Security Policy (CSP Level 3) for Streamlit's page ``html``, with its inline scripts.

    Styles are written by scripts, and Streamlit's protobuf compiles WebAssembly. No text is evaluated as a script:
    without ``'unsafe-eval'`` Streamlit's charts interpret their expressions.
    """
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in _SCRIPT.findall(html))
    scripts = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'self'; script-src 'self' 'wasm-unsafe-eval' {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; frame-src 'none'; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _with_host_of_origin(scope: Scope) -> Scope:
    """Restore the ``Host`` that a proxy has rewritten.

    Streamlit compares it with ``Origin``, and otherwise asks an outside server for the address of this machine, which
    stalls every session for seconds.
    """
    origin = Headers(scope=scope).get("origin")
    if origin is None:
        return scope
    others = [pair for pair in scope["headers"] if pair[0] != b"host"]
    return {**scope, "headers": [(b"host", urlsplit(origin).netloc.encode("latin-1")), *others]}


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    headers = Headers(scope=scope)
    origin = headers.get("origin", headers.get("sec-fetch-site", ""))[:200]
    _LOG.warning(
        "Refused a request of another origin, %r, to %r. Behind a proxy, set CONSOLE_PUBLIC_URL to the address in the "
        "browser.",
        origin,
        headers.get("host", "")[:200],
    )
    if scope["type"] == "websocket":
        await receive()  # the handshake, which is answered with 403
        await send({"type": "websocket.close", "code": 1008})
        return
    text = f"This request comes from a page of another origin, {origin!r}. Only the console's own pages may send it.\n"
    await PlainTextResponse(text, 403)(scope, receive, send)
