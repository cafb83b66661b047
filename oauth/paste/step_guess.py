"""Guess the step of a pasted exchange from its address and body."""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, urlsplit

from oauth.catalogue.browser import Sight, Use
from oauth.catalogue.shapes import is_error_code
from oauth.exchange import Request, Response, Step, header

_GRANT = re.compile(rb"""grant_type["']?\s*[=:]\s*["']?([\w:.-]*)""")
TOKEN_PATH = re.compile(r"/(?:oauth2?/|o/|open/oauth/|connect/)?(?:access_?)?token(?:\.\w+)?/?$", re.IGNORECASE)
_TELLING = re.compile(r"%|grant_type|response_type|code|error")
"""A mark of an address that may have a parameter that tells the step; a name may be percent-encoded."""

_AUTHORIZE_PATH = re.compile(r"/(?:authori[sz]e|authorization|auth)(?:\.\w+)?/?$", re.IGNORECASE)
_BESIDE = tuple(
    (step, method, re.compile(rf"/{path}/?$", re.IGNORECASE))
    for step, method, path in (
        (Step.REVOKE, "POST", r"revo(?:ke|cation)(?:_token)?"),
        (Step.INTROSPECT, "POST", r"introspect(?:ion)?(?:_token)?"),
        (Step.PAR, "POST", r"(?:par|pushed[_-]authorization(?:[_-]requests?)?)"),
        (Step.DEVICE, "POST", r"device(?:/|[_-])?(?:auth(?:ori[sz]\w*)?|codes?)"),
        (Step.USERINFO, "GET", r"user_?info"),
        (Step.JWKS, "GET", r"(?:jwks(?:\.json|_uri)?|certs)"),
    )
)
"""The endpoints beside the flow, by what their addresses usually end with."""

_RESOURCE_ERROR = re.compile(rb'"error"\s*:\s*(?:"(?:invalid_token|insufficient_scope)"|\{)')


def step_of(request: Request | None, response: Response | None, resource_type: str | None = None) -> Step | None:
    """Return the step, or ``None`` where only a response is known and it could be any endpoint's.

    ``resource_type`` is what a HAR says that the response was for, empty where it does not say; ``None`` without a HAR.
    """
    if request is None or not (request.url or request.body):
        return _of_response(response)
    sight = Sight(request, response, resource_type or "")
    step = _of_request(sight)
    use = sight.use
    if use in (Use.FILE, Use.DOCUMENT) or (use is Use.CALL and resource_type is not None):
        return _of_browser(sight, step)
    # A browser gets a page or a redirect; JSON answers a client that sends its code in the query.
    is_json = response is not None and response.body[:1] in (b"{", b"[")
    return Step.TOKEN if step is Step.CALLBACK and is_json else step


def _of_browser(sight: Sight, step: Step) -> Step:
    """Return the step of a browser's request, of which ``step`` is known by its address and its body alone."""
    request, use = sight.request, sight.use
    if use is Use.FILE:
        return Step.PAGE
    if sight.is_form_post():
        return Step.CALLBACK
    is_page = sight.is_page()
    if step is Step.CALLBACK and (use is Use.CALL or not _is_told(parameters(request.url))):
        return Step.PAGE if is_page else Step.API
    if step is Step.AUTHORIZE or not is_page:
        return step
    if step in (Step.TOKEN, Step.REFRESH):
        has_client = "client_id" in sight.form() or b'"client_id"' in request.body
        return step if request.method == "POST" and has_client else Step.PAGE
    if step in (Step.INTROSPECT, Step.REVOKE) and b"token" not in request.body:
        return Step.PAGE
    return step if step is Step.CALLBACK or (use is Use.CALL and step is not Step.API) else Step.PAGE


def _is_told(values: Mapping[str, str]) -> bool:
    """Return whether parameters tell an authorization response, and not a page that names its own error."""
    return "code" in values or "state" in values or "error_description" in values or is_error_code(values["error"])


def parameters(url: str) -> dict[str, str]:
    """Return the parameters in query and fragment of an address; none where it is malformed."""
    if "=" not in url:
        return {}
    try:
        parts = urlsplit(url)
        return dict(parse_qsl(f"{parts.query}&{parts.fragment}", keep_blank_values=True))
    except ValueError:  # a malformed host, or more parameters than Python reads
        return {}


def path_of(url: str) -> str:
    """Return the path of an address, empty where it is malformed."""
    return split(url).path


def split(url: str) -> SplitResult:
    """Return the parts of an address; all of them empty where the host is malformed."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _of_request(sight: Sight) -> Step:
    request = sight.request
    values = parameters(request.url) if _TELLING.search(request.url) else {}
    grant = _GRANT.search(request.body)
    if grant or "grant_type" in values:
        name = grant[1].decode("latin-1") if grant else values["grant_type"]
        return Step.REFRESH if name == "refresh_token" else Step.TOKEN
    path = path_of(request.url)
    if TOKEN_PATH.search(path):
        return Step.REFRESH if b"refresh_token" in request.body else Step.TOKEN
    if request.method in ("GET", "HEAD", ""):
        if "response_type" in values or (
            _AUTHORIZE_PATH.search(path) and "code" not in values and "error" not in values
        ):
            return Step.AUTHORIZE
        if is_callback(values):
            return Step.CALLBACK
    elif sight.is_form_post():
        return Step.CALLBACK
    steps = (step for step, method, ending in _BESIDE if request.method in (method, "") and ending.search(path))
    return next(steps, Step.API)


def is_callback(values: dict[str, str]) -> bool:
    """Return whether these are the parameters of an authorization response (RFC 6749 §4.1.2)."""
    return (
        "response_type" not in values and "grant_type" not in values and bool(values.get("code") or values.get("error"))
    )


def _of_response(response: Response | None) -> Step | None:
    if response is None:
        return None
    if b'"access_token"' in response.body and response.status in (0, 200):
        return Step.TOKEN
    if _RESOURCE_ERROR.search(response.body):
        return Step.API
    location = header(response.headers, "location")
    return Step.AUTHORIZE if location and is_callback(parameters(location)) else None
