"""The ``client_credentials`` grant (RFC 6749 §4.4): a token of the application, with no user and no refresh token."""

from oauth.sandbox.errors import InvalidScope
from oauth.sandbox.grants.grant import Authorization, TokenRequest
from oauth.sandbox.provider import Tokens
from oauth.sandbox.scope import within


class ClientCredentials:
    """The grant of the client itself; without ``scope`` the token gets all of the client's scopes."""

    def examine(self, request: TokenRequest) -> Authorization:
        """Return all of the client's scopes; its credentials are enough."""
        return Authorization(request.client.scopes, user_id=None)

    def issue(self, request: TokenRequest, authorization: Authorization) -> Tokens:
        """Issue a token. Raises ``InvalidScope`` for a scope that is not the client's, and when none remains."""
        scope = request.scope or authorization.scope
        if not scope or not within(scope, authorization.scope):
            raise InvalidScope
        return request.sandbox.issue_tokens(request.client.client_id, scope, authorization.user_id)
