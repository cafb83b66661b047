"""An incoming request, read completely before any decision."""

import base64
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from msgspec import Struct
from starlette.types import Receive, Scope

from oauth_sandbox.errors import InvalidRequest
from oauth_sandbox.parameters import Parameters, from_body, from_query

if TYPE_CHECKING:
    from oauth_sandbox.openid.claims import Flaw

LARGEST_BODY = 131_072
"""Bytes: enough for the longest description of an advert, with each character escaped as JSON may have it."""


class Endpoint(StrEnum):
    """The provider's endpoints."""

    AUTHORIZE = "authorize"
    TOKEN = "token"
    USER = "user"
    REGIONS = "regions"
    CITIES = "cities"
    DISTRICTS = "districts"
    LOCATIONS = "locations"
    LANGUAGES = "languages"
    CURRENCIES = "currencies"
    CATEGORIES = "categories"
    ADVERTS = "adverts"
    THREADS = "threads"
    METADATA = "metadata"
    DISCOVERY = "discovery"
    JWKS = "jwks"
    USERINFO = "userinfo"
    REVOKE = "revoke"
    INTROSPECT = "introspect"
    LOGOUT = "logout"
    PAR = "par"
    DEVICE = "device"
    ACTIVATE = "activate"
    REGISTER = "register"


OF_USER = (Endpoint.USER, Endpoint.ADVERTS, Endpoint.THREADS)
"""The endpoints of the partner API that need a user's token."""
OF_PARTNER_API = (
    *OF_USER,
    Endpoint.REGIONS,
    Endpoint.CITIES,
    Endpoint.DISTRICTS,
    Endpoint.LOCATIONS,
    Endpoint.LANGUAGES,
    Endpoint.CURRENCIES,
    Endpoint.CATEGORIES,
)
"""The endpoints of the partner API."""

KEEPS_BODY = (*OF_PARTNER_API, Endpoint.REGISTER)
"""The endpoints that read their body themselves."""


class IncomingRequest(Struct):
    """A request. ``query`` is not decoded; header names are in lower case, as in ASGI.

    ``parameters`` are those of the body, ``problem`` says why they cannot be read, ``opening`` is the body's first
    byte, ``address`` the sender's. ``elsewhere`` is true for a consent to the URL of another server. ``path`` is below
    the sandbox's own, ``origin`` the address up to there. ``body`` is that of a request whose members are not
    parameters, and ``flaw`` is what a fault wants of the id_token.
    """

    endpoint: Endpoint
    method: str
    query: str
    headers: Mapping[str, str]
    parameters: Parameters = {}
    problem: InvalidRequest | None = None
    opening: bytes = b""
    address: str = ""
    elsewhere: bool = False
    path: str = ""
    body: bytes = b""
    origin: str = ""
    flaw: "Flaw | None" = None

    @property
    def is_preflight(self) -> bool:
        """True when a browser asks whether a page of another origin may send a request."""
        return self.method == "OPTIONS" and "access-control-request-method" in self.headers

    @property
    def query_parameters(self) -> Parameters:
        """The parameters of the query, each with its last value."""
        return from_query(self.query)[0] if self.query else {}

    @property
    def readable(self) -> Parameters:
        """The parameters of the body. Raises ``InvalidRequest`` when they cannot be read."""
        if self.problem is not None:
            raise self.problem
        return self.parameters

    def take(self, body: bytes) -> None:
        """Read the complete body; ``problem`` says why it cannot be read."""
        try:
            if len(body) > LARGEST_BODY:
                raise InvalidRequest(f"The body is larger than {LARGEST_BODY} bytes", status=413)
            if self.endpoint in KEEPS_BODY:
                self.body = body
            elif body:
                self.opening = body.lstrip()[:1]
                self.parameters = from_body(body, self.headers.get("content-type", ""))
        except InvalidRequest as problem:
            self.problem = problem


def begun(endpoint: Endpoint, scope: Scope) -> IncomingRequest:
    """Return a request whose body is still to come."""
    # Headers are read so often that a dictionary pays; the first of repeated ones counts.
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
    query = scope["query_string"].decode(errors="surrogateescape")
    root = scope.get("root_path", "")
    path, origin = scope["path"].removeprefix(root), f"{scope['scheme']}://{headers.get('host', '')}{root}"
    address = address_of(scope)
    return IncomingRequest(endpoint, scope["method"], query, headers, address=address, path=path, origin=origin)


async def read(endpoint: Endpoint, scope: Scope, receive: Receive) -> IncomingRequest:
    """Read a request to its end."""
    request = begun(endpoint, scope)
    body = b""
    # A body that is too large is read no further.
    while len(body) <= LARGEST_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            request.problem = InvalidRequest("The connection was closed before the end of the body")
            return request
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    request.take(body)
    return request


def address_of(scope: Scope) -> str:
    """Return the sender's address, empty where ASGI has none, as on a Unix socket."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def basic(authorization: str) -> tuple[str, str] | None:
    """Return client id and secret of HTTP Basic, each form-encoded before joining (RFC 6749 §2.3.1).

    ``None`` for another scheme. Raises ``ValueError`` when they cannot be read.
    """
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    client_id, _, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    return unquote_plus(client_id), unquote_plus(secret)


def bearer(authorization: str) -> str | None:
    """Return the token of the scheme Bearer (RFC 6750 §2.1), which may be empty; ``None`` for another scheme."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
