"""DPoP: tokens that only the holder of a key can use (RFC 9449)."""

import base64
import hashlib
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from oauth.addresses import split
from oauth.exchange import Exchange, header

if TYPE_CHECKING:  # it loads the library for keys, which few commands need
    from oauth.jose.keys import SigningKey

HEADER = "DPoP"
NONCE_HEADER = "DPoP-Nonce"

Nonces = tuple[tuple[str, str], ...]
"""The newest nonce of each server, by its origin (RFC 9449 §8.2, §9)."""


def proof(
    key: "SigningKey", method: str, url: str, *, at: datetime, unique: str, nonce: str = "", access_token: str = ""
) -> str:
    """Return a proof for one request (RFC 9449 §4.2).

    ``unique`` becomes ``jti``, and must differ for each proof. ``nonce`` is the server's. The proof holds the hash of
    ``access_token``, the token of the request.
    """
    parts = urlsplit(url)
    claims: dict[str, str | int] = {
        "jti": unique,
        "htm": method,
        "htu": urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")),
        "iat": int(at.timestamp()),
    }
    if nonce:
        claims["nonce"] = nonce
    if access_token:
        claims["ath"] = base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()).rstrip(b"=").decode()
    return key.sign({"typ": "dpop+jwt", "jwk": key.public}, claims)


def nonce_for(nonces: Nonces, url: str) -> str:
    """Return the newest nonce from the server of this address, or an empty string."""
    return dict(nonces).get(_origin(url), "")


def with_nonce(nonces: Nonces, exchange: Exchange) -> Nonces:
    """Return the nonces after a response: any response may bring a new one (RFC 9449 §8.2)."""
    nonce = header(exchange.response.headers, NONCE_HEADER) if exchange.response is not None else None
    if not nonce:
        return nonces
    return tuple((dict(nonces) | {_origin(exchange.request.url): nonce}).items())


def wants_nonce(error: str, exchange: Exchange) -> bool:
    """Return True if the server refused the proof for its missing or old nonce and sent one (RFC 9449 §8, §9)."""
    response = exchange.response
    return error == "use_dpop_nonce" and response is not None and bool(header(response.headers, NONCE_HEADER))


def binding_problem(token_type: str, jkt: str | None, key: "SigningKey") -> str:
    """Return one sentence that says why a token is not bound to the key; empty if it may be (RFC 9449 §5).

    ``jkt`` is the token's ``cnf.jkt``, ``None`` for an opaque token.
    """
    if token_type.lower() != "dpop":
        return f"The token_type is {token_type or 'missing'}, not DPoP: the server did not bind the token to the key."
    if jkt is not None and jkt != key.thumbprint:
        return "The token is bound to another key: its cnf.jkt is not the thumbprint of the key that signs the proofs."
    return ""


def _origin(url: str) -> str:
    parts = split(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()
