"""Downloads of the history, behind the signed links of ``oauth/exports/links.py``."""

from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from oauth.exports import links
from oauth.exports.arrow_reader import source
from oauth.exports.download import Download
from oauth.exports.formats import FORMATS
from oauth.history.store import History, HistoryError
from oauth.routes.page import page
from oauth.settings import Settings

PATIENCE = 1.0
"""Seconds to wait for the whole file. One that is complete by then is sent with its size, so that the browser shows
progress; a larger one is streamed without."""


def history_file(
    settings: Settings, history: History, clock: Callable[[], datetime], format: str
) -> Callable[[Request], Response]:
    """Return the endpoint of the downloads in one format."""

    def endpoint(request: Request) -> Response:
        now = clock()
        to_history = f"{request.scope.get('root_path', '')}/history", "Go to History"
        filters = links.verify(settings, request.query_params.get("link", ""), now, format)
        if filters is None:
            reason = (
                f"Download links expire after {links.LIFETIME_SECONDS} seconds. Go back to History and use a new one."
            )
            return page("This link has expired", [reason], link=to_history, status=403)
        try:
            # Read before anything is sent: an error is then a page, and not a broken file.
            history.page(filters, None, 1)
            download = Download(source(settings.database_url, filters), format, settings.home)
            size = download.size(PATIENCE)
        except HistoryError as error:
            return page("The history cannot be read", [str(error)], link=to_history, status=503)
        except OSError as error:
            reason = f"Cannot write to {settings.home}: {error.strerror}. Free some space, then try again."
            return page("The file could not be created", [reason], link=to_history, status=503)
        return _FileResponse(
            download,
            media_type=FORMATS[format].media_type,
            headers={
                "Content-Disposition": f'attachment; filename="oauth-history-{now:%Y%m%d-%H%M%S}.{format}"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Content-Encoding": "identity",  # a compressing middleware would hold the stream back
            }
            | ({} if size is None else {"Content-Length": str(size)}),
        )

    return endpoint


class _FileResponse(StreamingResponse):
    """A stream that stops the export when it ends, also when the client has disconnected."""

    def __init__(self, download: Download, media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(download.chunks(), media_type=media_type, headers=headers)
        self._download = download

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._download.close()
