"""JSON Web Tokens: decoding, signature verification, and the checks of an id_token.

The content of a token is untrusted: no function here raises for it, and nothing counts as true before its signature
was verified.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, OctKey

from oauth.formatting import span
from oauth.jose.keys import registry_for
from oauth.moments import within

LEEWAY = 60
"""Tolerated clock difference, in seconds."""

TIMES: Mapping[str, str] = {
    "exp": "expires",
    "iat": "issued",
    "nbf": "valid from",
    "auth_time": "user logged in",
    "updated_at": "user's data changed",
}
"""Claims that are times, in seconds since 1970 (RFC 7519 §4.1, OpenID Connect Core §2, §5.1)."""

SYMMETRIC = ("HS256", "HS384", "HS512")
ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA",
              "Ed25519", "Ed448")  # fmt: skip

_PUBLIC_MEMBERS = ("kty", "crv", "n", "e", "x", "y", "alg", "use", "kid")
_LONGEST_MEMBER = 2_734
"""Characters of a member of a key: an RSA modulus of 16,384 bits, the largest that is verified with."""

_MOST_NAMES = 10
_PART = re.compile(r"[A-Za-z0-9_-]*")
_HASH_OF = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
_MAX_LENGTH = 100_000
_KEY_TYPE = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


@dataclass(frozen=True, slots=True)
class DecodedToken:
    """The unverified header and claims of a JWT (RFC 7519 §3). An encrypted one has no readable claims."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    encrypted: bool = False

    @property
    def algorithm(self) -> str:
        """The ``alg`` of its header (RFC 7515 §4.1.1), or an empty string."""
        value = self.header.get("alg")
        return value if isinstance(value, str) else ""

    @property
    def kid(self) -> str:
        """The ``kid`` of its header (RFC 7515 §4.1.4), or an empty string."""
        value = self.header.get("kid")
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. ``holds`` is ``None`` if it could not be checked."""

    name: str
    holds: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Expected:
    """The values that an id_token is compared with, empty where unknown."""

    client_id: str
    issuer: str = ""
    nonce: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)


def decode(token: str) -> DecodedToken | None:
    """Return the content of a JWT, or ``None`` for an opaque token, which only its server can read."""
    parts = token.strip().split(".")
    if len(token) > _MAX_LENGTH or len(parts) not in (3, 5) or not all(_PART.fullmatch(part) for part in parts):
        return None
    header = _object(parts[0])
    if header is None or "alg" not in header:
        return None
    if len(parts) == 5:
        return DecodedToken(header, {}, encrypted=True)
    claims = _object(parts[1])
    return None if claims is None else DecodedToken(header, claims)


def describe_times(token: DecodedToken, now: datetime, zone: tzinfo = UTC) -> list[str]:
    """Return a line for each time among the claims: ``exp: expires 2026-03-01 10:12:07 UTC, in 9 min 58 s``.

    The name of the ``zone`` is omitted unless it is UTC.
    """
    lines = []
    for name, meaning in TIMES.items():
        at = _time(token.claims.get(name))
        if at is None:
            continue
        distance = (at - now).total_seconds()
        relative = f"in {span(distance)}" if distance >= 0 else f"{span(-distance)} ago"
        suffix = " UTC" if zone is UTC else ""
        lines.append(f"{name}: {meaning} {at.astimezone(zone):%Y-%m-%d %H:%M:%S}{suffix}, {relative}")
    return lines


def check_signature(token: str, keys: Sequence[Mapping[str, Any]], secret: str = "") -> Check:
    """Verify the signature with the members of a JWK set (RFC 7517 §5).

    ``secret`` is the client's: an HMAC is verified with it (OpenID Connect Core §10.1), and never with a public key.
    ``none`` and unknown algorithms are refused.
    """
    decoded = decode(token)
    if decoded is None or decoded.encrypted:
        return _signature(None, "The token is encrypted for its recipient, so its signature cannot be read.")
    algorithm = decoded.algorithm
    if algorithm.lower() == "none":
        return _signature(False, "alg is none: the token is not signed, so anyone could have written it.")
    if algorithm in SYMMETRIC:
        return _verify_with_secret(token, algorithm, secret)
    if algorithm not in ASYMMETRIC:
        return _signature(False, "alg is not a supported signature algorithm, so the signature cannot be verified.")
    candidates = _candidates(decoded, keys)
    if isinstance(candidates, Check):
        return candidates
    for name, key in candidates:
        if _verifies(token, key, algorithm):
            return _signature(True, f"The {algorithm} signature is valid (the server's key {name}).")
    names = ", ".join(name[:100] for name, _ in candidates[:_MOST_NAMES])
    return _signature(False, f"The {algorithm} signature is not valid with the server's key {names}.")


def check_id_token(token: DecodedToken, expected: Expected, now: datetime) -> list[Check]:
    """Check the claims of an id_token, not its signature (OpenID Connect Core §3.1.3.7)."""
    return [
        _issuer(token, expected),
        *_audience(token, expected),
        _expiry(token, now),
        _issued(token, now),
        *_not_before(token, now),
        _nonce(token, expected),
        _at_hash(token, expected),
    ]


def half_hash(value: str, algorithm: str) -> str | None:
    """Return the left half of a value's hash, as in ``at_hash`` and ``c_hash``; ``None`` for an unknown algorithm.

    OpenID Connect Core §3.1.3.6: the hash function is that of the signature's algorithm.
    """
    size = {"EdDSA": "512", "Ed25519": "512"}.get(algorithm, algorithm.rstrip("K")[-3:])
    if size not in _HASH_OF:
        return None
    digest = _HASH_OF[size](value.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _signature(holds: bool | None, text: str) -> Check:
    return Check("signature", holds, text)


def _verify_with_secret(token: str, algorithm: str, secret: str) -> Check:
    if not secret:
        return _signature(None, f"{algorithm} needs the client secret, which is not known here.")
    try:
        key = OctKey.import_key(secret)
    except ValueError:  # a public key instead of a secret
        return _signature(None, "The client secret cannot be used as a key.")
    if _verifies(token, key, algorithm):
        return _signature(True, f"The {algorithm} signature is valid (the client secret).")
    return _signature(False, f"The {algorithm} signature is not valid with the client secret.")


def _candidates(token: DecodedToken, keys: Sequence[Mapping[str, Any]]) -> Check | list[tuple[str, Key]]:
    """Return the keys that may have signed the token, with their names, or a failed check that says why none can."""
    if not keys:
        return _signature(None, "The server's key set is empty.")
    named = [item for item in keys if not token.kid or item.get("kid") == token.kid]
    if not named:
        kids = sorted(str(item["kid"])[:100] for item in keys if item.get("kid"))
        more = f" and {len(kids) - _MOST_NAMES} more" if len(kids) > _MOST_NAMES else ""
        names = ", ".join(kids[:_MOST_NAMES]) + more or "none has a kid"
        return _signature(False, f"The server has no key with the kid {token.kid}. It has {len(keys)}: {names}.")
    usable = [item for item in named if _is_usable(item, token.algorithm)]
    if not usable:
        item = named[0]
        kind = " ".join(str(item[name]) for name in ("kty", "crv", "use", "alg") if item.get(name))
        return _signature(False, f"The server's key ({kind}) cannot be used for the token's alg, {token.algorithm}.")
    candidates = []
    for number, item in enumerate(usable, 1):
        try:
            key = JWKRegistry.import_key(_public(item))
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue  # an unreadable key cannot verify anything
        candidates.append((str(item.get("kid") or f"number {number}"), key))
    return candidates or _signature(None, "The server's key cannot be read, so the signature cannot be verified.")


def _public(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the public members of a key. Others are left out before the import, which would compute with them.

    Raises ``ValueError`` for a member that is too long.
    """
    members = {name: item[name] for name in _PUBLIC_MEMBERS if name in item}
    if any(len(str(value)) > _LONGEST_MEMBER for value in members.values()):
        raise ValueError("a member is too long")
    return members


def _is_usable(item: Mapping[str, Any], algorithm: str) -> bool:
    """Return True if a key of a set may be used for this algorithm (RFC 7517 §4.2, §4.4)."""
    key_algorithm = item.get("alg")
    edwards = ("EdDSA", "Ed25519", "Ed448")
    same = key_algorithm in (None, algorithm) or (key_algorithm in edwards and algorithm in edwards)
    return item.get("kty") == _KEY_TYPE[algorithm[:2]] and item.get("use") in (None, "sig") and same


def _verifies(token: str, key: Key, algorithm: str) -> bool:
    try:
        jws.deserialize_compact(token.strip(), key, registry=registry_for(algorithm))
    except (JoseError, ValueError, TypeError):
        return False
    return True


def _issuer(token: DecodedToken, expected: Expected) -> Check:
    issuer = token.claims.get("iss")
    if not isinstance(issuer, str) or not issuer:
        return Check("iss", False, "The issuer is missing.")
    if not expected.issuer:
        return Check("iss", None, f"Issued by {issuer}; the profile has no issuer to compare it with.")
    if issuer == expected.issuer:
        return Check("iss", True, f"Issued by {issuer}.")
    return Check("iss", False, f"Issued by {issuer}, but the profile's issuer is {expected.issuer}.")


def _audience(token: DecodedToken, expected: Expected) -> list[Check]:
    audience = token.claims.get("aud")
    names = [item for item in (audience if isinstance(audience, list) else [audience]) if isinstance(item, str)]
    if expected.client_id not in names:
        return [
            Check("aud", False, f"Issued for {', '.join(names) or 'nobody'}, not this client, {expected.client_id}.")
        ]
    checks = [Check("aud", True, f"Issued for this client, {expected.client_id}.")]
    party = token.claims.get("azp")
    if party is None and len(names) > 1:
        checks.append(Check("azp", False, "Missing, although the token has several audiences."))
    elif party is not None and party != expected.client_id:
        checks.append(Check("azp", False, f"Authorized for {party}, another client."))
    elif party is not None:
        checks.append(Check("azp", True, "Authorized for this client."))
    return checks


def _expiry(token: DecodedToken, now: datetime) -> Check:
    at = _time(token.claims.get("exp"))
    if at is None:
        return Check("exp", False, "The expiry time is missing.")
    remaining = (at - now).total_seconds()
    if remaining < -LEEWAY:
        return Check("exp", False, f"Expired {span(-remaining)} ago.")
    return Check(
        "exp", True, f"Expires in {span(remaining)}." if remaining > 0 else "Has just expired, within the leeway."
    )


def _issued(token: DecodedToken, now: datetime) -> Check:
    at = _time(token.claims.get("iat"))
    if at is None:
        return Check("iat", False, "The time of issue is missing.")
    ahead = (at - now).total_seconds()
    if ahead > LEEWAY:
        return Check("iat", False, f"Issued {span(ahead)} in the future: one of the two clocks is wrong.")
    return Check("iat", True, f"Issued {span(-ahead)} ago.")


def _not_before(token: DecodedToken, now: datetime) -> list[Check]:
    """Check the optional ``nbf`` (RFC 7519 §4.1.5)."""
    if "nbf" not in token.claims:
        return []
    at = _time(token.claims["nbf"])
    if at is None:
        return [Check("nbf", False, "It is not a time.")]
    ahead = (at - now).total_seconds()
    if ahead > LEEWAY:
        return [Check("nbf", False, f"Not valid yet: valid in {span(ahead)}, unless one of the two clocks is wrong.")]
    return [Check("nbf", True, f"Valid since {span(-ahead)}." if ahead < 0 else "Valid now, within the leeway.")]


def _nonce(token: DecodedToken, expected: Expected) -> Check:
    nonce = token.claims.get("nonce")
    if not expected.nonce:
        return Check("nonce", None, "The request had no nonce, so there is nothing to compare.")
    if nonce is None:
        return Check("nonce", False, "Missing, although the request had one: it may belong to another request.")
    if nonce == expected.nonce:
        return Check("nonce", True, "Matches the nonce of the request.")
    return Check("nonce", False, "Differs from the nonce of the request: this id_token belongs to another request.")


def _at_hash(token: DecodedToken, expected: Expected) -> Check:
    at_hash = token.claims.get("at_hash")
    if at_hash is None:
        return Check("at_hash", None, "Missing; it is optional in this flow.")
    if not expected.access_token:
        return Check("at_hash", None, "There is no access token to compare it with.")
    computed = half_hash(expected.access_token, token.algorithm)
    if computed is None:
        return Check("at_hash", None, "Cannot be computed for this alg.")
    if at_hash == computed:
        return Check("at_hash", True, "Matches the access token in the same response.")
    return Check("at_hash", False, "Does not match the access token in the same response.")


def _object(part: str) -> dict[str, Any] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _time(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return within(datetime.fromtimestamp(value, UTC))
    except (ValueError, OverflowError, OSError):
        return None
