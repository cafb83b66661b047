"""Bearer tokens of programs (RFC 6750): who sent a request, whether it may, and whether it is one too many."""

import math
import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from oauth.access.audit import NOBODY, Audit, Event
from oauth.access.limits import Rate
from oauth.access.tokens import Scope, Token, find
from oauth.routes.gate import address_of

REALM = "OAuth Console"

PER_TOKEN = Rate(120, 60)
"""The rate of one token."""

PER_PERSON = Rate(240, 60)
"""The rate of all tokens of one person."""

REFUSED = Rate(30, 60)
"""The rate of requests with an invalid token from one address."""

ALL_REFUSED = Rate(300, 60)
"""The rate of those from all addresses, since a proxy may pass on an address that was made up."""

_CREDENTIALS = re.compile(r"Bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)


def authorized(request: Request, scope: Scope, audit: Audit, cost: int = 1) -> Token | Response:
    """Return the token of a request that may go on, or the refusal: 400, 401, 403 or 429.

    The request counts as ``cost``. Raises ``HistoryError``.
    """
    database, address = audit.history.database, address_of(request)
    headers = request.headers.getlist("authorization")
    if "access_token" in request.query_params or len(headers) > 1:
        return _challenge(400, "invalid_request", "Send one token, and in the header Authorization only.")
    if not headers or headers[0].partition(" ")[0].lower() != "bearer":
        return _challenge(401, "", "Send a token in the header Authorization: Bearer TOKEN.")
    credentials = _CREDENTIALS.fullmatch(headers[0])
    if credentials is None:
        return _challenge(400, "invalid_request", "The header Authorization must be: Bearer TOKEN.")
    token = find(database, credentials[1])
    place = f"{request.method} {request.url.path}"
    if token is None:
        peer = request.client.host if request.client else ""
        for rate, name in ((REFUSED, f"address {peer}"), (ALL_REFUSED, "all addresses")):
            if wait := rate.take(database, name):
                return _too_many(wait)
        audit.record(NOBODY, Event.REFUSAL, place, detail="invalid token", address=address, allowed=False)
        return _challenge(401, "invalid_token", "The token is unknown, revoked or expired. Create another one.")
    for rate, name in ((PER_TOKEN, f"token {token.name}"), (PER_PERSON, f"person {token.created_by}")):
        if wait := rate.take(database, name, cost):
            return _too_many(wait)
    if fault := token.fault(scope):
        audit.record(token.person, Event.REFUSAL, place, detail=fault, address=address, allowed=False)
        text = f"{fault[0].upper()}{fault[1:]}."
        return _challenge(403, "insufficient_scope", text, f', scope="{scope}"')
    return token


def refusal(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error as JSON; ``detail`` says what to do."""
    error = {"status": status, "detail": detail}
    return JSONResponse({"error": error}, status, {"Cache-Control": "no-store", **(headers or {})})


def _challenge(status: int, error: str, detail: str, more: str = "") -> Response:
    """Return a refusal with its challenge (RFC 6750 §3), without an error code for a request without a token."""
    code = f', error="{error}", error_description="{detail}"' if error else ""
    return refusal(status, detail, {"WWW-Authenticate": f'Bearer realm="{REALM}"{code}{more}'})


def _too_many(wait: float) -> Response:
    seconds = math.ceil(wait)
    return refusal(429, f"Too many requests. Try again in {seconds} s.", {"Retry-After": str(seconds)})
