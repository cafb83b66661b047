import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from oauth import providers
from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.providers.discovery import Discovery, candidates, discover
from oauth.providers.metadata import Candidate, provider, read
from oauth.providers.well_known import DiscoveryError

GENERIC = providers.load("http://localhost:8501")["generic"]
ISSUER = "https://login.example.com"

# Documents as in use: Keycloak's, with a path in its issuer, and a plain OAuth server's by RFC 8414.
KEYCLOAK: dict[str, Any] = {
    "issuer": "https://sso.example.com/realms/shop",
    "authorization_endpoint": "https://sso.example.com/realms/shop/protocol/openid-connect/auth",
    "token_endpoint": "https://sso.example.com/realms/shop/protocol/openid-connect/token",
    "introspection_endpoint": "https://sso.example.com/realms/shop/protocol/openid-connect/token/introspect",
    "userinfo_endpoint": "https://sso.example.com/realms/shop/protocol/openid-connect/userinfo",
    "end_session_endpoint": "https://sso.example.com/realms/shop/protocol/openid-connect/logout",
    "jwks_uri": "https://sso.example.com/realms/shop/protocol/openid-connect/certs",
    "grant_types_supported": [
        "authorization_code",
        "implicit",
        "refresh_token",
        "password",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code",
    ],
    "response_types_supported": ["code", "none", "id_token", "token", "id_token token"],
    "response_modes_supported": ["query", "fragment", "form_post", "query.jwt"],
    "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "client_secret_post"],
    "claims_parameter_supported": True,
    "scopes_supported": ["openid", "address", "phone", "profile", "email", "offline_access"],
    "code_challenge_methods_supported": ["plain", "S256"],
    "tls_client_certificate_bound_access_tokens": True,
    "dpop_signing_alg_values_supported": ["PS384", "ES256"],
    "revocation_endpoint": "https://sso.example.com/realms/shop/protocol/openid-connect/revoke",
    "device_authorization_endpoint": "https://sso.example.com/realms/shop/protocol/openid-connect/auth/device",
    "pushed_authorization_request_endpoint": "https://sso.example.com/realms/shop/protocol/openid-connect/ext/par/request",
    "mtls_endpoint_aliases": {"token_endpoint": "https://sso.example.com/realms/shop/protocol/openid-connect/token"},
    "authorization_response_iss_parameter_supported": True,
}
PLAIN: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "response_types_supported": ["code"],
    "scopes_supported": ["read", "write"],
}


def response_of(body: object, status: int = 200, *, cut: bool = False) -> Response:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, "", (("Content-Type", "application/json"),), text, cut)


def at(issuer: str) -> Candidate:
    return candidates(issuer)[0]


def run(text: str, responses: Mapping[str, Response | None]) -> tuple[Discovery, list[str]]:
    """Run discovery against responses by URL, 404 elsewhere. Returns the result and the requested URLs."""
    urls: list[str] = []

    def ask(request: Request) -> Exchange:
        urls.append(request.url)
        response = responses.get(request.url, Response(404, "Not Found", (), b""))
        failure = None if response else Failure("refused")
        return Exchange(Step.DISCOVERY, request, datetime(2026, 11, 1, tzinfo=UTC), response, failure)

    return discover(text, ask), urls


@pytest.mark.parametrize(
    ("typed", "urls"),
    [
        (
            "https://login.example.com",
            [
                "https://login.example.com/.well-known/openid-configuration",
                "https://login.example.com/.well-known/oauth-authorization-server",
                "https://login.example.com/api/auth/.well-known/openid-configuration",
                "https://login.example.com/.well-known/openid-configuration/api/auth",
                "https://login.example.com/.well-known/oauth-authorization-server/api/auth",
                "https://login.example.com/api/auth/.well-known/oauth-authorization-server",
            ],
        ),
        (
            "login.example.com/",
            [
                "https://login.example.com/.well-known/openid-configuration",
                "https://login.example.com/.well-known/oauth-authorization-server",
                "https://login.example.com/api/auth/.well-known/openid-configuration",
                "https://login.example.com/.well-known/openid-configuration/api/auth",
                "https://login.example.com/.well-known/oauth-authorization-server/api/auth",
                "https://login.example.com/api/auth/.well-known/oauth-authorization-server",
            ],
        ),
        (
            "https://sso.example.com/realms/shop/?a=b",
            [
                "https://sso.example.com/realms/shop/.well-known/openid-configuration",
                "https://sso.example.com/.well-known/openid-configuration/realms/shop",
                "https://sso.example.com/.well-known/oauth-authorization-server/realms/shop",
                "https://sso.example.com/realms/shop/.well-known/oauth-authorization-server",
                "https://sso.example.com/realms/.well-known/openid-configuration",
                "https://sso.example.com/.well-known/openid-configuration/realms",
                "https://sso.example.com/.well-known/oauth-authorization-server/realms",
                "https://sso.example.com/realms/.well-known/oauth-authorization-server",
                "https://sso.example.com/.well-known/openid-configuration",
                "https://sso.example.com/.well-known/oauth-authorization-server",
            ],
        ),
    ],
)
def test_both_documents_are_tried_in_both_forms(typed: str, urls: list[str]) -> None:
    assert [item.url for item in candidates(typed)][: len(urls)] == urls


@pytest.mark.parametrize(
    ("document", "issuer"),
    [
        ("https://a.example/.well-known/openid-configuration", "https://a.example"),
        ("https://a.example/t/1/.well-known/openid-configuration", "https://a.example/t/1"),
        ("https://a.example/.well-known/oauth-authorization-server/t/1", "https://a.example/t/1"),
    ],
)
def test_address_of_a_document_is_the_only_candidate(document: str, issuer: str) -> None:
    assert [(item.url, item.issuer) for item in candidates(document)] == [(document, issuer)]


@pytest.mark.parametrize("typed", ["", "ftp://a.example", "https://", "https://a.example:x", "https://a b.example"])
def test_invalid_address_is_refused(typed: str) -> None:
    with pytest.raises(DiscoveryError, match="Enter the issuer"):
        candidates(typed)


def test_keycloak_like_document_becomes_a_profile() -> None:
    metadata = read(at(KEYCLOAK["issuer"]), response_of(KEYCLOAK))
    profile = provider(metadata, GENERIC)
    assert metadata.problems == ()
    for name in (
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "pushed_authorization_request_endpoint",
        "device_authorization_endpoint",
        "jwks_uri",
        "issuer",
    ):
        assert getattr(profile, name) == KEYCLOAK[name]
    assert (profile.name, profile.scope, profile.pkce) == ("sso.example.com", "openid profile", "S256")
    assert (profile.client_authentication, profile.token_body) == ("client_secret_basic", "form")
    assert profile.response_mode == ""


def test_missing_member_has_the_default_of_the_rfc() -> None:
    metadata = read(at(ISSUER), response_of(PLAIN))
    assert metadata.listed("grant_types_supported") == ("authorization_code", "implicit")
    assert metadata.listed("token_endpoint_auth_methods_supported") == ("client_secret_basic",)
    assert not metadata.says("token_endpoint_auth_methods_supported")
    profile = provider(metadata, GENERIC)
    assert (profile.pkce, profile.scope, profile.revocation_endpoint) == ("off", "", "")


@pytest.mark.parametrize(
    ("supported", "chosen"),
    [
        (["client_secret_post"], "client_secret_post"),
        (["none"], "none"),
        (["tls_client_auth", "private_key_jwt"], "private_key_jwt"),
        (["client_secret_jwt"], "client_secret_basic"),
        (["client_secret_post", "client_secret_basic"], "client_secret_post"),
        (["none", "client_secret_basic", "client_secret_post"], "client_secret_basic"),
        (["private_key_jwt", "client_secret_post"], "client_secret_post"),
    ],
)
def test_client_authentication_is_one_that_the_server_supports(supported: list[str], chosen: str) -> None:
    document = PLAIN | {"token_endpoint_auth_methods_supported": supported}
    assert provider(read(at(ISSUER), response_of(document)), GENERIC).client_authentication == chosen


def test_response_mode_is_set_where_query_is_not_supported() -> None:
    document = PLAIN | {"response_modes_supported": ["form_post", "fragment"]}
    assert provider(read(at(ISSUER), response_of(document)), GENERIC).response_mode == "form_post"


@pytest.mark.parametrize(
    ("supported", "scope"),
    [
        (["read", "write"], ""),
        (["openid", "email", "read"], "openid"),
        (["email", "profile", "offline_access", "openid"], "openid profile"),
        ([], ""),
    ],
)
def test_default_scope_is_the_user_s_identity_or_none(supported: list[str], scope: str) -> None:
    document = PLAIN | {"scopes_supported": supported}
    assert provider(read(at(ISSUER), response_of(document)), GENERIC).scope == scope


@pytest.mark.parametrize("issuer", ["https://evil.example", "http://login.example.com", f"{ISSUER}/tenant"])
def test_document_of_another_issuer_is_refused(issuer: str) -> None:
    with pytest.raises(DiscoveryError, match=r"RFC 8414 §3\.3") as caught:
        read(at(ISSUER), response_of(PLAIN | {"issuer": issuer}))
    assert issuer in str(caught.value)


def test_trailing_slash_of_the_issuer_is_accepted_and_kept() -> None:
    metadata = read(at(ISSUER), response_of(PLAIN | {"issuer": f"{ISSUER}/"}))
    assert provider(metadata, GENERIC).issuer == f"{ISSUER}/"


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (response_of(PLAIN, 404), "returned 404"),
        (response_of(PLAIN, 302), "not followed"),
        (response_of(b"<html>"), "not valid JSON"),
        (response_of([PLAIN]), "not an object"),
        (response_of({}), "no issuer"),
        (response_of({"issuer": 7}), "no issuer"),
        (response_of(b"[" * 100_000), "not valid JSON"),
        (response_of(PLAIN, cut=True), "larger than"),
    ],
)
def test_response_that_is_not_a_document_is_refused_with_a_reason(response: Response, reason: str) -> None:
    with pytest.raises(DiscoveryError, match=reason):
        read(at(ISSUER), response)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"grant_types_supported": "code"}, "grant_types_supported is not a list of strings"),
        ({"scopes_supported": [1]}, "scopes_supported is not a list of strings"),
        ({"require_pushed_authorization_requests": "yes"}, "require_pushed_authorization_requests is neither true"),
        ({"revocation_endpoint": 1}, "revocation_endpoint is not a string"),
        ({"revocation_endpoint": "/revoke"}, "revocation_endpoint must begin with https:// or http://"),
        ({"revocation_endpoint": "javascript:alert(1)"}, "revocation_endpoint must begin with https:// or http://"),
        ({"token_endpoint": "http://login.example.com/token"}, "token_endpoint is an http address of an https issuer"),
    ],
)
def test_minor_problem_is_reported_and_its_value_ignored(change: dict[str, Any], problem: str) -> None:
    metadata = read(at(ISSUER), response_of(PLAIN | change))
    assert any(item.startswith(problem) for item in metadata.problems)
    assert provider(metadata, GENERIC).revocation_endpoint == ""


def test_missing_required_member_is_reported() -> None:
    metadata = read(at(ISSUER), response_of({"issuer": ISSUER}))
    assert [item.partition(" ")[0] for item in metadata.problems] == [
        "response_types_supported",
        "authorization_endpoint",
        "token_endpoint",
    ]
    alone = {"issuer": ISSUER, "response_types_supported": [], "token_endpoint": f"{ISSUER}/t"}
    metadata = read(at(ISSUER), response_of(alone | {"grant_types_supported": ["client_credentials"]}))
    assert metadata.problems == ()


def test_candidates_are_tried_in_turn_until_one_has_the_document() -> None:
    issuer = "https://sso.example.com/realms/shop"
    place = "https://sso.example.com/.well-known/oauth-authorization-server/realms/shop"
    result, urls = run(issuer, {place: response_of(PLAIN | {"issuer": issuer})})
    assert result.metadata is not None
    assert urls[-1] == place
    assert len(urls) == 3
    assert [bool(item.problem) for item in result.attempts] == [True, True, False]


def test_openid_document_takes_precedence_where_the_two_differ() -> None:
    openid = PLAIN | {"userinfo_endpoint": f"{ISSUER}/me"}
    oauth = PLAIN | {"revocation_endpoint": f"{ISSUER}/revoke", "token_endpoint": f"{ISSUER}/other"}
    places = {
        f"{ISSUER}/.well-known/openid-configuration": response_of(openid),
        f"{ISSUER}/.well-known/oauth-authorization-server": response_of(oauth),
    }
    result, urls = run(ISSUER, places)
    assert urls == list(places)
    assert result.metadata is not None
    profile = provider(result.metadata, GENERIC)
    assert (profile.userinfo_endpoint, profile.revocation_endpoint) == (f"{ISSUER}/me", f"{ISSUER}/revoke")
    assert profile.token_endpoint == PLAIN["token_endpoint"]
    assert f"token_endpoint is another address in {urls[1]}" in result.metadata.problems


def test_document_of_another_issuer_adds_nothing() -> None:
    places = {
        f"{ISSUER}/.well-known/openid-configuration": response_of(PLAIN),
        f"{ISSUER}/.well-known/oauth-authorization-server": response_of(
            PLAIN | {"issuer": "https://evil.example", "revocation_endpoint": "https://evil.example/r"}
        ),
    }
    result, _ = run(ISSUER, places)
    assert result.metadata is not None
    assert provider(result.metadata, GENERIC).revocation_endpoint == ""


def test_endpoint_of_the_server_is_enough() -> None:
    result, _ = run(f"{ISSUER}/authorize?x=1", {f"{ISSUER}/.well-known/oauth-authorization-server": response_of(PLAIN)})
    assert result.metadata is not None
    assert result.metadata.issuer == ISSUER


def test_host_that_does_not_respond_is_tried_once() -> None:
    result, urls = run(ISSUER, {f"{ISSUER}/.well-known/openid-configuration": None})
    assert result.metadata is None
    assert len(urls) == 1


def test_every_attempt_is_in_the_result() -> None:
    result, urls = run("https://x.example/a", {})
    assert result.metadata is None
    assert len(urls) == len(set(urls)) == len(result.attempts)
    assert all(item.problem for item in result.attempts)


def test_password_in_an_address_is_neither_sent_nor_quoted() -> None:
    with pytest.raises(DiscoveryError, match="Remove everything before the @") as caught:
        candidates("https://ada:canary-5d1f0b7a@login.example.com")
    assert "canary" not in str(caught.value)
    for typed in (f"{ISSUER}/?api_key=canary-5d1f0b7a", f"{ISSUER}/.well-known/openid-configuration?code=canary"):
        assert all("canary" not in item.url + item.issuer for item in candidates(typed))
