"""Dynamic client registration (RFC 7591), and the deletion of a client that was made by it (RFC 7592 §2.3)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from oauth.addresses import is_loopback
from oauth.exchange import Exchange, Request
from oauth.flow.model import Client, Field, Flow, Grant
from oauth.flow.requests import headers_of, sent
from oauth.flow.response_body import members, seconds, succeeded, text
from oauth.providers import ClientAuthentication
from oauth.providers.well_known import named_address_fault
from oauth.request_builder import build_request

CLIENT_NAME = "OAuth Console"

LISTS = ("redirect_uris", "grant_types", "response_types", "contacts", "post_logout_redirect_uris", "request_uris")
"""Members that are lists of strings (RFC 7591 §2, OpenID Connect Registration §2)."""

GRANTS = (Grant.AUTHORIZATION_CODE, Grant.REFRESH_TOKEN)
"""Grants that a client is registered for, those of them that the server lists."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A client that was registered here. ``uri`` and ``token`` manage it, empty if the server does not offer that.

    ``scope`` and ``redirect_uris`` are empty, and ``authentication`` is ``None``, where the response did not name them.
    """

    client: Client
    uri: str = ""
    token: str = field(default="", repr=False)
    authentication: ClientAuthentication | None = None
    scope: str = ""
    redirect_uris: tuple[str, ...] = ()
    secret_expires_at: datetime | None = None


def registration_fields(
    flow: Flow, redirect_uri: str, grants: Sequence[str] = GRANTS, initial_token: str = ""
) -> list[Field]:
    """Return the client's metadata (RFC 7591 §2). ``grants`` are those that the server lists.

    ``initial_token`` is the initial access token, which some servers ask for (RFC 7591 §3).
    """
    method = _method(flow)
    host = urlsplit(redirect_uri).hostname or ""
    kind = "native" if is_loopback(host) else "web"
    supported = [grant.value for grant in GRANTS if grant in grants]
    fields = [
        Field("client_name", CLIENT_NAME, "What the user reads when asked to approve", "this step"),
        Field("redirect_uris", redirect_uri, "Where the browser may be sent back to", "console"),
        Field("application_type", kind, "native for a loopback address, else web (OpenID Connect)", "redirect URI"),
        Field("grant_types", " ".join(supported), "The grants that the client uses", "this step"),
        Field("response_types", "code", "The responses that the client asks for", "this step"),
        Field("token_endpoint_auth_method", method.value, "How the client authenticates", "provider"),
        Field(
            "scope",
            flow.provider.scope,
            "Permissions that the client may request",
            "provider",
            send=bool(flow.provider.scope),
            optional=not flow.provider.scope,
        ),
    ]
    if method is ClientAuthentication.PRIVATE_KEY_JWT and flow.signing_key is not None:
        keys = json.dumps({"keys": [flow.signing_key.public]})
        fields.append(Field("jwks", keys, "The public key that verifies the client's assertions", "client's key"))
    if initial_token:
        meaning = "Initial access token; a header"
        fields.append(Field("Authorization", f"Bearer {initial_token}", meaning, "entered here", header=True))
    return fields


def _method(flow: Flow) -> ClientAuthentication:
    """Return the server's first choice, or another one where the client has no key to sign with."""
    method = flow.provider.client_authentication
    if method is not ClientAuthentication.PRIVATE_KEY_JWT or flow.signing_key is not None:
        return method
    return ClientAuthentication.NONE if flow.provider.public_clients else ClientAuthentication.BASIC


def registration_request(url: str, fields: Iterable[Field]) -> Request:
    """Build a registration request (RFC 7591 §3.1). Raises ``InputError`` for an invalid ``url``."""
    fields = list(fields)
    body = {name: _value(name, value) for name, value in sent(item for item in fields if not item.header)}
    headers = [*headers_of(item for item in fields if item.header), ("Content-Type", "application/json")]
    return build_request("POST", url, headers, json.dumps(body, ensure_ascii=False).encode())


def _value(name: str, value: str) -> Any:
    """Return the value of a member: a list, JSON as it was typed, or a string."""
    if value[:1] in ("{", "[") or value in ("true", "false"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value.split() if name in LISTS else value


def deletion_fields(registration: Registration) -> list[Field]:
    """Return the headers of a deletion (RFC 7592 §2.3)."""
    meaning = "The client's registration access token"
    return [Field("Authorization", f"Bearer {registration.token}", meaning, "registration", header=True)]


def deletion_request(url: str, fields: Iterable[Field]) -> Request:
    """Build the request that deletes a client (RFC 7592 §2.3). Raises ``InputError`` for an invalid ``url``."""
    return build_request("DELETE", url, headers_of(fields))


def read_registration(exchange: Exchange) -> Registration | None:
    """Return the client of a registration response, ``None`` if it was refused (RFC 7591 §3.2.1)."""
    body = members(exchange)
    client_id = text(body.get("client_id"))
    if not succeeded(exchange) or not client_id:
        return None
    uri = text(body.get("registration_client_uri"))
    token = text(body.get("registration_access_token"))
    can_be_managed = bool(uri and token) and not named_address_fault(uri, exchange.request.url)
    method = text(body.get("token_endpoint_auth_method"))
    secret = text(body.get("client_secret"))
    listed = body.get("redirect_uris")
    expiry = seconds(body.get("client_secret_expires_at"))
    return Registration(
        Client(client_id, secret),
        uri if can_be_managed else "",
        token if can_be_managed else "",
        _authentication(method, secret),
        text(body.get("scope")),
        tuple(item for item in listed if isinstance(item, str)) if isinstance(listed, list) else (),
        # RFC 7591 §3.2.1: 0 means never.
        datetime.fromtimestamp(expiry, UTC) if expiry else None,
    )


def _authentication(method: str, secret: str) -> ClientAuthentication | None:
    if method in tuple(ClientAuthentication):
        return ClientAuthentication(method)
    return None if secret else ClientAuthentication.NONE
