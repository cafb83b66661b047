import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from oauth.diagnosis.contradictions import contradictions
from oauth.exchange import Exchange, Request, Response, Step
from oauth.providers.discovery import candidates
from oauth.providers.metadata import Metadata, read

ISSUER = "https://login.example.com"
DOCUMENT: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "revocation_endpoint": f"{ISSUER}/revoke",
    "response_types_supported": ["code"],
    "grant_types_supported": ["authorization_code", "refresh_token"],
    "scopes_supported": ["read", "write"],
    "code_challenge_methods_supported": ["S256"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    "authorization_response_iss_parameter_supported": True,
}
BASIC = ("Authorization", "Basic app:«client_secret #9f2a41d07b 40ch»")


def says(**changes: Any) -> Metadata:
    members = {name: value for name, value in (DOCUMENT | changes).items() if value is not None}
    return read(candidates(ISSUER)[0], Response(200, "", (), json.dumps(members).encode()))


def exchange(
    step: Step, request: Request, body: dict[str, Any] | None = None, status: int = 200, row: int = 7
) -> Exchange:
    response = Response(status, "", (), json.dumps(body or {}).encode())
    return Exchange(step, request, datetime(2026, 11, 1, tzinfo=UTC), response, id=row)


def authorize(**parameters: str) -> Exchange:
    sent = {"response_type": "code", "client_id": "app", "state": "«state #9f2a41d07b 43ch»"} | parameters
    return exchange(Step.AUTHORIZE, Request("GET", f"{ISSUER}/authorize?{urlencode(sent)}"), status=302)


def callback(**parameters: str) -> Exchange:
    query = urlencode({"code": "«code #9f2a41d07b 40ch»", "iss": ISSUER} | parameters)
    return exchange(Step.CALLBACK, Request("GET", f"http://localhost:8501/callback?{query}"))


def token(
    answer: dict[str, Any] | None = None,
    status: int = 200,
    *headers: tuple[str, str],
    **fields: str,
) -> Exchange:
    body = urlencode({"grant_type": "authorization_code"} | fields).encode()
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    request = Request("POST", f"{ISSUER}/token", (kind, *headers), body)
    given = {"access_token": "«access_token #9f2a41d07b 40ch»", "token_type": "Bearer", "scope": "read"}
    return exchange(Step.TOKEN, request, given | (answer or {}) if status < 300 else answer, status)


CHALLENGE = {"code_challenge": "x" * 43}
WHOLE = [authorize(**CHALLENGE, code_challenge_method="S256"), callback(), token(None, 200, BASIC)]


def test_consistent_server_has_no_contradictions() -> None:
    assert contradictions(says(), WHOLE) == ()


@pytest.mark.parametrize(
    ("changes", "exchanges", "member", "observed"),
    [
        (
            {},
            [authorize(**CHALLENGE, code_challenge_method="plain"), token(None, 200, BASIC)],
            "code_challenge_methods_supported",
            "a code with a plain challenge was accepted",
        ),
        (
            {},
            [authorize(**CHALLENGE), token(None, 200, BASIC)],
            "code_challenge_methods_supported",
            "a code with a plain challenge was accepted",
        ),
        (
            {},
            [
                authorize(**CHALLENGE, code_challenge_method="S256"),
                callback(error="invalid_request", error_description="code_challenge_method not allowed"),
            ],
            "code_challenge_methods_supported",
            "a S256 challenge was refused: invalid_request",
        ),
        (
            {},
            [exchange(Step.CALLBACK, Request("GET", "http://localhost/callback?code=x"))],
            "authorization_response_iss_parameter_supported",
            "the callback has no iss",
        ),
        ({}, [callback(iss="https://evil.example")], "issuer", "the callback's iss is https://evil.example"),
        (
            {"authorization_response_iss_parameter_supported": None},
            [callback()],
            "authorization_response_iss_parameter_supported",
            "the callback has an iss",
        ),
        (
            {},
            [token(client_id="app", client_secret="«client_secret #9f2a41d07b 40ch»")],
            "token_endpoint_auth_methods_supported",
            "client_secret_post was accepted",
        ),
        ({}, [token(client_id="app")], "token_endpoint_auth_methods_supported", "none was accepted"),
        (
            {"token_endpoint_auth_methods_supported": None},
            [
                token(
                    {"error": "invalid_client", "error_description": "Auth method not allowed for this client"},
                    401,
                    BASIC,
                )
            ],
            "token_endpoint_auth_methods_supported",
            "client_secret_basic was refused: invalid_client",
        ),
        (
            {},
            [token({"scope": "read admin"}, 200, BASIC)],
            "scopes_supported",
            "also granted: admin",
        ),
        (
            {},
            [token(None, 200, BASIC, grant_type="client_credentials")],
            "grant_types_supported",
            "client_credentials issued a token",
        ),
        (
            {},
            [token({"error": "unsupported_grant_type"}, 400, BASIC)],
            "grant_types_supported",
            "authorization_code was refused: unsupported_grant_type",
        ),
        (
            {},
            [authorize(), callback(error="unsupported_response_type")],
            "response_types_supported",
            "code was refused",
        ),
        (
            {"require_pushed_authorization_requests": True},
            [authorize(), callback()],
            "require_pushed_authorization_requests",
            "a request that was not pushed got a code",
        ),
        (
            {"dpop_signing_alg_values_supported": ["ES256"]},
            [token(None, 200, BASIC, ("DPoP", "«dpop #9f2a41d07b 400ch»"))],
            "dpop_signing_alg_values_supported",
            "a proof was sent, but the token is a Bearer token",
        ),
        (
            {},
            [token({"token_type": "DPoP"}, 200, BASIC, ("DPoP", "«dpop #9f2a41d07b 400ch»"))],
            "dpop_signing_alg_values_supported",
            "a DPoP-bound token was issued",
        ),
        (
            {},
            [exchange(Step.REVOKE, Request("POST", f"{ISSUER}/revoke"), status=404)],
            "revocation_endpoint",
            "it returned 404",
        ),
    ],
)
def test_contradiction_of_the_metadata_is_found(
    changes: dict[str, Any], exchanges: list[Exchange], member: str, observed: str
) -> None:
    matches = [item for item in contradictions(says(**changes), exchanges) if item.member == member]
    assert [(item.observed, item.row) for item in matches] == [(observed, 7)]


def test_repeated_contradiction_is_reported_once() -> None:
    again = token({"scope": "read admin"}, 200, BASIC)
    assert len(contradictions(says(), [again, again, again])) == 1


@pytest.mark.parametrize(
    "exchanges",
    [
        # A wrong secret is no word about the method.
        [token({"error": "invalid_client", "error_description": "Bad credentials"}, 401, BASIC)],
        [exchange(Step.REVOKE, Request("POST", "https://other.example/revoke"), status=404)],
        [Exchange(Step.TOKEN, Request("POST", f"{ISSUER}/token"), datetime(2026, 11, 1, tzinfo=UTC))],
        [authorize(request_uri="urn:x"), callback()],
    ],
)
def test_unrelated_behaviour_is_not_a_contradiction(exchanges: list[Exchange]) -> None:
    assert contradictions(says(require_pushed_authorization_requests=True), exchanges) == ()
