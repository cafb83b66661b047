"""What a fault is: it may put another answer in the right one's place, and may spoil how an answer goes out."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct
from starlette.types import Receive, Send

from oauth.sandbox.request import IncomingRequest
from oauth.sandbox.response import Response, send_response


@dataclass(frozen=True, slots=True)
class Situation:
    """The request that a fault meets.

    ``proceed`` does what was asked and gives the right answer. ``redirect`` takes an error and its description to the
    client, as the authorization endpoint does; ``None`` elsewhere, and when the request may not be redirected.
    """

    request: IncomingRequest
    proceed: Callable[[], Response]
    redirect: Callable[[str, str], Response | None]


class Fault(Struct, frozen=True, tag_field="fault", forbid_unknown_fields=True):
    """A fault that changes nothing: subclasses replace the response, or the way it is delivered."""

    @property
    def kind(self) -> str:
        """The name of the fault."""
        return str(self.__struct_config__.tag)

    def respond(self, situation: Situation) -> Response:
        """What is answered. Without ``proceed`` the request has no effect."""
        return situation.proceed()

    async def deliver(self, response: Response, request_id: str, receive: Receive, send: Send) -> None:
        """Send the answer."""
        del receive
        await send_response(response, request_id, send)
