"""Faults of the connection: what was asked is done, and the answer comes late, slowly, in part or not at all."""

import asyncio
import socket
import struct
from time import perf_counter
from typing import Annotated

from msgspec import Meta
from starlette.types import Receive, Send

from oauth.sandbox.faults.fault import Fault
from oauth.sandbox.response import Response, send_response

# A layer that compresses answers would hold them back; it leaves alone what says it has an encoding.
UNTOUCHED = (b"content-encoding", b"identity")
NO_LINGER = struct.pack("ii", 1, 0)


Seconds = Annotated[float, Meta(ge=0, le=300, description="Real seconds.")]


class Latency(Fault, frozen=True, tag="latency"):
    """The right answer, late."""

    seconds: Seconds = 2

    async def deliver(self, response: Response, request_id: str, receive: Receive, send: Send) -> None:
        """Wait, then send."""
        del receive
        await asyncio.sleep(self.seconds)
        await send_response(response, request_id, send)


class SlowDrip(Fault, frozen=True, tag="slow-drip"):
    """The right answer, byte by byte."""

    seconds: Seconds = 5

    async def deliver(self, response: Response, request_id: str, receive: Receive, send: Send) -> None:
        """The body takes ``seconds`` in all."""
        del receive
        await _start(response, request_id, send)
        begun = perf_counter()
        for index in range(len(response.body)):
            # Against the time that has passed: short sleeps are not exact, and there are many.
            due = begun + self.seconds * (index + 1) / len(response.body)
            await asyncio.sleep(max(due - perf_counter(), 0))
            await send({"type": "http.response.body", "body": response.body[index : index + 1], "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class CutOffBody(Fault, frozen=True, tag="cut-off-body"):
    """Half of the body that ``Content-Length`` announces, then the connection ends."""

    async def deliver(self, response: Response, request_id: str, receive: Receive, send: Send) -> None:
        """An answer without a body announces one."""
        body = response.body or b" " * 100
        await _start(Response(response.status, body, response.headers), request_id, send)
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        connection = _connection(receive)
        if connection is not None:
            connection.close()
            await _gone(receive)


class ConnectionReset(Fault, frozen=True, tag="connection-reset"):
    """The connection is reset (TCP RST) before a byte of the answer."""

    async def deliver(self, response: Response, request_id: str, receive: Receive, send: Send) -> None:
        """Where the server does not let its connection be found, the answer ends after its headers instead."""
        connection = _connection(receive)
        if connection is None:
            await _start(Response(response.status, b" ", response.headers), request_id, send)
            return
        # Closed at once with lingering off, and not after what is still to be sent.
        connection.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        connection.abort()
        await _gone(receive)


async def _start(response: Response, request_id: str, send: Send) -> None:
    headers = [*response.raw_headers(request_id), UNTOUCHED]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})


def _connection(receive: Receive) -> asyncio.Transport | None:
    """ASGI has no way to end a connection, but uvicorn's ``receive`` belongs to an object that holds it."""
    transport: asyncio.Transport | None = getattr(getattr(receive, "__self__", None), "transport", None)
    return transport


async def _gone(receive: Receive) -> None:
    # The server logs an answer as unfinished when the application returns before it has seen the connection end.
    while (await receive())["type"] != "http.disconnect":
        pass
