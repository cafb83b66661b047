"""The sandbox as an ASGI application: the provider's paths and the control beside them, alone or mounted."""

from collections.abc import Mapping
from email.utils import format_datetime
from time import perf_counter

from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oauth_sandbox import endpoints, olxgroup
from oauth_sandbox.configuration import Api
from oauth_sandbox.control.access import ControlAccess
from oauth_sandbox.control.app import control_application
from oauth_sandbox.errors import ApiError, UnknownResource
from oauth_sandbox.faults.error_responses import request_limit_page
from oauth_sandbox.faults.hold import Hold
from oauth_sandbox.log import Outcome
from oauth_sandbox.partner.routes import TABLE, with_ids
from oauth_sandbox.paths import API, PATHS, SISTER, authorization_paths
from oauth_sandbox.pipeline import held_first, process
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint, address_of, read
from oauth_sandbox.response import Response, error_response, new_request_id, send_response
from oauth_sandbox.sandboxes import PATH, Sandboxes

HEALTH = "/health"
CONTROL = "/control/"


def application(sandbox: Sandbox, access: ControlAccess | None = None, *, dated: bool = False) -> ASGIApp:
    """Return the provider's endpoints and the control over one sandbox.

    Without ``access`` the control is open to this machine only. ``dated`` is for a server that writes no ``Date``
    itself: the sandbox's is by its own clock.
    """
    access = access or ControlAccess()

    def app_of(sandbox: Sandbox, sandboxes: Sandboxes | None = None) -> ASGIApp:
        app = _Application(sandbox, access, sandboxes)
        return _Dated(sandbox, app) if dated else app

    return app_of(sandbox, Sandboxes(app_of, sandbox.clock.base))


class _Dated:
    """Adds ``Date`` (RFC 9110 §6.6.1) by the sandbox's clock to each response."""

    def __init__(self, sandbox: Sandbox, app: ASGIApp) -> None:
        self.sandbox = sandbox
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_dated(message: Message) -> None:
            # One of its own, below this one, has written the date of its own clock.
            if message["type"] == "http.response.start" and not any(name == b"date" for name, _ in message["headers"]):
                date = format_datetime(self.sandbox.clock.now(), usegmt=True)
                message["headers"] = [*message["headers"], (b"date", date.encode())]
            await send(message)

        await self.app(scope, receive, send_dated)


def both(access: ControlAccess, partner: Sandbox, sister: Sandbox, *, dated: bool = False) -> ASGIApp:
    """Return two sandboxes as one application, the sister API's below ``/olxgroup``; see ``application``."""
    below = {SISTER: sister, "": partner}
    return Router([Mount(path, application(it, access, dated=dated)) for path, it in below.items()])


class _Application:
    """A few fixed paths, looked up in a dictionary, which is faster than matching routes."""

    def __init__(self, sandbox: Sandbox, access: ControlAccess, sandboxes: Sandboxes | None) -> None:
        self.sandbox = sandbox
        self.sandboxes = sandboxes
        api = sandbox.configuration.api
        served = dict.fromkeys(authorization_paths(api), Endpoint.AUTHORIZE)
        served |= {path: endpoint for endpoint, path in PATHS[api].items()}
        by_path = {path: _Endpoint(sandbox, endpoint, path) for path, endpoint in served.items()}
        routes = TABLE if api is Api.PARTNER else ()
        self.routes = {f"{API}{it.path}": _Endpoint(sandbox, it.endpoint, f"{API}{it.path}") for it in routes}
        by_path |= {path: endpoint for path, endpoint in self.routes.items() if "{" not in path}
        # Both spellings; a redirect between them would drop the form's body.
        bare = {path.rstrip("/"): endpoint for path, endpoint in by_path.items()}
        self.paths: Mapping[str, ASGIApp] = {**bare, **by_path, HEALTH: _health}
        known = f"Unknown path. Known paths: {', '.join(by_path)}, {HEALTH} and {CONTROL}."
        self.unknown_path = ApiError(404, known) if api is Api.PARTNER else olxgroup.Refusal(404, known)
        self.control = control_application(sandbox, access, CONTROL, sandboxes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        app = self.paths.get(path) or (self.control if path.startswith(CONTROL) else self._routed(path))
        if self.sandboxes is not None and path.startswith(PATH):
            id = path.removeprefix(PATH).partition("/")[0]
            if (own := self.sandboxes.use(id)) is not None:
                app, scope = own.app, {**scope, "root_path": f"{scope.get('root_path', '')}{PATH}{id}"}
        await app(scope, receive, send)

    def _routed(self, path: str) -> ASGIApp:
        """Return the endpoint of a path of the partner API, in which numbers are ids."""
        endpoint = self.routes.get(with_ids(path)) if "{" not in path else None
        return endpoint or self._not_found

    async def _not_found(self, scope: Scope, _receive: Receive, send: Send) -> None:
        started = perf_counter()
        with self.sandbox.lock:
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            outcome = Outcome(new_request_id(), self.sandbox.clock.now())
            admitted = self.sandbox.limiter.admits(address_of(scope), outcome.at)
            unknown = UnknownResource() if self.routes and path.startswith(f"{API}/") else self.unknown_path
            response = error_response(unknown) if admitted else request_limit_page()
            outcome.status = response.status
            outcome.duration_ms = (perf_counter() - started) * 1000
            self.sandbox.log.add_unknown(scope["method"], path, outcome)
        await send_response(response, outcome.request_id, send)


class _Endpoint:
    """An ASGI application for one endpoint; ``path`` is what the log shows."""

    def __init__(self, sandbox: Sandbox, endpoint: Endpoint, path: str) -> None:
        self.sandbox = sandbox
        self.endpoint = endpoint
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request; only reading and sending await, so that checks and effects are one step."""
        sandbox = self.sandbox
        request = await read(self.endpoint, scope, receive)
        held, client_id = held_first(sandbox, request)
        if held is not None:
            await sandbox.holds.wait(held, request, client_id)
        try:
            result = process(sandbox, request, self.path, lambda: endpoints.respond(sandbox, request), held)
        except Exception:
            await send_response(endpoints.failure(), new_request_id(), send)
            raise
        if isinstance(result.fault, Hold):
            await sandbox.holds.wait(result.fault, request, result.client_id)
        if result.fault is None:
            await send_response(result.response, result.request_id, send)
        else:
            await result.fault.deliver(result.response, result.request_id, receive, send)


async def _health(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send_response(Response.json({"status": "ok"}), new_request_id(), send)
