"""httpx over one open stream: its HTTP/1.1, our connection, and a word for what came when it ends too early."""

from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx

from oauth.wire.sockets import Broken, Stream

QUOTED = 100
"""Characters quoted of an answer that is not HTTP."""


class Transport(httpx.BaseTransport):
    """Carries one request over ``stream``. What ends it early is raised as ``Broken``, also while its body is read."""

    def __init__(self, stream: Stream) -> None:
        self._stream = _Watched(stream)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and read the head of the response."""
        url = httpcore.URL(str(request.url))
        message = httpcore.Request(
            request.method,
            url,
            headers=request.headers.raw,
            content=request.stream,
            extensions={"target": request.extensions["target"]},
        )
        try:
            response = httpcore.HTTP11Connection(url.origin, self._stream).handle_request(message)
        except httpcore.LocalProtocolError as error:
            raise Broken("invalid_url", f"the request cannot be written: {error}") from error
        except httpcore.RemoteProtocolError as error:
            raise self._without_head(error) from error
        except OSError as error:
            raise Broken("reset", str(self._stream.unsent or error)) from error
        body = _Body(response.stream, self._stream)
        return httpx.Response(response.status, headers=response.headers, stream=body, extensions=response.extensions)

    def _without_head(self, error: Exception) -> Broken:
        start = self._stream.start
        if self._stream.ended and not start:
            return Broken("reset", "the connection was closed without an answer")
        if self._stream.ended and start.startswith(b"HTTP/"):
            return Broken("cut_off", f"the connection ended inside the head of the answer: {_quoted(start)}")
        reason = "the connection ended" if self._stream.ended else str(error)
        return Broken("malformed", f"{reason}; it begins {_quoted(start)}")


class _Watched(httpcore.NetworkStream):
    """A stream as httpcore wants it, which remembers how the answer began and whether it ended."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._unsent = b""
        self.start = b""
        self.ended = False
        self.unsent: OSError | None = None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 (httpcore names it)
        # Sent when the answer is asked for: a request that turns out to be none has not gone out in part.
        self._unsent += buffer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        if self._unsent:
            sending, self._unsent = self._unsent, b""
            try:
                self._stream.send(sending)
            except OSError as error:
                self.unsent = error  # a server may answer before it has read everything
        data = self._stream.receive()
        self.ended = not data
        self.start = (self.start + data)[:QUOTED]
        return data

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ARG002
        return None


class _Body(httpx.SyncByteStream):
    """A body as it comes."""

    def __init__(self, pieces: Any, stream: _Watched) -> None:
        self._pieces: Iterable[bytes] = pieces
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        except httpcore.RemoteProtocolError as error:
            raise Broken("cut_off" if self._stream.ended else "malformed", str(error)) from error
        except OSError as error:
            raise Broken("cut_off", str(error)) from error


def _quoted(start: bytes) -> str:
    """The first line of what came."""
    line = start.splitlines()[0] if start.strip() else start
    return repr(line.decode("utf-8", "backslashreplace"))
