"""The ``authorization_code`` grant (RFC 6749 §4.1.3)."""

from oauth.sandbox.errors import InvalidCode, InvalidScope, RedirectUriMismatch
from oauth.sandbox.grants.grant import Authorization, TokenRequest
from oauth.sandbox.provider import Tokens
from oauth.sandbox.scope import within


class AuthorizationCode:
    """The grant that exchanges a code; only a successful request spends it.

    A second use is refused, and the tokens of the first keep working: RFC 6749 §4.1.2 recommends revoking them, and the
    provider's documentation does not say that it does.
    """

    def examine(self, request: TokenRequest) -> Authorization:
        """Check the code and the redirect URI.

        ``redirect_uri`` is optional when the authorization request had none; otherwise it must be the same. Raises
        ``MissingParameter``, ``InvalidCode`` and ``RedirectUriMismatch``, in that order.
        """
        code = request.sandbox.live_code(request.required("code"))
        if code is None or code.client_id != request.client.client_id:
            raise InvalidCode
        expected = [code.redirect_uri] if code.redirect_uri_sent else [code.redirect_uri, None]
        if request.parameters.get("redirect_uri") not in expected:
            raise RedirectUriMismatch
        return Authorization(code.scope, code.user_id)

    def issue(self, request: TokenRequest, authorization: Authorization) -> Tokens:
        """Issue tokens; ``scope`` narrows what the user authorized, and other scopes are left out.

        Raises ``InvalidScope`` when the client may not have a scope, or none remains.
        """
        requested = request.scope or authorization.scope
        granted = tuple(name for name in requested if name in authorization.scope)
        if not granted or not within(requested, request.client.scopes):
            raise InvalidScope
        request.sandbox.use_code(request.parameters["code"])
        return request.sandbox.issue_tokens(request.client.client_id, granted, authorization.user_id)
