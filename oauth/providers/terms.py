"""The built-in profile whose documented lifetimes, limits and headers hold for a request outside a flow.

They belong to one provider, and nothing is said with them about another one. A sandbox's profile counts by its id
only: any server may be at an address of this machine.
"""

import os
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from ipaddress import ip_address
from pathlib import Path

from oauth.addresses import host_of, is_loopback, split
from oauth.providers import Provider, custom, load
from oauth.settings import home_of

PARTNER = "partner"
"""Id of the catalogue of the errors that have numbers."""

SISTER = "olxgroup"
"""Id of the catalogue of the same company's other API."""

LOCAL = "sandbox"
"""Id of the profile that behaves like the documented API, at any address of this machine."""


_RESERVED = re.compile(r"(?:^|\.)(?:test|invalid|localhost|local|internal)$")


def terms_of(url: str, id: str = "", *, has_documented_text: bool = False) -> Provider | None:
    """Return the profile that a request belongs to, by the provider's ``id``, its host or its path.

    ``has_documented_text`` counts where the host is unknown or this machine's: other servers have the same texts.
    """
    if id and (profile := _profiles().get(id)) and profile.token_endpoint:
        return profile
    host = host_of(url)
    by_host = _by_host()
    if profile := by_host.get(host) or by_host.get(f"www.{host}") or _by_host(SISTER).get(host):
        return profile
    is_open = is_loopback(split(url).hostname or "") if host else not id
    return _local() if is_open and (has_documented_text or _has_documented_path(url)) else None


def is_partner(url: str, id: str = "") -> bool:
    """Return whether a request belongs to the partner API or the sandbox, whose errors have numbers."""
    profile = terms_of(url, id)
    return profile is not None and (profile.id == LOCAL or profile.catalogue == PARTNER)


def is_of_another_provider(url: str) -> bool:
    """Return whether a URL is known not to be the documented provider's: neither its host nor its path is.

    The names for tests (RFC 6761), and a name or address of a private network, say nothing.
    """
    host, name = host_of(url), split(url).hostname or ""
    if not host or host in _by_host() or f"www.{host}" in _by_host() or _has_documented_path(url):
        return False
    return _is_public(name) and not _RESERVED.search(name)


def _is_public(name: str) -> bool:
    try:
        return ip_address(name).is_global
    except ValueError:
        return "." in name


def catalogue_of(id: str) -> str:
    """Return the id of the catalogue that a provider's profile names, built in or your own; empty without one."""
    if not id:
        return ""
    if profile := _profiles().get(id):
        return profile.catalogue
    path = custom.folder(home_of(os.environ)) / f"{id}.toml"
    try:
        return _catalogue_in(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):  # the profile is no file of this console's, or an invalid one
        return ""


@lru_cache(maxsize=256)
def _catalogue_in(path: Path, _mtime: int) -> str:
    return custom.read(path.stem, path.read_bytes(), path.name).catalogue


@cache
def _profiles() -> Mapping[str, Provider]:
    return load("http://localhost")


@cache
def _local() -> Provider:
    """Return the sandbox's profile. It is read alone, since a diagnosis without a provider needs no other."""
    return load("http://localhost", having='control = "')[LOCAL]


@cache
def _by_host(catalogue: str = PARTNER) -> Mapping[str, Provider]:
    """Return one API's profiles by host, the documented one's by default: no other says anything about its errors."""
    listed = load("http://localhost", having=f'catalogue = "{catalogue}"').values()
    profiles = (it for it in listed if it.catalogue == catalogue and not it.control)
    return {host_of(it.token_endpoint): it for it in profiles}


def _has_documented_path(url: str) -> bool:
    local, path = _local(), split(url).path
    authorization = split(local.authorization_endpoint).path
    # A sandbox that consoles share is below any path, and other servers have no such ones.
    token, api = (split(it).path.removeprefix("/sandbox") for it in (local.token_endpoint, local.api))
    return path.endswith(token) or authorization in (path, f"/sandbox{path}") or f"{api}/" in path
