"""The keys that sign id_tokens, their public half (RFC 7517), and compact signatures (RFC 7515 §3.1).

A key is made when it is first needed, and lives as long as the process: it is in no file, and in no snapshot, so that a
restart is a rotation for clients that cached the keys. The sandboxes of a process share them, since making an RSA key
takes longer than most tests.
"""

import hashlib
import hmac
import json
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oauth_sandbox.openid.settings import Algorithm, OpenId
from oauth_sandbox.response import json_text

UNPUBLISHED = 0
"""The number of a key that no client can fetch."""

_keys: "dict[tuple[Algorithm, int], SigningKey]" = {}
_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key; ``public`` is its public half as a JSON Web Key."""

    private: Any
    public: Mapping[str, str]

    @property
    def kid(self) -> str:
        """The name of the key: its thumbprint (RFC 7638)."""
        return self.public["kid"]

    def sign(self, content: bytes) -> bytes:
        """Sign, as the key's algorithm says (RFC 7518 §3.3 and §3.4)."""
        # Slow to import, and nothing but this side needs it.
        from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
        from cryptography.hazmat.primitives.hashes import SHA256

        if self.public["kty"] == "RSA":
            signature: bytes = self.private.sign(content, padding.PKCS1v15(), SHA256())
            return signature
        r, s = utils.decode_dss_signature(self.private.sign(content, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def verifies(self, content: bytes, signature: bytes) -> bool:
        """Return true for a signature of this key."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
        from cryptography.hazmat.primitives.hashes import SHA256

        key = self.private.public_key()
        try:
            if self.public["kty"] == "RSA":
                key.verify(signature, content, padding.PKCS1v15(), SHA256())
            else:
                r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
                key.verify(utils.encode_dss_signature(r, s), content, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    def pem(self) -> bytes:
        """Return the public half as PEM."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        pem: bytes = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem


def current_key(settings: OpenId) -> SigningKey:
    """Return the key that signs now."""
    return numbered(settings.id_token_algorithm, settings.signing_key)


def published(settings: OpenId) -> list[Mapping[str, str]]:
    """Return the public keys that a client can fetch: the current one, and the one before."""
    numbers = [number for number in (settings.signing_key, settings.signing_key - 1) if number != UNPUBLISHED]
    return [numbered(settings.id_token_algorithm, number).public for number in numbers]


def numbered(algorithm: Algorithm, number: int) -> SigningKey:
    """Return the key of a number; it is made once in a process."""
    with _making:
        if (algorithm, number) not in _keys:
            _keys[algorithm, number] = _new(algorithm)
        return _keys[algorithm, number]


def compact(header: Mapping[str, object], claims: Mapping[str, object], key: SigningKey) -> str:
    """Return claims with their signature."""
    content = _content(header, claims)
    return f"{content}.{base64url(key.sign(content.encode()))}"


def with_hmac(claims: Mapping[str, object], secret: bytes) -> str:
    """Return claims with an HMAC (RFC 7518 §3.2)."""
    content = _content({"alg": "HS256", "typ": "JWT"}, claims)
    return f"{content}.{base64url(hmac.digest(secret, content.encode(), 'sha256'))}"


def unsigned(claims: Mapping[str, object]) -> str:
    """Return claims without a signature (RFC 7518 §3.6)."""
    return f"{_content({'alg': 'none', 'typ': 'JWT'}, claims)}."


def claims_of(token: str) -> dict[str, Any] | None:
    """Return the claims of a token that a key of this process signed, expired or not; ``None`` for any other."""
    content, _, signature = token.rpartition(".")
    try:
        header, claims = (json.loads(_decoded(part)) for part in content.split("."))
        signed = _decoded(signature)
    except (ValueError, RecursionError):
        return None
    if not (isinstance(header, dict) and isinstance(claims, dict)):
        return None
    candidates = [key for key in list(_keys.values()) if key.kid == header.get("kid")]
    return claims if any(key.verifies(content.encode(), signed) for key in candidates) else None


def base64url(content: bytes) -> str:
    """Encode without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _new(algorithm: Algorithm) -> SigningKey:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if algorithm is Algorithm.RS256:
        rsa_key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        numbers = rsa_key.public_key().public_numbers()
        members = {"e": _number(numbers.e, 3), "kty": "RSA", "n": _number(numbers.n, 256)}
        return SigningKey(rsa_key, _jwk(algorithm, members))
    ec_key = ec.generate_private_key(ec.SECP256R1())
    point = ec_key.public_key().public_numbers()
    members = {"crv": "P-256", "kty": "EC", "x": _number(point.x, 32), "y": _number(point.y, 32)}
    return SigningKey(ec_key, _jwk(algorithm, members))


def _jwk(algorithm: Algorithm, members: dict[str, str]) -> dict[str, str]:
    """Return the key with its thumbprint, for which the members are in alphabetical order (RFC 7638 §3)."""
    kid = base64url(hashlib.sha256(json_text(members).encode()).digest())
    return {**members, "use": "sig", "alg": algorithm, "kid": kid}


def _content(header: Mapping[str, object], claims: Mapping[str, object]) -> str:
    return f"{base64url(json_text(header).encode())}.{base64url(json_text(claims).encode())}"


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(number: int, length: int) -> str:
    return base64url(number.to_bytes(length, "big"))
