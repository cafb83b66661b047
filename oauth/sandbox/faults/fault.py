"""What a fault is: it may put another answer in the right one's place, and may spoil how an answer goes out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from starlette.types import Receive, Send

from oauth.sandbox.json_schema import Schema
from oauth.sandbox.request import Received
from oauth.sandbox.response import Answer, send_answer


@dataclass(frozen=True, slots=True)
class Situation:
    """The request that a fault meets.

    ``proceed`` does what was asked and gives the right answer. ``redirect`` takes an error and its description to the
    client, as the authorization endpoint does; ``None`` elsewhere, and when the request may not be redirected.
    """

    received: Received
    proceed: Callable[[], Answer]
    redirect: Callable[[str, str], Answer | None]


class Fault:
    """As it stands here: the right answer, sent as it should be. ``properties`` are the schemas of its fields."""

    __slots__ = ()

    kind: ClassVar[str]
    properties: ClassVar[Mapping[str, Schema]] = {}

    def answer(self, situation: Situation) -> Answer:
        """What is answered. Without ``proceed`` the request has no effect."""
        return situation.proceed()

    async def deliver(self, answer: Answer, request_id: str, receive: Receive, send: Send) -> None:
        """Send the answer."""
        del receive
        await send_answer(answer, request_id, send)
