"""The requirements of an API call (RFC 6750 §2.1 and the provider's own headers)."""

from collections.abc import Mapping

from oauth_sandbox.errors import ApiError, InsufficientScope, InvalidOwner, InvalidToken, MissingToken
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import bearer
from oauth_sandbox.scope import within
from oauth_sandbox.store import Issued, Kind

VERSION = "2.0"
SCOPE = ("read", "v2")


def check(sandbox: Sandbox, headers: Mapping[str, str], *, user_needed: bool) -> Issued:
    """Return the token of an API GET, or raise the first error. Names of ``headers`` are in lower case.

    Checked in this order, documented errors by number: no token, 7 (also for a header without ``Bearer``), 8, 9 where
    a user is needed, then the ``Version`` header and a ``Content-Type``. Every endpoint needs the scopes ``SCOPE``.
    """
    authorization = headers.get("authorization", "").strip()
    secret = bearer(authorization)
    if not authorization or secret == "":
        raise MissingToken
    token = None if secret is None else sandbox.live(Kind.ACCESS_TOKEN, secret)
    if token is None:
        raise InvalidToken
    if not within(SCOPE, token.scope):
        raise InsufficientScope(" ".join(SCOPE))
    if user_needed and token.user_id is None:
        raise InvalidOwner
    version = headers.get("version")
    if version is None:
        raise ApiError(400, "Missing required 'Version' header!")
    if version.strip() != VERSION:
        raise ApiError(400, f"Unknown version in the 'Version' header: send 'Version: {VERSION}'")
    if "content-type" in headers:
        raise ApiError(400, "A GET has no body: leave the 'Content-Type' header out")
    return token
