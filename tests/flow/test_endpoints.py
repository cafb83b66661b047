"""The wire bytes of PKCE, client authentication, PAR, and the endpoints beside the code flow."""

import base64
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from oauth import flow as flows
from oauth.exchange import Exchange, Headers, Request, Response, Step, header
from oauth.flow import Client, Field, Flow, Grant, IssuerCheck, Signed
from oauth.jose.keys import new_key
from oauth.providers import BodyFormat, ClientAuthentication, Pkce, Provider

NOW = datetime(2026, 3, 1, 10, 2, 7, tzinfo=UTC)
SERVER = Provider(
    id="own",
    name="Own",
    issuer="https://as.example",
    authorization_endpoint="https://as.example/authorize",
    token_endpoint="https://as.example/token",
    scope="openid email",
)
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def begin(**changes: Any) -> Flow:
    client = Client("app", "p:w%d")
    flow = Flow(SERVER, client, "https://shop.example/cb", "s" * 43, NOW, verifier=VERIFIER, nonce="the-nonce")
    return replace(flow, **changes)


def edited(flow: Flow, **changed: str) -> list[Field]:
    """Return the fields of the authorization request with some values changed."""
    return [
        replace(item, value=changed[item.name], send=True) if item.name in changed else item
        for item in flows.authorization_fields(flow)
    ]


def query(fields: Iterable[Field]) -> dict[str, list[str]]:
    request = flows.authorization_request("https://as.example/authorize", fields)
    return parse_qs(urlsplit(request.url).query)


def form(request: Request) -> dict[str, str]:
    assert header(request.headers, "content-type") == "application/x-www-form-urlencoded"
    assert header(request.headers, "content-length") == str(len(request.body))
    pairs = parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def exchange(body: object, status: int = 200, headers: Headers = (), request: Request | None = None) -> Exchange:
    response = Response(status, headers=headers, body=json.dumps(body).encode())
    return Exchange(
        Step.TOKEN, request or Request("POST", "https://as.example/x"), NOW, response=response, duration_ms=1000
    )


def test_optional_parameters_are_not_sent_by_default() -> None:
    plain = begin(provider=replace(SERVER, scope="read"))
    assert set(query(flows.authorization_fields(plain))) == {
        "client_id", "response_type", "redirect_uri", "scope", "state"
    }  # fmt: skip
    optional = [item for item in flows.authorization_fields(plain) if item.optional]
    assert [item.name for item in optional] == [
        "nonce", "response_mode", "prompt", "login_hint", "audience", "resource"
    ]  # fmt: skip
    assert not any(item.send for item in optional)


@pytest.mark.parametrize(
    ("method", "challenge"),
    [(Pkce.S256, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), (Pkce.PLAIN, VERIFIER)],
)
def test_pkce_sends_the_challenge_first_and_the_verifier_with_the_code(method: Pkce, challenge: str) -> None:
    flow = begin(pkce=method)
    sent = query(flows.authorization_fields(flow))
    assert (sent["code_challenge"], sent["code_challenge_method"]) == ([challenge], [method.value])
    assert "code_verifier" not in sent
    request = flows.token_request(
        SERVER.token_endpoint, flows.token_fields(flow, Grant.AUTHORIZATION_CODE), BodyFormat.FORM
    )
    assert form(request)["code_verifier"] == VERIFIER


@pytest.mark.parametrize("grant", [Grant.REFRESH_TOKEN, Grant.CLIENT_CREDENTIALS])
def test_verifier_is_sent_with_the_code_only(grant: Grant) -> None:
    assert "code_verifier" not in {item.name for item in flows.token_fields(begin(pkce=Pkce.S256), grant)}


def test_openid_request_has_a_nonce() -> None:
    assert query(flows.authorization_fields(begin()))["nonce"] == ["the-nonce"]


def test_response_mode_of_the_profile_is_sent() -> None:
    flow = begin(provider=replace(SERVER, response_mode="form_post"))
    fields = flows.authorization_fields(flow)
    assert query(fields)["response_mode"] == ["form_post"]
    assert flows.with_authorization(flow, fields).authorization_parameter("response_mode") == "form_post"


def test_resource_is_sent_again_with_the_code() -> None:
    flow = begin()
    sent = edited(flow, resource="https://api.example/", audience="api", prompt="login")
    assert {name: query(sent)[name] for name in ("resource", "audience", "prompt")} == {
        "resource": ["https://api.example/"], "audience": ["api"], "prompt": ["login"]
    }  # fmt: skip
    fields = flows.token_fields(flows.with_authorization(flow, sent), Grant.AUTHORIZATION_CODE)
    assert form(flows.token_request(SERVER.token_endpoint, fields, BodyFormat.FORM))["resource"] == (
        "https://api.example/"
    )
    assert "resource" not in {item.name for item in flows.token_fields(flow, Grant.AUTHORIZATION_CODE)}


@pytest.mark.parametrize(
    ("authentication", "sent", "basic"),
    [
        (ClientAuthentication.BODY, {"client_id": "app", "client_secret": "p:w%d"}, None),
        (ClientAuthentication.BASIC, {}, b"app:p%3Aw%25d"),
        (ClientAuthentication.NONE, {"client_id": "app"}, None),
        (
            ClientAuthentication.PRIVATE_KEY_JWT,
            {
                "client_id": "app",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": "signed.by.key",
            },
            None,
        ),
    ],
)
def test_client_authenticates_in_one_way(
    authentication: ClientAuthentication, sent: dict[str, str], basic: bytes | None
) -> None:
    flow = begin(authentication=authentication)
    fields = flows.token_fields(flow, Grant.CLIENT_CREDENTIALS, Signed(assertion="signed.by.key"))
    request = flows.token_request(SERVER.token_endpoint, fields, BodyFormat.FORM, authentication)
    assert form(request) == {"grant_type": "client_credentials", "scope": "openid email"} | sent
    credentials = header(request.headers, "Authorization")
    assert credentials == (f"Basic {base64.b64encode(basic).decode()}" if basic else None)


def test_pushed_request_is_the_authorization_request_with_the_credentials() -> None:
    flow = begin(pkce=Pkce.S256)
    request = flows.par_request("https://as.example/par", flows.par_fields(flow))
    sent = form(request)
    assert sent.pop("client_secret") == "p:w%d"
    assert sent == {name: value for name, (value,) in query(flows.authorization_fields(flow)).items()}


def test_pushed_request_has_the_client_id_even_with_basic() -> None:
    """The rule of RFC 9126 §2.1."""
    flow = begin(authentication=ClientAuthentication.BASIC)
    request = flows.par_request("https://as.example/par", flows.par_fields(flow), ClientAuthentication.BASIC)
    assert form(request)["client_id"] == "app"
    assert "client_secret" not in form(request)
    assert header(request.headers, "Authorization") == "Basic " + base64.b64encode(b"app:p%3Aw%25d").decode()


def test_browser_carries_the_reference_and_token_request_repeats_the_pushed_parameters() -> None:
    flow = begin()
    request = flows.par_request("https://as.example/par", flows.par_fields(flow))
    body = {"request_uri": "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c", "expires_in": 90}
    flow = flows.read_pushed(flow, exchange(body, 201, request=request))
    assert flow.pushed is not None
    assert flow.pushed.expires_at == NOW + timedelta(seconds=91)
    fields = flows.authorization_fields(flow)
    assert query(fields) == {"client_id": ["app"], "request_uri": [body["request_uri"]]}
    flow = flows.with_authorization(flow, fields)
    assert flow.authorization_parameter("redirect_uri") == "https://shop.example/cb"
    assert "client_secret" not in dict(flow.authorization or ())
    again = {item.name: item for item in flows.token_fields(flow, Grant.AUTHORIZATION_CODE)}
    assert (again["redirect_uri"].value, again["redirect_uri"].send) == ("https://shop.example/cb", True)


@pytest.mark.parametrize(("body", "status"), [({"error": "invalid_request"}, 400), ({}, 201), ([], 201)])
def test_refused_push_leaves_the_flow_unchanged(body: object, status: int) -> None:
    flow = begin()
    assert flows.read_pushed(flow, exchange(body, status)) == flow


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_token_is_presented_with_its_kind_and_the_credentials(kind: str) -> None:
    flow = flows.read_tokens(
        begin(), exchange({"access_token": "the-access", "refresh_token": "the-refresh"}), Grant.AUTHORIZATION_CODE, ""
    )
    request = flows.form_request("https://as.example/revoke", flows.presented_token_fields(flow, kind))
    assert form(request) == {
        "token": {"access_token": "the-access", "refresh_token": "the-refresh"}[kind],
        "token_type_hint": kind,
        "client_id": "app",
        "client_secret": "p:w%d",
    }


def test_device_requests_its_codes_and_then_its_token() -> None:
    flow = begin(authentication=ClientAuthentication.NONE)
    request = flows.form_request("https://as.example/device", flows.device_fields(flow), ClientAuthentication.NONE)
    assert form(request) == {"client_id": "app", "scope": "openid email"}
    response = exchange(
        {"device_code": "the-device-code", "user_code": "ABCD", "verification_uri": "https://as.example/d"}
    )
    flow = flows.read_device(flow, response)
    poll = flows.token_request(
        SERVER.token_endpoint, flows.token_fields(flow, Grant.DEVICE_CODE), BodyFormat.FORM, flow.authentication
    )
    assert form(poll) == {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": "app",
        "device_code": "the-device-code",
    }
    flow = flows.read_tokens(flow, exchange({"access_token": "the-access"}), Grant.DEVICE_CODE, "openid email")
    assert flow.tokens is not None
    assert (flow.tokens.access_token, flow.tokens.scope) == ("the-access", "openid email")
    assert flow.device is not None
    assert flow.device.polls == 1


def test_userinfo_request_has_the_token_and_no_api_headers() -> None:
    flow = flows.read_tokens(begin(), exchange({"access_token": "the-access"}), Grant.AUTHORIZATION_CODE, "")
    request = flows.api_request("https://as.example/me", flows.userinfo_fields(flow, flow.tokens))
    assert (request.method, request.body) == ("GET", b"")
    assert header(request.headers, "Authorization") == "Bearer the-access"
    assert header(request.headers, "Content-Type") is None


def test_keys_are_requested_without_credentials() -> None:
    request = flows.keys_request("https://as.example/jwks")
    assert (request.method, request.url) == ("GET", "https://as.example/jwks")
    assert {name.lower() for name, _ in request.headers} == {"host", "user-agent", "accept", "accept-encoding"}


def test_proof_is_a_header_of_the_token_request_and_not_in_its_body() -> None:
    flow = begin(dpop_key=new_key())
    fields = flows.token_fields(flow, Grant.AUTHORIZATION_CODE, Signed(proof="the.proof.x"))
    request = flows.token_request(SERVER.token_endpoint, fields, BodyFormat.FORM)
    assert header(request.headers, "DPoP") == "the.proof.x"
    assert "DPoP" not in form(request)


def test_bound_token_is_sent_with_its_own_scheme_and_a_proof() -> None:
    flow = begin(dpop_key=new_key())
    for token_type, scheme, proof in (("DPoP", "DPoP", "the.proof.x"), ("Bearer", "Bearer", None)):
        bound = flows.read_tokens(
            flow, exchange({"access_token": "the-access", "token_type": token_type}), Grant.AUTHORIZATION_CODE, ""
        )
        fields = flows.api_fields(bound, bound.tokens, Signed(proof="the.proof.x"))
        request = flows.api_request("https://api.example/me", fields)
        assert header(request.headers, "Authorization") == f"{scheme} the-access"
        assert header(request.headers, "DPoP") == proof


def test_nonce_of_any_response_is_kept() -> None:
    flow = flows.read_nonce(begin(), exchange({}, 400, (("DPoP-Nonce", "the-server-nonce"),)))
    assert flow.dpop_nonces == (("https://as.example", "the-server-nonce"),)


@pytest.mark.parametrize(
    ("parameters", "check"),
    [
        ((), IssuerCheck.NOT_SENT),
        ((("iss", "https://as.example"),), IssuerCheck.MATCHES),
        ((("iss", "https://as.example/"),), IssuerCheck.DIFFERS),
        ((("iss", "https://evil.example"),), IssuerCheck.DIFFERS),
        ((("iss", ""),), IssuerCheck.DIFFERS),
        ((("iss", "https://as.example"), ("iss", "https://evil.example")), IssuerCheck.DIFFERS),
    ],
)
def test_issuer_of_the_callback_is_compared_exactly(
    parameters: tuple[tuple[str, str], ...], check: IssuerCheck
) -> None:
    parameters_received = [("code", "the-code"), ("state", "s" * 43), *parameters]
    flow = flows.read_callback(begin(), parameters_received, NOW, pasted=False)
    assert flow.callback is not None
    assert flow.callback.issuer_check is check
    assert flow.code == ("" if check is IssuerCheck.DIFFERS else "the-code")


def test_issuer_is_not_checked_without_one_to_compare_with() -> None:
    flow = begin(provider=replace(SERVER, issuer=""))
    assert flows.check_issuer(flow, [("iss", "https://as.example")]) is IssuerCheck.NOT_POSSIBLE


def test_id_token_is_kept_with_its_tokens() -> None:
    flow = flows.read_tokens(
        begin(), exchange({"access_token": "a", "id_token": "h.c.s"}), Grant.AUTHORIZATION_CODE, ""
    )
    assert flow.tokens is not None
    assert flow.tokens.id_token == "h.c.s"


def test_secrets_are_not_in_the_repr() -> None:
    flow = begin(dpop_key=new_key(), dpop_nonces=(("https://as.example", "the-server-nonce"),))
    for secret in (VERIFIER, "the-nonce", "p:w%d", "the-server-nonce"):
        assert secret not in repr(flow)


def test_equal_requests_differ_only_in_their_signatures() -> None:
    flow = begin(authentication=ClientAuthentication.PRIVATE_KEY_JWT, dpop_key=new_key())
    first, second, other = (
        flows.without_signatures(
            flows.token_request(
                SERVER.token_endpoint,
                flows.token_fields(replace(flow, client=Client(name, "")), Grant.CLIENT_CREDENTIALS, signed),
                body,
                ClientAuthentication.PRIVATE_KEY_JWT,
            )
        )
        for name, signed, body in (
            ("app", Signed("one.of.them", "the.proof.x"), BodyFormat.FORM),
            ("app", Signed("the.other.one-that-is-longer", "the.proof.y"), BodyFormat.FORM),
            ("another", Signed("one.of.them", "the.proof.x"), BodyFormat.FORM),
        )
    )
    assert first == second
    assert first != other
