"""Build HTTP requests with the headers that every request of the console carries."""

from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit, urlunsplit

from oauth.errors import InputError
from oauth.exchange import Request
from oauth.version import version

USER_AGENT = f"oauth-console/{version()}"


def build_request(method: str, url: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> Request:
    """Return a request with every header that goes over the wire; ``headers`` replace the defaults.

    Raises ``InputError`` when ``url`` cannot be requested.
    """
    parts = checked_url(url, "address")
    target = urlunsplit(parts._replace(path=parts.path or "/", fragment=""))
    defaults = [("Host", parts.netloc.rpartition("@")[2]), ("User-Agent", USER_AGENT), ("Accept", "application/json")]
    # Without a content coding the console shows the bytes that came over the wire.
    defaults.append(("Accept-Encoding", "identity"))
    replaced = {name.lower() for name, _ in headers}
    length = [("Content-Length", str(len(body)))] if body or method == "POST" else []
    remaining = [(name, value) for name, value in defaults if name.lower() not in replaced]
    return Request(method, target, (*remaining, *headers, *length), body)


def checked_url(url: str, what: str) -> SplitResult:
    """Return the parts of an address. Raises ``InputError`` naming ``what`` when it cannot be requested."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # raises when the port is not a number
    except ValueError as error:
        raise InputError(f"The {what} {url!r} is not an address: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"The {what} {url!r} cannot be used: it must begin with https:// or http:// and name a host.")
    return parts
