"""Proof Key for Code Exchange (RFC 7636)."""

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256

METHODS = ("S256", "plain")


CHALLENGE = {"S256": re.compile(r"[A-Za-z0-9_-]{43}"), "plain": re.compile(r"[A-Za-z0-9._~-]{43,128}")}
"""The challenges of each method (RFC 7636 §4.2: of S256 the hash of a verifier, of plain the verifier itself)."""


def is_challenge(method: str, challenge: str) -> bool:
    """Return true for a challenge that some verifier fits; a method that is not known has any."""
    return method not in CHALLENGE or CHALLENGE[method].fullmatch(challenge) is not None


def matches(challenge: str, verifier: str | None) -> bool:
    """Return true when a verifier fits the challenge of its code, ``METHOD CHALLENGE`` (RFC 7636 §4.6).

    Neither without the other: a verifier without a challenge is what is left when an attacker removed the challenge
    (RFC 9700 §2.1.1).
    """
    if not challenge or verifier is None:
        return not challenge and verifier is None
    method, _, expected = challenge.partition(" ")
    raw = verifier.encode(errors="surrogateescape")
    if method == "S256":
        raw = urlsafe_b64encode(sha256(raw).digest()).rstrip(b"=")
    return hmac.compare_digest(raw, expected.encode(errors="surrogateescape"))
