"""Nothing is claimed of a server that only holds for the documented provider."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from oauth.catalogue.explain import explain
from oauth.diagnosis import Diagnosis, NoPast, diagnose, preflight
from oauth.exchange import Exchange, Request, Response, Step
from oauth.flow import Client, Flow, Grant
from oauth.providers import ClientAuthentication, Provider
from tests.diagnosis.harness import Walk, cause, setting, text, verdict

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
OTHER = Provider(
    id="other",
    name="Other",
    authorization_endpoint="https://as.example/authorize",
    token_endpoint="https://as.example/token",
    api="https://api.example/v1",
    scope="openid profile",
)
JSON = (("Content-Type", "application/json"),)


@pytest.fixture
def flow() -> Flow:
    return Flow(OTHER, Client("an-app", "the-secret-of-an-app"), "https://app.example/cb", "a-state-of-a-flow", NOW)


def judged(exchange: Exchange, flow: Flow) -> Diagnosis:
    explanation = explain(exchange)
    assert explanation is not None
    return diagnose(exchange, explanation, flow=flow, past=NoPast())


def warned(request: Request, step: Step, flow: Flow) -> set[str]:
    return {diagnosis.id for diagnosis in preflight(request, step, flow=flow, past=NoPast(), now=NOW)}


def token_request(flow: Flow, **fields: str) -> Request:
    body = json.dumps(fields).encode()
    return Request("POST", flow.provider.token_endpoint, JSON, body)


def api_call(**headers: str) -> Request:
    return Request("GET", f"{OTHER.api}/me", (("Authorization", "Bearer a-token-of-some-length"), *headers.items()))


def test_version_header_is_ruled_out_where_not_required(flow: Flow) -> None:
    body = b'{"error": "invalid_request", "error_description": "No such filter"}'
    call = Exchange(Step.API, api_call(**{"Content-Type": "application/json"}), NOW, Response(400, "", JSON, body))
    diagnosis = judged(call, flow)
    assert verdict(diagnosis, "header.version_missing") == "ruled out"
    assert verdict(diagnosis, "header.content_type_on_get") == "ruled out"
    assert warned(call.request, Step.API, flow) == set()


@pytest.mark.parametrize(
    ("api", "judged"),
    [
        ("https://www.olx.pl/api/partner", "proven"),
        ("http://127.0.0.1:8600/api/partner", "proven"),
        ("https://www.olx.pl/adverts", "unknown"),
        (OTHER.api, "unknown"),
    ],
)
def test_documented_headers_are_required_of_the_documented_api_only(api: str, judged: str) -> None:
    """A paste: no provider is chosen, and the address tells."""
    body = b'{"error": "invalid_request", "error_description": "No such filter"}'
    request = replace(api_call(), url=f"{api}/me")
    call = Exchange(Step.API, request, NOW, Response(400, "", JSON, body))
    explanation = explain(call)
    assert explanation is not None
    diagnosis = diagnose(call, explanation, past=NoPast())
    assert verdict(diagnosis, "header.version_missing") == judged
    warnings = preflight(request, Step.API, flow=None, past=NoPast(), now=NOW)
    assert ("header.version_missing" in {cause.id for cause in warnings}) is (judged == "proven")


def test_scopes_are_split_by_the_separator_of_the_profile(flow: Flow) -> None:
    own = replace(flow, provider=replace(OTHER, scope="read,write", scope_separator=","))
    fields = {"grant_type": "client_credentials", "client_id": "an-app", "client_secret": "the-secret-of-an-app"}
    assert warned(token_request(own, **fields, scope="read,write"), Step.TOKEN, own) == set()
    assert warned(token_request(own, **fields, scope="read,Write"), Step.TOKEN, own) == {"scope.letter_case"}
    (diagnosis,) = preflight(
        token_request(own, **fields, scope="read;write"), Step.TOKEN, flow=own, past=NoPast(), now=NOW
    )
    assert diagnosis.fix is not None
    assert (diagnosis.fix.title, diagnosis.fix.changes[0].after) == ("Separate the scopes by ','", "read,write")


def test_pushed_request_is_not_judged_by_its_url(flow: Flow) -> None:
    url = f"{OTHER.authorization_endpoint}?client_id=an-app&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A6"
    assert warned(Request("GET", url), Step.AUTHORIZE, flow) == set()


def test_device_token_request_needs_no_code(flow: Flow) -> None:
    fields = {"grant_type": Grant.DEVICE_CODE.value, "client_id": "an-app", "client_secret": "the-secret-of-an-app"}
    assert warned(token_request(flow, **fields, device_code="the-code-of-a-device"), Step.TOKEN, flow) == set()
    assert warned(token_request(flow, **fields), Step.TOKEN, flow) == {"device_code.left_out"}


def test_public_client_needs_no_secret(flow: Flow) -> None:
    public = replace(flow, client=Client("an-app", ""), authentication=ClientAuthentication.NONE)
    fields = {"grant_type": "refresh_token", "refresh_token": "a-refresh-token-of-forty-characters-long"}
    assert warned(token_request(public, **fields, client_id="an-app"), Step.REFRESH, public) == set()
    assert warned(token_request(public, **fields), Step.REFRESH, public) == {"client.credentials_missing"}
    assert "client.credentials_missing" in warned(token_request(flow, **fields, client_id="an-app"), Step.REFRESH, flow)


def test_dpop_scheme_is_ruled_out(flow: Flow) -> None:
    call = Request("GET", f"{OTHER.api}/me", (("Authorization", "DPoP a-token-of-some-length"), ("DPoP", "e30.e30.x")))
    refused = Response(401, "", (("WWW-Authenticate", 'DPoP error="invalid_token"'),))
    assert warned(call, Step.API, flow) == set()
    assert verdict(judged(Exchange(Step.API, call, NOW, refused), flow), "access_token.scheme") == "ruled out"


def test_documented_grant_is_possibly_unsupported(flow: Flow) -> None:
    request = token_request(flow, grant_type="client_credentials", client_id="an-app", client_secret="x" * 20)
    answer = Response(400, "", JSON, b'{"error": "unsupported_grant_type"}')
    diagnosis = judged(Exchange(Step.TOKEN, request, NOW, answer), flow)
    assert verdict(diagnosis, "grant.misspelt") == "ruled out"
    assert verdict(diagnosis, "grant.unsupported") == "possible"


def test_profile_scope_does_not_prove_a_missing_scope(walk: Walk) -> None:
    """Only the challenge of the answer does: a profile names what is worth asking for."""
    walk.authorize(setting(scope="read v2"))
    walk.token()
    refused = walk.call()
    body = b'{"error": "insufficient_scope"}'
    diagnosis = walk.diagnosed(replace(refused, response=Response(403, "Forbidden", JSON, body)))
    lacks = cause(diagnosis, "token.lacks_scope")
    assert lacks.verdict == "possible"
    assert "Missing: write" in text(lacks)
    assert verdict(diagnosis, "token.asked_too_little") == "possible"


def test_scope_of_the_application_is_not_user_consent(new_walk: Callable[..., Walk]) -> None:
    walk = new_walk()
    walk.authorize(setting(scope="read v2"))
    walk.token(setting(scope="read v2"))
    walk.application()
    diagnosis = walk.diagnosed(walk.refresh(setting(scope="read write v2")))
    assert verdict(diagnosis, "scope.beyond_consent") == "proven"


def test_pushed_request_is_judged_when_it_is_pushed(flow: Flow) -> None:
    request = Request("POST", "https://as.example/par", JSON, b'{"client_id": "an-app", "scope": "openid,profile"}')
    answer = Response(400, "", JSON, b'{"error": "invalid_scope"}')
    diagnosis = judged(Exchange(Step.PAR, request, NOW, answer), flow)
    assert verdict(diagnosis, "scope.separators") == "proven"
