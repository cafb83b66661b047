"""One request over an open stream and its response, as far as that came (RFC 9112)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from oauth.exchange import Headers, Response
from oauth.wire.decoding import DecodingError, codings, decoded, unreadable
from oauth.wire.sockets import Broken, Stream
from oauth.wire.transport import Transport

BODY_LIMIT = 1024 * 1024
"""Bytes of a response body that are kept, counted as they come out of a compressed one."""


@dataclass
class Reply:
    """What came back so far."""

    head: httpx.Response | None = None
    body: bytes = b""
    cut: bool = False

    def response(self) -> Response | None:
        """The response, ``None`` before its head was there."""
        if self.head is None:
            return None
        return Response(
            status=self.head.status_code,
            reason=self.head.extensions["reason_phrase"].decode("latin-1"),
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in self.head.headers.raw),
            body=self.body,
            cut=self.cut,
            http_version=self.head.http_version,
        )


@dataclass
class Conversation:
    """One request and the reading of its response. ``origin`` is the address without a path, ``target`` the rest."""

    method: str
    origin: str
    target: str
    headers: Headers
    body: bytes = b""
    reply: Reply = field(default_factory=Reply)

    def __post_init__(self) -> None:
        """Raises ``Broken`` for a request whose headers and body do not fit each other."""
        # The address has no path and no query here: httpx writes it into its log.
        self._message = httpx.Request(
            self.method,
            self.origin,
            headers=[(name.encode(), value.encode()) for name, value in self.headers],
            content=self.body or None,
            extensions={"target": self.target.encode()},
        )
        length = self._message.headers.get("content-length", "0")
        if length != str(len(self.body)) and "transfer-encoding" not in self._message.headers:
            raise Broken("invalid_url", f"Content-Length is {length}, and the body has {len(self.body)} bytes")

    def hold(self, stream: Stream) -> None:
        """Send the request and read the response into ``reply``. Raises ``Broken`` where either ends early."""
        self.ask(stream)
        self.read_body()

    def ask(self, stream: Stream) -> None:
        """Send the request and read the head of the response."""
        client = httpx.Client(transport=Transport(stream), trust_env=False, follow_redirects=False)
        self.reply.head = client.send(self._message, stream=True)

    def read_body(self) -> None:
        """Read the body behind the head, with its codings taken off, until it ends or the limit is reached."""
        if self.reply.head is None:
            return
        coding = self.reply.head.headers.get("content-encoding", "")
        applied = codings(coding)
        problem = unreadable(applied)
        if problem:
            applied = []
        kept, raw = bytearray(), bytearray()
        self.reply.cut = True  # until the end is seen
        try:
            for piece in decoded(self._pieces(raw if applied else None), applied):
                kept += piece
                if len(kept) > BODY_LIMIT:
                    break
            self.reply.cut = bool(problem) or len(kept) > BODY_LIMIT
        except DecodingError as error:
            problem = str(error)
            # What cannot be unpacked at all is kept as it came: often it is plain text that claims to be packed.
            kept = kept or raw
        finally:
            self.reply.body = bytes(kept[:BODY_LIMIT])
        if problem:
            raise Broken("undecodable", f"Content-Encoding is {coding}: {problem}")

    def _pieces(self, raw: bytearray | None) -> Iterator[bytes]:
        if self.reply.head is None:
            return
        for piece in self.reply.head.iter_raw():
            if raw is not None and len(raw) < BODY_LIMIT:
                raw += piece
            yield piece
