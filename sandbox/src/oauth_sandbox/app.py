"""The sandbox as an ASGI application: the provider's paths and the control beside them, alone or mounted."""

import asyncio
import functools
from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import partial
from time import perf_counter

from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oauth_sandbox import endpoints, olxgroup
from oauth_sandbox.configuration import Api
from oauth_sandbox.control.access import ControlAccess
from oauth_sandbox.control.app import control_application
from oauth_sandbox.errors import ApiError, ProviderError, UnknownResource
from oauth_sandbox.faults.connection import connection_of, disconnected
from oauth_sandbox.faults.error_responses import request_limit_page
from oauth_sandbox.faults.hold import Hold
from oauth_sandbox.log import Outcome
from oauth_sandbox.openid.refusal import Refusal
from oauth_sandbox.partner.routes import TABLE, with_ids
from oauth_sandbox.paths import API, OAUTH_METADATA, endpoints_by_path
from oauth_sandbox.pipeline import PipelineResult, held_first, process
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint, IncomingRequest, address_of, begun, read
from oauth_sandbox.response import Response, error_response, new_request_id, send_response
from oauth_sandbox.sandboxes import PATH, Sandboxes, unknown

HEALTH = "/health"
CONTROL = "/control/"
UNKNOWN_PATH: Mapping[Api, Callable[[str], ProviderError]] = {
    Api.PARTNER: partial(ApiError, 404),
    Api.OLXGROUP: lambda text: olxgroup.Refusal(404, f"Not documented: {text}"),
    Api.GENERIC: partial(Refusal, 404, "not_found"),
}
"""The refusal of a path that an API does not have."""


def application(
    sandbox: Sandbox, access: ControlAccess | None = None, *, dated: bool = False, beside: tuple[str, ...] = ()
) -> ASGIApp:
    """Return the provider's endpoints and the control over one sandbox.

    Without ``access`` the control is open to this machine only. ``dated`` is for a server that writes no ``Date``
    itself: the sandbox's is by its own clock. ``beside`` are the paths of other sandboxes, for the list of known ones.
    """
    access = access or ControlAccess()

    def app_of(sandbox: Sandbox, sandboxes: Sandboxes | None = None) -> ASGIApp:
        return Application(sandbox, access, sandboxes, dated, beside)

    return app_of(sandbox, Sandboxes(app_of, sandbox.clock.base))


def together(access: ControlAccess, sandboxes: Mapping[str, Sandbox], *, dated: bool = False) -> ASGIApp:
    """Return sandboxes as one application, each below its path, longer ones first; see ``application``."""
    beside = tuple(path for path in sandboxes if path)
    apps = {path: application(it, access, dated=dated, beside=() if path else beside) for path, it in sandboxes.items()}
    router = Router([Mount(path, app) for path, app in apps.items()])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for path in beside:  # RFC 8414 §3.1 has the issuer's path at the end
            if f"{scope['path']}/".startswith(f"{OAUTH_METADATA}{path}/"):
                rest = scope["path"].removeprefix(OAUTH_METADATA + path)
                scope = {**scope, "path": f"{path}{OAUTH_METADATA}{rest}"}
        await router(scope, receive, send)

    return app


class Application:
    """A few fixed paths, looked up in a dictionary, which is faster than matching routes."""

    def __init__(
        self,
        sandbox: Sandbox,
        access: ControlAccess,
        sandboxes: Sandboxes | None,
        dated: bool,
        beside: tuple[str, ...],
    ) -> None:
        self.sandbox = sandbox
        self.sandboxes = sandboxes
        self.dated = dated
        api = sandbox.configuration.api
        by_path = {path: _Endpoint(sandbox, it, path) for path, it in endpoints_by_path(api).items()}
        routes = TABLE if api is Api.PARTNER else ()
        self.routes = {f"{API}{it.path}": _Endpoint(sandbox, it.endpoint, f"{API}{it.path}") for it in routes}
        by_path |= {path: endpoint for path, endpoint in self.routes.items() if "{" not in path}
        # Both spellings; a redirect between them would drop the form's body.
        bare = {path.rstrip("/"): endpoint for path, endpoint in by_path.items()}
        self.paths: Mapping[str, ASGIApp] = {**bare, **by_path, HEALTH: _health}
        known = f"Unknown path. Known paths: {', '.join((*by_path, *beside))}, {HEALTH} and {CONTROL}."
        self.unknown_path = UNKNOWN_PATH[api](known)
        self.control = control_application(sandbox, access, CONTROL, sandboxes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond, as ASGI has it."""
        if scope["type"] != "http":
            return
        send = self._send_dated(send) if self.dated else send
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        app = self._found(path) or (self.control if path.startswith(CONTROL) else self._not_found)
        if path.startswith(OAUTH_METADATA + PATH):  # RFC 8414 §3.1 has the issuer's path at the end
            path = path.removeprefix(OAUTH_METADATA) + OAUTH_METADATA
            scope = {**scope, "path": f"{scope.get('root_path', '')}{path}"}
        if path.startswith(PATH):
            app, scope = self._own(path, scope) or (app, scope)
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:  # the server stops
            if (connection := connection_of(receive)) is None or not connection.is_closing():
                raise
            await disconnected(receive)

    def at_once(self, scope: Scope, body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
        """Respond to a request that came whole: status, headers and body.

        ``None``, and nothing has happened, when it is not for an endpoint, or when a fault may delay the response.
        """
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path.startswith(PATH) and (own := self._own(path, scope)) is not None:
            app, scope = own
            return app.at_once(scope, body) if isinstance(app, Application) else None
        endpoint = self._found(path)
        if not isinstance(endpoint, _Endpoint) or (result := endpoint.at_once(scope, body)) is None:
            return None
        headers = result.response.raw_headers(result.request_id)
        if self.dated:
            headers.append((b"date", self._date()))
        return result.response.status, headers, result.response.body

    def _found(self, path: str) -> ASGIApp | None:
        """Return the endpoint of a path; numbers in one of the partner API are ids."""
        return self.paths.get(path) or (self.routes.get(with_ids(path)) if "{" not in path else None)

    def _own(self, path: str, scope: Scope) -> tuple[ASGIApp, Scope] | None:
        """Return the application of a sandbox of its own, and the scope for it; ``None`` when it is unknown."""
        id = path.removeprefix(PATH).partition("/")[0]
        if self.sandboxes is None or (own := self.sandboxes.use(id)) is None:
            return None
        return own.app, {**scope, "root_path": f"{scope.get('root_path', '')}{PATH}{id}"}

    def _send_dated(self, send: Send) -> Send:
        """Return a ``send`` that adds ``Date`` (RFC 9110 §6.6.1) by the sandbox's clock to the response."""

        async def send_dated(message: Message) -> None:
            # One of its own, below this one, has written the date of its own clock.
            if message["type"] == "http.response.start" and not any(name == b"date" for name, _ in message["headers"]):
                message["headers"] = [*message["headers"], (b"date", self._date())]
            await send(message)

        return send_dated

    def _date(self) -> bytes:
        return _http_date(int(self.sandbox.clock.now().timestamp()))

    def _unknown(self, path: str) -> ProviderError:
        if self.sandboxes is not None and path.startswith(PATH) and (id := path.removeprefix(PATH).partition("/")[0]):
            return UNKNOWN_PATH[self.sandbox.configuration.api](unknown(id))
        return UnknownResource() if self.routes and path.startswith(f"{API}/") else self.unknown_path

    async def _not_found(self, scope: Scope, _receive: Receive, send: Send) -> None:
        started = perf_counter()
        with self.sandbox.lock:
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            outcome = Outcome(new_request_id(), self.sandbox.clock.now())
            admitted = self.sandbox.limiter.admits(address_of(scope), outcome.at)
            response = error_response(self._unknown(path)) if admitted else request_limit_page()
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
            result = self._process(request, held)
        except Exception:
            await send_response(endpoints.failure(), new_request_id(), send)
            raise
        if isinstance(result.fault, Hold):
            await sandbox.holds.wait(result.fault, request, result.client_id)
        if result.fault is None:
            await send_response(result.response, result.request_id, send)
        else:
            await result.fault.deliver(result.response, result.request_id, receive, send)

    def at_once(self, scope: Scope, body: bytes) -> PipelineResult | None:
        """Process a request that came whole; ``None`` when a fault may strike, which may have to wait."""
        with self.sandbox.lock:
            if self.sandbox.faults.rules or self.sandbox.fault_header:
                return None
            request = begun(self.endpoint, scope)
            request.take(body)
            return self._process(request)

    def _process(self, request: IncomingRequest, held: Hold | None = None) -> PipelineResult:
        sandbox = self.sandbox
        return process(sandbox, request, self.path, lambda: endpoints.respond(sandbox, request), held)


@functools.lru_cache(maxsize=1)
def _http_date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()


async def _health(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send_response(Response.json({"status": "ok"}), new_request_id(), send)
