"""The browser's part of a login, told from the calls of a client by the signs in a request and its response.

Pages of login and consent, their forms and redirects, and the files that pages load are no calls of an API: HTML, an
image or a redirect is what they are for.
"""

import re
from enum import StrEnum
from urllib.parse import parse_qsl

from oauth import challenges
from oauth.catalogue.matcher import address_parameters
from oauth.exchange import Headers, Request, Response, first_headers, header


class Use(StrEnum):
    """The use that a browser has for a response."""

    DOCUMENT = "document"
    """A page, or the redirect to one: the address bar or a frame goes there."""

    CALL = "call"
    """A call by the script of a page."""

    FILE = "file"
    """A part of a page, or what the browser asks by itself: script, style, image, font, icon, preflight, beacon."""


_FETCH_DEST = {"document": Use.DOCUMENT, "iframe": Use.DOCUMENT, "frame": Use.DOCUMENT, "fencedframe": Use.DOCUMENT,
               "object": Use.DOCUMENT, "embed": Use.DOCUMENT, "empty": Use.CALL}  # fmt: skip
"""Values of ``Sec-Fetch-Dest`` (Fetch Metadata Request Headers §2.1); any other is a part of a page."""

_RESOURCE_TYPE = {"document": Use.DOCUMENT, "iframe": Use.DOCUMENT, "xhr": Use.CALL, "fetch": Use.CALL,
                  "eventsource": Use.CALL, "xmlhttprequest": Use.CALL, "other": Use.CALL}  # fmt: skip
"""Values of ``_resourceType`` in the HAR of a browser; any other is a part of a page."""

_FILE_TYPES = re.compile(
    r"(?:image|font|audio|video)/|text/(?:css|javascript|ecmascript)|"
    r"application/(?:(?:x-)?javascript|wasm|(?:x-|vnd\.ms-)?font\S*|manifest\+json)",
    re.IGNORECASE,
)
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")

RESPONSE_NAMES = frozenset(
    {"code", "state", "iss", "session_state", "scope", "authuser", "prompt", "hd", "user", "id_token", "access_token",
     "token_type", "expires_in", "error", "error_description", "error_uri", "error_subcode", "client_info", "response"}
)  # fmt: skip
"""Names in an authorization response, as ``response_mode=form_post`` sends it (RFC 6749 §4.1.2, §4.2.2, RFC 9207)."""

_CLIENT_NAMES = frozenset(
    {"grant_type", "client_secret", "client_assertion", "code_verifier", "refresh_token", "device_code"}
)
"""Names that only the call of a client has, in a form or a query."""

_CLIENT_JSON = re.compile(
    rb'"(?:grant_?type|client_?secret|code_?verifier|refresh_?token|code|access_?token)"\s*:', re.IGNORECASE
)

_LOGIN_PATH = re.compile(r"/(?:log-?in|sign-?in|sso|consent|log-?out|sign-?out|interaction)(?:[/.;]|$)", re.IGNORECASE)
_PASSWORD_FIELD = re.compile(rb"""type\s{0,9}=\s{0,9}["']?password\b""", re.IGNORECASE)

_SIGNS = frozenset(
    {"access-control-request-method", "upgrade", "sec-fetch-dest", "accept", "authorization", "dpop", "content-type",
     "x-requested-with", "user-agent", "cookie", "origin", "referer"}
)  # fmt: skip

_ACCEPTS_PAGE = "application/xhtml+xml"
"""A part of the ``Accept`` of every browser's navigation, which the defaults of HTTP libraries do not have."""


def use_of(request: Request, response: Response | None = None, resource_type: str = "") -> Use | None:
    """Return the use that a browser has for the response of a request; ``None`` where nothing says that one made it.

    ``resource_type`` is that of the HAR of a browser, if there is one.
    """
    return Sight(request, response, resource_type).use


class Sight:
    """One exchange, with the signs of a browser among its request's headers, which are searched for once.

    ``use`` is that of ``use_of``.
    """

    def __init__(self, request: Request, response: Response | None = None, resource_type: str = "") -> None:
        self.request, self.response = request, response
        self._headers = first_headers(request.headers, _SIGNS)
        self.use = self._use(resource_type)

    def _use(self, resource_type: str) -> Use | None:
        request, response, sent = self.request, self.response, self._headers
        if request.method == "OPTIONS" and "access-control-request-method" in sent:
            return Use.FILE
        if sent.get("upgrade", "").lower() == "websocket" or (response and response.status == 101):
            return Use.FILE
        if destination := sent.get("sec-fetch-dest", "").strip().lower():
            return _FETCH_DEST.get(destination, Use.FILE)
        if resource_type:
            return _RESOURCE_TYPE.get(resource_type.lower(), Use.FILE)
        accept = sent.get("accept", "").strip().lower()
        if _ACCEPTS_PAGE in accept:
            return Use.DOCUMENT
        if accept.startswith(("image/", "text/css", "font/")):
            return Use.FILE
        if response is not None and not self.is_of_client():
            if request.method == "GET" and _FILE_TYPES.match(header(response.headers, "content-type") or ""):
                return Use.FILE
            if self._is_answered_form(response) or self._is_login_page(response):
                return Use.DOCUMENT
        return Use.CALL if self._is_of_script() else None

    def is_of_client(self) -> bool:
        """Return whether a request has what only a client sends: a token, its secret, or a grant."""
        scheme = self._headers.get("authorization", "").strip().partition(" ")[0].lower()
        if scheme and scheme not in ("negotiate", "ntlm"):
            return True
        if "dpop" in self._headers or not _CLIENT_NAMES.isdisjoint(self.form()):
            return True
        return _CLIENT_JSON.search(self.request.body) is not None

    def is_page(self) -> bool:
        """Return whether an exchange is a page, a part of one, or a call that a page makes for itself."""
        if self.use is Use.CALL:
            return not (self.is_of_client() or (self.response is not None and _asks_for_token(self.response)))
        if self.use is Use.DOCUMENT:
            return _CLIENT_NAMES.isdisjoint(self.form())
        return self.use is Use.FILE

    def form(self) -> dict[str, str]:
        """Return the parameters in the query and, of a form, in the body of a request."""
        pairs = _query(self.request.url)
        if b"=" in self.request.body and (self._is_form() or "content-type" not in self._headers):
            pairs += _pairs(self.request.body.decode("utf-8", "replace"))
        return dict(reversed(pairs))

    def is_form_post(self) -> bool:
        """Return whether a request is an authorization response in a form (OAuth 2.0 Form Post Response Mode)."""
        if self.request.method != "POST" or not self._is_form():
            return False
        names = {name for name, _ in _pairs(self.request.body.decode("utf-8", "replace"))}
        return "state" in names and bool(names & {"code", "error", "id_token"}) and names <= RESPONSE_NAMES

    def _is_form(self) -> bool:
        return self._headers.get("content-type", "").lower().startswith(_FORM_TYPES)

    def _is_answered_form(self, response: Response) -> bool:
        """Return whether a form was sent with a cookie, or was answered by an authorization response or a cookie."""
        if not self._is_form():
            return False
        location = header(response.headers, "location") or ""
        if 300 <= response.status < 400 and location:
            answered = address_parameters(location)
            if "state" in answered and ("code" in answered or "error" in answered):
                return True
        has_cookie = "cookie" in self._headers or header(response.headers, "set-cookie") is not None
        is_followed = 300 <= response.status < 400 or _is_html(response.headers)
        return self.request.method == "POST" and has_cookie and is_followed

    def _is_login_page(self, response: Response) -> bool:
        path = self.request.url.partition("?")[0]
        return self.request.method == "GET" and _is_html(response.headers) and _LOGIN_PATH.search(path) is not None

    def _is_of_script(self) -> bool:
        if self._headers.get("x-requested-with", "").lower() == "xmlhttprequest":
            return True
        is_browser = self._headers.get("user-agent", "").startswith("Mozilla/5.0")
        return is_browser and not self._headers.keys().isdisjoint(("cookie", "origin", "referer"))


def is_login_form(body: bytes) -> bool:
    """Return whether a page asks for a password."""
    return _PASSWORD_FIELD.search(body) is not None


def _asks_for_token(response: Response) -> bool:
    values = (value for name, value in response.headers if name.lower() == "www-authenticate")
    return any(
        challenge.scheme.lower() in ("bearer", "dpop") for value in values for challenge in challenges.parse(value)
    )


def _is_html(headers: Headers) -> bool:
    return (header(headers, "content-type") or "").lower().startswith(("text/html", "application/xhtml"))


def _query(url: str) -> list[tuple[str, str]]:
    query = url.partition("#")[0].partition("?")[2]
    return _pairs(query) if query else []


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="replace")
    except ValueError:  # more parameters than Python reads
        return []
