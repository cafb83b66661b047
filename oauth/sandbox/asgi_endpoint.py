"""One endpoint as an ASGI application."""

from starlette.types import Receive, Scope, Send

from oauth.sandbox import endpoints
from oauth.sandbox.pipeline import process
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.request import Endpoint, read
from oauth.sandbox.response import new_request_id, send_response


class AsgiEndpoint:
    """An ASGI application for one endpoint; ``path`` is what the log shows."""

    def __init__(self, sandbox: Sandbox, endpoint: Endpoint, path: str) -> None:
        self.sandbox = sandbox
        self.endpoint = endpoint
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request; only reading and sending await, so that checks and effects are one step."""
        sandbox = self.sandbox
        request = await read(self.endpoint, scope, receive)
        try:
            result = process(sandbox, request, self.path, lambda: endpoints.respond(sandbox, request))
        except Exception:
            await send_response(endpoints.failure(), new_request_id(), send)
            raise
        if result.fault is None:
            await send_response(result.response, result.request_id, send)
        else:
            await result.fault.deliver(result.response, result.request_id, receive, send)
