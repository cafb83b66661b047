"""An id for each HTTP request: that of the proxy before the console, or a new one. Messages of the log have it."""

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oauth.logs import REQUEST_ID

HEADER = "X-Request-Id"

_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIds:
    """ASGI middleware that takes or makes the id, and sends it back. ``base`` is the path of the console."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        self._app = app
        self._sandbox = f"{base}/sandbox/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its id."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        sent = Headers(scope=scope).get(HEADER, "")
        id = sent if _WELL_FORMED.fullmatch(sent) else secrets.token_hex(8)

        async def send_with_id(message: Message) -> None:
            # The sandbox's API responds as a provider does, with the ids that the provider sends.
            if message["type"] == "http.response.start" and not scope["path"].startswith(self._sandbox):
                MutableHeaders(raw=message.setdefault("headers", []))[HEADER] = id
            await send(message)

        token = REQUEST_ID.set(id)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            REQUEST_ID.reset(token)
