"""The request limit: a number of requests from one address in a period, then refusals for a pause."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

MOST_ADDRESSES = 1000
"""The number of addresses that are counted; the least recently seen one is dropped first."""


class RequestLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """The request limit."""

    requests: Annotated[int, Meta(ge=0, le=100_000, description="Requests from one address; 0: no limit.")]
    seconds: Annotated[int, Meta(ge=1, le=86_400, description="The seconds they are counted in.")]
    pause: Annotated[int, Meta(ge=1, le=86_400, description="The seconds that a refusal lasts.")]


@dataclass(slots=True)
class _Visitor:
    times: deque[datetime] = field(default_factory=deque)
    refused_at: datetime | None = None


class Limiter:
    """Counts of requests by address. Not locked: the caller holds the sandbox's lock."""

    def __init__(self, limit: RequestLimit) -> None:
        self.limit = limit
        self._visitors: OrderedDict[str, _Visitor] = OrderedDict()

    def clear(self) -> None:
        """Reset the counts and end every pause."""
        self._visitors.clear()

    def admits(self, address: str, now: datetime) -> bool:
        """Count a request and return true when it is admitted. Without an ``address`` it is not counted."""
        if not self.limit.requests or not address:
            return True
        visitor = self._visitor(address)
        pause = timedelta(seconds=self.limit.pause)
        if visitor.refused_at is not None:
            # The clock may have been moved back: ignore refusals in the future.
            if timedelta() <= now - visitor.refused_at < pause:
                return False
            visitor.refused_at = None
        times, begin = visitor.times, now - timedelta(seconds=self.limit.seconds)
        while times and times[0] <= begin:
            times.popleft()
        while times and times[-1] > now:
            times.pop()
        if len(times) < self.limit.requests:
            times.append(now)
            return True
        times.clear()
        visitor.refused_at = now
        return False

    def _visitor(self, address: str) -> _Visitor:
        visitor = self._visitors.setdefault(address, _Visitor())
        self._visitors.move_to_end(address)
        if len(self._visitors) > MOST_ADDRESSES:
            self._visitors.popitem(last=False)
        return visitor
