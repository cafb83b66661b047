"""httpx over one open stream: its HTTP/1.1, our connection, and a named failure when the response ends early."""

from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx

from oauth.wire.sockets import Stream, WireError

QUOTED = 100
"""Characters quoted of a response that is not HTTP."""


class Transport(httpx.BaseTransport):
    """A transport for one request over ``stream``. It raises ``WireError``, also while the body is read."""

    def __init__(self, stream: Stream) -> None:
        self._stream = _WatchedStream(stream)

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
            raise WireError("invalid_url", f"the request cannot be sent: {error}") from error
        except httpcore.RemoteProtocolError as error:
            raise self._head_error(error) from error
        except OSError as error:
            raise WireError("reset", str(self._stream.send_error or error)) from error
        body = _Body(response.stream, self._stream)
        return httpx.Response(response.status, headers=response.headers, stream=body, extensions=response.extensions)

    def _head_error(self, error: Exception) -> WireError:
        start = self._stream.start
        if self._stream.ended and not start:
            return WireError("reset", "the connection was closed without a response")
        if self._stream.ended and start.startswith(b"HTTP/"):
            return WireError("cut_off", f"the connection ended inside the head of the response: {_first_line(start)}")
        reason = "the connection ended" if self._stream.ended else str(error)
        return WireError("malformed", f"{reason}; it begins {_first_line(start)}")


class _WatchedStream(httpcore.NetworkStream):
    """A stream for httpcore, which remembers how the response began and whether it ended."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._unsent = b""
        self.start = b""
        self.ended = False
        self.send_error: OSError | None = None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 (httpcore names it)
        # Sent when the response is read, so that no part of a request that turns out to be invalid is sent.
        self._unsent += buffer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        if self._unsent:
            data, self._unsent = self._unsent, b""
            try:
                self._stream.send(data)
            except OSError as error:
                self.send_error = error  # a server may respond before it has read everything
        data = self._stream.receive()
        self.ended = not data
        self.start = (self.start + data)[:QUOTED]
        return data

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ARG002
        return None


class _Body(httpx.SyncByteStream):
    """A body as it arrives."""

    def __init__(self, pieces: Any, stream: _WatchedStream) -> None:
        self._pieces: Iterable[bytes] = pieces
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        except httpcore.RemoteProtocolError as error:
            raise WireError("cut_off" if self._stream.ended else "malformed", str(error)) from error
        except OSError as error:
            raise WireError("cut_off", str(error)) from error


def _first_line(start: bytes) -> str:
    """Quote the first line of a response."""
    line = start.splitlines()[0] if start.strip() else start
    return repr(line.decode("utf-8", "backslashreplace"))
