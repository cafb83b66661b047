"""The sign-in at an OpenID provider: the authorization code flow of the console itself (OpenID Connect Core 1.0 §3.1).

Nothing is stored on the server: what an attempt needs is in a signed cookie of the browser that began it, so that the
provider may send it back to another console with the same key.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from oauth.access.assertion import decoded, verified
from oauth.access.documents import Documents, ask
from oauth.access.seal import Attempt
from oauth.access.sign_in import OpenId, Refused, Unreachable
from oauth.exchange import Request, Step
from oauth.flow import Field, pkce
from oauth.flow.requests import form_request
from oauth.jose.jwt import Expected
from oauth.providers import ClientAuthentication, Pkce
from oauth.providers.well_known import appended, is_same, named_address_fault
from oauth.request_builder import build_request

_BASIC, _POST = "client_secret_basic", "client_secret_post"


class Provider:
    """The OpenID provider of the console. Every method may wait for the network."""

    def __init__(self, open_id: OpenId, redirect_uri: str, documents: Documents, clock: Callable[[], datetime]) -> None:
        self._client = open_id
        self._redirect_uri = redirect_uri
        self._documents = documents
        self._clock = clock

    def authorization_url(self, attempt: Attempt) -> str:
        """Return the address of the provider's login for an attempt. Raises ``Unreachable``."""
        address = self._endpoint("authorization_endpoint")
        parameters = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._client.scope,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": pkce.challenge(attempt.verifier, Pkce.S256),
            "code_challenge_method": "S256",
        }
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(parameters)}"

    def claims(self, attempt: Attempt, callback: Mapping[str, str]) -> Mapping[str, Any]:
        """Exchange the code of a callback, and return the claims of the ``id_token`` and of the userinfo endpoint.

        Raises ``Refused`` and ``Unreachable``.
        """
        self._check_issuer(callback.get("iss"))
        if "code" not in callback:
            raise Refused("The provider sent no code.")
        response = ask(Step.TOKEN, self._token_request(attempt, callback["code"]), self._clock())
        token, access_token = response.get("id_token"), response.get("access_token")
        if not isinstance(token, str):
            raise Refused("The provider sent no id_token. Its client must be allowed the scope openid.")
        expected = Expected(
            self._client.client_id,
            str(self._metadata()["issuer"]),
            attempt.nonce,
            access_token if isinstance(access_token, str) else "",
        )
        keys = self._documents.keys(self._endpoint("jwks_uri"), decoded(token).kid)
        claims = verified(token, keys, expected, self._clock(), self._client.client_secret)
        return _joined(claims, self._userinfo(access_token, claims["sub"]))

    def _userinfo(self, access_token: object, subject: str) -> Mapping[str, Any]:
        """Return more claims of the person, such as groups, where the provider has them (§5.3)."""
        if not isinstance(access_token, str) or "userinfo_endpoint" not in self._metadata():
            return {}
        request = build_request(
            "GET", self._endpoint("userinfo_endpoint"), [("Authorization", f"Bearer {access_token}")]
        )
        claims = ask(Step.USERINFO, request, self._clock())
        if claims.get("sub") != subject:
            raise Refused("The userinfo response is about another person than the id_token.")
        return claims

    def _token_request(self, attempt: Attempt, code: str) -> Request:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": attempt.verifier,
            "client_id": self._client.client_id,
            "client_secret": self._client.client_secret,
        }
        methods = self._metadata().get("token_endpoint_auth_methods_supported")
        is_post = isinstance(methods, list) and _POST in methods and _BASIC not in methods
        is_basic = self._client.client_secret and not is_post
        return form_request(
            self._endpoint("token_endpoint"),
            [Field(name, value, "", "") for name, value in fields.items() if value],
            ClientAuthentication.BASIC if is_basic else ClientAuthentication.BODY,
        )

    def _check_issuer(self, issuer: str | None) -> None:
        """Refuse the callback of another provider (RFC 9207 §2.4)."""
        metadata = self._metadata()
        if issuer is None and metadata.get("authorization_response_iss_parameter_supported") is not True:
            return
        if issuer != metadata["issuer"]:
            raise Refused("The callback came from another provider than the console's.")

    def _metadata(self) -> Mapping[str, Any]:
        metadata = self._documents.read(appended(self._client.issuer, "openid-configuration"))
        issuer = metadata.get("issuer")
        if not isinstance(issuer, str) or not is_same(issuer, self._client.issuer):
            raise Unreachable(f"The metadata of {self._client.issuer} is of another issuer, {str(issuer)[:200]!r}.")
        return metadata

    def _endpoint(self, name: str) -> str:
        address = self._metadata().get(name)
        if fault := named_address_fault(address, self._client.issuer):
            raise Unreachable(f"The {name} of {self._client.issuer} {fault}.")
        return str(address)


def _joined(claims: Mapping[str, Any], userinfo: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the claims of both sources, first those of the ``id_token``; ``email_verified`` is of the same address."""
    joined = {**userinfo, **claims}
    sources = (source for source in (claims, userinfo) if source.get("email") == joined.get("email"))
    verified = next((source["email_verified"] for source in sources if "email_verified" in source), None)
    return {**joined, "email_verified": verified}
