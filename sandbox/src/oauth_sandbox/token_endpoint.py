"""The token endpoint (RFC 6749 §3.2): authentication, grants, and the order of the checks."""

import hmac
from collections.abc import Mapping

from oauth_sandbox.behaviour import ExpiresIn, ScopeOrder
from oauth_sandbox.clients import Client
from oauth_sandbox.errors import (
    InactiveClient,
    InvalidClient,
    InvalidRequest,
    MissingGrantType,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from oauth_sandbox.grants import GRANTS, TokenRequest
from oauth_sandbox.provider import Sandbox, Tokens
from oauth_sandbox.request import basic

DOCUMENTED_ORDER = "v2 read write"
"""The order of the scopes in one of the documentation's examples."""


def tokens(sandbox: Sandbox, parameters: Mapping[str, str], authorization: str | None) -> Tokens:
    """Issue tokens. ``authorization`` is the header of that name.

    The order of the checks, documented errors by number: 3, unsupported grant, contradictory credentials, 6, 5, then 1,
    2 and 11 with their siblings (a missing ``refresh_token``, a different redirect URI), 10, 4.

    Raises ``OAuthError``.
    """
    if "grant_type" not in parameters:
        raise MissingGrantType
    grant = GRANTS.get(parameters["grant_type"])
    if grant is None:
        raise UnsupportedGrantType(parameters["grant_type"])
    with sandbox.lock:
        client = authenticated(sandbox, parameters, authorization)
        request = TokenRequest(sandbox, client, parameters)
        entitled = grant.examine(request)
        if parameters["grant_type"] not in client.grants:
            raise UnauthorizedClient
        return grant.issue(request, entitled)


def members(sandbox: Sandbox, tokens: Tokens) -> dict[str, str | int]:
    """Return the members of a token response, as they are assumed to be."""
    members = tokens.members
    if sandbox.behaviour.expires_in is ExpiresIn.TEXT:
        members["expires_in"] = str(members["expires_in"])
    if sandbox.behaviour.scope_order is ScopeOrder.DOCUMENTED:
        members["scope"] = " ".join(sorted(tokens.scope, key=DOCUMENTED_ORDER.find))
    return members


def authenticated(sandbox: Sandbox, parameters: Mapping[str, str], authorization: str | None) -> Client:
    """Return the client that proved itself by its secret, if it has one (RFC 6749 §2.3.1). Raises ``OAuthError``."""
    client_id, secret = parameters.get("client_id", ""), parameters.get("client_secret", "")
    try:
        credentials = basic(authorization) if authorization else None
    except ValueError as error:
        raise InvalidClient from error
    if credentials is not None:
        if client_id not in ("", credentials[0]) or secret not in ("", credentials[1]):
            raise InvalidRequest("The credentials in the body differ from those in the Authorization header")
        client_id, secret = credentials
    try:
        client = sandbox.client(client_id)
    except LookupError as error:
        raise InvalidClient from error
    if not hmac.compare_digest(secret.encode(), client.secret.encode()):
        raise InvalidClient
    if not client.active:
        raise InactiveClient
    return client
