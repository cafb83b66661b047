"""Access to the control: for programs on this machine or with the token, never for web pages of another origin."""

import hmac
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from oauth.sandbox.errors import REALM, ApiError
from oauth.sandbox.request import bearer

HOST = re.compile(r"(?:\[(.*)\]|([^:]*))(?::[0-9]{1,5})?")
FORWARDED = re.compile(r"x-forwarded-.*|x-original-.*|forwarded|via|.*-(?:client|connecting|real)-ip")
"""Headers of proxies, in lower case."""

CHANGES = ("POST", "PUT", "PATCH")


@dataclass(frozen=True, slots=True)
class ControlAccess:
    """The rule of access: with a ``token`` every request needs it; without one the control is ``open`` on loopback
    only.
    """

    token: str | None = field(default=None, repr=False)
    open: bool = True

    def check(self, scope: Scope, headers: Headers) -> None:
        """Raise ``ApiError``: 401, 403, or 415 for a change that is not JSON.

        Web pages are kept out in three ways. They state their origin in ``Origin`` or ``Sec-Fetch-Site``. They cannot
        send JSON to another origin without a preflight request, which is refused. And a domain of theirs that resolves
        to this machine (DNS rebinding) is in ``Host``, where only loopback names are accepted.
        """
        if self.token is not None:
            self._check_token(headers)
        elif not self.open:
            raise ApiError(403, "The control is off, because the sandbox listens beyond loopback. Set a control token.")
        elif not (_is_loopback(scope.get("server")) and _is_loopback(scope.get("client"))) or any(
            FORWARDED.fullmatch(name) for name in headers
        ):
            raise ApiError(403, "The control is for this machine only. Set a control token to use it from elsewhere.")
        elif not (match := HOST.fullmatch(headers.get("host", ""))) or not is_loopback(match[1] or match[2] or ""):
            raise ApiError(403, "The Host header must name a loopback host: call localhost, 127.0.0.1 or [::1].")
        self._check_origin(headers)
        if scope["method"] in CHANGES:
            content_type = headers.get("content-type", "").split(";")[0].strip().lower()
            if content_type != "application/json":
                raise ApiError(415, "The body of a change must be JSON: send 'Content-Type: application/json'.")

    def _check_token(self, headers: Headers) -> None:
        token = bearer(headers.get("authorization", "")) or ""
        if self.token is None or not hmac.compare_digest(token.encode(), self.token.encode()):
            challenge = {"WWW-Authenticate": f'Bearer realm="{REALM} control"'}
            raise ApiError(401, "The control requires its token: send 'Authorization: Bearer TOKEN'.", challenge)

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


def _is_loopback(address: object) -> bool:
    """Check an ASGI address, which is ``None`` where there is none, as on a Unix socket."""
    return isinstance(address, (tuple, list)) and is_loopback(str(address[0]))


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
