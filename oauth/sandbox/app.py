"""The sandbox as an ASGI application: the provider's paths and the control beside them, alone or mounted."""

from collections.abc import Mapping
from time import perf_counter

from starlette.types import ASGIApp, Receive, Scope, Send

from oauth.sandbox.asgi_endpoint import Served
from oauth.sandbox.control.access import Guard
from oauth.sandbox.control.app import Control
from oauth.sandbox.errors import ApiError
from oauth.sandbox.faults.answers import request_limit_page
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.request import Endpoint, address_of
from oauth.sandbox.response import Answer, new_request_id, refusal, send_answer

AUTHORIZE = "/oauth/authorize/"
TOKEN = "/api/open/oauth/token"
USER = "/api/partner/users/me"
CITIES = "/api/partner/cities"
HEALTH = "/health"
CONTROL = "/control/"
NOTHING_HERE = f"Nothing is here. There are: {AUTHORIZE}, {TOKEN}, {USER}, {CITIES}, {HEALTH} and {CONTROL}."


def application(sandbox: Sandbox, guard: Guard | None = None) -> ASGIApp:
    """The paths over one sandbox. ``guard`` says who may use the control; on loopback only, if none is given."""
    return _Application(sandbox, guard or Guard())


class _Application:
    """Paths are few and fixed: they are looked up, which is quicker than to be matched."""

    def __init__(self, sandbox: Sandbox, guard: Guard) -> None:
        self.sandbox = sandbox
        authorize = Served(sandbox, Endpoint.AUTHORIZE, AUTHORIZE)
        self.paths: Mapping[str, ASGIApp] = {
            TOKEN: Served(sandbox, Endpoint.TOKEN, TOKEN),
            USER: Served(sandbox, Endpoint.USER, USER),
            CITIES: Served(sandbox, Endpoint.CITIES, CITIES),
            # Both spellings, without a redirect between them that would cost the form its body.
            AUTHORIZE: authorize,
            AUTHORIZE.rstrip("/"): authorize,
            HEALTH: _health,
        }
        self.control = Control(sandbox, guard, CONTROL)

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
            answer = refusal(ApiError(404, NOTHING_HERE)) if admitted else request_limit_page()
            duration = (perf_counter() - begun) * 1000
            self.sandbox.log.add_other(request_id, now, path, scope["method"], answer.status, duration)
        await send_answer(answer, request_id, send)


async def _health(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive
    await send_answer(Answer.of({"status": "ok"}), new_request_id(), send)
