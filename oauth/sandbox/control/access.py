"""Who may use the control: a program on this machine, or one that has the token; never a web page of another origin."""

import hmac
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from oauth.sandbox.errors import REALM, ApiError
from oauth.sandbox.request import bearer

LOOPBACK_NAME = re.compile(r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
CHANGES = ("POST", "PUT", "PATCH")


@dataclass(frozen=True, slots=True)
class ControlAccess:
    """With a ``token`` every request must bring it. Without one the control is ``open`` on loopback, and off beyond."""

    token: str | None = field(default=None, repr=False)
    open: bool = True

    def check(self, scope: Scope, headers: Headers) -> None:
        """Raises ``ApiError``: 401, 403, or 415 for a change that is not JSON.

        A page in a browser is kept out in three ways. It says its origin in ``Origin`` or ``Sec-Fetch-Site``. It
        cannot send JSON to another origin without asking first, and is not answered when it asks. And a name of its
        own that it made lead here (DNS rebinding) stands in ``Host``, where only names of loopback are taken.
        """
        if self.token is not None:
            self._check_token(headers)
        elif not self.open:
            raise ApiError(403, "The control is off, because the sandbox listens beyond loopback. Set a control token.")
        elif not (_is_loopback(scope.get("server")) and _is_loopback(scope.get("client"))) or any(
            name in headers for name in FORWARDED
        ):
            raise ApiError(403, "The control is for this machine only. Set a control token to use it from elsewhere.")
        elif LOOPBACK_NAME.fullmatch(headers.get("host", "")) is None:
            raise ApiError(403, "The Host header is no name of loopback: call localhost, 127.0.0.1 or [::1].")
        self._check_origin(headers)
        if scope["method"] in CHANGES:
            content_type = headers.get("content-type", "").split(";")[0].strip().lower()
            if content_type != "application/json":
                raise ApiError(415, "A change is JSON: send 'Content-Type: application/json'.")

    def _check_token(self, headers: Headers) -> None:
        given = bearer(headers.get("authorization", "")) or ""
        if self.token is None or not hmac.compare_digest(given.encode(), self.token.encode()):
            challenge = {"WWW-Authenticate": f'Bearer realm="{REALM} control"'}
            raise ApiError(401, "The control needs its token: send 'Authorization: Bearer TOKEN'.", challenge)

    def _check_origin(self, headers: Headers) -> None:
        # The same host at another port is another origin, but the same site.
        foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        origin = headers.get("origin")
        if foreign or (origin is not None and _host_of(origin) != headers.get("host", "").lower()):
            raise ApiError(403, "The control is not for web pages of another origin.")


def is_loopback(host: str) -> bool:
    """Whether an address is one of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_loopback(address: object) -> bool:
    """Host and port as ASGI has them; ``None`` where there is no such thing, as on a socket in the file system."""
    return isinstance(address, (tuple, list)) and is_loopback(str(address[0]))


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
