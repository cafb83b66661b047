"""Documents at well-known addresses (RFC 8615): the address of one, and its members."""

import json
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from oauth.exchange import Response
from oauth.providers.validation import address_faults

WELL_KNOWN = "/.well-known/"


class DiscoveryError(ValueError):
    """A response is not usable metadata, or an address must not be asked for it; the text says why, and what to do."""


def inserted(identifier: str, name: str) -> str:
    """Return the address of an identifier's document: ``name`` is inserted before the path (RFC 8414 §3.1)."""
    parts = urlsplit(identifier)
    path = f"{WELL_KNOWN}{name}{parts.path.rstrip('/')}"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def appended(identifier: str, name: str) -> str:
    """Return the address of an identifier's document: ``name`` is after the path (OpenID Connect Discovery §4.1)."""
    parts = urlsplit(identifier)
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}{WELL_KNOWN}{name}", "", ""))


def is_same(one: str, other: str) -> bool:
    """Compare two identifiers, apart from a slash at the end."""
    return one.rstrip("/") == other.rstrip("/")


def document(response: Response) -> dict[str, Any]:
    """Parse a document. Raises ``DiscoveryError`` if it is none."""
    if 300 <= response.status < 400:
        raise DiscoveryError(
            f"The server returned a redirect ({response.status}), which is not followed. Check its target, and enter "
            "that if you trust it."
        )
    if response.status != 200:
        raise DiscoveryError(f"The server returned {response.status}: there is no document here.")
    if response.cut:
        raise DiscoveryError("The response is larger than the console reads.")
    try:
        members = json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise DiscoveryError("The response is not valid JSON, so it is not the document.") from error
    if not isinstance(members, dict):
        raise DiscoveryError("The response is JSON but not an object, so it is not the document.")
    return members


def named_address_fault(value: object, named_by: str) -> str:
    """Return the fault of an address that ``named_by`` leads to, empty if it may be asked.

    An address that was reached with TLS does not lead to one without (RFC 8414 §2, RFC 9728 §5.1).
    """
    if not isinstance(value, str):
        return "is not a string"
    if fault := next(address_faults(value), ""):
        return fault
    if "@" in urlsplit(value).netloc:
        return "contains a user or a password"
    if named_by.startswith("https:") and not value.startswith("https:"):
        return "is an http address, named by an https one"
    return ""
