"""A protected resource's metadata (RFC 9728): the authorization servers, the scopes and the ``resource`` of an API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from oauth import challenges
from oauth.addresses import loopback_twin
from oauth.exchange import Response
from oauth.providers.well_known import DiscoveryError, document, inserted, is_same, named_address_fault

NAME = "oauth-protected-resource"

MAX_SERVERS = 3
"""Authorization servers of one resource that are asked for their metadata."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A resource's challenge: the address of its metadata, and the scope that the request needed (RFC 9728 §5.1)."""

    metadata: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """A protected resource. ``address`` is the one that was asked for, ``identifier`` its name in a request.

    ``servers`` are the issuers of its authorization servers. ``scope`` is that of the challenge, ``scopes`` are the
    document's. ``problems`` do not prevent its use.
    """

    address: str
    identifier: str
    servers: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    scope: str = ""
    problems: tuple[str, ...] = ()


def challenge(response: Response) -> Challenge | None:
    """Return the challenge of a refused request, ``None`` if no token was asked for."""
    if response.status not in (401, 403):
        return None
    values = [value for name, value in response.headers if name.lower() == "www-authenticate"]
    parsed = [item for value in values for item in challenges.parse(value)]
    named = next((item for item in parsed if "resource_metadata" in item.parameters), None)
    first = named or next((item for item in parsed if item.scheme.lower() in ("bearer", "dpop")), None)
    if first is None:
        return None
    return Challenge(first.parameters.get("resource_metadata", ""), first.parameters.get("scope", ""))


def candidates(address: str) -> list[str]:
    """Return the addresses of a resource's document: those of its own path and of its host (RFC 9728 §3.1)."""
    parts = urlsplit(address)
    root = f"{parts.scheme}://{parts.netloc}"
    return list(dict.fromkeys((inserted(address, NAME), inserted(root, NAME))))


def read(url: str, address: str, response: Response, *, scope: str = "") -> Resource:
    """Parse the document at ``url`` about the resource at ``address``; ``scope`` is that of its challenge.

    Raises ``DiscoveryError`` if it is not the document, or another resource's (RFC 9728 §3.3).
    """
    members = document(response)
    identifier = members.get("resource")
    if not isinstance(identifier, str) or not identifier:
        raise DiscoveryError("The response has no resource, which the document must have (RFC 9728 §2).")
    problems: list[str] = []
    if not _is_about(identifier, url, address):
        if not any(_is_about(loopback_twin(identifier), place, address) for place in (url, loopback_twin(url))):
            raise DiscoveryError(
                f"The document's resource is {identifier!r}, not {address!r}. It must not be used (RFC 9728 §3.3): "
                f"anyone could ask for tokens for another API. If you mean {identifier!r}, enter that."
            )
        problems.append(f"resource is {identifier}, the same machine by its other name, and is sent as such")
    servers, faults = _servers(members, url)
    scopes = members.get("scopes_supported")
    return Resource(
        address,
        identifier,
        servers,
        tuple(scope for scope in scopes if isinstance(scope, str)) if isinstance(scopes, list) else (),
        scope,
        (*problems, *faults),
    )


def _is_about(identifier: str, url: str, address: str) -> bool:
    """Check that a document at ``url`` may speak about ``address`` (RFC 9728 §3.3).

    It names that address itself, or a resource above it in whose own well-known place it is.
    """
    if not identifier:
        return False
    above = address == identifier or address.startswith(f"{identifier.rstrip('/')}/")
    return is_same(identifier, address) or (above and url == inserted(identifier, NAME))


def _servers(members: dict[str, Any], url: str) -> tuple[tuple[str, ...], Sequence[str]]:
    listed = members.get("authorization_servers", [])
    if not isinstance(listed, list):
        return (), ["authorization_servers is not a list of strings"]
    faults = [f"authorization_servers {fault}" for item in listed if (fault := named_address_fault(item, url))]
    return tuple(item for item in listed if not named_address_fault(item, url))[:MAX_SERVERS], faults
