"""Proof Key for Code Exchange: only the client that requested a code can exchange it (RFC 7636)."""

import base64
import hashlib
import re
import secrets

from oauth.providers import Pkce

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def new_verifier() -> str:
    """Return a fresh verifier: 32 random bytes, 43 characters, as RFC 7636 §4.1 recommends."""
    return secrets.token_urlsafe(32)


def challenge(verifier: str, method: Pkce) -> str:
    """Return the code challenge of a verifier (RFC 7636 §4.2); empty without PKCE."""
    match method:
        case Pkce.S256:
            digest = hashlib.sha256(verifier.encode()).digest()
            return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        case Pkce.PLAIN:
            return verifier
        case Pkce.OFF:
            return ""


def problem(verifier: str) -> str:
    """Return one sentence that says why a verifier is invalid by RFC 7636 §4.1; empty if it is valid."""
    if _VERIFIER.fullmatch(verifier):
        return ""
    return (
        f"This verifier has {len(verifier)} characters. It must have 43 to 128, and only letters, digits and - . _ ~ "
        "(RFC 7636 §4.1)."
    )
