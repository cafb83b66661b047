"""Looks into a token: what a JWT says, whether its signature holds, and what an id_token must say.

Everything in a token was written by somebody else: nothing here raises for it, and nothing is taken for true before
its signature was checked.
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

LEEWAY = 60
"""Seconds that two clocks may differ by before a time in a token is called wrong."""

TIMES: Mapping[str, str] = {
    "exp": "ends",
    "iat": "issued",
    "nbf": "good from",
    "auth_time": "the user logged in",
    "updated_at": "the user's data changed",
}
"""The claims that are times, in seconds since 1970 (RFC 7519 §4.1, OpenID Connect Core §2, §5.1)."""

SYMMETRIC = ("HS256", "HS384", "HS512")
ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA",
              "Ed25519", "Ed448")  # fmt: skip

_PART = re.compile(r"[A-Za-z0-9_-]*")
_HASH_OF = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
_LONGEST = 100_000
_KEY_TYPE = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


@dataclass(frozen=True, slots=True)
class DecodedToken:
    """What a JWT says before anything of it is checked (RFC 7519 §3). An encrypted one has no readable claims."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    encrypted: bool = False

    @property
    def algorithm(self) -> str:
        """The ``alg`` of its header (RFC 7515 §4.1.1), or an empty text."""
        found = self.header.get("alg")
        return found if isinstance(found, str) else ""

    @property
    def kid(self) -> str:
        """The name of the key that it says it was signed with (RFC 7515 §4.1.4), or an empty text."""
        found = self.header.get("kid")
        return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. ``holds`` is ``None`` where it could not be told."""

    name: str
    holds: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What an id_token is compared with. Empty where nothing is known."""

    client_id: str
    issuer: str = ""
    nonce: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)


def decode(token: str) -> DecodedToken | None:
    """What a token says, or ``None`` for an opaque one: that is no fault, its server alone can read it."""
    parts = token.strip().split(".")
    if len(token) > _LONGEST or len(parts) not in (3, 5) or not all(_PART.fullmatch(part) for part in parts):
        return None
    header = _object(parts[0])
    if header is None or "alg" not in header:
        return None
    if len(parts) == 5:
        return DecodedToken(header, {}, encrypted=True)
    claims = _object(parts[1])
    return None if claims is None else DecodedToken(header, claims)


def describe_times(seen: DecodedToken, now: datetime, zone: tzinfo = UTC) -> list[str]:
    """The times among the claims, in words: ``exp: ends 2026-03-01 10:12:07 UTC, in 9 min 58 s``.

    In another ``zone`` than UTC they stand without its name.
    """
    told = []
    for name, meaning in TIMES.items():
        at = _time(seen.claims.get(name))
        if at is None:
            continue
        away = (at - now).total_seconds()
        when = f"in {span(away)}" if away >= 0 else f"{span(-away)} ago"
        named = " UTC" if zone is UTC else ""
        told.append(f"{name}: {meaning} {at.astimezone(zone):%Y-%m-%d %H:%M:%S}{named}, {when}")
    return told


def check_signature(token: str, keys: Sequence[Mapping[str, Any]], secret: str = "") -> Check:
    """Whether the signature holds with one of these keys, the members of a JWK set (RFC 7517 §5).

    ``secret`` is the client's: an HMAC is checked with it, as OpenID Connect Core §10.1 says, and never with a public
    key. ``none`` and unknown algorithms are refused.
    """
    seen = decode(token)
    if seen is None or seen.encrypted:
        return _signature(None, "The token is encrypted for its receiver, so its signature is out of sight.")
    algorithm = seen.algorithm
    if algorithm.lower() == "none":
        return _signature(False, "alg is none: the token is not signed at all, and anybody can have written it.")
    if algorithm in SYMMETRIC:
        return _by_secret(token, algorithm, secret)
    if algorithm not in ASYMMETRIC:
        return _signature(False, "alg names no signature algorithm that is known here, so nothing can be checked.")
    found = _candidates(seen, keys)
    if isinstance(found, Check):
        return found
    for name, key in found:
        if _holds(token, key, algorithm):
            return _signature(True, f"The {algorithm} signature holds with the key {name} of the server's key set.")
    tried = ", ".join(name for name, _ in found)
    return _signature(False, f"The {algorithm} signature does not hold with the server's key {tried}.")


def check_id_token(seen: DecodedToken, expected: Expected, now: datetime) -> list[Check]:
    """What an id_token must say (OpenID Connect Core §3.1.3.7). Its signature is checked apart."""
    return [
        _issuer(seen, expected),
        *_audience(seen, expected),
        _expiry(seen, now),
        _issued(seen, now),
        _nonce(seen, expected),
        _at_hash(seen, expected),
    ]


def half_hash(value: str, algorithm: str) -> str | None:
    """The left half of a value's hash, as ``at_hash`` and ``c_hash`` hold it; ``None`` for an unknown algorithm.

    OpenID Connect Core §3.1.3.6. The hash is that of the signature's algorithm.
    """
    size = {"EdDSA": "512", "Ed25519": "512"}.get(algorithm, algorithm.rstrip("K")[-3:])
    if size not in _HASH_OF:
        return None
    digest = _HASH_OF[size](value.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _signature(holds: bool | None, text: str) -> Check:
    return Check("signature", holds, text)


def _by_secret(token: str, algorithm: str, secret: str) -> Check:
    if not secret:
        return _signature(None, f"{algorithm} is made with the client secret, and none is known here.")
    try:
        key = OctKey.import_key(secret)
    except ValueError:  # a public key is no secret
        return _signature(None, "What stands in the client secret's place cannot be used as a key.")
    if _holds(token, key, algorithm):
        return _signature(True, f"The {algorithm} signature holds with the client secret.")
    return _signature(False, f"The {algorithm} signature does not hold with the client secret.")


def _candidates(seen: DecodedToken, keys: Sequence[Mapping[str, Any]]) -> Check | list[tuple[str, Key]]:
    """The keys that may have signed, with their names, or why there is none."""
    if not keys:
        return _signature(None, "The server's key set has no key in it.")
    named = [item for item in keys if not seen.kid or item.get("kid") == seen.kid]
    if not named:
        known = ", ".join(sorted(str(item.get("kid")) for item in keys if item.get("kid"))) or "none has a kid"
        return _signature(False, f"No key of the server is called {seen.kid}. It has {len(keys)}: {known}.")
    fitting = [item for item in named if _fits(item, seen.algorithm)]
    if not fitting:
        item = named[0]
        kind = " ".join(str(item[name]) for name in ("kty", "crv", "use", "alg") if item.get(name))
        return _signature(
            False, f"The server's key is for something else ({kind}), and the token says {seen.algorithm}."
        )
    found = []
    for number, item in enumerate(fitting, 1):
        try:
            key = JWKRegistry.import_key({name: value for name, value in item.items() if name != "key_ops"})
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue  # a key that cannot be read has not signed anything that can be checked
        found.append((str(item.get("kid") or f"number {number}"), key))
    return found or _signature(None, "The server's key cannot be read, so nothing can be checked with it.")


def _fits(item: Mapping[str, Any], algorithm: str) -> bool:
    """Whether a key of a set may be used for this algorithm (RFC 7517 §4.2, §4.4)."""
    given = item.get("alg")
    same = given in (None, algorithm) or {given, algorithm} <= {"EdDSA", "Ed25519", "Ed448"}
    return item.get("kty") == _KEY_TYPE[algorithm[:2]] and item.get("use") in (None, "sig") and same


def _holds(token: str, key: Key, algorithm: str) -> bool:
    try:
        jws.deserialize_compact(token.strip(), key, registry=registry_for(algorithm))
    except (JoseError, ValueError, TypeError):
        return False
    return True


def _issuer(seen: DecodedToken, expected: Expected) -> Check:
    issuer = seen.claims.get("iss")
    if not isinstance(issuer, str) or not issuer:
        return Check("iss", False, "There is no issuer.")
    if not expected.issuer:
        return Check("iss", None, f"Issued by {issuer}; the profile names no issuer to compare with.")
    if issuer == expected.issuer:
        return Check("iss", True, f"Issued by {issuer}.")
    return Check("iss", False, f"Issued by {issuer}, and the profile's issuer is {expected.issuer}.")


def _audience(seen: DecodedToken, expected: Expected) -> list[Check]:
    audience = seen.claims.get("aud")
    named = [item for item in (audience if isinstance(audience, list) else [audience]) if isinstance(item, str)]
    if expected.client_id not in named:
        told = ", ".join(named) or "nobody"
        return [Check("aud", False, f"Made for {told}, and not for this client, {expected.client_id}.")]
    found = [Check("aud", True, f"Made for this client, {expected.client_id}.")]
    party = seen.claims.get("azp")
    if party is not None and party != expected.client_id:
        found.append(Check("azp", False, f"Handed to {party}, which is another client."))
    return found


def _expiry(seen: DecodedToken, now: datetime) -> Check:
    at = _time(seen.claims.get("exp"))
    if at is None:
        return Check("exp", False, "It does not say when it ends.")
    left = (at - now).total_seconds()
    if left < -LEEWAY:
        return Check("exp", False, f"It ended {span(-left)} ago.")
    return Check("exp", True, f"It is good for {span(left)} more." if left > 0 else "It has just ended.")


def _issued(seen: DecodedToken, now: datetime) -> Check:
    at = _time(seen.claims.get("iat"))
    if at is None:
        return Check("iat", False, "It does not say when it was issued.")
    ahead = (at - now).total_seconds()
    if ahead > LEEWAY:
        return Check("iat", False, f"It was issued {span(ahead)} from now: one of the two clocks is wrong.")
    return Check("iat", True, f"It was issued {span(-ahead)} ago.")


def _nonce(seen: DecodedToken, expected: Expected) -> Check:
    nonce = seen.claims.get("nonce")
    if not expected.nonce:
        return Check("nonce", None, "None was sent, so there is nothing to compare." if nonce is None else
                     "It has one, and none was sent.")  # fmt: skip
    if nonce is None:
        return Check("nonce", False, "One was sent, and the id_token has none: it may answer another request.")
    if nonce == expected.nonce:
        return Check("nonce", True, "It is the one that was sent.")
    return Check("nonce", False, "It is not the one that was sent: this id_token answers another request.")


def _at_hash(seen: DecodedToken, expected: Expected) -> Check:
    given = seen.claims.get("at_hash")
    if given is None:
        return Check("at_hash", None, "There is none; in this flow it is optional.")
    if not expected.access_token:
        return Check("at_hash", None, "There is no access token to compare it with.")
    computed = half_hash(expected.access_token, seen.algorithm)
    if computed is None:
        return Check("at_hash", None, "It cannot be computed for this alg.")
    if given == computed:
        return Check("at_hash", True, "It is the hash of the access token that came with it.")
    return Check("at_hash", False, "It is not the hash of the access token that came with it.")


def _object(part: str) -> dict[str, Any] | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _time(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
