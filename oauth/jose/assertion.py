"""Client authentication with a signed JWT in place of a secret: ``private_key_jwt`` (RFC 7523 §2.2, §3)."""

from dataclasses import dataclass
from datetime import datetime

from oauth.jose.keys import SigningKey

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""The value of ``client_assertion_type`` (RFC 7523 §2.2)."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What an assertion says besides who signs it.

    ``audience`` is the server's issuer or its token endpoint, ``lifetime`` in seconds, ``kid`` the name under which
    the server knows the public key, empty for none.
    """

    audience: str = ""
    lifetime: int = 60
    kid: str = ""


def assertion(key: SigningKey, client_id: str, statement: Statement, *, at: datetime, unique: str) -> str:
    """An assertion for one request. ``unique`` becomes ``jti``: a server may take each only once."""
    issued = int(at.timestamp())
    header = {"typ": "JWT"} | ({"kid": statement.kid} if statement.kid else {})
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": statement.audience,
        "jti": unique,
        "iat": issued,
        "exp": issued + statement.lifetime,
    }
    return key.sign(header, claims)
