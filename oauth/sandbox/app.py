"""The sandbox as an ASGI application: the provider's paths and the control beside them, alone or mounted."""

from collections.abc import Mapping
from time import perf_counter

from starlette.types import ASGIApp, Receive, Scope, Send

from oauth.sandbox.asgi_endpoint import AsgiEndpoint
from oauth.sandbox.control.access import ControlAccess
from oauth.sandbox.control.app import control_application
from oauth.sandbox.errors import ApiError
from oauth.sandbox.faults.error_responses import request_limit_page
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.request import Endpoint, address_of
from oauth.sandbox.response import Response, error_response, new_request_id, send_response

AUTHORIZE = "/oauth/authorize/"
TOKEN = "/api/open/oauth/token"
USER = "/api/partner/users/me"
CITIES = "/api/partner/cities"
HEALTH = "/health"
CONTROL = "/control/"
NOTHING_HERE = f"Nothing is here. There are: {AUTHORIZE}, {TOKEN}, {USER}, {CITIES}, {HEALTH} and {CONTROL}."


def application(sandbox: Sandbox, guard: ControlAccess | None = None) -> ASGIApp:
    """The paths over one sandbox. ``guard`` says who may use the control; on loopback only, if none is given."""
    return _Application(sandbox, guard or ControlAccess())


class _Application:
    """Paths are few and fixed: they are looked up, which is quicker than to be matched."""

    def __init__(self, sandbox: Sandbox, guard: ControlAccess) -> None:
        self.sandbox = sandbox
        authorize = AsgiEndpoint(sandbox, Endpoint.AUTHORIZE, AUTHORIZE)
        self.paths: Mapping[str, ASGIApp] = {
            TOKEN: AsgiEndpoint(sandbox, Endpoint.TOKEN, TOKEN),
            USER: AsgiEndpoint(sandbox, Endpoint.USER, USER),
            CITIES: AsgiEndpoint(sandbox, Endpoint.CITIES, CITIES),
            # Both spellings, without a redirect between them that would cost the form its body.
            AUTHORIZE: authorize,
            AUTHORIZE.rstrip("/"): authorize,
            HEALTH: _health,
        }
        self.control = control_application(sandbox, guard, CONTROL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        app = self.paths.get(path) or (self.control if path.startswith(CONTROL) else self._nothing)
        await app(scope, receive, send)

    async def _nothing(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        begun = perf_counter()
        request_id = new_request_id()
        with self.sandbox.lock:
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            now = self.sandbox.clock.now()
            admitted = self.sandbox.limiter.admits(address_of(scope), now)
            response = error_response(ApiError(404, NOTHING_HERE)) if admitted else request_limit_page()
            duration = (perf_counter() - begun) * 1000
            self.sandbox.log.add_other(request_id, now, path, scope["method"], response.status, duration)
        await send_response(response, request_id, send)


async def _health(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive
    await send_response(Response.json({"status": "ok"}), new_request_id(), send)
