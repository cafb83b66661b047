"""Client authentication with a signed JWT instead of a secret: ``private_key_jwt`` (RFC 7523 §2.2, §3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it loads the library for keys, which few commands need
    from oauth.jose.keys import SigningKey


TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""The value of ``client_assertion_type`` (RFC 7523 §2.2)."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The claims of an assertion that can be chosen.

    ``audience`` is the server's issuer or its token endpoint, ``lifetime`` is in seconds, and ``kid`` is the id of the
    public key at the server, empty for none.
    """

    audience: str = ""
    lifetime: int = 60
    kid: str = ""


def assertion(key: "SigningKey", client_id: str, statement: Statement, *, at: datetime, unique: str) -> str:
    """Return an assertion for one request. ``unique`` becomes ``jti``: a server may accept each only once."""
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
