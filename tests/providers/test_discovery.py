import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from oauth import providers
from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.providers.discovery import Candidate, Discovery, DiscoveryError, candidates, discover, provider, read

GENERIC = providers.load("http://localhost:8501")["generic"]
ISSUER = "https://login.example.com"

# The shape of documents in use: Keycloak's, with a path in its issuer, and a plain OAuth server's by RFC 8414.
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


def answered(body: object, status: int = 200, *, cut: bool = False) -> Response:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, "", (("Content-Type", "application/json"),), text, cut)


def at(issuer: str) -> Candidate:
    return candidates(issuer)[0]


def looked(text: str, answers: Mapping[str, Response | None]) -> tuple[Discovery, list[str]]:
    """Discovery against answers by their address, 404 elsewhere, with the addresses that were asked."""
    asked: list[str] = []

    def ask(request: Request) -> Exchange:
        asked.append(request.url)
        response = answers.get(request.url, Response(404, "Not Found", (), b""))
        failure = None if response else Failure("refused")
        return Exchange(Step.DISCOVERY, request, datetime(2026, 11, 1, tzinfo=UTC), response, failure)

    return discover(text, ask), asked


@pytest.mark.parametrize(
    ("typed", "urls"),
    [
        (
            "https://login.example.com",
            [
                "https://login.example.com/.well-known/openid-configuration",
                "https://login.example.com/.well-known/oauth-authorization-server",
            ],
        ),
        (
            "login.example.com/",
            [
                "https://login.example.com/.well-known/openid-configuration",
                "https://login.example.com/.well-known/oauth-authorization-server",
            ],
        ),
        (
            "https://sso.example.com/realms/shop/?a=b",
            [
                "https://sso.example.com/realms/shop/.well-known/openid-configuration",
                "https://sso.example.com/.well-known/openid-configuration/realms/shop",
                "https://sso.example.com/.well-known/oauth-authorization-server/realms/shop",
                "https://sso.example.com/realms/shop/.well-known/oauth-authorization-server",
                "https://sso.example.com/.well-known/openid-configuration",
                "https://sso.example.com/.well-known/oauth-authorization-server",
            ],
        ),
    ],
)
def test_both_documents_are_looked_for_in_both_forms(typed: str, urls: list[str]) -> None:
    assert [item.url for item in candidates(typed)] == urls


@pytest.mark.parametrize(
    ("document", "issuer"),
    [
        ("https://a.example/.well-known/openid-configuration", "https://a.example"),
        ("https://a.example/t/1/.well-known/openid-configuration", "https://a.example/t/1"),
        ("https://a.example/.well-known/oauth-authorization-server/t/1", "https://a.example/t/1"),
    ],
)
def test_the_address_of_a_document_is_asked_alone_and_says_whose_it_is(document: str, issuer: str) -> None:
    assert [(item.url, item.issuer) for item in candidates(document)] == [(document, issuer)]


@pytest.mark.parametrize("typed", ["", "ftp://a.example", "https://", "https://a.example:x", "https://a b.example"])
def test_what_is_no_address_is_refused_before_anything_is_asked(typed: str) -> None:
    with pytest.raises(DiscoveryError, match="Give the issuer"):
        candidates(typed)


def test_a_keycloak_like_document_fills_in_the_form() -> None:
    metadata = read(at(KEYCLOAK["issuer"]), answered(KEYCLOAK))
    found = provider(metadata, GENERIC)
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
        assert getattr(found, name) == KEYCLOAK[name]
    assert (found.name, found.scope, found.pkce) == ("sso.example.com", "openid profile email", "S256")
    assert (found.client_authentication, found.token_body) == ("client_secret_basic", "form")
    assert found.response_mode == ""


def test_what_a_document_leaves_out_has_the_default_of_the_rfc() -> None:
    metadata = read(at(ISSUER), answered(PLAIN))
    assert metadata.listed("grant_types_supported") == ("authorization_code", "implicit")
    assert metadata.listed("token_endpoint_auth_methods_supported") == ("client_secret_basic",)
    assert not metadata.says("token_endpoint_auth_methods_supported")
    found = provider(metadata, GENERIC)
    assert (found.pkce, found.scope, found.revocation_endpoint) == ("off", "read write", "")


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        (["client_secret_post"], "client_secret_post"),
        (["none"], "none"),
        (["tls_client_auth", "private_key_jwt"], "private_key_jwt"),
        (["client_secret_jwt"], "client_secret_basic"),
    ],
)
def test_the_client_proves_itself_as_the_server_takes_it(said: list[str], taken: str) -> None:
    document = PLAIN | {"token_endpoint_auth_methods_supported": said}
    assert provider(read(at(ISSUER), answered(document)), GENERIC).client_authentication == taken


def test_a_server_that_never_answers_in_the_query_is_asked_for_what_it_does() -> None:
    document = PLAIN | {"response_modes_supported": ["form_post", "fragment"]}
    assert provider(read(at(ISSUER), answered(document)), GENERIC).response_mode == "form_post"


def test_many_scopes_are_not_all_asked_for() -> None:
    document = PLAIN | {"scopes_supported": [f"scope{number}" for number in range(40)]}
    assert provider(read(at(ISSUER), answered(document)), GENERIC).scope == ""


@pytest.mark.parametrize("issuer", ["https://evil.example", "http://login.example.com", f"{ISSUER}/tenant"])
def test_a_document_of_another_issuer_is_refused(issuer: str) -> None:
    with pytest.raises(DiscoveryError, match=r"RFC 8414 §3\.3") as caught:
        read(at(ISSUER), answered(PLAIN | {"issuer": issuer}))
    assert issuer in str(caught.value)


def test_a_slash_at_the_end_of_an_issuer_is_the_same_document_and_is_kept_as_it_says() -> None:
    metadata = read(at(ISSUER), answered(PLAIN | {"issuer": f"{ISSUER}/"}))
    assert provider(metadata, GENERIC).issuer == f"{ISSUER}/"


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (answered(PLAIN, 404), "answered 404"),
        (answered(PLAIN, 302), "not followed"),
        (answered(b"<html>"), "no JSON"),
        (answered([PLAIN]), "no object"),
        (answered({}), "no issuer"),
        (answered({"issuer": 7}), "no issuer"),
        (answered(b"[" * 100_000), "no JSON"),
        (answered(PLAIN, cut=True), "longer than"),
    ],
)
def test_an_answer_that_is_no_document_says_why(response: Response, reason: str) -> None:
    with pytest.raises(DiscoveryError, match=reason):
        read(at(ISSUER), response)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"grant_types_supported": "code"}, "grant_types_supported is no list of texts"),
        ({"scopes_supported": [1]}, "scopes_supported is no list of texts"),
        ({"require_pushed_authorization_requests": "yes"}, "require_pushed_authorization_requests is neither true"),
        ({"revocation_endpoint": 1}, "revocation_endpoint is no text"),
        ({"revocation_endpoint": "/revoke"}, "revocation_endpoint must begin with https:// or http://"),
        ({"revocation_endpoint": "javascript:alert(1)"}, "revocation_endpoint must begin with https:// or http://"),
        ({"token_endpoint": "http://login.example.com/token"}, "token_endpoint is an http address of an https issuer"),
    ],
)
def test_what_can_be_lived_with_is_said_and_a_wrong_value_is_not_taken(change: dict[str, Any], problem: str) -> None:
    metadata = read(at(ISSUER), answered(PLAIN | change))
    assert any(item.startswith(problem) for item in metadata.problems)
    assert provider(metadata, GENERIC).revocation_endpoint == ""


def test_what_the_rfc_requires_and_is_not_there_is_said() -> None:
    metadata = read(at(ISSUER), answered({"issuer": ISSUER}))
    assert [item.partition(" ")[0] for item in metadata.problems] == [
        "response_types_supported",
        "authorization_endpoint",
        "token_endpoint",
    ]
    alone = {"issuer": ISSUER, "response_types_supported": [], "token_endpoint": f"{ISSUER}/t"}
    metadata = read(at(ISSUER), answered(alone | {"grant_types_supported": ["client_credentials"]}))
    assert metadata.problems == ()


def test_places_are_asked_in_turn_until_one_has_the_document() -> None:
    issuer = "https://sso.example.com/realms/shop"
    place = "https://sso.example.com/.well-known/oauth-authorization-server/realms/shop"
    found, asked = looked(issuer, {place: answered(PLAIN | {"issuer": issuer})})
    assert found.metadata is not None
    assert asked[-1] == place
    assert len(asked) == 3
    assert [bool(item.problem) for item in found.attempts] == [True, True, False]


def test_both_documents_of_an_issuer_are_read_and_the_openid_one_holds_where_they_differ() -> None:
    openid = PLAIN | {"userinfo_endpoint": f"{ISSUER}/me"}
    oauth = PLAIN | {"revocation_endpoint": f"{ISSUER}/revoke", "token_endpoint": f"{ISSUER}/other"}
    places = {
        f"{ISSUER}/.well-known/openid-configuration": answered(openid),
        f"{ISSUER}/.well-known/oauth-authorization-server": answered(oauth),
    }
    found, asked = looked(ISSUER, places)
    assert asked == list(places)
    assert found.metadata is not None
    made = provider(found.metadata, GENERIC)
    assert (made.userinfo_endpoint, made.revocation_endpoint) == (f"{ISSUER}/me", f"{ISSUER}/revoke")
    assert made.token_endpoint == PLAIN["token_endpoint"]
    assert f"token_endpoint is another address in {asked[1]}" in found.metadata.problems


def test_another_issuer_s_document_adds_nothing() -> None:
    places = {
        f"{ISSUER}/.well-known/openid-configuration": answered(PLAIN),
        f"{ISSUER}/.well-known/oauth-authorization-server": answered(
            PLAIN | {"issuer": "https://evil.example", "revocation_endpoint": "https://evil.example/r"}
        ),
    }
    found, _ = looked(ISSUER, places)
    assert found.metadata is not None
    assert provider(found.metadata, GENERIC).revocation_endpoint == ""


def test_an_endpoint_of_the_server_is_enough() -> None:
    found, _ = looked(f"{ISSUER}/authorize?x=1", {f"{ISSUER}/.well-known/oauth-authorization-server": answered(PLAIN)})
    assert found.metadata is not None
    assert found.metadata.issuer == ISSUER


def test_a_host_that_does_not_answer_is_asked_once() -> None:
    found, asked = looked(ISSUER, {f"{ISSUER}/.well-known/openid-configuration": None})
    assert found.metadata is None
    assert len(asked) == 1


def test_every_place_without_a_document_is_in_the_result() -> None:
    found, asked = looked("https://x.example/a", {})
    assert found.metadata is None
    assert len(asked) == len(found.attempts) == 6
    assert all("no document here" in item.problem for item in found.attempts)


def test_a_password_in_an_address_is_neither_sent_nor_told() -> None:
    with pytest.raises(DiscoveryError, match="Leave out what stands before the @") as caught:
        candidates("https://ada:canary-5d1f0b7a@login.example.com")
    assert "canary" not in str(caught.value)
    for typed in (f"{ISSUER}/?api_key=canary-5d1f0b7a", f"{ISSUER}/.well-known/openid-configuration?code=canary"):
        assert all("canary" not in item.url + item.issuer for item in candidates(typed))
