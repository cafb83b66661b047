"""The control of the embedded sandbox for programs, with a token of the console that has the scope ``sandbox``."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from oauth.access import tokens
from oauth.access.audit import Audit, Event
from oauth.history.store import HistoryError
from oauth.routes.api import RETRY_SECONDS
from oauth.routes.bearer import authorized, refusal
from oauth.routes.gate import address_of

SAFE = ("GET", "HEAD")
"""Methods that only look, and leave no row in the audit."""


class SandboxTokens:
    """ASGI application in front of a sandbox: it exchanges a token of the console for the control's own token.

    Requests with another token, or without one, go on as they are: the control decides.
    """

    def __init__(self, app: ASGIApp, new_audit: Callable[[], Audit], control_token: str) -> None:
        self._app = app
        self._new_audit = new_audit
        self._authorization = f"Bearer {control_token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with the control's token where its own is valid."""
        if scope["type"] != "http" or "/control/" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        if not request.headers.get("authorization", "").removeprefix("Bearer ").startswith(tokens.PREFIX):
            await self._app(scope, receive, send)
            return
        if (refused := await run_in_threadpool(self._refused, request)) is not None:
            await refused(scope, receive, send)
            return
        others = [pair for pair in scope["headers"] if pair[0] != b"authorization"]
        await self._app({**scope, "headers": [*others, (b"authorization", self._authorization)]}, receive, send)

    def _refused(self, request: Request) -> Response | None:
        audit = self._new_audit()
        try:
            token = authorized(request, tokens.Scope.SANDBOX, audit)
            if isinstance(token, Response):
                return token
            if request.method not in SAFE:
                place = f"{request.method} {request.url.path}"
                audit.record(token.person, Event.SANDBOX, place, address=address_of(request))
        except HistoryError as error:
            return refusal(503, str(error), {"Retry-After": str(RETRY_SECONDS)})
        return None
