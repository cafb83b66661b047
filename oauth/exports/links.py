"""Signed links to downloads of the history, which expire after a minute.

The routes of the downloads are not covered by the sign-in of the pages: the signature is what lets a reader in.
"""

import hashlib
from datetime import datetime

from itsdangerous import BadData, URLSafeSerializer

from oauth.history.filters import Filters
from oauth.settings import Settings

LIFETIME_SECONDS = 60


def path_of(format: str) -> str:
    """Return the path of the downloads in a format."""
    return f"/download/history.{format}"


def sign(settings: Settings, filters: Filters, now: datetime, format: str = "csv") -> str:
    """Return the path and query of a download of the exchanges that match ``filters``, valid for ``LIFETIME_SECONDS``.

    The link also names the owner of the exchanges, ``filters.owner``.
    """
    content = {
        "filters": filters.to_query(),
        "owner": filters.owner,
        "expires": now.timestamp() + LIFETIME_SECONDS,
    }
    return f"{path_of(format)}?link={_signer(settings, format).dumps(content)}"


def verify(settings: Settings, token: str, now: datetime, format: str) -> Filters | None:
    """Return the filters of a link's token, ``None`` when it is forged, of another format or expired."""
    try:
        content = _signer(settings, format).loads(token)
    except BadData:
        return None
    return Filters.from_query(content["filters"], content["owner"]) if now.timestamp() <= content["expires"] else None


def _signer(settings: Settings, format: str) -> URLSafeSerializer:
    key = settings.derived_key("download link")
    return URLSafeSerializer(key, salt=f"history.{format}", signer_kwargs={"digest_method": hashlib.sha256})
