"""Faults of the connection: what was asked is done, and the answer comes late, slowly, in part or not at all."""

import asyncio
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import ClassVar

from starlette.types import Receive, Send

from oauth.sandbox.faults.fault import Fault
from oauth.sandbox.json_schema import Schema
from oauth.sandbox.response import Answer, send_answer

# A layer that compresses answers would hold them back; it leaves alone what says it has an encoding.
UNTOUCHED = (b"content-encoding", b"identity")
NO_LINGER = struct.pack("ii", 1, 0)


def _seconds(default: float) -> Schema:
    return {"type": "number", "minimum": 0, "maximum": 300, "default": default, "description": "Real seconds."}


@dataclass(frozen=True, slots=True)
class Latency(Fault):
    """The right answer, late."""

    kind: ClassVar[str] = "latency"
    properties: ClassVar[Mapping[str, Schema]] = {"seconds": _seconds(2)}
    seconds: float = 2

    async def deliver(self, answer: Answer, request_id: str, receive: Receive, send: Send) -> None:
        """Wait, then send."""
        del receive
        await asyncio.sleep(self.seconds)
        await send_answer(answer, request_id, send)


@dataclass(frozen=True, slots=True)
class SlowDrip(Fault):
    """The right answer, byte by byte."""

    kind: ClassVar[str] = "slow-drip"
    properties: ClassVar[Mapping[str, Schema]] = {"seconds": _seconds(5)}
    seconds: float = 5

    async def deliver(self, answer: Answer, request_id: str, receive: Receive, send: Send) -> None:
        """The body takes ``seconds`` in all."""
        del receive
        await _start(answer, request_id, send)
        begun = perf_counter()
        for index in range(len(answer.body)):
            # Against the time that has passed: short sleeps are not exact, and there are many.
            due = begun + self.seconds * (index + 1) / len(answer.body)
            await asyncio.sleep(max(due - perf_counter(), 0))
            await send({"type": "http.response.body", "body": answer.body[index : index + 1], "more_body": True})
        await send({"type": "http.response.body", "body": b""})


@dataclass(frozen=True, slots=True)
class CutOffBody(Fault):
    """Half of the body that ``Content-Length`` announces, then the connection ends."""

    kind: ClassVar[str] = "cut-off-body"

    async def deliver(self, answer: Answer, request_id: str, receive: Receive, send: Send) -> None:
        """An answer without a body announces one."""
        body = answer.body or b" " * 100
        await _start(Answer(answer.status, body, answer.headers), request_id, send)
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        connection = _connection(receive)
        if connection is not None:
            connection.close()
            await _gone(receive)


@dataclass(frozen=True, slots=True)
class ConnectionReset(Fault):
    """The connection is reset (TCP RST) before a byte of the answer."""

    kind: ClassVar[str] = "connection-reset"

    async def deliver(self, answer: Answer, request_id: str, receive: Receive, send: Send) -> None:
        """Where the server does not let its connection be found, the answer ends after its headers instead."""
        connection = _connection(receive)
        if connection is None:
            await _start(Answer(answer.status, b" ", answer.headers), request_id, send)
            return
        # Closed at once with lingering off, and not after what is still to be sent.
        connection.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        connection.abort()
        await _gone(receive)


async def _start(answer: Answer, request_id: str, send: Send) -> None:
    headers = [*answer.raw_headers(request_id), UNTOUCHED]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})


def _connection(receive: Receive) -> asyncio.Transport | None:
    """ASGI has no way to end a connection, but uvicorn's ``receive`` belongs to an object that holds it."""
    transport: asyncio.Transport | None = getattr(getattr(receive, "__self__", None), "transport", None)
    return transport


async def _gone(receive: Receive) -> None:
    # The server logs an answer as unfinished when the application returns before it has seen the connection end.
    while (await receive())["type"] != "http.disconnect":
        pass
