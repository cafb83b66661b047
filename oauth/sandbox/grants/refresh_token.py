"""The ``refresh_token`` grant (RFC 6749 §6). A used refresh token is replaced, always or once a day."""

from oauth.sandbox.errors import InvalidRefreshToken, InvalidScope
from oauth.sandbox.grants.grant import Authorization, TokenRequest
from oauth.sandbox.provider import Tokens
from oauth.sandbox.scope import within


class RefreshToken:
    """A refresh token that is replaced works no more. The old access tokens do until they expire, unless the sandbox is
    set to end them."""

    def examine(self, request: TokenRequest) -> Authorization:
        """Raises ``MissingParameter`` and ``InvalidRefreshToken``, in that order."""
        token = request.sandbox.live_refresh_token(request.required("refresh_token"))
        if token is None or token.client_id != request.client.client_id:
            raise InvalidRefreshToken
        return Authorization(token.scope, token.user_id)

    def issue(self, request: TokenRequest, authorization: Authorization) -> Tokens:
        """``scope`` may narrow the access token; the new refresh token stands for what the old one did.

        Raises ``InvalidScope`` when more is asked than the old one stood for, or the client may have it no longer.
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
