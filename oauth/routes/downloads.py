"""Downloads of the history, behind links that are signed and soon expire.

A route beside the pages is not covered by their sign-in; the signature is what lets a reader in.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime

from itsdangerous import BadData, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from oauth.exports.arrow_reader import source
from oauth.exports.download import Download
from oauth.exports.formats import FORMATS
from oauth.history.filters import Filters
from oauth.history.store import History, HistoryError
from oauth.routes.page import page
from oauth.settings import Settings

PATHS = {name: f"/download/history.{name}" for name in FORMATS}

LINK_SECONDS = 60

PATIENCE = 1.0
"""Seconds that a file has to become whole. One that does is sent with its size, so that a browser shows how much of it
is there; of a larger one it shows how much has come."""


def signed_link(settings: Settings, filters: Filters, now: datetime, format: str = "csv") -> str:
    """The path of a file of what ``filters`` show, with its query; it works for 60 seconds from ``now``.

    The link names the owner whose exchanges it gives, ``filters.owner``, beside the filters. ``format`` is one of
    ``PATHS``.
    """
    content = {
        "filters": filters.to_query(),
        "owner": filters.owner,
        "expires": now.timestamp() + LINK_SECONDS,
    }
    return f"{PATHS[format]}?link={_signer(settings, format).dumps(content)}"


def history_file(
    settings: Settings, history: History, clock: Callable[[], datetime], format: str
) -> Callable[[Request], Response]:
    """The endpoint of ``signed_link`` for one format."""

    def endpoint(request: Request) -> Response:
        now = clock()
        to_history = f"{request.scope.get('root_path', '')}/history", "Go to History"
        try:
            content = _signer(settings, format).loads(request.query_params.get("link", ""))
        except BadData:
            content = None
        if content is None or now.timestamp() > content["expires"]:
            reason = f"A link to a download works for {LINK_SECONDS} seconds. Go back to History and make a new one."
            return page("This link has expired", [reason], link=to_history, status=403)
        filters = Filters.from_query(content["filters"], content["owner"])
        try:
            # Read before anything is sent: a history that cannot be read is then a page, and not a broken file.
            history.page(filters, None, 1)
            download = Download(source(settings.database_url, filters), format, settings.home)
            size = download.size(PATIENCE)
        except HistoryError as error:
            return page("The history cannot be read", [str(error)], link=to_history, status=503)
        except OSError as error:
            reason = f"The file cannot be made in {settings.home}: {error.strerror}. Free some space, then try again."
            return page("The file cannot be made", [reason], link=to_history, status=503)
        return _FileResponse(
            download,
            media_type=FORMATS[format].media_type,
            headers={
                "Content-Disposition": f'attachment; filename="oauth-history-{now:%Y%m%d-%H%M%S}.{format}"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Content-Encoding": "identity",  # keeps a compressing middleware from holding the stream back
            }
            | ({} if size is None else {"Content-Length": str(size)}),
        )

    return endpoint


class _FileResponse(StreamingResponse):
    """A stream that ends the making of its file when it ends, also because the reader has left."""

    def __init__(self, download: Download, media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(download.chunks(), media_type=media_type, headers=headers)
        self._download = download

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._download.close()


def _signer(settings: Settings, format: str) -> URLSafeSerializer:
    key = settings.derived_key("download link")
    return URLSafeSerializer(key, salt=f"history.{format}", signer_kwargs={"digest_method": hashlib.sha256})
