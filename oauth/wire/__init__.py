"""One request over one connection of its own, and whatever came back, as far as it came.

Each way in which that can end has a name of ``catalogue/answers.toml``. A connection is used once and then closed:
nothing is sent a second time because a kept connection was stale, and no connection carries the requests of two people.
"""

import ssl
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from oauth.connection import Connection, ConnectionSettingError, Proxy, problems, proxy_of, tls_context
from oauth.egress import Guard, Refused
from oauth.exchange import Failure, Headers, Request, Response
from oauth.wire.conversation import BODY_LIMIT, Conversation, Reply
from oauth.wire.sockets import Broken, Limits, Stream, connect
from oauth.wire.tls import TlsStream

__all__ = ["BODY_LIMIT", "exchange"]

_PORTS = {"http": 80, "https": 443}
_KEPT_IN_TARGET = "%/:?#[]@!$&'()*+,;=~"
"""Signs of a path and query that go out as they stand (RFC 3986 §2.2); others are percent-encoded."""


def exchange(request: Request, connection: Connection, guard: Guard) -> tuple[Response | None, Failure | None]:
    """Send a request once. The failure says what ended it; the response is what had come by then, and may be cut."""
    reply = Reply()
    try:
        if wrong := problems(connection):
            raise Broken("connection_settings", " ".join(str(problem) for problem in wrong))
        target, proxy = _target(request.url), proxy_of(connection)
        conversation = _conversation(request, target, proxy)
        context = tls_context(connection) if target.tls else None
        with closing(_connected(target, proxy, context, Limits(connection), guard, reply)) as stream:
            reply = conversation.reply
            conversation.hold(stream)
    except ConnectionSettingError as error:  # a file that was there a moment ago
        return None, Failure("connection_settings", str(error))
    except Broken as broken:
        return reply.response(), Failure(broken.kind, broken.detail)
    return reply.response(), None


@dataclass(frozen=True, slots=True)
class _Target:
    """Where an address leads: ``path`` stands in the request line (RFC 9112 §3.2.1)."""

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


def _target(url: str) -> _Target:
    """Where a request goes. Raises ``Broken``."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if not host.isascii():
            host = host.encode("idna").decode()
    except ValueError as error:
        raise Broken("invalid_url", f"the address cannot be read: {error}") from error
    host = host.rstrip(".")
    if parts.scheme not in _PORTS or not host or any(not "!" <= sign <= "~" for sign in host):
        raise Broken("invalid_url", "the address does not begin with https:// or http:// and the name of a host")
    if parts.username is not None:
        raise Broken("invalid_url", "the address has a user before its host; send it as an Authorization header")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(host, port or _PORTS[parts.scheme], parts.scheme == "https", quote(path, safe=_KEPT_IN_TARGET))


def _conversation(request: Request, target: _Target, proxy: Proxy | None) -> Conversation:
    if proxy is None or target.tls:
        return Conversation(request.method, target.origin, target.path, request.headers, request.body)
    # RFC 9112 §3.2.2: a proxy is asked with the whole address.
    headers = (*request.headers, *_credentials(proxy))
    return Conversation(request.method, target.origin, f"{target.origin}{target.path}", headers, request.body)


def _credentials(proxy: Proxy) -> Headers:
    return (("Proxy-Authorization", proxy.authorization),) if proxy.authorization else ()


def _connected(
    target: _Target, proxy: Proxy | None, context: ssl.SSLContext | None, limits: Limits, guard: Guard, reply: Reply
) -> Stream:
    """A connection over which the request can be sent. Raises ``Broken``."""
    try:
        guard.check(target.host, target.port)
        if proxy is not None:
            guard.check(proxy.host, proxy.port)
    except Refused as error:
        raise Broken("not_allowed", str(error)) from error
    stream: Stream = connect(target.host, target.port, limits, guard) if proxy is None else _to(proxy, limits, guard)
    try:
        if context is not None:
            if proxy is not None:
                _tunnel(stream, target, proxy, reply)
            stream = TlsStream(stream, context, target.host)
    except BaseException:
        stream.close()
        raise
    limits.connecting = False
    return stream


def _to(proxy: Proxy, limits: Limits, guard: Guard) -> Stream:
    try:
        return connect(proxy.host, proxy.port, limits, guard)
    except Broken as broken:
        if broken.kind in ("not_allowed", "total_timeout"):
            raise
        raise Broken("proxy_unreachable", f"the proxy {proxy.host}:{proxy.port}: {broken.detail}") from broken


def _tunnel(stream: Stream, target: _Target, proxy: Proxy, reply: Reply) -> None:
    """Ask the proxy for a connection to the server (RFC 9110 §9.3.6). What it answers instead is kept in ``reply``."""
    asked = Conversation("CONNECT", target.origin, target.authority, (("Host", target.authority), *_credentials(proxy)))
    try:
        asked.ask(stream)
        answer = asked.reply.response()
        if answer is None or 200 <= answer.status < 300:
            return
        asked.read_body()
    except Broken as broken:
        if broken.kind in ("connect_timeout", "total_timeout"):
            raise
        if asked.reply.head is None:
            raise Broken("proxy_refused", f"the proxy did not answer CONNECT: {broken.detail}") from broken
    reply.head, reply.body, reply.cut = asked.reply.head, asked.reply.body, asked.reply.cut
    answer = reply.response()
    status = f"{answer.status} {answer.reason}".strip() if answer else ""
    kind = "proxy_authentication" if status.startswith("407") else "proxy_refused"
    raise Broken(kind, f"the proxy answered CONNECT with {status}")
