"""Clients that register themselves, and go again (RFC 7591 and RFC 7592 §2.3)."""

import secrets
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from oauth_sandbox.clients import (
    LONGEST_URI,
    MOST_URIS,
    Client,
    GrantType,
    InvalidRedirectUri,
    check_redirect_uri,
    client_from,
)
from oauth_sandbox.openid.refusal import Refusal
from oauth_sandbox.scope import parse
from oauth_sandbox.validation import InvalidInput, decoded

if TYPE_CHECKING:
    from oauth_sandbox.provider import Sandbox

MOST = 1_000
METHODS = ("client_secret_basic", "client_secret_post", "none")


class Metadata(Struct):
    """What is read of a client's metadata (RFC 7591 §2); anything else is left out of the answer."""

    redirect_uris: tuple[str, ...] = ()
    client_name: str = ""
    grant_types: tuple[str, ...] = ("authorization_code",)
    response_types: tuple[str, ...] = ("code",)
    token_endpoint_auth_method: str = "client_secret_basic"
    scope: str = ""


def register(sandbox: "Sandbox", body: bytes) -> tuple[Client, dict[str, Any]]:
    """Register a client, and return it with the members of the answer. Raises ``Refusal``."""
    try:
        metadata: Metadata = decoded(body, Metadata)
    except InvalidInput as error:
        raise Refusal(400, "invalid_client_metadata", str(error)) from error
    grants = [grant for grant in GrantType if grant in metadata.grant_types]
    allowed = sandbox.configuration.scopes
    problem = ""
    if metadata.token_endpoint_auth_method not in METHODS:
        problem = f"token_endpoint_auth_method must be one of {', '.join(METHODS)}"
    elif not grants or set(metadata.response_types) - {"code"}:
        problem = f"grant_types must have one of {', '.join(GrantType)}, and response_types code alone"
    elif len(sandbox.clients()) >= MOST:
        problem = f"There are {MOST:,} clients already. Reset the sandbox"
    if problem:
        raise Refusal(400, "invalid_client_metadata", problem)
    uris = metadata.redirect_uris
    if len(uris) > MOST_URIS:
        raise Refusal(400, "invalid_redirect_uri", f"There are {len(uris):,} redirect_uris. Send {MOST_URIS} at most")
    for number, uri in enumerate(uris, start=1):
        place = f"Number {number} of redirect_uris"
        if len(uri) > LONGEST_URI:
            raise Refusal(400, "invalid_redirect_uri", f"{place} is longer than {LONGEST_URI:,} characters")
        try:
            check_redirect_uri(uri)
        except InvalidRedirectUri as error:  # not with its text, which an error_description may not have
            raise Refusal(400, "invalid_redirect_uri", f"{place} {error.problem}") from error
    if GrantType.AUTHORIZATION_CODE in grants and not uris:
        raise Refusal(400, "invalid_redirect_uri", "A client with authorization_code needs redirect_uris")
    scopes = [name for name in parse(metadata.scope) if name in allowed]
    if metadata.scope.strip() and not scopes:
        raise Refusal(400, "invalid_client_metadata", f"scope has none of {', '.join(allowed)}")
    fields = {
        "client_id": f"registered-{secrets.token_hex(6)}",
        "name": metadata.client_name[:100] or "A registered client",
        "secret": "" if metadata.token_endpoint_auth_method == "none" else secrets.token_urlsafe(32),
        "grants": grants,
        "scopes": scopes or list(allowed),
        "redirect_uris": uris,
    }
    client = client_from(fields, allowed)
    sandbox.put_client(client)
    members = {
        **msgspec.to_builtins(metadata),
        "client_id": client.client_id,
        "client_id_issued_at": int(sandbox.clock.now().timestamp()),
        "client_name": client.name,
        "grant_types": client.grants,
        "scope": " ".join(client.scopes),
        **({} if client.is_public else {"client_secret": client.secret, "client_secret_expires_at": 0}),
    }
    return client, members
