"""One endpoint as an ASGI application."""

from starlette.types import Receive, Scope, Send

from oauth.sandbox import endpoints
from oauth.sandbox.pipeline import attend
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.request import Endpoint, read
from oauth.sandbox.response import new_request_id, send_answer


class Served:
    """``path`` is the one that the log shows."""

    def __init__(self, sandbox: Sandbox, endpoint: Endpoint, path: str) -> None:
        self.sandbox = sandbox
        self.endpoint = endpoint
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Nothing waits but for the request and for the answer; what is checked and done happens in one go."""
        sandbox = self.sandbox
        received = await read(self.endpoint, scope, receive)
        try:
            attended = attend(sandbox, received, self.path, lambda: endpoints.answer(sandbox, received))
        except Exception:
            await send_answer(endpoints.failure(), new_request_id(), send)
            raise
        if attended.fault is None:
            await send_answer(attended.answer, attended.request_id, send)
        else:
            await attended.fault.deliver(attended.answer, attended.request_id, receive, send)
