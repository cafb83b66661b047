"""The endpoints of the sister API, for real estate and car parts: its key, HTTP Basic, and its errors without a code.

The four documented errors have the documented status and text. What is not documented has the same body, and a text
that says so.
"""

import base64
import uuid
from collections.abc import Mapping

from oauth_sandbox import token_endpoint
from oauth_sandbox.errors import InvalidClient, InvalidCode, OAuthError, ProviderError
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import IncomingRequest, bearer
from oauth_sandbox.response import Response
from oauth_sandbox.store import Kind

KEY = "x-api-key"
UUID = "f7695d17-8ee2-4409-89ac-74c673630edb"
"""The one advert that the sandbox has."""


class Refusal(ProviderError):
    """An error of the sister API: ``{"transaction_id", "message"}``."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}

    @property
    def members(self) -> Mapping[str, object]:
        """The body, with a transaction id of its own, for which the provider's support asks."""
        return {"transaction_id": str(uuid.uuid4()), "message": self.message}


def token(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Issue tokens for a JSON body, a client that authenticates by HTTP Basic, and a known key. Raises ``Refusal``."""
    _check_key(sandbox, request)
    if request.method != "POST":
        raise Refusal(405, "Not documented: the token endpoint accepts POST only", {"Allow": "POST"})
    if request.problem is not None or request.opening != b"{":
        raise Refusal(400, "Not documented: the body must be a JSON object")
    client_id, secret = _basic(request.headers.get("authorization", ""))
    parameters = {**request.parameters, "client_id": client_id, "client_secret": secret}
    try:
        tokens = token_endpoint.tokens(sandbox, parameters, None)
    except InvalidClient as error:
        raise Refusal(403, "The client credentials are invalid") from error
    except InvalidCode as error:
        raise Refusal(400, "Authorization code doesn't exist or is invalid for the client") from error
    except OAuthError as error:
        raise Refusal(error.status, f"Not documented: {error.description}") from error
    return Response.json({**tokens.members, "token_type": "Bearer"})


def metadata(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Return the metadata of an advert, for a known key and an access token. Raises ``Refusal``."""
    _check_key(sandbox, request)
    if request.method not in ("GET", "HEAD"):
        raise Refusal(405, "Not documented: this method is not supported here", {"Allow": "GET, HEAD"})
    secret = bearer(request.headers.get("authorization", ""))
    if not secret:
        raise Refusal(401, "Not documented: no access token was sent")
    if sandbox.live(Kind.ACCESS_TOKEN, secret) is None:
        raise Refusal(403, "The access token provided has expired")
    data = {"uuid": UUID, "last_action_status": "POSTED", "state": {"code": "active"}, "last_error": None}
    return Response.json({"transaction_id": str(uuid.uuid4()), "message": "Advert status information", "data": data})


def _check_key(sandbox: Sandbox, request: IncomingRequest) -> None:
    key = request.headers.get(KEY, "")
    if not key or key not in {client.api_key for client in sandbox.clients()}:
        raise Refusal(403, "Invalid API Key - unknown Partner")


def _basic(authorization: str) -> tuple[str, str]:
    """Return client id and secret of HTTP Basic, which are not form-encoded here; empty if they cannot be read."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        pair = base64.b64decode(credentials.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except ValueError:
        pair = ""
    client_id, _, secret = pair.partition(":")
    return client_id, secret
