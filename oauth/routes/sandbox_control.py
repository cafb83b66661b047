"""The control of the sandbox for programs, with a token of the console that has the scope ``sandbox``."""

import hmac
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from oauth.access import tokens
from oauth.access.audit import Audit, Event
from oauth.addresses import split
from oauth.client import send_unrecorded
from oauth.exchange import Exchange, Step
from oauth.exchange import Request as Sent
from oauth.history.store import HistoryError
from oauth.request_builder import USER_AGENT
from oauth.routes.api import RETRY_SECONDS
from oauth.routes.bearer import authorized, refusal
from oauth.routes.gate import address_of

VIA = "1.1 oauth-console"
"""What a request that was passed on has in ``Via`` (RFC 9110 §7.6.3): it must not come back."""

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


class ControlElsewhere:
    """ASGI application in place of the embedded sandbox: it passes the control's requests on to a shared one.

    Only requests with the control's own ``token`` are passed on; ``SandboxTokens`` in front of it has it.
    """

    def __init__(self, address: str, token: str, now: Callable[[], datetime]) -> None:
        self._address = address
        self._token = token
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond with what the shared sandbox's control responds, or say where that sandbox is."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await self._response(request, scope["path"].removeprefix(scope.get("root_path", "")))
        await response(scope, receive, send)

    async def _response(self, request: Request, path: str) -> Response:
        if not path.startswith("/control/") or ".." in path.split("/"):
            return refusal(404, f"The consoles of this installation share the sandbox at {self._address}.")
        if VIA in request.headers.get("via", ""):
            return refusal(
                508, f"CONSOLE_SANDBOX_URL, {self._address}, leads to a console and not to a sandbox server."
            )
        authorization = request.headers.get("authorization", "")
        if not hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode()):
            challenge = {"WWW-Authenticate": 'Bearer realm="sandbox control"'}
            return refusal(401, "The control needs a token of this console with the scope sandbox.", challenge)
        query = f"?{request.url.query}" if request.url.query else ""
        body = await request.body()
        headers = [
            ("Host", split(self._address).netloc),
            ("User-Agent", USER_AGENT),
            ("Accept-Encoding", "identity"),
            ("Authorization", authorization),
            ("Via", VIA),
            ("Content-Length", str(len(body))),
        ]
        if kind := request.headers.get("content-type"):
            headers.append(("Content-Type", kind))
        sent = Sent(request.method, f"{self._address}{quote(path)}{query}", tuple(headers), body)
        answer = (await run_in_threadpool(send_unrecorded, Exchange(Step.API, sent, self._now()))).response
        if answer is None:
            return refusal(502, f"The sandbox at {self._address} did not respond.")
        if answer.cut:
            return refusal(502, f"The response of the sandbox at {self._address} is too large to pass on.")
        passed_on = {name: value for name, value in answer.headers if name.lower() in ("content-type", "allow")}
        return Response(answer.body, answer.status, passed_on | {"Cache-Control": "no-store"})
