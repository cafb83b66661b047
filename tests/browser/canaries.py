"""Planted secrets, searched for in every shape an encoding gives them."""

import base64
from urllib.parse import quote


def disguises(secret: str) -> set[bytes]:
    """The secret as it stands, and as an encoding would carry it."""
    raw = secret.encode()
    return {
        raw,
        quote(secret, safe="").encode(),
        base64.b64encode(raw).rstrip(b"="),
        secret.encode("unicode_escape"),
        raw.hex().encode(),
    }


def found(secrets: dict[str, str], content: bytes) -> list[str]:
    """The names of the secrets that are in it."""
    return [name for name, secret in secrets.items() for shape in disguises(secret) if shape in content]
