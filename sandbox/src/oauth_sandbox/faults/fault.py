"""The interface of faults: one may replace the response, or the way it is delivered."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct
from starlette.types import Receive, Send

from oauth_sandbox.configuration import Api
from oauth_sandbox.request import Endpoint, IncomingRequest
from oauth_sandbox.response import Response, send_response


@dataclass(frozen=True, slots=True)
class Situation:
    """The request that a fault applies to.

    ``proceed`` does what was requested and returns the correct response. ``redirect`` delivers an error code and a
    description to the client; it returns ``None`` at other endpoints than authorization, and when the request must not
    be redirected.
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

    @property
    def comes_first(self) -> bool:
        """True if it strikes before anything of the request is looked at; it cannot change the response then."""
        return False

    @property
    def only_at(self) -> Endpoint | None:
        """The one endpoint that it means anything at; requests to others do not use it up."""
        return None

    def check_effect(self, api: Api) -> None:
        """Raise ``NoEffectError`` when it cannot change a response of this API."""

    def respond(self, situation: Situation) -> Response:
        """Return the response. Without ``proceed`` the request has no effect."""
        return situation.proceed()

    async def deliver(self, response: Response, request_id: str, _receive: Receive, send: Send) -> None:
        """Send the response."""
        await send_response(response, request_id, send)
