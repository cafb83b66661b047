"""The network connection: one request over a connection of its own, and as much of the response as arrived.

Each way to fail has a name, listed in ``catalogue/answers.toml``. A connection is used once and then closed, so no
request is sent twice because a pooled connection was stale, and none carries the requests of two people. The settings
of a connection are in ``connection_settings.py``.
"""

import ssl
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from oauth.connection_settings import ConnectionSettingError, ConnectionSettings, Proxy, problems, proxy_of, tls_context
from oauth.egress import Allowlist, NotAllowedError, Policy
from oauth.exchange import Failure, Headers, Request, Response, unexpected
from oauth.wire.conversation import BODY_LIMIT, Conversation, PartialResponse
from oauth.wire.sockets import Stream, TimeLimits, WireError, connect
from oauth.wire.tls import TlsStream

__all__ = ["BODY_LIMIT", "exchange"]

_PORTS = {"http": 80, "https": 443}
_UNESCAPED_IN_TARGET = "%/:?#[]@!$&'()*+,;=~"
"""Characters of a path and query that are sent as they are (RFC 3986 §2.2); others are percent-encoded."""


def exchange(request: Request, settings: ConnectionSettings, policy: Policy) -> tuple[Response | None, Failure | None]:
    """Send a request once, and return its response, truncated if the exchange failed, and the failure."""
    partial = PartialResponse()
    try:
        if invalid := problems(settings, policy.certificates):
            raise WireError("connection_settings", " ".join(str(problem) for problem in invalid))
        target, proxy = _parse_target(request.url), proxy_of(settings)
        conversation = _conversation(request, target, proxy)
        partial = conversation.partial
        context = tls_context(settings, policy.certificates) if target.tls else None
        with closing(_connect(target, proxy, context, TimeLimits(settings), policy.allowlist)) as stream:
            conversation.run(stream)
    except ConnectionSettingError as error:  # a file disappeared a moment ago
        return None, Failure("connection_settings", str(error))
    except WireError as error:
        return error.response or partial.response(), Failure(error.kind, error.detail)
    except Exception as error:  # noqa: BLE001 (the request may have been sent: what came is kept, whatever it caused)
        return partial.response(), unexpected(error)
    return partial.response(), None


@dataclass(frozen=True, slots=True)
class _Target:
    """The parts of a URL; ``path`` is the target in the request line (RFC 9112 §3.2.1)."""

    host: str
    port: int
    tls: bool
    path: str

    @property
    def authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.authority}"


def _parse_target(url: str) -> _Target:
    """Parse the URL of a request. Raises ``WireError``."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if not host.isascii():
            host = host.encode("idna").decode()
    except ValueError as error:
        raise WireError("invalid_url", f"the URL is invalid: {error}") from error
    host = host.rstrip(".")
    if parts.scheme not in _PORTS or not host or any(not "!" <= character <= "~" for character in host):
        raise WireError("invalid_url", "the URL must begin with https:// or http:// and a host")
    if parts.username is not None:
        raise WireError("invalid_url", "the URL has a user before its host; send it in an Authorization header")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(host, port or _PORTS[parts.scheme], parts.scheme == "https", quote(path, safe=_UNESCAPED_IN_TARGET))


def _conversation(request: Request, target: _Target, proxy: Proxy | None) -> Conversation:
    if proxy is None or target.tls:
        return Conversation(request.method, target.origin, target.path, request.headers, request.body)
    # RFC 9112 §3.2.2: a proxy needs the whole URL in the request line.
    headers = (*request.headers, *_credentials(proxy))
    return Conversation(request.method, target.origin, f"{target.origin}{target.path}", headers, request.body)


def _credentials(proxy: Proxy) -> Headers:
    return (("Proxy-Authorization", proxy.authorization),) if proxy.authorization else ()


def _connect(
    target: _Target, proxy: Proxy | None, context: ssl.SSLContext | None, limits: TimeLimits, allowlist: Allowlist
) -> Stream:
    """Open a connection over which the request can be sent. Raises ``WireError``."""
    try:
        allowlist.check(target.host, target.port)
        if proxy is not None:
            allowlist.check(proxy.host, proxy.port)
    except NotAllowedError as error:
        raise WireError("not_allowed", str(error)) from error
    stream: Stream
    if proxy is None:
        stream = connect(target.host, target.port, limits, allowlist)
    else:
        stream = _connect_proxy(proxy, limits, allowlist)
    try:
        if context is not None:
            if proxy is not None:
                _open_tunnel(stream, target, proxy)
            stream = TlsStream(stream, context, target.host)
    except BaseException:
        stream.close()
        raise
    limits.connecting = False
    return stream


def _connect_proxy(proxy: Proxy, limits: TimeLimits, allowlist: Allowlist) -> Stream:
    try:
        return connect(proxy.host, proxy.port, limits, allowlist)
    except WireError as error:
        if error.kind in ("not_allowed", "total_timeout"):
            raise
        raise WireError("proxy_unreachable", f"the proxy {proxy.host}:{proxy.port}: {error.detail}") from error


def _open_tunnel(stream: Stream, target: _Target, proxy: Proxy) -> None:
    """Ask the proxy for a connection to the server (RFC 9110 §9.3.6). Raises ``WireError`` with its refusal."""
    headers = (("Host", target.authority), *_credentials(proxy))
    conversation = Conversation("CONNECT", target.origin, target.authority, headers)
    try:
        conversation.send(stream)
        response = conversation.partial.response()
        if response is None or 200 <= response.status < 300:
            return
        conversation.read_body()
    except WireError as error:
        if error.kind in ("connect_timeout", "total_timeout"):
            raise
        if conversation.partial.head is None:
            raise WireError("proxy_refused", f"the proxy did not respond to CONNECT: {error.detail}") from error
    response = conversation.partial.response()
    status = f"{response.status} {response.reason}".strip() if response else ""
    kind = "proxy_authentication" if status.startswith("407") else "proxy_refused"
    raise WireError(kind, f"the proxy responded to CONNECT with {status}", response)
