"""The ``client_credentials`` grant (RFC 6749 §4.4): a token of the application, with no user and no refresh token."""

from oauth.sandbox.errors import InvalidScope
from oauth.sandbox.grants.grant import Authorization, TokenRequest
from oauth.sandbox.provider import Tokens
from oauth.sandbox.scope import within


class ClientCredentials:
    """Without a ``scope`` the token gets all that the client may have."""

    def examine(self, request: TokenRequest) -> Authorization:
        """The credentials alone entitle the client to all that it may have."""
        return Authorization(request.client.scopes, user_id=None)

    def issue(self, request: TokenRequest, authorization: Authorization) -> Tokens:
        """Raises ``InvalidScope`` when more is asked than the client may have, or it may have nothing."""
        scope = request.scope or authorization.scope
        if not scope or not within(scope, authorization.scope):
            raise InvalidScope
        return request.sandbox.issue_tokens(request.client.client_id, scope, authorization.user_id)
