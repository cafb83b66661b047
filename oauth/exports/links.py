"""Signed links to downloads of the history.

A link expires after a minute, works once, in one browser, and for one person: a link that is passed on is worthless.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from itsdangerous import BadData, URLSafeSerializer

from oauth.exports.layout import WHOLE, Layout
from oauth.history.filters import Filters
from oauth.settings import Settings

LIFETIME_SECONDS = 60

HOST_PREFIX = "__Host-"
"""The beginning of the name of a cookie that is ``Secure``, of one host, and of all its paths."""


@dataclass(frozen=True, slots=True)
class Link:
    """The content of a link: what it downloads, the digest of its browser's cookie, and when it expires (Unix time).

    ``person`` is the id of whom it was made for. ``layout`` has the columns and the time zone of the file.
    """

    id: str
    filters: Filters
    person: str
    browser: str
    expires: float
    layout: Layout = WHOLE

    def belongs_to(self, browser: str) -> bool:
        """Return whether this link was made for the browser with this cookie."""
        return secrets.compare_digest(self.browser, _digest(browser))


def path_of(format: str) -> str:
    """Return the path of the downloads in a format."""
    return f"/download/history.{format}"


def cookie_name(settings: Settings) -> str:
    """Return the name of the cookie that tells browsers apart. Consoles at other ports of a host share its cookies.

    With TLS no other host of the domain can set one of that name (RFC 6265bis §4.1.3.2).
    """
    prefix = HOST_PREFIX if settings.public_url.startswith("https:") else ""
    return f"{prefix}console_{settings.derived_key('browser cookie').hex()[:8]}"


def sign(
    settings: Settings,
    filters: Filters,
    now: datetime,
    format: str = "csv",
    browser: str = "",
    layout: Layout = WHOLE,
    *,
    person: str,
) -> str:
    """Return the path and query of a download of the exchanges that match ``filters``, valid for ``LIFETIME_SECONDS``.

    It works for one person, by their id, in the browser that has the cookie ``browser``.
    """
    content = {
        "id": secrets.token_urlsafe(9),
        "filters": filters.to_query(),
        "person": person,
        "browser": _digest(browser),
        "expires": now.timestamp() + LIFETIME_SECONDS,
        "layout": layout.text,
    }
    return f"{path_of(format)}?link={_signer(settings, format).dumps(content)}"


def verify(settings: Settings, token: str, format: str) -> Link | None:
    """Return the link with this token, ``None`` when it is forged or of another format."""
    try:
        content = _signer(settings, format).loads(token)
    except BadData:
        return None
    filters = Filters.from_query(content.pop("filters"))
    layout = Layout.parse(content.pop("layout"))
    return Link(**content, filters=filters, layout=layout)


def _digest(browser: str) -> str:
    """Return a digest of a cookie, which itself must not be in an address."""
    return hashlib.sha256(browser.encode()).hexdigest()[:32]


def _signer(settings: Settings, format: str) -> URLSafeSerializer:
    key = settings.derived_key("download link")
    return URLSafeSerializer(key, salt=f"history.{format}", signer_kwargs={"digest_method": hashlib.sha256})
