"""The control as an ASGI application: check access, find the operation, validate the input, run it, respond in JSON."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from oauth_sandbox import endpoints
from oauth_sandbox.clients import InvalidRedirectUri
from oauth_sandbox.configuration import NoEffectError
from oauth_sandbox.control import (
    clients,
    clock,
    consent,
    faults,
    holds,
    issued,
    lint,
    overview,
    partner,
    requests,
    settings,
    state,
    users,
)
from oauth_sandbox.control import sandboxes as own_sandboxes
from oauth_sandbox.control.access import ControlAccess
from oauth_sandbox.control.openapi import document
from oauth_sandbox.control.operation import Call, Conflict, Operation
from oauth_sandbox.errors import ApiError
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.response import Response, error_response
from oauth_sandbox.sandboxes import Sandboxes
from oauth_sandbox.validation import InvalidInput, decoded, validated

LARGEST_BODY = 64 * 1024 * 1024
OPERATIONS: tuple[Operation, ...] = (
    *clock.OPERATIONS,
    *clients.OPERATIONS,
    *consent.OPERATIONS,
    *issued.OPERATIONS,
    *faults.OPERATIONS,
    *holds.OPERATIONS,
    *lint.OPERATIONS,
    *overview.OPERATIONS,
    *partner.OPERATIONS,
    *requests.OPERATIONS,
    *own_sandboxes.OPERATIONS,
    *settings.OPERATIONS,
    *state.OPERATIONS,
    *users.OPERATIONS,
)
OPENAPI = "openapi.json"
STATUSES: Mapping[type[Exception], int] = {
    InvalidInput: 400,
    InvalidRedirectUri: 400,
    ClientDisconnect: 400,
    LookupError: 404,
    Conflict: 409,
    NoEffectError: 409,
}

Handler = Callable[[Request], Awaitable[Response]]


def control_application(
    sandbox: Sandbox, access: ControlAccess, prefix: str, sandboxes: Sandboxes | None = None
) -> ASGIApp:
    """Return the application that serves everything under ``prefix``, which ends with a slash."""

    async def openapi(request: Request) -> Response:
        server = f"{request.scope.get('root_path', '')}{prefix}"
        return Response.json(document(OPERATIONS, server, token_needed=access.token_needed))

    handlers: dict[str, dict[str, Handler]] = {OPENAPI: {"GET": openapi}}
    for operation in OPERATIONS:
        handlers.setdefault(operation.path, {})[operation.method] = partial(_respond, sandbox, operation, sandboxes)
    routes = [Route(f"{prefix}{path}", _Methods(by_method)) for path, by_method in handlers.items()]
    router = Router(routes, redirect_slashes=False, default=_not_found)

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        access.check(scope, Headers(scope=scope))
        await router(scope, receive, send)

    refusals: dict[Any, Any] = {ApiError: _refuse, **dict.fromkeys(STATUSES, _refuse)}
    return ServerErrorMiddleware(ExceptionMiddleware(checked, refusals), handler=_fail)


class _Methods:
    """The handlers of one path; starlette's own routes name only one route's methods in ``Allow``."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self.handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self.handlers.get(scope["method"])
        if handler is None:
            allow = {"Allow": ", ".join(self.handlers)}
            raise ApiError(405, f"{scope['method']} is not supported here: see the Allow header.", allow)
        response = await handler(Request(scope, receive))
        await response(scope, receive, send)


async def _respond(sandbox: Sandbox, operation: Operation, sandboxes: Sandboxes | None, request: Request) -> Response:
    try:
        path = {
            name: validated(text, operation.path_parameters[name], strict=False)
            for name, text in request.path_params.items()
        }
    except InvalidInput as error:
        raise ApiError(404, f"Unknown path: {error}") from error
    query = request.query_params
    if len(query) < len(query.multi_items()):
        raise InvalidInput((), "A query parameter is repeated. Send each one once.")
    parameters = validated(dict(query), operation.query, strict=False)
    body = None
    if operation.body is not None:
        body = decoded(await _body(request) or b"{}", operation.body)
    with sandbox.lock:
        result = operation.run(sandbox, Call(path, parameters, body, str(request.base_url).rstrip("/"), sandboxes))
    return Response(204) if operation.response is None else Response.json(result, operation.status)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise ApiError(413, f"The body is larger than {LARGEST_BODY} bytes.")
    return bytes(body)


async def _not_found(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ApiError(404, f"Unknown path. {OPENAPI} lists the operations.")


def _refuse(_request: Request, error: Exception) -> Response:
    if isinstance(error, ApiError):
        return error_response(error)
    status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
    return error_response(ApiError(status, str(error.args[0]) if error.args else "The request is incomplete."))


def _fail(_request: Request, _error: Exception) -> Any:
    return endpoints.failure()
