"""The ``refresh_token`` grant (RFC 6749 §6). Use replaces a refresh token, always or once a day."""

from oauth.sandbox.errors import InvalidRefreshToken, InvalidScope
from oauth.sandbox.grants.grant import Authorization, TokenRequest
from oauth.sandbox.provider import Tokens
from oauth.sandbox.scope import within


class RefreshToken:
    """The grant that refreshes; old access tokens live until they expire, unless the sandbox is set to end them."""

    def examine(self, request: TokenRequest) -> Authorization:
        """Check the refresh token. Raises ``MissingParameter`` and ``InvalidRefreshToken``, in that order."""
        token = request.sandbox.live_refresh_token(request.required("refresh_token"))
        if token is None or token.client_id != request.client.client_id:
            raise InvalidRefreshToken
        return Authorization(token.scope, token.user_id)

    def issue(self, request: TokenRequest, authorization: Authorization) -> Tokens:
        """Issue tokens; ``scope`` may narrow the access token, and the new refresh token keeps the old one's scope.

        Raises ``InvalidScope`` for a scope beyond the old token's or, by now, beyond the client's.
        """
        requested = request.scope or authorization.scope
        if not within(requested, authorization.scope) or not within(requested, request.client.scopes):
            raise InvalidScope
        sandbox, secret = request.sandbox, request.parameters["refresh_token"]
        presented = sandbox.live_refresh_token(secret)
        replaced = presented is None or sandbox.must_be_replaced(presented)
        if replaced:
            sandbox.replace_refresh_token(secret)
        if sandbox.refresh_ends_access_tokens:
            sandbox.replace_access_tokens(request.client.client_id, authorization.user_id)
        return sandbox.issue_tokens(
            request.client.client_id,
            requested,
            authorization.user_id,
            refresh_scope=authorization.scope,
            refresh_token=None if replaced else secret,
        )
