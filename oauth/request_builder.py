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
    ours = [("Host", parts.netloc.rpartition("@")[2]), ("User-Agent", USER_AGENT), ("Accept", "application/json")]
    # Bodies are wanted as they are: what is shown is then what came over the wire.
    ours.append(("Accept-Encoding", "identity"))
    given = {name.lower() for name, _ in headers}
    length = [("Content-Length", str(len(body)))] if method == "POST" else []
    kept = [(name, value) for name, value in ours if name.lower() not in given]
    return Request(method, target, (*kept, *headers, *length), body)


def checked_url(url: str, what: str) -> SplitResult:
    """The parts of an address that can be requested. Raises ``InputError`` naming ``what`` when it cannot."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # raises for a port that is no number
    except ValueError as error:
        raise InputError(f"The {what} {url!r} is not an address: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"The {what} {url!r} cannot be used: it must begin with https:// or http:// and name a host.")
    return parts
