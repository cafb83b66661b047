"""The HTTP/1.1 of one request and its response, as far as that came (RFC 9112)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import h11

from oauth.exchange import Headers, Response
from oauth.wire.decoding import DecodingError, codings, decoded, unreadable
from oauth.wire.sockets import Broken, Stream

BODY_LIMIT = 1024 * 1024
"""Bytes of a response body that are kept, counted as they come out of a compressed one."""

HEAD_LIMIT = 100 * 1024
"""Bytes that the head of a response may have."""

QUOTED = 100
"""Characters quoted of an answer that is not HTTP."""


@dataclass
class Reply:
    """What came back so far."""

    head: h11.Response | None = None
    body: bytes = b""
    cut: bool = False

    def response(self) -> Response | None:
        """The response, ``None`` before its head was there."""
        if self.head is None:
            return None
        return Response(
            status=self.head.status_code,
            reason=self.head.reason.decode("latin-1"),
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in _raw(self.head)),
            body=self.body,
            cut=self.cut,
            http_version=f"HTTP/{self.head.http_version.decode()}",
        )


@dataclass
class Conversation:
    """One request, written before there is a connection, and the reading of its response."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    reply: Reply = field(default_factory=Reply)

    def __post_init__(self) -> None:
        """Raises ``Broken`` for what cannot be written as HTTP."""
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
        self._start = b""
        headers = [(name.encode(), value.encode()) for name, value in self.headers]
        try:
            head = h11.Request(method=self.method, target=self.target, headers=headers)
            parts = [self._http.send(head), self._http.send(h11.Data(data=self.body)) if self.body else b""]
            parts.append(self._http.send(h11.EndOfMessage()))
        except h11.LocalProtocolError as error:
            raise Broken("invalid_url", f"the request cannot be written: {error}") from error
        self.written = b"".join(part for part in parts if part)

    def hold(self, stream: Stream) -> None:
        """Send the request and read the response into ``reply``. Raises ``Broken`` where either ends early."""
        self.ask(stream)
        self.read_body(stream)

    def ask(self, stream: Stream) -> None:
        """Send the request and read the head of the response."""
        unsent = None
        try:
            stream.send(self.written)
        except OSError as error:
            unsent = error  # a server may answer before it has read everything, so what it says is read all the same
        try:
            while self.reply.head is None:
                event = self._next(stream)
                if isinstance(event, h11.Response):
                    self.reply.head = event
        except OSError as error:
            raise Broken("reset", str(unsent or error)) from error

    def read_body(self, stream: Stream) -> None:
        """Read the body behind the head, with its codings taken off, until it ends or the limit is reached."""
        response = self.reply.response()
        if response is None:
            return
        coding = ", ".join(value for name, value in response.headers if name.lower() == "content-encoding")
        applied = codings(coding)
        problem = unreadable(applied)
        if problem:
            applied = []
        kept, raw = bytearray(), bytearray()
        self.reply.cut = True  # until the end is seen
        try:
            for piece in decoded(self._pieces(stream, raw if applied else None), applied):
                kept += piece
                if len(kept) > BODY_LIMIT:
                    break
            self.reply.cut = bool(problem) or len(kept) > BODY_LIMIT
        except DecodingError as error:
            problem = str(error)
            # What cannot be unpacked at all is kept as it came: often it is plain text that claims to be packed.
            kept = kept or raw
        except OSError as error:
            raise Broken("cut_off", str(error)) from error
        finally:
            self.reply.body = bytes(kept[:BODY_LIMIT])
        if problem:
            raise Broken("undecodable", f"Content-Encoding is {coding}: {problem}")

    def _pieces(self, stream: Stream, raw: bytearray | None) -> Iterator[bytes]:
        while not isinstance(event := self._next(stream), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                data = bytes(event.data)
                if raw is not None and len(raw) < BODY_LIMIT:
                    raw += data
                yield data

    def _next(self, stream: Stream) -> h11.Event:
        """The next part of the response. Raises ``Broken`` where there is none, or none that is HTTP."""
        ended = False
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise self._ended(str(error)) if ended else self._malformed(str(error)) from error
            if isinstance(event, h11.Event):
                return event
            data = stream.receive()
            ended = not data
            self._start = (self._start + data)[:QUOTED]
            self._http.receive_data(data)

    def _ended(self, reason: str) -> Broken:
        """The connection ended too early."""
        if self.reply.head is not None:
            return Broken("cut_off", reason)
        if not self._start:
            return Broken("reset", "the connection was closed without an answer")
        if self._start.startswith(b"HTTP/"):
            return Broken("cut_off", f"the connection ended inside the head of the answer: {self._quoted()}")
        return self._malformed("the connection ended")

    def _malformed(self, reason: str) -> Broken:
        return Broken("malformed", reason if self.reply.head is not None else f"{reason}; it begins {self._quoted()}")

    def _quoted(self) -> str:
        """The first line of what came."""
        line = self._start.splitlines()[0] if self._start.strip() else self._start
        return repr(line.decode("utf-8", "backslashreplace"))


def _raw(head: h11.Response) -> list[tuple[bytes, bytes]]:
    """The headers in the letter case they came in."""
    raw: list[tuple[bytes, bytes]] = head.headers.raw_items()
    return raw
