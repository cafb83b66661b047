"""The causes of a refused verifier (RFC 7636 §4.6), for an answer and before sending."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from oauth import flow as flows
from oauth.catalogue.explain import explain
from oauth.diagnosis import Diagnosis, Label, NoPast, diagnose, preflight
from oauth.exchange import Exchange, Request, Response, Step
from oauth.flow import Client, Flow, Grant
from oauth.providers import BodyFormat, Pkce, Provider
from oauth.redaction import Vault
from tests.diagnosis.harness import cause, text, verdict

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
SERVER = Provider(
    id="own",
    name="Own",
    authorization_endpoint="https://as.example/authorize",
    token_endpoint="https://as.example/token",
    scope="openid",
)
VERIFIER = "the-verifier-of-this-flow-with-more-than-forty-three-characters"
REFUSED = Response(400, headers=(("Content-Type", "application/json"),), body=b'{"error": "invalid_grant"}')


@pytest.fixture
def vault() -> Vault:
    made = Vault(b"a key of thirty-two characters..")
    made.add("code_verifier", VERIFIER)
    return made


def asked(method: Pkce) -> Flow:
    """A flow that came back with its code."""
    client = Client("an-app", "the-secret-of-an-app")
    flow = Flow(SERVER, client, "https://app.example/cb", "a-state", NOW, pkce=method, verifier=VERIFIER)
    flow = flows.with_authorization(flow, flows.authorization_fields(flow))
    return flows.read_callback(flow, [("code", "a-code-of-some-length"), ("state", "a-state")], NOW, pasted=False)


def exchange(flow: Flow, **changed: str | None) -> Request:
    """The token request with some of its fields changed, or left out where there is no value."""
    fields = [
        replace(item, value=changed[item.name] or "", send=changed[item.name] is not None)
        if item.name in changed
        else item
        for item in flows.token_fields(flow, Grant.AUTHORIZATION_CODE)
    ]
    names = {item.name for item in fields}
    fields += [flows.Field(name, value, "", "") for name, value in changed.items() if value and name not in names]
    return flows.token_request(SERVER.token_endpoint, fields, BodyFormat.FORM)


def judged(flow: Flow, request: Request, vault: Vault) -> Diagnosis:
    answered = Exchange(Step.TOKEN, request, NOW, REFUSED)
    explanation = explain(answered)
    assert explanation is not None
    diagnosis = diagnose(answered, explanation, flow=flow, past=NoPast(), vault=vault)
    assert VERIFIER not in repr(diagnosis)
    return diagnosis


@pytest.mark.parametrize("method", [Pkce.S256, Pkce.PLAIN])
def test_the_right_verifier_is_ruled_out(method: Pkce, vault: Vault) -> None:
    flow = asked(method)
    diagnosis = judged(flow, exchange(flow), vault)
    assert {verdict(diagnosis, f"pkce.{name}") for name in ("verifier_missing", "verifier_differs", "not_asked")} == {
        "ruled out"
    }


@pytest.mark.parametrize("method", [Pkce.S256, Pkce.PLAIN])
def test_different_verifier_is_proven_by_its_challenge(method: Pkce, vault: Vault) -> None:
    flow = asked(method)
    diagnosis = judged(
        flow, exchange(flow, code_verifier="another-verifier-with-more-than-forty-three-characters"), vault
    )
    differs = cause(diagnosis, "pkce.verifier_differs")
    assert differs.verdict == "proven"
    assert f"The {method} challenge of" in text(differs)
    assert differs.fix is not None
    assert vault.resolve(differs.fix.changes[0].after or "") == VERIFIER


@pytest.mark.parametrize("sent", [None, ""])
def test_missing_verifier_is_proven(sent: str | None, vault: Vault) -> None:
    flow = asked(Pkce.S256)
    diagnosis = judged(flow, exchange(flow, code_verifier=sent), vault)
    missing = cause(diagnosis, "pkce.verifier_missing")
    assert missing.verdict == "proven"
    assert missing.fix is not None
    assert missing.fix.label is Label.READY
    assert missing.fix.changes[0].before == sent


def test_verifier_without_a_challenge_is_likely(vault: Vault) -> None:
    """Old servers ignore it, so a refusal without words may have another reason."""
    flow = asked(Pkce.OFF)
    diagnosis = judged(flow, exchange(flow, code_verifier=VERIFIER), vault)
    unasked = cause(diagnosis, "pkce.not_asked")
    assert unasked.verdict == "likely"
    assert unasked.fix is not None
    assert unasked.fix.changes[0].after is None


def test_redacted_verifier_is_unknown(vault: Vault) -> None:
    flow = asked(Pkce.S256)
    request = vault.redact(Exchange(Step.TOKEN, exchange(flow), NOW)).request
    assert verdict(judged(flow, request, vault), "pkce.verifier_differs") == "unknown"


def test_wrong_verifier_is_reported_before_sending(vault: Vault) -> None:
    flow = asked(Pkce.S256)
    warned = preflight(exchange(flow, code_verifier=None), Step.TOKEN, flow=flow, past=NoPast(), vault=vault, now=NOW)
    assert [diagnosis.id for diagnosis in warned] == ["pkce.verifier_missing"]
    assert preflight(exchange(flow), Step.TOKEN, flow=flow, past=NoPast(), vault=vault, now=NOW) == ()


def test_a_device_code_is_not_judged_as_a_code(vault: Vault) -> None:
    flow = asked(Pkce.S256)
    body = {"device_code": "d", "user_code": "u", "verification_uri": "https://as.example/d"}
    begun = Exchange(Step.DEVICE, Request("POST", "https://as.example/device"), NOW,
                     Response(200, body=json.dumps(body).encode()))  # fmt: skip
    flow = flows.read_device(flow, begun)
    poll = flows.token_request(SERVER.token_endpoint, flows.token_fields(flow, Grant.DEVICE_CODE), BodyFormat.FORM)
    assert {item.id.partition(".")[0] for item in judged(flow, poll, vault).causes} == {"device_code"}
    assert preflight(poll, Step.TOKEN, flow=flow, past=NoPast(), vault=vault, now=NOW) == ()
