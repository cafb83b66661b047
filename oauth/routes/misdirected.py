"""Uploads and media that reach another console than the one that drew their page: the proxy keeps no browser at one."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UPLOADS, MEDIA = "/_stcore/upload_file/", "/media/"
"""Paths of what Streamlit keeps in the memory of one process."""

UNKNOWN_SESSION = b"Invalid session_id"
"""The beginning of what Streamlit answers to an upload for a page that it has not drawn."""

TEXT = (
    "This console has not drawn the page that this belongs to: {what} reached another console, or the console was "
    "restarted since. With several consoles, have the proxy keep each browser at one (docs/operate.md, Several "
    "consoles), reload the page, and try again.\n"
)


class Misdirected:
    """ASGI middleware that answers 421 with the reason where Streamlit has none (RFC 9110 §15.5.20).

    ``note`` is called in a thread for an upload, so that the console that drew the page can say it there.
    """

    def __init__(self, app: ASGIApp, base: str, note: Callable[[], None]) -> None:
        self._app = app
        self._base = base
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and replace Streamlit's refusal of one that is for another console."""
        path = scope["path"].removeprefix(self._base) if scope["type"] == "http" else ""
        if path.startswith(UPLOADS) and scope["method"] == "PUT":
            status, what = 400, "the upload"
        elif path.startswith(MEDIA):
            status, what = 404, "the request for a file"
        else:
            await self._app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold(message: Message) -> None:
            """Hold a refusal back until its body is there."""
            if message["type"] == "http.response.start" and message["status"] == status:
                held.append(message)
                return
            if not held:
                await send(message)
                return
            held.append(message)
            if message.get("more_body"):
                return
            body = b"".join(part.get("body", b"") for part in held)
            if status == 400 and not body.startswith(UNKNOWN_SESSION):
                for part in held:
                    await send(part)
                return
            if status == 400:
                await run_in_threadpool(self._note)
            await PlainTextResponse(TEXT.format(what=what), 421)(scope, receive, send)

        await self._app(scope, receive, hold)
