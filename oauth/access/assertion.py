"""The JWTs that identify people: the ``id_token`` of a provider, and the JWT of a proxy."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from oauth.access.documents import Documents
from oauth.access.sign_in import Refused, Voucher
from oauth.jose.jwt import DecodedToken, Expected, check_id_token, check_signature, decode

NEEDED = ("signature", "iss", "aud", "exp")
"""The checks that must hold. Of the others none may fail (OpenID Connect Core 1.0 §3.1.3.7)."""


def decoded(token: str) -> DecodedToken:
    """Return the unverified content of a JWT. Raises ``Refused`` for anything else."""
    content = decode(token)
    if content is None or content.encrypted:
        raise Refused("The token is not a signed JWT.")
    return content


def verified(
    token: str, keys: Sequence[Mapping[str, Any]], expected: Expected, now: datetime, secret: str = ""
) -> Mapping[str, Any]:
    """Return the claims of a JWT that this issuer signed for this audience, and that has not expired.

    ``secret`` is the client's, for an ``id_token`` that is signed with it; without one only the issuer's keys count.
    Raises ``Refused``.
    """
    content = decoded(token)
    checks = [check_signature(token, keys, secret), *check_id_token(content, expected, now)]
    needed = (*NEEDED, "nonce") if expected.nonce else NEEDED
    for check in checks:
        if check.name == "iat" and "iat" not in content.claims and not expected.nonce:
            continue  # Teleport's voucher leaves it out; an id_token must have it
        if check.holds is False or (check.name in needed and not check.holds):
            raise Refused(f"The check of its {check.name} failed. {check.text}")
    if float(content.claims["exp"]) <= now.timestamp():  # a session has no leeway
        raise Refused("The token has expired (exp).")
    if not _is_text(content.claims.get("sub")):
        raise Refused("The token names nobody: its sub is missing, not text, or longer than 255 characters.")
    return content.claims


def vouched(token: str, voucher: Voucher, documents: Documents, clock: Callable[[], datetime]) -> Mapping[str, Any]:
    """Return the claims of the JWT of a proxy. Raises ``Refused`` and ``Unreachable``."""
    keys = documents.keys(voucher.jwks, decoded(token).kid)
    return verified(token, keys, Expected(voucher.audience, voucher.issuer), clock())


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()
