"""The sandbox as an OpenID provider by the standards alone: a small strict client, its refusals, and what is wrong on
purpose.
"""

import argparse
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from oauth_sandbox.behaviour import Pkce, Preset
from oauth_sandbox.command import add_arguments
from oauth_sandbox.configuration import Api, load, ready_made
from oauth_sandbox.control_client import Control, SteeringError
from oauth_sandbox.openid.claims import Flaw
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.testing import running, steered

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CALLBACK = "http://localhost:7000/callback"
FORM = "application/x-www-form-urlencoded"
WEB = ("web-app", "web-secret")


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, Sandbox]]:
    with running(Sandbox(lambda: START, configuration=ready_made(Api.GENERIC))) as sandbox:
        yield sandbox.url, sandbox.sandbox


class Refused(Exception):
    """An id_token that the client does not take."""


class Client:
    """A client as OpenID Connect Core wants it, written for this test with joserfc alone."""

    def __init__(self, url: str, control: Control, http: httpx.Client, client: tuple[str, str] = WEB) -> None:
        self.control, self.http = control, http
        self.client_id, self.secret = client
        self.metadata = http.get(f"{url}/.well-known/openid-configuration").json()
        assert self.metadata["issuer"] == url
        self.verifier = secrets.token_urlsafe(32)
        self.nonce = secrets.token_urlsafe(16)
        self.user_id: int | None = None

    def url(self, **more: str | None) -> str:
        query = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid profile email",
            "state": secrets.token_urlsafe(16),
            "nonce": self.nonce,
            "code_challenge": urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **more,
        }
        sent = {name: value for name, value in query.items() if value is not None}
        return f"{self.metadata['authorization_endpoint']}?{urlencode(sent)}"

    def answer(self, **more: str | None) -> dict[str, str]:
        """Return the parameters of the callback after consent."""
        return dict(parse_qsl(urlsplit(self.control.approve(self.url(**more), self.user_id)).query))

    def silently(self, **more: str | None) -> dict[str, str]:
        """Return the parameters of the callback without a user."""
        response = self.http.get(self.url(prompt="none", **more))
        assert response.status_code == 302, response.text
        return dict(parse_qsl(urlsplit(response.headers["location"]).query))

    def post(self, endpoint: str, auth: tuple[str, str] | None = None, **form: str) -> httpx.Response:
        if auth is None and self.secret:
            auth = (self.client_id, self.secret)
        if auth is None:
            form["client_id"] = self.client_id
        return self.http.post(self.metadata[endpoint], data=form, auth=auth or httpx.USE_CLIENT_DEFAULT)

    def exchange(self, code: str, **more: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        return self.post("token_endpoint", None, **(form | {"code_verifier": self.verifier} | more))

    def tokens(self, **more: str | None) -> dict[str, Any]:
        response = self.exchange(self.answer(**more)["code"])
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    def refresh(self, tokens: dict[str, Any]) -> httpx.Response:
        return self.post("token_endpoint", grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    def userinfo(self, token: str) -> httpx.Response:
        return self.http.get(self.metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {token}"})

    def jwks(self) -> list[dict[str, str]]:
        return list(self.http.get(self.metadata["jwks_uri"]).json()["keys"])

    def checked(self, tokens: dict[str, Any], now: datetime = START, keys: Any = None) -> dict[str, Any]:
        """Return the claims of an id_token after every check (OpenID Connect Core §3.1.3.7)."""
        key_set: Any = {"keys": keys or self.jwks()}
        try:
            token = jwt.decode(
                tokens["id_token"],
                KeySet.import_key_set(key_set),
                algorithms=self.metadata["id_token_signing_alg_values_supported"],
            )
            claims: dict[str, Any] = token.claims
            at_hash = urlsafe_b64encode(sha256(tokens["access_token"].encode()).digest()[:16]).rstrip(b"=").decode()
            assert claims["iss"] == self.metadata["issuer"]
            assert claims["aud"] == self.client_id
            assert claims["azp"] == self.client_id
            assert claims["iat"] <= now.timestamp() < claims["exp"]
            assert claims["nonce"] == self.nonce
            assert claims["at_hash"] == at_hash
            assert claims["sub"] == self.userinfo(tokens["access_token"]).json()["sub"]
        except (JoseError, ValueError, KeyError, AssertionError) as error:
            raise Refused(repr(error)) from error
        return claims


@pytest.fixture
def client(address: tuple[str, Sandbox], control: Control, http: httpx.Client) -> Client:
    return Client(address[0], control, http)


@pytest.fixture
def public(address: tuple[str, Sandbox], control: Control, http: httpx.Client) -> Client:
    return Client(address[0], control, http, ("public-app", ""))


def claims_in(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def error_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


# Signing in


def test_a_login_from_discovery_to_userinfo(client: Client, control: Control, address: tuple[str, Sandbox]) -> None:
    answer = client.answer()
    assert answer["iss"] == address[0], "RFC 9207"
    tokens = client.exchange(answer["code"]).json()
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 3600, "openid profile email")
    claims = client.checked(tokens)
    assert (claims["sub"], claims["auth_time"]) == ("1001", int(START.timestamp()))
    assert claims.keys() == {"iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "at_hash"}
    assert client.userinfo(tokens["access_token"]).json()["email"] == "ada@example.com"
    assert control.lint() == []


def test_a_public_client_logs_in_without_a_secret(public: Client, control: Control) -> None:
    tokens = public.tokens()
    assert public.checked(tokens)["aud"] == "public-app"
    renewed = public.refresh(tokens).json()
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert control.lint() == []
    granted = public.post("token_endpoint", grant_type="client_credentials")
    assert error_of(granted) == (400, "unauthorized_client")


def test_a_public_client_with_a_secret_is_refused(public: Client) -> None:
    code = public.answer()["code"]
    assert error_of(public.exchange(code, client_secret="invented")) == (401, "invalid_client")


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server"])
def test_the_metadata_has_what_is_served(http: httpx.Client, client: Client, name: str) -> None:
    metadata = http.get(f"/.well-known/{name}").json()
    assert metadata == client.metadata
    addresses = [value for key, value in metadata.items() if key.endswith(("_endpoint", "_uri"))]
    assert len(addresses) == 10
    assert [url for url in addresses if http.get(url).status_code == 404] == []
    for path in ("/oauth/authorize/", "/api/open/oauth/token"):
        assert error_of(http.get(path)) == (404, "not_found")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_each_algorithm_is_verified_by_another_library(client: Client, control: Control, algorithm: str) -> None:
    control.settings(openid={"id_token_algorithm": algorithm})
    client.metadata = client.http.get("/.well-known/openid-configuration").json()
    assert client.metadata["id_token_signing_alg_values_supported"] == [algorithm]
    client.checked(client.tokens())
    assert [key["alg"] for key in client.jwks()] == [algorithm]
    assert {"d", "p", "q"}.isdisjoint(name for key in client.jwks() for name in key)


def test_keys_rotate_and_the_one_before_stays_published(client: Client, control: Control) -> None:
    before = client.tokens()
    control.settings(openid={"signing_key": 2})
    after = client.tokens()
    old = client.jwks()[1:]
    assert [key["kid"] for key in client.jwks()] == [
        json.loads(urlsafe_b64decode(tokens["id_token"].split(".")[0] + "=="))["kid"] for tokens in (after, before)
    ]
    client.checked(before)
    with pytest.raises(Refused):
        client.checked(after, keys=old)
    control.settings(openid={"signing_key": 3})
    with pytest.raises(Refused):
        client.checked(before)
    control.reset()
    assert [key["kid"] for key in client.jwks()] == [old[0]["kid"]], "a reset returns to the first"


# Claims


def test_scopes_choose_the_claims_and_others_come_always(client: Client) -> None:
    alone = client.userinfo(client.tokens(scope="openid")["access_token"]).json()
    assert alone == {"sub": "1001", "groups": ["editors"]}
    email = client.userinfo(client.tokens(scope="openid email")["access_token"]).json()
    assert email == alone | {"email": "ada@example.com", "email_verified": True}
    everything = client.userinfo(client.tokens(scope="openid profile email address phone")["access_token"]).json()
    assert everything["address"] == {"country": "GB", "locality": "London"}
    assert {"phone_number", "given_name", "updated_at"} <= everything.keys()


def test_fields_of_a_user_are_its_claims(client: Client, control: Control) -> None:
    control.request("POST", "users", {"id": 7, "name": "Seven", "sub": "seven|7", "https://example.com/role": "admin"})
    client.user_id = 7
    tokens = client.tokens()
    assert client.checked(tokens)["sub"] == "seven|7"
    info = client.userinfo(tokens["access_token"]).json()
    assert (info["name"], info["https://example.com/role"]) == ("Seven", "admin")
    assert "id" not in info


def test_claims_in_the_id_token(client: Client, control: Control) -> None:
    control.settings(openid={"id_token_claims": True, "id_token_lifetime": 60})
    claims = client.checked(client.tokens(scope="openid email"))
    assert (claims["email"], claims["groups"]) == ("ada@example.com", ["editors"])
    assert "given_name" not in claims
    assert claims["exp"] - claims["iat"] == 60


def test_without_openid_there_is_no_id_token_and_no_userinfo(client: Client) -> None:
    tokens = client.tokens(scope="profile")
    assert "id_token" not in tokens
    response = client.userinfo(tokens["access_token"])
    assert error_of(response) == (403, "insufficient_scope")
    assert 'scope="openid"' in response.headers["www-authenticate"]


def test_userinfo_takes_a_token_in_a_form_and_refuses_as_rfc_6750_says(
    client: Client, http: httpx.Client, control: Control, address: tuple[str, Sandbox]
) -> None:
    token = client.tokens()["access_token"]
    assert http.post("/userinfo", data={"access_token": token}).json()["sub"] == "1001"
    absent = http.get("/userinfo")
    assert (absent.status_code, absent.headers["www-authenticate"]) == (401, 'Bearer realm="sandbox"')
    assert http.get("/userinfo", params={"access_token": token}).status_code == 401
    address[1].clock.move(3600)
    late = client.userinfo(token)
    assert error_of(late) == (401, "invalid_token")
    assert 'error="invalid_token"' in late.headers["www-authenticate"]
    assert set(control.lint()) == {"bearer-missing", "secret-in-query", "token-late"}
    service = client.post("token_endpoint", ("service-app", "service-secret"), grant_type="client_credentials").json()
    assert "id_token" not in service
    assert error_of(client.userinfo(service["access_token"])) == (403, "insufficient_scope")


# PKCE


@pytest.mark.parametrize(
    "challenge",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": "v" * 43, "code_challenge_method": None},
        {"code_challenge": "v" * 43, "code_challenge_method": "plain"},
        {"code_challenge_method": "S512"},
    ],
)
def test_a_request_without_s256_is_refused(client: Client, public: Client, challenge: dict[str, str | None]) -> None:
    for one in (client, public):
        answer = one.answer(**challenge)
        assert (answer["error"], answer["iss"]) == ("invalid_request", one.metadata["issuer"])


def test_a_wrong_verifier_is_refused_and_found(client: Client, control: Control) -> None:
    for verifier in ("w" * 43, ""):
        code = client.answer()["code"]
        assert error_of(client.exchange(code, code_verifier=verifier)) == (400, "invalid_grant")
    assert set(control.lint()) == {"nonce-reused", "verifier-wrong"}
    assert client.exchange(code).status_code == 200, "the code is not spent"


def test_a_public_client_needs_pkce_also_where_it_is_ignored(client: Client, public: Client, control: Control) -> None:
    control.settings(behaviour={"pkce": "ignored"})
    bare: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
    assert "code" in client.answer(**bare)
    assert control.lint() == ["challenge-missing"], "nothing else tells a client with a secret"
    assert public.answer(**bare)["error"] == "invalid_request"
    assert error_of(public.exchange(public.answer()["code"], code_verifier="w" * 43)) == (400, "invalid_grant")


# Errors


def test_errors_are_those_of_the_standards(client: Client, http: httpx.Client) -> None:
    code = client.answer()["code"]
    wrong = client.post("token_endpoint", ("web-app", "wrong"), grant_type="authorization_code", code=code)
    assert error_of(wrong) == (401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic ")
    repeated = client.http.post("/token", content=b"code=a&code=b", headers={"Content-Type": FORM})
    assert error_of(repeated) == (400, "invalid_request")
    assert '"' not in repeated.json()["error_description"]
    assert error_of(client.exchange(code, redirect_uri="http://localhost:7000/other")) == (400, "invalid_grant")
    missing = client.post("token_endpoint", grant_type="authorization_code")
    assert error_of(missing) == (400, "invalid_request")
    assert '"' not in missing.json()["error_description"], "RFC 6749 §5.2 forbids it there"
    assert error_of(client.post("token_endpoint", grant_type="password")) == (400, "unsupported_grant_type")
    body = {"grant_type": "client_credentials", "client_id": "web-app", "client_secret": "web-secret"}
    assert error_of(http.post("/token", json=body)) == (400, "invalid_request"), "a form, and no JSON"
    for path in ("/token", "/revoke", "/introspect"):
        got = http.get(path)
        assert (error_of(got), got.headers["allow"]) == ((405, "invalid_request"), "POST")
        assert got.json()["error_description"] == "This method is not supported here. Supported: POST"
    assert client.exchange(code).status_code == 200


@pytest.mark.parametrize(
    ("parameter", "error"),
    [
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "https://client.example/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "coffee"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"code_challenge": "x"}, "invalid_request"),
        ({"code_challenge": "+" * 43}, "invalid_request"),
        ({"code_challenge": "x" * 44}, "invalid_request"),
    ],
)
def test_what_is_not_supported_comes_back_as_an_error(client: Client, parameter: dict[str, str], error: str) -> None:
    answer = client.answer(**parameter)
    assert (answer["error"], answer["iss"]) == (error, client.metadata["issuer"])


def test_an_authorization_request_may_be_a_form(client: Client, http: httpx.Client) -> None:
    url, _, query = client.url().partition("?")
    page = http.post(url, data=dict(parse_qsl(query)), follow_redirects=True)
    assert "Web app asks for access" in page.text
    decided = http.post(str(page.url), data={"decision": "approve"})
    assert "code=" in decided.headers["location"]


# Sessions


def test_a_silent_login_needs_a_session_and_a_consent(client: Client, address: tuple[str, Sandbox]) -> None:
    assert client.silently()["error"] == "login_required"
    client.tokens(scope="openid email")
    answer = client.silently(scope="openid")
    assert answer["iss"] == address[0]
    assert client.checked(client.exchange(answer["code"]).json())["sub"] == "1001"
    assert client.silently()["error"] == "consent_required", "profile was not asked for"
    client.client_id = "public-app"
    assert client.silently(scope="openid")["error"] == "consent_required"


def test_max_age_and_prompt_login_make_a_new_login(client: Client, address: tuple[str, Sandbox]) -> None:
    clock = address[1].clock
    client.tokens()
    clock.move(100)
    at = int(START.timestamp())
    assert claims_in(client.tokens()["id_token"])["auth_time"] == at, "the session is still that of the first"
    assert claims_in(client.tokens(max_age="100")["id_token"])["auth_time"] == at
    assert client.silently(max_age="99")["error"] == "login_required"
    assert claims_in(client.tokens(max_age="99")["id_token"])["auth_time"] == at + 100
    assert client.silently(max_age="0")["error"] == "login_required"
    clock.move(5)
    assert claims_in(client.tokens(prompt="login")["id_token"])["auth_time"] == at + 105
    client.user_id = 1002
    assert claims_in(client.tokens()["id_token"])["sub"] == "1002"


def test_a_hint_of_another_user_needs_a_login(client: Client) -> None:
    hint = client.tokens()["id_token"]
    assert "code" in client.silently(id_token_hint=hint)
    client.user_id = 1002
    client.tokens()
    assert client.silently(id_token_hint=hint)["error"] == "login_required"
    assert client.silently(id_token_hint=f"{hint[:-4]}AAAA")["error"] == "invalid_request"
    assert client.silently(id_token_hint="not.a.token")["error"] == "invalid_request"


def test_a_logout_ends_the_session_and_goes_back(client: Client, http: httpx.Client, public: Client) -> None:
    hint = client.tokens()["id_token"]
    back = {"post_logout_redirect_uri": "http://localhost:7000/bye", "state": "s1"}
    url = client.metadata["end_session_endpoint"]
    assert error_of(http.get(url, params=back)) == (400, "invalid_request"), "whose address is it?"
    elsewhere = back | {"post_logout_redirect_uri": "https://evil.example/"}
    assert error_of(http.get(url, params=elsewhere | {"id_token_hint": hint})) == (400, "invalid_request")
    assert error_of(http.get(url, params={"id_token_hint": hint, "client_id": "public-app"}))[0] == 400
    client.control.fault("wrong-id-token", flaw="several-audiences")
    for wrong in (client.tokens()["id_token"], "x", "x.y.z", "é.é.é", f"{hint}x", hint.rpartition(".")[0] + "."):
        assert error_of(http.get(url, params={"id_token_hint": wrong})) == (400, "invalid_request")
    assert "code" in client.silently(), "a refused logout ends nothing"
    answer = http.get(url, params=back | {"id_token_hint": hint})
    assert answer.headers["location"] == "http://localhost:7000/bye?state=s1"
    assert client.silently()["error"] == "login_required"
    client.tokens()
    assert "Signed out" in http.post(url).text
    assert client.silently()["error"] == "login_required"


# Tokens afterwards


def test_a_refresh_has_a_new_id_token_of_the_same_login(client: Client, address: tuple[str, Sandbox]) -> None:
    tokens = client.tokens()
    address[1].clock.move(1800)
    renewed = client.refresh(tokens).json()
    first, second = claims_in(tokens["id_token"]), claims_in(renewed["id_token"])
    assert {name: second[name] for name in ("iss", "sub", "aud", "auth_time")} == {
        name: first[name] for name in ("iss", "sub", "aud", "auth_time")
    }
    assert second["iat"] == first["iat"] + 1800
    assert "nonce" not in second
    assert error_of(client.refresh(tokens)) == (400, "invalid_grant")
    assert client.userinfo(renewed["access_token"]).status_code == 401, "reuse revokes the family (RFC 9700)"


def test_revocation(client: Client, public: Client) -> None:
    first, second = client.tokens(), client.tokens()
    for _ in range(2):  # a token that is unknown by now is no error (RFC 7009 §2.2)
        assert client.post("revocation_endpoint", token=first["access_token"]).status_code == 200
    assert client.userinfo(first["access_token"]).status_code == 401
    assert client.refresh(first).status_code == 200, "only that token"
    assert client.post("revocation_endpoint", token=second["refresh_token"]).content == b""
    assert client.userinfo(second["access_token"]).status_code == 401
    third = client.tokens()
    assert error_of(public.post("revocation_endpoint", token=third["access_token"])) == (400, "invalid_grant")
    assert error_of(client.post("revocation_endpoint")) == (400, "invalid_request")
    assert error_of(client.post("revocation_endpoint", ("web-app", "wrong"), token="x")) == (401, "invalid_client")
    assert client.userinfo(third["access_token"]).status_code == 200
    own = public.tokens()
    assert public.post("revocation_endpoint", token=own["refresh_token"]).status_code == 200
    assert public.refresh(own).status_code == 400


def test_introspection(client: Client, public: Client, address: tuple[str, Sandbox]) -> None:
    tokens = public.tokens()
    service = ("service-app", "service-secret")
    answer = client.post("introspection_endpoint", service, token=tokens["access_token"]).json()
    start = int(START.timestamp())
    assert answer == {
        "active": True,
        "scope": "openid profile email",
        "client_id": "public-app",
        "username": "Ada Example",
        "token_type": "Bearer",
        "exp": start + 3600,
        "iat": start,
        "sub": "1001",
        "iss": address[0],
    }
    hint = {"token": tokens["refresh_token"], "token_type_hint": "access_token"}
    refresh = client.post("introspection_endpoint", **hint).json()
    assert refresh["active"], "a wrong hint is only a hint"
    assert "token_type" not in refresh
    own = client.post("token_endpoint", service, grant_type="client_credentials").json()["access_token"]
    assert client.post("introspection_endpoint", token=own).json()["sub"] == "service-app"
    assert error_of(public.post("introspection_endpoint", token=own)) == (401, "invalid_client")
    address[1].clock.move(3600)
    for token in (tokens["access_token"], "unknown"):
        assert client.post("introspection_endpoint", token=token).json() == {"active": False}


# Pushed requests


def test_a_pushed_request_is_used_once_and_by_its_client(
    client: Client, public: Client, control: Control, address: tuple[str, Sandbox]
) -> None:
    parameters = dict(parse_qsl(urlsplit(client.url()).query))
    answer = client.post("pushed_authorization_request_endpoint", None, **parameters)
    assert answer.status_code == 201
    reference = answer.json()["request_uri"]
    assert answer.json()["expires_in"] == 600
    authorize = client.metadata["authorization_endpoint"]
    short = f"{authorize}?{urlencode({'client_id': 'web-app', 'request_uri': reference})}"
    others = f"{authorize}?{urlencode({'client_id': 'public-app', 'request_uri': reference})}"
    with pytest.raises(SteeringError, match="unknown, expired or used"):
        control.approve(others)
    page = client.http.get(short)
    assert "asks for access" in page.text
    landed = dict(parse_qsl(urlsplit(control.approve(short)).query))
    assert landed["state"] == parameters["state"]
    client.checked(client.exchange(landed["code"]).json())
    assert control.lint("web-app") == [], "the pushed parameters are what counts"
    with pytest.raises(SteeringError, match="unknown, expired or used"):
        control.approve(short)
    late = client.post("pushed_authorization_request_endpoint", None, **parameters).json()["request_uri"]
    address[1].clock.move(600)
    assert client.http.get(authorize, params={"client_id": "web-app", "request_uri": late}).status_code == 400


def test_a_pushed_request_is_checked_when_it_is_pushed(client: Client, public: Client) -> None:
    def push(one: Client, auth: tuple[str, str] | None = None, **more: str) -> tuple[int, str]:
        parameters = dict(parse_qsl(urlsplit(one.url()).query)) | more
        return error_of(one.post("pushed_authorization_request_endpoint", auth, **parameters))

    assert push(client, ("web-app", "wrong")) == (401, "invalid_client")
    assert push(client, scope="openid admin") == (400, "invalid_scope")
    assert push(client, redirect_uri="https://evil.example/") == (400, "invalid_request")
    assert push(client, code_challenge_method="plain") == (400, "invalid_request")
    assert push(public, request_uri="urn:ietf:params:oauth:request_uri:x") == (400, "invalid_request")


# Registration


def test_a_client_registers_itself_signs_in_and_goes(client: Client, http: httpx.Client, control: Control) -> None:
    wanted = {"redirect_uris": ["https://app.example/back"], "client_name": "Mine", "scope": "openid email admin"}
    answer = http.post("/register", json=wanted | {"application_type": "web", "contacts": ["a@example.com"]})
    assert answer.status_code == 201
    registered = answer.json()
    assert (registered["client_secret_expires_at"], registered["grant_types"]) == (0, ["authorization_code"])
    assert (registered["scope"], registered["client_name"]) == ("openid email", "Mine")
    mine = Client(client.metadata["issuer"], control, http, (registered["client_id"], registered["client_secret"]))
    assert mine.checked(mine.tokens(scope="openid"))["aud"] == registered["client_id"]
    assert "code" in mine.answer(redirect_uri="https://app.example/back", scope=None)
    uri = registered["registration_client_uri"]
    for token in ("wrong", "web-secret"):
        refused = http.delete(uri, headers={"Authorization": f"Bearer {token}"})
        assert error_of(refused) == (401, "invalid_token")
    right = {"Authorization": f"Bearer {registered['registration_access_token']}"}
    assert http.delete(uri.replace(mine.client_id, "web-app"), headers=right).status_code == 401
    assert http.delete(uri, headers=right).status_code == 204
    assert error_of(http.delete(uri, headers=right)) == (401, "invalid_token")
    assert error_of(mine.post("token_endpoint", grant_type="authorization_code", code="x")) == (401, "invalid_client")


def test_a_client_without_a_secret_registers_itself(client: Client, http: httpx.Client, control: Control) -> None:
    wanted = {
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "none",
        "grant_types": ["refresh_token", "authorization_code"],
    }
    registered = http.post("/register", json=wanted).json()
    assert "client_secret" not in registered
    mine = Client(client.metadata["issuer"], control, http, (registered["client_id"], ""))
    assert mine.refresh(mine.tokens(scope="openid")).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://app.example/#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [""]}, "invalid_redirect_uri"),
        ({"redirect_uris": CALLBACK}, "invalid_client_metadata"),
        ({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata"),
        ({"redirect_uris": [CALLBACK], "grant_types": ["password"]}, "invalid_client_metadata"),
        ({"redirect_uris": [CALLBACK], "response_types": ["code", "token"]}, "invalid_client_metadata"),
        ([], "invalid_client_metadata"),
        ("text", "invalid_client_metadata"),
    ],
)
def test_metadata_that_cannot_be_registered(http: httpx.Client, control: Control, wanted: object, error: str) -> None:
    before = control.request("GET", "clients")
    assert error_of(http.post("/register", json=wanted)) == (400, error)
    assert error_of(http.post("/register", content=b"{")) == (400, "invalid_client_metadata")
    assert control.request("GET", "clients") == before


@pytest.mark.parametrize(
    ("wanted", "description"),
    [
        ({"redirect_uris": [CALLBACK] * 101}, "There are 101 redirect_uris. Send 100 at most"),
        (
            {"redirect_uris": [CALLBACK, 'javascript:x"y']},
            "Number 2 of redirect_uris would run or open in the browser itself. Use http or https.",
        ),
        ({"redirect_uris": ["/back"]}, "Number 1 of redirect_uris is not absolute."),
        ({"redirect_uris": [f"{CALLBACK}#x"]}, "Number 1 of redirect_uris has a fragment."),
        ({"redirect_uris": [f"{CALLBACK}/{'x' * 2000}"]}, "Number 1 of redirect_uris is longer than 2,000 characters"),
        ({"redirect_uris": [CALLBACK], "scope": "foo"}, "scope has none of openid, "),
    ],
)
def test_a_refused_registration_says_why(http: httpx.Client, wanted: object, description: str) -> None:
    assert http.post("/register", json=wanted).json()["error_description"].startswith(description)


# Devices

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def test_a_device_without_a_browser(public: Client, http: httpx.Client, address: tuple[str, Sandbox]) -> None:
    begun = public.post("device_authorization_endpoint", scope="openid email").json()
    assert (begun["verification_uri"], begun["expires_in"], begun["interval"]) == (f"{address[0]}/activate", 600, 5)

    def poll() -> httpx.Response:
        return public.post("token_endpoint", grant_type=DEVICE, device_code=begun["device_code"])

    assert error_of(poll()) == (400, "authorization_pending")
    assert error_of(poll()) == (400, "slow_down")
    address[1].clock.move(9)
    assert error_of(poll()) == (400, "slow_down"), "it is 10 seconds by now"
    assert "Connect a device" in http.get("/activate").text
    for wrong, problem in (({"decision": "x"}, "neither approve nor deny"), ({"user": "9"}, "user is unknown")):
        refused = http.post("/activate", data={"user_code": begun["user_code"], "decision": "approve"} | wrong)
        assert (refused.status_code, problem in refused.text) == (400, True)
    assert "No device waits" in http.get("/activate", params={"user_code": "BBBB-BBBB"}).text
    page = http.get(begun["verification_uri_complete"])
    assert "Public app asks for access" in page.text
    spelled = {"user_code": begun["user_code"].replace("-", " ").lower(), "decision": "approve", "user": "1002"}
    assert "go back to the device" in http.post("/activate", data=spelled).text
    tokens = poll().json()
    claims = claims_in(tokens["id_token"])
    assert (claims["sub"], claims["aud"]) == ("1002", "public-app")
    assert "nonce" not in claims
    assert public.userinfo(tokens["access_token"]).json()["email"] == "grace@example.com"
    assert public.refresh(tokens).status_code == 200
    assert error_of(poll()) == (400, "invalid_grant"), "the code is used"


def test_a_device_is_denied_late_or_not_allowed(
    public: Client, client: Client, http: httpx.Client, control: Control, address: tuple[str, Sandbox]
) -> None:
    begun = [public.post("device_authorization_endpoint").json() for _ in range(2)]
    http.post("/activate", data={"user_code": begun[0]["user_code"], "decision": "deny"})
    address[1].clock.move(600)

    def poll(one: Client, code: str) -> tuple[int, str]:
        return error_of(one.post("token_endpoint", grant_type=DEVICE, device_code=code))

    assert poll(client, begun[0]["device_code"]) == (400, "invalid_grant"), "another client's"
    assert poll(public, begun[1]["device_code"]) == (400, "expired_token")
    assert "No device waits" in http.get(begun[1]["verification_uri_complete"]).text
    again = public.post("device_authorization_endpoint").json()
    http.post("/activate", data={"user_code": again["user_code"], "decision": "deny"})
    assert poll(public, again["device_code"]) == (400, "access_denied")
    service = client.post("device_authorization_endpoint", ("service-app", "service-secret"))
    assert error_of(service) == (400, "unauthorized_client")
    assert error_of(client.post("device_authorization_endpoint", scope="admin")) == (400, "invalid_scope")
    assert control.lint() == []


# Wrong on purpose


@pytest.mark.parametrize("flaw", get_args(Flaw))
@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_each_flaw_of_an_id_token_is_refused_by_a_strict_client(
    client: Client, control: Control, flaw: str, algorithm: str
) -> None:
    control.settings(openid={"id_token_algorithm": algorithm})
    client.metadata = client.http.get("/.well-known/openid-configuration").json()
    control.fault("wrong-id-token", flaw=flaw, client_id="web-app")
    with pytest.raises(Refused):
        client.checked(client.tokens())
    client.checked(client.tokens())


def test_each_flaw_is_the_only_one(client: Client, control: Control) -> None:
    right = claims_in(client.tokens()["id_token"])
    differing = {
        "expired": {"iat", "exp"},
        "issued-in-the-future": {"iat", "nbf", "exp"},
        "wrong-issuer": {"iss"},
        "wrong-audience": {"aud"},
        "several-audiences": {"aud", "azp"},
        "wrong-nonce": {"nonce"},
        "no-nonce": {"nonce"},
        "wrong-at-hash": set(),
        "wrong-subject": {"sub"},
        "unknown-kid": set(),
        "bad-signature": set(),
        "alg-none": set(),
        "hmac-with-public-key": set(),
    }
    assert differing.keys() | {"missing"} == set(get_args(Flaw))
    for flaw, names in differing.items():
        control.fault("wrong-id-token", flaw=flaw)
        wrong = claims_in(client.tokens()["id_token"])
        different = {name for name in wrong | right if wrong.get(name) != right.get(name)}
        assert different - {"at_hash"} == names, flaw


def test_a_fault_waits_for_the_endpoint_that_it_means_something_at(client: Client, control: Control) -> None:
    control.fault("malformed-token")
    client.answer()
    assert "access_token" not in client.exchange(client.answer()["code"]).json()
    with pytest.raises(SteeringError, match="strikes at authorize alone"):
        control.fault("wrong-issuer", endpoint="token")
    control.fault("wrong-issuer", endpoint="authorize")


def test_the_strict_preset_turns_against_the_client_here_too() -> None:
    with running(provider="generic") as partner:
        own = partner.control.make(api="generic", preset="strict")
        with steered(own) as sandbox, httpx.Client(trust_env=False) as http:
            client = Client(own, sandbox.control, http)
            tokens = client.tokens()
            assert tokens["expires_in"] == "3600"
            assert len(tokens["access_token"]) > 1000
            assert "www-authenticate" not in client.userinfo("unknown").headers
            client.checked(tokens, sandbox.clock.now())


def test_the_issuer_of_the_callback_can_be_wrong(client: Client, control: Control, http: httpx.Client) -> None:
    control.fault("wrong-issuer")
    answer = client.answer()
    assert answer["iss"] == "https://another-issuer.example"
    assert client.exchange(answer["code"]).status_code == 200, "nothing else is wrong"
    control.fault("wrong-issuer")
    decided = http.post(client.url(), data={"decision": "approve"})
    assert "another-issuer" in decided.headers["location"]
    control.fault("wrong-issuer")
    assert "asks for access" in http.get(client.url()).text


@pytest.mark.parametrize(
    "endpoint",
    ["discovery", "jwks", "userinfo", "revoke", "introspect", "logout", "par", "device", "activate", "register"],
)
def test_faults_strike_these_endpoints_too(client: Client, control: Control, http: httpx.Client, endpoint: str) -> None:
    control.fault("server-error", endpoint=endpoint)
    path = "/.well-known/openid-configuration" if endpoint == "discovery" else f"/{endpoint}"
    assert http.get(path).status_code == 503
    assert http.get(path).status_code != 503


# The control


def test_a_snapshot_has_the_logins(client: Client, control: Control) -> None:
    code = client.answer()["code"]
    snapshot = control.snapshot()
    assert client.nonce in json.dumps(snapshot)
    control.reset()
    control.restore(snapshot)
    client.checked(client.exchange(code).json())
    assert "code" in client.silently()
    del snapshot["logins"]  # one of an earlier version
    control.restore(snapshot)
    assert client.silently()["error"] == "login_required"


def test_a_token_issued_over_the_control_has_an_id_token_too(client: Client, control: Control) -> None:
    issued = control.request("POST", "refresh-tokens", {"client_id": "web-app"})
    tokens = client.refresh({"refresh_token": issued["secret"]}).json()
    assert claims_in(tokens["id_token"])["auth_time"] == int(START.timestamp())


def test_sandboxes_of_their_own_have_issuers_of_their_own(http: httpx.Client) -> None:
    with running() as partner:
        own = partner.control.make(api="generic", openid={"id_token_algorithm": "ES256"})
        with steered(own) as sandbox:
            client = Client(own, sandbox.control, http)
            client.checked(client.tokens(), sandbox.clock.now())
            parts = urlsplit(own)
            inserted = f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{parts.path}"
            assert http.get(inserted).json() == client.metadata, "RFC 8414 §3.1 for an issuer with a path"
            assert http.get(inserted[:-1]).status_code == 404


def test_a_sandbox_of_its_own_is_as_its_server_below_its_issuer(http: httpx.Client) -> None:
    configuration = ready_made(Api.GENERIC)
    with running(Sandbox(lambda: START, configuration=configuration)) as server:
        server.sandbox.publish("https://id.example/generic")
        made = server.control.request("POST", "sandboxes", {"openid": {"id_token_algorithm": "ES256"}})
        metadata = http.get(f"{made['url']}/.well-known/openid-configuration").json()
        assert metadata["issuer"] == f"https://id.example/generic/sandboxes/{made['id']}"
        assert metadata["id_token_signing_alg_values_supported"] == ["ES256"]
        given = server.control.make(openid={"issuer": "https://other.example"})
        assert http.get(f"{given}/.well-known/openid-configuration").json()["issuer"] == "https://other.example"


def test_the_issuer_is_the_address_that_the_client_knows(address: tuple[str, Sandbox], control: Control) -> None:
    with httpx.Client(base_url=address[0].replace("127.0.0.1", "localhost"), trust_env=False) as http:
        client = Client(str(http.base_url).rstrip("/"), control, http)
        answer = client.answer()
        assert answer["iss"] == client.metadata["issuer"]
        client.checked(client.exchange(answer["code"]).json())
    elsewhere = dict(
        parse_qsl(urlsplit(control.approve(f"https://id.example/authorize?{urlsplit(client.url()).query}")).query)
    )
    assert elsewhere["iss"] == address[0]
    control.settings(openid={"issuer": "https://id.example/tenant"})
    metadata = httpx.get(f"{address[0]}/.well-known/openid-configuration", trust_env=False).json()
    assert (metadata["issuer"], metadata["jwks_uri"]) == (
        "https://id.example/tenant",
        "https://id.example/tenant/jwks",
    )
    with pytest.raises(SteeringError, match="without a slash at its end"):
        control.settings(openid={"issuer": "https://id.example/"})


def test_open_cors_lets_a_page_in_a_browser_sign_in(http: httpx.Client, control: Control) -> None:
    headers = {"Origin": "https://spa.example", "Access-Control-Request-Method": "POST"}
    for path in ("/token", "/userinfo", "/jwks", "/.well-known/openid-configuration"):
        answer = http.options(path, headers=headers)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
    assert control.lint() == []


def test_the_lint_knows_a_nonce_that_was_used_before(client: Client, control: Control) -> None:
    client.answer()
    assert control.lint() == []
    client.answer()
    assert control.lint() == ["nonce-reused"]


def test_running_and_the_command_take_the_provider() -> None:
    with running(provider="generic") as sandbox:
        assert httpx.get(f"{sandbox.url}/jwks", trust_env=False).status_code == 200
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert parser.parse_args(["--provider", "generic"]).provider is Api.GENERIC


def test_a_file_changes_parts_of_the_default(tmp_path: Any) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[openid]\nid_token_algorithm = "ES256"\n', encoding="utf-8")
    mine = load(path, Api.GENERIC)
    assert (mine.openid.id_token_algorithm, mine.openid.id_token_lifetime) == ("ES256", 3600)
    assert mine.behaviour.pkce is Pkce.REQUIRED
    strict = ready_made(Api.GENERIC, Preset.STRICT)
    assert strict.behaviour.pkce is Pkce.REQUIRED, "not even the strict preset weakens it"
    assert not strict.behaviour.challenges
