"""The claims about a user, and the id_token that has them (OpenID Connect Core §2 and §5)."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from oauth_sandbox.configuration import User, subject
from oauth_sandbox.openid.keys import UNPUBLISHED, base64url, compact, current_key, numbered, unsigned, with_hmac
from oauth_sandbox.scope import Scope
from oauth_sandbox.store import Issued

if TYPE_CHECKING:
    from oauth_sandbox.provider import Sandbox

OPENID = "openid"

Flaw = Literal[
    "missing",
    "expired",
    "issued-in-the-future",
    "wrong-issuer",
    "wrong-audience",
    "several-audiences",
    "wrong-nonce",
    "no-nonce",
    "wrong-at-hash",
    "wrong-subject",
    "unknown-kid",
    "bad-signature",
    "alg-none",
    "hmac-with-public-key",
]
"""What is wrong with an id_token on purpose; a client must refuse each (OpenID Connect Core §3.1.3.7, §5.3.2)."""

OF_SCOPE: Mapping[str, tuple[str, ...]] = {
    "profile": (
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
"""The claims of each scope (OpenID Connect Core §5.4)."""

_OF_A_SCOPE = frozenset(claim for claims in OF_SCOPE.values() for claim in claims)

HOUR = 3600


def user_claims(user: User, scope: Scope) -> dict[str, Any]:
    """Return the claims about a user. Fields that no scope is for come with every one."""
    allowed = {claim for name in scope for claim in OF_SCOPE.get(name, ())}
    claims = {name: value for name, value in user.items() if name in allowed or name not in _OF_A_SCOPE}
    claims.pop("id")
    return {**claims, "sub": subject(user)}


def id_token(
    sandbox: "Sandbox", issuer: str, token: Issued, access_token: str, *, first: bool, flaw: Flaw | None = None
) -> str | None:
    """Return the id_token beside an access token, with a flaw if one is wanted; ``None`` when it is to be missing.

    The nonce is in the ``first`` one only: a refresh answers no authorization request (OpenID Connect Core §12.2).
    """
    settings = sandbox.openid
    now = int(sandbox.clock.now().timestamp())
    login = sandbox.logins.of(token.family)
    user = sandbox.users[token.user_id or 0]
    claims: dict[str, Any] = user_claims(user, token.scope) if settings.id_token_claims else {"sub": subject(user)}
    claims |= {
        "iss": issuer,
        "aud": token.client_id,
        "azp": token.client_id,
        "iat": now,
        "exp": now + settings.id_token_lifetime,
        "auth_time": int((token.issued_at if login is None else login.at).timestamp()),
        "at_hash": base64url(hashlib.sha256(access_token.encode()).digest()[:16]),
    }
    if first and login is not None and login.nonce:
        claims["nonce"] = login.nonce
    key = current_key(settings)
    header = {"alg": settings.id_token_algorithm, "typ": "JWT", "kid": key.kid}
    other = f"another-{secrets.token_hex(8)}"
    match flaw:
        case "missing":
            return None
        case "expired":
            claims |= {"iat": now - 2 * HOUR, "exp": now - HOUR}
        case "issued-in-the-future":
            claims |= {"iat": now + HOUR, "nbf": now + HOUR, "exp": now + 2 * HOUR}
        case "wrong-issuer":
            claims["iss"] = "https://another-issuer.example"
        case "wrong-audience":
            claims["aud"] = other
        case "several-audiences":
            claims |= {"aud": [token.client_id, other], "azp": other}
        case "wrong-nonce":
            claims["nonce"] = other
        case "no-nonce":
            claims.pop("nonce", None)
        case "wrong-at-hash":
            claims["at_hash"] = base64url(secrets.token_bytes(16))
        case "wrong-subject":
            claims["sub"] = other
        case "unknown-kid":
            key = numbered(settings.id_token_algorithm, UNPUBLISHED)
            header["kid"] = key.kid
        case "bad-signature":
            # The kid of the published key, and the signature of another.
            key = numbered(settings.id_token_algorithm, UNPUBLISHED)
        case "alg-none":
            return unsigned(claims)
        case "hmac-with-public-key":
            return with_hmac(claims, key.pem())
        case None:
            pass
    return compact(header, claims, key)
