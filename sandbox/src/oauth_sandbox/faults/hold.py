"""The fault that stops a request until it is released, so that a test decides the order of two requests."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from oauth_sandbox.faults.fault import Fault
from oauth_sandbox.request import Endpoint, IncomingRequest

When = Literal["before", "after"]


class Hold(Fault, frozen=True, tag="hold"):
    """The correct response, once it is released: stopped before the request takes effect, or after."""

    when: Annotated[When, Meta(description="Before the request takes effect, or after it, before its response.")] = (
        "after"
    )
    seconds: Annotated[float, Meta(ge=0, le=300, description="Real seconds after which it releases itself.")] = 30

    @property
    def comes_first(self) -> bool:
        """True if it strikes before anything is looked at."""
        return self.when == "before"


class Held(Struct, frozen=True, forbid_unknown_fields=True):
    """A request that the fault ``hold`` has stopped."""

    number: int
    endpoint: Endpoint
    client_id: Annotated[str | None, Meta(description="null: the request named no known client.")]
    when: When
    since: datetime


class Holds:
    """The requests that are held. They wait in the event loop that serves them, and any thread releases them."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._waiting: dict[int, tuple[Held, asyncio.AbstractEventLoop, asyncio.Event]] = {}
        self._last_number = 0

    def held(self) -> tuple[Held, ...]:
        """Return the requests that are held, in the order they came."""
        return tuple(held for held, _, _ in tuple(self._waiting.values()))

    async def wait(self, hold: Hold, request: IncomingRequest, client_id: str | None) -> None:
        """Hold a request until it is released, or the hold's seconds are over."""
        self._last_number += 1
        held = Held(self._last_number, request.endpoint, client_id, hold.when, self._now())
        released = asyncio.Event()
        self._waiting[held.number] = held, asyncio.get_running_loop(), released
        try:
            async with asyncio.timeout(hold.seconds):
                await released.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.pop(held.number, None)

    def release(self, number: int | None = None) -> int:
        """Release one request, or all that are held; return how many. Raises ``LookupError`` for an unknown number."""
        if number is not None and number not in self._waiting:
            raise LookupError(f"There is no held request {number}, or it was released.")
        chosen = [number] if number is not None else list(self._waiting)
        for one in chosen:
            _, loop, released = self._waiting.pop(one)
            loop.call_soon_threadsafe(released.set)
        return len(chosen)
