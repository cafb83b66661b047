"""Faults of the connection: the request takes effect, and the response comes late, slowly, in part or not at all."""

import asyncio
import socket
import struct
from time import perf_counter
from typing import Annotated

from msgspec import Meta
from starlette.types import Receive, Send

from oauth_sandbox.faults.fault import Fault
from oauth_sandbox.response import Response, send_response

# A compressing middleware would hold the body back; it skips responses with an encoding.
UNTOUCHED = (b"content-encoding", b"identity")
NO_LINGER = struct.pack("ii", 1, 0)


Seconds = Annotated[float, Meta(ge=0, le=300, description="Real seconds.")]


class Latency(Fault, frozen=True, tag="latency"):
    """The correct response, late."""

    seconds: Seconds = 2

    async def deliver(self, response: Response, request_id: str, _receive: Receive, send: Send) -> None:
        """Wait, then send."""
        await asyncio.sleep(self.seconds)
        await send_response(response, request_id, send)


class SlowDrip(Fault, frozen=True, tag="slow-drip"):
    """The correct response, byte by byte."""

    seconds: Seconds = 5

    async def deliver(self, response: Response, request_id: str, _receive: Receive, send: Send) -> None:
        """Send the body over ``seconds`` in all."""
        await _start(response, request_id, send)
        started = perf_counter()
        for index in range(len(response.body)):
            # Measured against the start, because many short sleeps add up their errors.
            due = started + self.seconds * (index + 1) / len(response.body)
            await asyncio.sleep(max(due - perf_counter(), 0))
            await send({"type": "http.response.body", "body": response.body[index : index + 1], "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class CutOffBody(Fault, frozen=True, tag="cut-off-body"):
    """Half of the announced body, then the end of the connection."""

    async def deliver(self, response: Response, request_id: str, receive: Receive, send: Send) -> None:
        """Send half of the body; an empty one is announced as 100 bytes."""
        body = response.body or b" " * 100
        await _start(Response(response.status, body, response.headers), request_id, send)
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        connection = connection_of(receive)
        if connection is not None:
            connection.close()
            await disconnected(receive)


class ConnectionReset(Fault, frozen=True, tag="connection-reset"):
    """A TCP reset before the first byte of the response."""

    async def deliver(self, response: Response, request_id: str, receive: Receive, send: Send) -> None:
        """Reset the connection; where the server hides it, end the response after its headers instead."""
        connection = connection_of(receive)
        if connection is None:
            await _start(Response(response.status, b" ", response.headers), request_id, send)
            return
        # Without lingering, the close sends a reset at once.
        connection.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        connection.abort()
        await disconnected(receive)


async def _start(response: Response, request_id: str, send: Send) -> None:
    headers = [*response.raw_headers(request_id), UNTOUCHED]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})


def connection_of(receive: Receive) -> asyncio.Transport | None:
    """Return the connection. ASGI cannot end one, but uvicorn's ``receive`` belongs to an object that holds it."""
    transport: asyncio.Transport | None = getattr(getattr(receive, "__self__", None), "transport", None)
    return transport


async def disconnected(receive: Receive) -> None:
    """Wait for the end of the connection; returning before it would make the server log an unfinished response."""
    while (await receive())["type"] != "http.disconnect":
        pass
