"""One endpoint as an ASGI application."""

from starlette.types import Receive, Scope, Send

from oauth.sandbox import endpoints
from oauth.sandbox.pipeline import process
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.request import Endpoint, read
from oauth.sandbox.response import new_request_id, send_response


class AsgiEndpoint:
    """``path`` is the one that the log shows."""

    def __init__(self, sandbox: Sandbox, endpoint: Endpoint, path: str) -> None:
        self.sandbox = sandbox
        self.endpoint = endpoint
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Nothing waits but for the request and for the answer; what is checked and done happens in one go."""
        sandbox = self.sandbox
        request = await read(self.endpoint, scope, receive)
        try:
            attended = process(sandbox, request, self.path, lambda: endpoints.response(sandbox, request))
        except Exception:
            await send_response(endpoints.failure(), new_request_id(), send)
            raise
        if attended.fault is None:
            await send_response(attended.response, attended.request_id, send)
        else:
            await attended.fault.deliver(attended.response, attended.request_id, receive, send)
