"""Hosts of URLs: the host and port of one, and the addresses of this machine."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?([^/?#@]*)")


def host_of(url: str) -> str:
    """Return the host of a URL in lower case, with its port if it has one (RFC 3986 §3.2); empty without a host."""
    match = _HOST.match(url)
    return match[1].lower() if match else ""


def split(url: str) -> SplitResult:
    """Return the parts of a URL; all of them empty where its host is malformed, such as ``http://[::1``."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def is_loopback(host: str) -> bool:
    """Return whether a host without a port is the loopback interface of the machine that uses it (RFC 8252 §8.3).

    True for 127.0.0.0/8, ::1, ``localhost`` and the names below it (RFC 6761 §6.3).
    """
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")


def loopback_twin(url: str) -> str:
    """Return the URL with ``localhost`` for ``127.0.0.1`` or the reverse; empty if its host is neither."""
    parts = split(url)
    other = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}.get(parts.hostname or "")
    if not other:
        return ""
    port = parts.netloc.rpartition("@")[2].partition(":")[2]
    return parts._replace(netloc=f"{other}:{port}" if port else other).geturl()
