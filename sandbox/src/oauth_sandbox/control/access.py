"""Access to the control: for programs on this machine or with the token, never for web pages of another origin."""

import hmac
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from oauth_sandbox.errors import REALM, ApiError
from oauth_sandbox.request import bearer

HOST = re.compile(r"(?:\[(.*)\]|([^:]*))(?::[0-9]{1,5})?")
FORWARDED = re.compile(r"x-forwarded-.*|x-original-.*|forwarded|via|.*-(?:client|connecting|real)-ip")
"""Headers of proxies, in lower case."""

CHANGES = ("POST", "PUT", "PATCH")


@dataclass(frozen=True, slots=True)
class ControlAccess:
    """The rule of access: for those who send the ``token``, and while it is ``open`` for programs on this machine.

    Loopback is no proof where a proxy on this machine passes requests on. Some proxies say so, and are refused; others
    cannot be told from a program. So whoever puts the sandbox behind a proxy must not leave the control open.
    """

    token: str | None = field(default=None, repr=False)
    open: bool = True

    @property
    def token_needed(self) -> bool:
        """True if there is no other way in than the token."""
        return self.token is not None and not self.open

    def check(self, scope: Scope, headers: Headers) -> None:
        """Raise ``ApiError``: 401, 403, or 415 for a change that is not JSON.

        Web pages are kept out in three ways. They state their origin in ``Origin`` or ``Sec-Fetch-Site``. They cannot
        send JSON to another origin without a preflight request, which is refused. And a domain of theirs that resolves
        to this machine (DNS rebinding) is in ``Host``, where only loopback names are accepted.
        """
        if not self._has_token(headers):
            self._check_program_on_this_machine(scope, headers)
        self._check_origin(headers)
        if scope["method"] in CHANGES and _has_body(headers):
            content_type = headers.get("content-type", "").split(";")[0].strip().lower()
            if content_type != "application/json":
                raise ApiError(415, "The body of a change must be JSON: send `Content-Type: application/json`.")

    def _has_token(self, headers: Headers) -> bool:
        token = bearer(headers.get("authorization", "")) or ""
        return self.token is not None and hmac.compare_digest(token.encode(), self.token.encode())

    def _check_program_on_this_machine(self, scope: Scope, headers: Headers) -> None:
        if self.token_needed:
            challenge = {"WWW-Authenticate": f'Bearer realm="{REALM} control"'}
            raise ApiError(401, "The control requires its token: send `Authorization: Bearer TOKEN`.", challenge)
        if not self.open:
            raise ApiError(403, "The control is off, because the sandbox listens beyond loopback. Set a control token.")
        if not (_is_loopback(scope.get("server")) and _is_loopback(scope.get("client"))):
            raise ApiError(403, "The control is for this machine only. Set a control token to use it from elsewhere.")
        if sign := _sign_of_proxy(scope, headers):
            raise ApiError(
                403,
                f"The control is for programs on this machine, and {sign} shows that this request came through a "
                "proxy. Call the sandbox directly, or use a control token.",
            )
        if not (match := HOST.fullmatch(headers.get("host", ""))) or not is_loopback(match[1] or match[2] or ""):
            raise ApiError(403, "The Host header must name a loopback host: call localhost, 127.0.0.1 or [::1].")

    def _check_origin(self, headers: Headers) -> None:
        # Another port of the same host is another origin, but the same site.
        is_foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        origin = headers.get("origin")
        if is_foreign or (origin is not None and _host_of(origin) != headers.get("host", "").lower()):
            raise ApiError(403, "The control is not for web pages of another origin.")


def is_loopback(host: str) -> bool:
    """Return true for ``localhost``, ``::1`` and the addresses of 127.0.0.0/8."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _sign_of_proxy(scope: Scope, headers: Headers) -> str:
    """Return what shows that a proxy passed the request on; empty if nothing does.

    A plain nginx before 1.29.7 speaks HTTP/1.0, which clients have left behind. The usual lines for WebSockets make it
    announce an upgrade in every request, also in those without one.
    """
    if name := next((name for name in headers if FORWARDED.fullmatch(name)), ""):
        return f"its header {name.title()}"
    if scope.get("http_version") == "1.0":
        return "HTTP/1.0"
    if "upgrade" in headers.get("connection", "").lower() and "upgrade" not in headers:
        return "its header Connection"
    return ""


def _is_loopback(address: object) -> bool:
    """Check an ASGI address, which is ``None`` where there is none, as on a Unix socket."""
    return isinstance(address, (tuple, list)) and is_loopback(str(address[0]))


def _has_body(headers: Headers) -> bool:
    """Return true for a request with content (RFC 9112 §6.3)."""
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
