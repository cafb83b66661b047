"""DPoP: tokens that only the holder of a key can use (RFC 9449)."""

import base64
import hashlib
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from oauth.exchange import Exchange, header
from oauth.jose.keys import SigningKey

HEADER = "DPoP"
NONCE_HEADER = "DPoP-Nonce"

Nonces = tuple[tuple[str, str], ...]
"""The newest nonce of each server, by its origin (RFC 9449 §8.2, §9)."""


def proof(
    key: SigningKey, method: str, url: str, *, at: datetime, unique: str, nonce: str = "", access_token: str = ""
) -> str:
    """A proof for one request (RFC 9449 §4.2).

    ``unique`` becomes ``jti``: each proof needs another one. ``nonce`` is the server's, and ``access_token`` the token
    that the request carries, of which the proof holds the hash.
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
    """The nonce that the server of this address gave last, or an empty text."""
    return dict(nonces).get(_origin(url), "")


def with_nonce(nonces: Nonces, exchange: Exchange) -> Nonces:
    """The nonces after an answer: any answer may bring a new one (RFC 9449 §8.2)."""
    given = header(exchange.response.headers, NONCE_HEADER) if exchange.response is not None else None
    if not given:
        return nonces
    return tuple((dict(nonces) | {_origin(exchange.request.url): given}).items())


def wants_nonce(error: str, exchange: Exchange) -> bool:
    """Whether an answer refused the proof for its missing or old nonce, and brought one (RFC 9449 §8, §9)."""
    response = exchange.response
    return error == "use_dpop_nonce" and response is not None and bool(header(response.headers, NONCE_HEADER))


def binding_problem(token_type: str, jkts: Iterable[str], key: SigningKey) -> str:
    """Why a token is not bound to the key, in one sentence; empty when nothing speaks against it (RFC 9449 §5)."""
    if token_type.lower() != "dpop":
        return (
            f"The token_type is {token_type or 'missing'} and not DPoP: the server did not bind the token to the key."
        )
    if any(jkt != key.thumbprint for jkt in jkts):
        return "The token is bound to another key: its cnf.jkt is not the thumbprint of the key that signs the proofs."
    return ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()
