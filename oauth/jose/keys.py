"""Private signing keys: the client's for ``private_key_jwt``, and the key that DPoP binds tokens to.

A key stays in memory and is never written: the vault redacts the pasted text.
"""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key
from joserfc import jws, jwt
from joserfc.errors import InvalidKeyTypeError, JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from oauth.errors import InputError

# The server or the user chooses keys and algorithms: joserfc's advice about weak ones is not ours to print.
warnings.filterwarnings("ignore", category=SecurityWarning)

PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
"""The members of a JWK that are secret (RFC 7518 §6.2.2, §6.3.2, §6.4.1)."""

MOST_CHARACTERS = 32_768
"""Characters of a pasted private key, or of a key set around it."""

MOST_RSA_BITS = 4096
"""Bits of a private RSA key: the check of one twice as long takes ten seconds."""

_MOST_PRIME_BITS = MOST_RSA_BITS // 2 + 64
_TOO_LARGE = f"This RSA key is larger than {MOST_RSA_BITS:,} bits. Use a smaller one."

_ALGORITHM_OF_CURVE = {
    "P-256": "ES256",
    "P-384": "ES384",
    "P-521": "ES512",
    "secp256k1": "ES256K",
    "Ed25519": "EdDSA",
    "Ed448": "EdDSA",
}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the algorithm it signs with (RFC 7518 §3.1)."""

    key: Key = field(repr=False)
    algorithm: str

    @property
    def public(self) -> dict[str, Any]:
        """The public half as a JWK (RFC 7517 §4), with nothing secret in it."""
        return {name: value for name, value in self.key.as_dict(private=False).items() if name not in PRIVATE_MEMBERS}

    @property
    def kid(self) -> str:
        """The key's own id, or an empty string."""
        return self.key.kid or ""

    @property
    def thumbprint(self) -> str:
        """The key's SHA-256 thumbprint (RFC 7638), as ``jkt`` and ``dpop_jkt`` carry it."""
        return self.key.thumbprint()

    def sign(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        """Return a JWT with these claims in compact form; ``alg`` is the key's."""
        return jwt.encode(
            {"alg": self.algorithm, **header},
            dict(claims),
            self.key,
            registry=registry_for(self.algorithm),
            default_type=None,
        )


def registry_for(algorithm: str) -> jws.JWSRegistry:
    """Return a registry that accepts this algorithm only, and any other header parameters."""
    return jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)


def new_key() -> SigningKey:
    """Return a fresh key for DPoP proofs: ES256, which every server with DPoP accepts."""
    return SigningKey(ECKey.generate_key("P-256", private=True), "ES256")


def read_private_key(text: str) -> SigningKey:
    """Parse a pasted private key: PEM (PKCS 8, PKCS 1, SEC 1, OpenSSH), JWK, or a JWK set with one private key.

    Raises ``InputError`` with the reason, and never quotes the key.
    """
    text = text.strip()
    if not text:
        raise InputError("The private key is missing. Paste it as PEM or as JWK.")
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"This private key is longer than {MOST_CHARACTERS:,} characters. Paste one key.")
    try:
        key = _from_jwk(text) if text.startswith("{") else _from_pem(text)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            "This is not a valid private key. Paste all of it: as PEM, from BEGIN to END and without a password, or as "
            "JWK."
        ) from None  # the reason may quote the key
    if not key.is_private or key.key_type == "oct":
        raise InputError("This is not a private key, so it cannot sign. Paste the private key.")
    return SigningKey(key, _algorithm(key))


def _from_jwk(text: str) -> Key:
    jwk = json.loads(text)
    if "keys" in jwk:
        private_keys = [item for item in jwk["keys"] if "d" in item]
        if len(private_keys) != 1:
            raise InputError(f"This key set has {len(private_keys)} private keys. Paste the one to sign with.")
        jwk = private_keys[0]
    if jwk.get("kty") == "RSA":
        _check_rsa_members(jwk)
    return JWKRegistry.import_key({name: value for name, value in jwk.items() if name not in ("use", "key_ops")})


def _check_rsa_members(jwk: Mapping[str, Any]) -> None:
    """Refuse a key that takes long to read. Without primes they would have to be computed from ``d``."""
    if "d" in jwk and not ("p" in jwk and "q" in jwk):
        raise InputError(
            "This RSA key has no primes, p and q, which it needs to sign (RFC 7518 §6.3.2). Paste the whole key."
        )
    if len(str(jwk.get("n"))) > _base64_length(MOST_RSA_BITS) or any(
        len(str(jwk.get(name))) > _base64_length(_MOST_PRIME_BITS) for name in ("p", "q", "dp", "dq", "qi")
    ):
        raise InputError(_TOO_LARGE)


def _base64_length(bits: int) -> int:
    return -(-bits // 6) + 2


def _check_rsa_size(text: str) -> None:
    """Refuse a large key before it is read for use: the check of its primes takes seconds from 4,096 bits on."""
    if "OPENSSH PRIVATE" not in text and ("PUBLIC" in text or "PRIVATE" not in text):
        return  # a public key, a certificate, or no key
    load = load_ssh_private_key if "OPENSSH PRIVATE" in text else load_pem_private_key
    key = load(text.encode(), None, unsafe_skip_rsa_key_validation=True)
    if isinstance(key, RSAPrivateKey):
        numbers = key.private_numbers()
        if key.key_size > MOST_RSA_BITS or max(numbers.p, numbers.q).bit_length() > _MOST_PRIME_BITS:
            raise InputError(_TOO_LARGE)


def _from_pem(text: str) -> Key:
    _check_rsa_size(text)
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            return kind.import_key(text)
        except InvalidKeyTypeError:
            continue  # another key type
    raise InputError("This key type is not supported. Use RSA, an elliptic curve, or Ed25519.")


def _algorithm(key: Key) -> str:
    if key.alg:
        return key.alg
    if isinstance(key, RSAKey):
        return "RS256"
    algorithm = _ALGORITHM_OF_CURVE.get(str(key.get("crv")))
    if algorithm is None:
        raise InputError(f"A key on the curve {key.get('crv')} cannot sign. Use RSA, a P curve, or Ed25519.")
    return algorithm
