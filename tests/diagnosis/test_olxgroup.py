"""Pasted answers of the sister API: told from the partner API's by host, then by the members of the body."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from oauth.catalogue.explain import explain, explain_response
from oauth.diagnosis import NoPast, diagnose
from oauth.diagnosis.pasted import Finding, Paste
from oauth.exchange import Request, Response, Step
from oauth.flow import Client, Flow
from oauth.paste import read
from oauth.providers import load
from oauth.redaction import Vault

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
KEY = "f3a9c1d2-7b8e-40aa-9c55-b1e6d0aa4471"
TOKEN = "eba25a58d3ec4a4e2a1e8e7e2f8f3b6c1d90a7e4"
SHARED = {
    "The client credentials are invalid": (6, "olxgroup/client_credentials"),
    "Authorization code doesn't exist or is invalid for the client": (2, "olxgroup/authorization_code"),
}
"""Words that both APIs have, with the number at the one and the entry at the other."""


def of_sister(message: str) -> bytes:
    return json.dumps({"transaction_id": "5b1f6a30-7c52-4d0e-9a83-0f2c61d7e4b9", "message": message}).encode()


def of_partner(message: str) -> bytes:
    code = "invalid_client" if "credentials" in message else "invalid_grant"
    return json.dumps({"error": code, "error_description": message}).encode()


def entry(body: bytes, url: str = "") -> str:
    explanation = explain_response(
        403, (), body, request=Request("POST", url) if url else None, elsewhere="example" in url
    )
    assert explanation is not None
    return explanation.entry


@pytest.mark.parametrize("message", SHARED)
def test_shared_words_are_told_apart_by_host_then_members(message: str) -> None:
    number, sister = SHARED[message]
    assert entry(of_sister(message)) == sister
    assert entry(of_partner(message)) == f"partner/{number}"
    assert entry(of_sister(message), "https://api.olxgroup.com/oauth/v1/token") == sister
    assert entry(of_partner(message), "https://api.olxgroup.com/oauth/v1/token") == sister, "the host comes first"
    assert entry(of_partner(message), "https://www.olx.pl/api/open/oauth/token") == f"partner/{number}"
    assert entry(of_sister(message), "https://www.olx.pl/api/open/oauth/token") == f"partner/{number}"
    # A sandbox or a proxy on this machine says nothing about whose answer it is.
    assert entry(of_sister(message), "http://localhost:9000/oauth/v1/token") == sister
    for body in (of_sister(message), of_partner(message)):
        assert not entry(body, "https://api.shop.example/token").startswith(("partner/", "olxgroup/"))


def diagnosed(text: str) -> Finding:
    paste = Paste(read(text), Vault(b"0123456789abcdef0123456789abcdef"), NOW)
    *_, last = paste.findings()
    return last


def pasted(key: str, host: str = "api.olxgroup.com") -> str:
    return (
        f"curl -i https://{host}/advert/v1/f7695d17/meta -H 'Authorization: Bearer {TOKEN}' -H 'X-API-KEY: {key}'\n\n"
        "HTTP/1.1 403 Forbidden\nContent-Type: application/json\n\n"
        '{"transaction_id": "5b1f6a30-7c52", "message": "Invalid API Key - unknown Partner"}\n'
    )


def verdicts(finding: Finding) -> dict[str, str]:
    assert finding.diagnosis is not None
    return {cause.id: cause.verdict.value for cause in finding.diagnosis.causes}


def test_pasted_key_with_white_space_is_proven_and_hidden() -> None:
    found = diagnosed(pasted(f"{KEY}\N{NO-BREAK SPACE}"))
    assert found.explanation is not None
    assert found.explanation.entry == "olxgroup/unknown_partner"
    assert found.explanation.known_by == "the host api.olxgroup.com"
    assert verdicts(found)["api_key.white_space"] == "proven"
    assert KEY not in repr(found)
    assert "x_api_key" in repr(found.exchange)


def test_ordinary_space_proves_nothing_since_http_removes_it() -> None:
    found = diagnosed(pasted(f"{KEY} "))
    assert verdicts(found)["api_key.white_space"] in ("possible", "ruled out")
    assert "proven" not in verdicts(found).values()


def test_pasted_call_without_a_key_is_proven() -> None:
    text = pasted(KEY).replace(f" -H 'X-API-KEY: {KEY}'", "")
    assert verdicts(diagnosed(text))["api_key.missing"] == "proven"


def test_answer_alone_proves_nothing() -> None:
    found = diagnosed('{"transaction_id": "5b1f6a30-7c52", "message": "Invalid API Key - unknown Partner"}')
    assert found.explanation is not None
    assert found.explanation.entry == "olxgroup/unknown_partner"
    assert set(verdicts(found).values()) <= {"unknown"}


def in_a_flow(sent: str, own: str, *, published: bool = False) -> dict[str, str]:
    """The verdicts on a call with one key in a flow that has another one."""
    profile = load("http://localhost:8501")["sandbox-olxgroup"]
    client = Client("crm-app", "crm-secret", own)
    known = profile if published else replace(profile, clients=())
    flow = Flow(known, client, "http://localhost:8501/callback", "state-of-this-test", NOW)
    headers = (("Authorization", f"Bearer {TOKEN}"), ("X-API-KEY", sent))
    response = Response(403, body=of_sister("Invalid API Key - unknown Partner"))
    exchange = flow.exchange(Step.API, Request("GET", f"{known.api}{known.endpoints[0].path}", headers), NOW)
    exchange = replace(exchange, response=response)
    explanation = explain(exchange)
    assert explanation is not None
    diagnosis = diagnose(exchange, explanation, flow=flow, past=NoPast(), vault=Vault(b"0123456789abcdef"))
    return {cause.id: cause.verdict.value for cause in diagnosis.causes}


def test_typed_key_is_no_proof_and_a_published_one_is() -> None:
    typed = "a-key-that-somebody-typed-0123"
    assert in_a_flow(KEY, typed)["api_key.differs"] == "possible", "the typed one may be wrong itself"
    assert in_a_flow(typed, typed)["api_key.differs"] == "unknown"
    assert in_a_flow(typed, typed, published=True)["api_key.differs"] == "proven"
    assert in_a_flow("parts-key-85963117-d7f3-4047-a14f", typed, published=True)["api_key.differs"] == "ruled out"
