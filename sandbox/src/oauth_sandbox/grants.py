"""The grants of the token endpoint (RFC 6749 §4.1.3, §4.4 and §6).

A grant has two steps, because the client's right to the grant is checked between them.
"""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from oauth_sandbox.behaviour import Pkce, Reuse
from oauth_sandbox.clients import Client, GrantType
from oauth_sandbox.errors import (
    InvalidCode,
    InvalidRefreshToken,
    InvalidScope,
    MissingParameter,
    RedirectUriMismatch,
    VerifierMismatch,
)
from oauth_sandbox.pkce import matches
from oauth_sandbox.provider import Sandbox, Tokens
from oauth_sandbox.scope import Scope, parse, within
from oauth_sandbox.store import Kind, State


class TokenRequest(Struct, frozen=True):
    """A request at the token endpoint by an authenticated client (RFC 6749 §3.2)."""

    sandbox: Sandbox
    client: Client
    parameters: Mapping[str, str]

    @property
    def scope(self) -> Scope:
        """The requested scope; empty when there is none."""
        return parse(self.parameters.get("scope", ""))

    def required(self, name: str) -> str:
        """Return a parameter's value. Raises ``MissingParameter``."""
        if name not in self.parameters:
            raise MissingParameter(name)
        return self.parameters[name]


class Authorization(Struct, frozen=True):
    """The scope and the user that a request is entitled to; no user for the client's own tokens."""

    scope: Scope
    user_id: int | None
    family: int = 0


class Grant(Protocol):
    """A way to get tokens. Both steps run under the sandbox's lock."""

    def examine(self, request: TokenRequest) -> Authorization:
        """Return what the presented code or token stands for.

        It changes nothing, unless the sandbox revokes what comes from a consent whose code or refresh token comes a
        second time. Raises errors 1, 2 and 11 and their siblings.
        """

    def issue(self, request: TokenRequest, authorization: Authorization) -> Tokens:
        """Issue the tokens. Raises error 4, which spends nothing."""


class AuthorizationCode:
    """The grant that exchanges a code (RFC 6749 §4.1.3); only a successful request spends it."""

    def examine(self, request: TokenRequest) -> Authorization:
        """Check the code and the redirect URI.

        ``redirect_uri`` is optional when the authorization request had none; otherwise it must be the same. Raises
        ``MissingParameter``, ``InvalidCode``, ``RedirectUriMismatch`` and ``VerifierMismatch``, in that order.
        """
        sandbox = request.sandbox
        code = sandbox.find(Kind.CODE, request.required("code"))
        if code is None or code.client_id != request.client.client_id:
            raise InvalidCode
        if not code.is_live:
            if code.state is State.USED and sandbox.behaviour.code_reuse is Reuse.REVOKE_FAMILY:
                sandbox.revoke_family(code.family)
            raise InvalidCode
        expected = [code.redirect_uri] if code.redirect_uri_sent else [code.redirect_uri, None]
        if request.parameters.get("redirect_uri") not in expected:
            raise RedirectUriMismatch
        verifier = request.parameters.get("code_verifier")
        counts = sandbox.behaviour.pkce is not Pkce.IGNORED or request.client.is_public
        if counts and not matches(code.code_challenge, verifier):
            raise VerifierMismatch
        return Authorization(code.scope, code.user_id, code.family)

    def issue(self, request: TokenRequest, authorization: Authorization) -> Tokens:
        """Issue tokens; ``scope`` narrows what the user authorized, and other scopes are left out.

        Raises ``InvalidScope`` when the client may not have a scope, or none remains.
        """
        requested = request.scope or authorization.scope
        granted = tuple(name for name in requested if name in authorization.scope)
        if not granted or not within(requested, request.client.scopes):
            raise InvalidScope
        request.sandbox.use_code(request.parameters["code"])
        return request.sandbox.issue_tokens(
            request.client.client_id, granted, authorization.user_id, family=authorization.family
        )


class ClientCredentials:
    """The grant of the client itself (RFC 6749 §4.4), with no user and no refresh token.

    Without ``scope`` the token gets all of the client's scopes.
    """

    def examine(self, request: TokenRequest) -> Authorization:
        """Return all of the client's scopes; its credentials are enough."""
        return Authorization(request.client.scopes, user_id=None)

    def issue(self, request: TokenRequest, authorization: Authorization) -> Tokens:
        """Issue a token. Raises ``InvalidScope`` for a scope that is not the client's, and when none remains."""
        scope = request.scope or authorization.scope
        if not scope or not within(scope, authorization.scope):
            raise InvalidScope
        return request.sandbox.issue_tokens(request.client.client_id, scope, authorization.user_id)


class RefreshToken:
    """The grant that refreshes (RFC 6749 §6). Use replaces a refresh token, always or once a day.

    Old access tokens live until they expire, unless the sandbox is set to end them.
    """

    def examine(self, request: TokenRequest) -> Authorization:
        """Check the refresh token. Raises ``MissingParameter`` and ``InvalidRefreshToken``, in that order."""
        sandbox, secret = request.sandbox, request.required("refresh_token")
        token = sandbox.find(Kind.REFRESH_TOKEN, secret)
        if token is None or token.client_id != request.client.client_id:
            raise InvalidRefreshToken
        if sandbox.refreshable(secret) is None:
            if token.state is State.REPLACED and sandbox.behaviour.refresh_reuse is Reuse.REVOKE_FAMILY:
                sandbox.revoke_family(token.family)
            raise InvalidRefreshToken
        return Authorization(token.scope, token.user_id, token.family)

    def issue(self, request: TokenRequest, authorization: Authorization) -> Tokens:
        """Issue tokens; ``scope`` may narrow the access token, and the new refresh token keeps the old one's scope.

        Raises ``InvalidScope`` for a scope beyond the old token's or, by now, beyond the client's.
        """
        requested = request.scope or authorization.scope
        if not within(requested, authorization.scope) or not within(requested, request.client.scopes):
            raise InvalidScope
        sandbox, secret = request.sandbox, request.parameters["refresh_token"]
        presented = sandbox.live(Kind.REFRESH_TOKEN, secret)
        replaced = presented is None or sandbox.must_be_replaced(presented)
        if presented is not None and replaced:  # else its grace would begin anew
            sandbox.replace_refresh_token(secret)
        if sandbox.refresh_ends_access_tokens:
            sandbox.replace_access_tokens(request.client.client_id, authorization.user_id)
        return sandbox.issue_tokens(
            request.client.client_id,
            requested,
            authorization.user_id,
            refresh_scope=authorization.scope,
            refresh_token=None if replaced else secret,
            family=authorization.family,
        )


GRANTS: Mapping[str, Grant] = {
    GrantType.AUTHORIZATION_CODE: AuthorizationCode(),
    GrantType.REFRESH_TOKEN: RefreshToken(),
    GrantType.CLIENT_CREDENTIALS: ClientCredentials(),
}
