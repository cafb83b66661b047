"""The ``authorization_code`` grant (RFC 6749 §4.1.3)."""

from oauth.sandbox.errors import InvalidCode, InvalidScope, RedirectUriMismatch
from oauth.sandbox.grants.grant import Authorization, TokenRequest
from oauth.sandbox.provider import Tokens
from oauth.sandbox.scope import within


class AuthorizationCode:
    """A code is spent when it gives tokens, not by a request that fails.

    Presented a second time it is refused, and the tokens it gave keep working: RFC 6749 §4.1.2 would have them
    revoked, and the provider's documentation does not say that it does.
    """

    def examine(self, request: TokenRequest) -> Authorization:
        """Raises ``MissingParameter``, ``InvalidCode`` and ``RedirectUriMismatch``, in that order.

        ``redirect_uri`` may be left out when the authorization request had none; when it is sent it must be the one
        that the code went to.
        """
        code = request.sandbox.live_code(request.required("code"))
        if code is None or code.client_id != request.client.client_id:
            raise InvalidCode
        expected = [code.redirect_uri] if code.redirect_uri_sent else [code.redirect_uri, None]
        if request.parameters.get("redirect_uri") not in expected:
            raise RedirectUriMismatch
        return Authorization(code.scope, code.user_id)

    def issue(self, request: TokenRequest, authorization: Authorization) -> Tokens:
        """``scope`` narrows what the user authorized; what they did not authorize is left out of the token.

        Raises ``InvalidScope`` when the client may not have it, or nothing would be left.
        """
        requested = request.scope or authorization.scope
        granted = tuple(name for name in requested if name in authorization.scope)
        if not granted or not within(requested, request.client.scopes):
            raise InvalidScope
        request.sandbox.use_code(request.parameters["code"])
        return request.sandbox.issue_tokens(request.client.client_id, granted, authorization.user_id)
