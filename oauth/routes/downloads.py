"""Downloads of the history, behind links that are signed and soon expire.

A route beside the pages is not covered by their sign-in; the signature is what lets a reader in.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from itertools import chain, islice

from itsdangerous import BadData, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from oauth.history.csv_export import csv_rows
from oauth.history.filters import Filters
from oauth.history.store import History, HistoryError
from oauth.routes.page import page
from oauth.settings import Settings

CSV_PATH = "/download/history.csv"

LINK_SECONDS = 60


def signed_link(settings: Settings, filters: Filters, now: datetime) -> str:
    """The path of a CSV of what ``filters`` show, with its query; it works for 60 seconds from ``now``.

    The link names the owner whose exchanges it gives, ``filters.owner``, beside the filters.
    """
    content = {
        "filters": filters.to_query(),
        "owner": filters.owner,
        "expires": now.timestamp() + LINK_SECONDS,
    }
    return f"{CSV_PATH}?link={_signer(settings).dumps(content)}"


def history_csv(settings: Settings, history: History, clock: Callable[[], datetime]) -> Callable[[Request], Response]:
    """The endpoint of ``signed_link``."""

    def endpoint(request: Request) -> Response:
        now = clock()
        to_history = f"{request.scope.get('root_path', '')}/history", "Go to History"
        try:
            content = _signer(settings).loads(request.query_params.get("link", ""))
        except BadData:
            content = None
        if content is None or now.timestamp() > content["expires"]:
            reason = f"A link to a download works for {LINK_SECONDS} seconds. Go back to History and make a new one."
            return page("This link has expired", [reason], link=to_history, status=403)
        rows = history.rows(Filters.from_query(content["filters"], content["owner"]))
        try:
            # Read before anything is sent: a history that cannot be read is then a page, and not a broken file.
            first = list(islice(rows, 1))
        except HistoryError as error:
            return page("The history cannot be read", [str(error)], link=to_history, status=503)
        return StreamingResponse(
            csv_rows(chain(first, rows)),
            media_type="text/csv",
            headers={
                "Content-Disposition": f'attachment; filename="oauth-history-{now:%Y%m%d-%H%M%S}.csv"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Content-Encoding": "identity",  # keeps a compressing middleware from holding the stream back
            },
        )

    return endpoint


def _signer(settings: Settings) -> URLSafeSerializer:
    key = settings.derived_key("download link")
    return URLSafeSerializer(key, salt="history.csv", signer_kwargs={"digest_method": hashlib.sha256})
