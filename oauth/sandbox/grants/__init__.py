"""The grants of the token endpoint by name."""

from collections.abc import Mapping

from oauth.sandbox.clients import GrantType
from oauth.sandbox.grants.authorization_code import AuthorizationCode
from oauth.sandbox.grants.client_credentials import ClientCredentials
from oauth.sandbox.grants.grant import Grant
from oauth.sandbox.grants.refresh_token import RefreshToken

GRANTS: Mapping[str, Grant] = {
    GrantType.AUTHORIZATION_CODE: AuthorizationCode(),
    GrantType.REFRESH_TOKEN: RefreshToken(),
    GrantType.CLIENT_CREDENTIALS: ClientCredentials(),
}

__all__ = ["GRANTS", "Grant"]
