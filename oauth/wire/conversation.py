"""One request over an open stream, and as much of its response as arrives (RFC 9112)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from oauth.exchange import Headers, Response
from oauth.wire.decoding import DecodingError, decode, parse_codings, unsupported
from oauth.wire.sockets import Stream, WireError
from oauth.wire.transport import Transport

BODY_LIMIT = 1024 * 1024
"""Bytes of a response body that are kept, counted after decompression."""


@dataclass
class PartialResponse:
    """A response as it arrives. ``cut`` marks a truncated body."""

    head: httpx.Response | None = None
    body: bytes = b""
    cut: bool = False

    def response(self) -> Response | None:
        """Return the response so far, ``None`` before its head has arrived."""
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
    """One request and its response. ``origin`` is the URL without a path, ``target`` what the request line has."""

    method: str
    origin: str
    target: str
    headers: Headers
    body: bytes = b""
    partial: PartialResponse = field(default_factory=PartialResponse)

    def __post_init__(self) -> None:
        """Raise ``WireError`` for a request whose ``Content-Length`` contradicts its body."""
        # The URL has no path and no query here: ``target`` is sent as it is.
        try:
            self._message = httpx.Request(
                self.method,
                self.origin,
                headers=[(name.encode(), value.encode()) for name, value in self.headers],
                content=self.body or None,
                extensions={"target": self.target.encode()},
            )
        except (httpx.InvalidURL, ValueError) as error:  # a host such as xn-- or 0177.0.0.1, half a character
            raise WireError("invalid_url", f"the request cannot be sent: {error}") from error
        length = self._message.headers.get("content-length", "0")
        if length != str(len(self.body)) and "transfer-encoding" not in self._message.headers:
            raise WireError("invalid_url", f"Content-Length is {length}, and the body has {len(self.body)} bytes")

    def run(self, stream: Stream) -> None:
        """Send the request and read the response into ``partial``. Raises ``WireError`` when either ends early."""
        self.send(stream)
        self.read_body()

    def send(self, stream: Stream) -> None:
        """Send the request and read the head of the response."""
        # Not by httpx.Client: that reads Location and Set-Cookie even when it follows and keeps nothing, and raises.
        self.partial.head = Transport(stream).handle_request(self._message)

    def read_body(self) -> None:
        """Read and decode the body until it ends or the limit is reached."""
        if self.partial.head is None:
            return
        coding = self.partial.head.headers.get("content-encoding", "")
        applied = parse_codings(coding)
        problem = unsupported(applied)
        if problem:
            applied = []
        content, raw = bytearray(), bytearray()
        self.partial.cut = True  # until the end is seen
        try:
            for piece in decode(self._pieces(raw if applied else None), applied):
                content += piece
                if len(content) > BODY_LIMIT:
                    break
            self.partial.cut = bool(problem) or len(content) > BODY_LIMIT
        except DecodingError as error:
            problem = str(error)
            # A body that cannot be decoded at all is often plain text that claims to be compressed.
            content = content or raw
        finally:
            self.partial.body = bytes(content[:BODY_LIMIT])
        if problem:
            raise WireError("undecodable", f"Content-Encoding is {coding}: {problem}")

    def _pieces(self, raw: bytearray | None) -> Iterator[bytes]:
        if self.partial.head is None:
            return
        for piece in self.partial.head.iter_raw():
            if raw is not None and len(raw) < BODY_LIMIT:
                raw += piece
            yield piece
