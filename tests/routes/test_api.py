import io
import json
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from oauth.access import people, tokens
from oauth.access.audit import Audit, Entry, Selection
from oauth.access.limits import Rate
from oauth.access.person import Person
from oauth.access.roles import Role
from oauth.challenges import parse
from oauth.exchange import Exchange, Request, Response, Step
from oauth.exports.formats import write
from oauth.exports.query import source
from oauth.history.filters import Filters
from oauth.history.store import History, HistoryError
from oauth.isolation import IsolationError
from oauth.redaction import Vault
from oauth.routes import api, bearer
from oauth.routes.openapi import OPERATIONS, Operation
from oauth.settings import Settings

ADA = Person("7@login.example", "Ada", Role.ADMIN)
REFUSED = """HTTP/1.1 400 Bad Request
Content-Type: application/json

{"error": "invalid_grant", "error_description": "The authorization code has expired"}"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, sign_in="oidc")


@pytest.fixture
def audit(history: History, settings: Settings) -> Audit:
    return Audit(history, Vault(settings.derived_key("fingerprint")), is_on=True)


@pytest.fixture
def token(audit: Audit, http: httpx.Client) -> str:
    """A token with all scopes, which the client sends."""
    secret = tokens.create(audit, ADA, "all", list(tokens.Scope), 30)
    http.headers["Authorization"] = f"Bearer {secret}"
    return secret


def entries(audit: Audit, *events: str) -> list[Entry]:
    return [entry for entry in audit.page(Selection(), None, 99) if entry.event in events]


@pytest.fixture
def filled(history: History, clock: Callable[[], datetime]) -> History:
    for number in range(25):
        sent = Exchange(
            Step.API if number % 2 else Step.TOKEN,
            Request("POST", f"https://p.example/{number}", (("Accept", "a\n b"),), b'{"n": "\xc5\x82"}'),
            clock() + timedelta(seconds=number),
            owner="ada" if number % 4 else "bob",
            flow="f",
            case="T-1",
            provider="olx",
            client_id="demo-app",
        )
        id = history.begin(sent)
        answer = replace(sent, response=Response(400, body=b'{"error": "invalid_grant"}'), duration_ms=number)
        if number % 3:
            history.complete(id, answer, documented_error=None, error="invalid_grant", error_description="x")
    history.set_note(3, "=note")
    return history


def test_exchanges_have_the_fields_of_json_lines(
    filled: History, http: httpx.Client, token: str, settings: Settings
) -> None:
    file = io.BytesIO()
    write(source(filled, Filters()), "jsonl", file, lambda *_: None)
    exported = [json.loads(line) for line in file.getvalue().splitlines()]
    answer = http.get("/api/exchanges").json()
    assert answer == {"exchanges": exported, "next": None}
    assert [*answer["exchanges"][0]] == [*exported[0]]
    assert http.get("/api/exchanges/3").json() == exported[22]


def test_pages_follow_each_other(filled: History, http: httpx.Client, token: str) -> None:
    ids: list[list[int]] = []
    before: dict[str, int] = {}
    while True:
        answer = http.get("/api/exchanges", params={"filter": "step:token", "limit": 6, **before}).json()
        ids.append([exchange["id"] for exchange in answer["exchanges"]])
        if answer["next"] is None:
            break
        before = {"before": answer["next"]}
    assert ids == [[25, 23, 21, 19, 17, 15], [13, 11, 9, 7, 5, 3], [1]]


def test_page_of_large_exchanges_ends_early(
    filled: History, http: httpx.Client, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "PAGE_CHARACTERS", 10)
    monkeypatch.setattr(api, "PIECE", 2)
    answer = http.get("/api/exchanges").json()
    assert [exchange["id"] for exchange in answer["exchanges"]] == [25, 24]
    assert answer["next"] == 24


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("exchanges?filter=nothing:x", 400, "Unknown filter 'nothing'"),
        ("exchanges?limit=0", 400, "limit is '0'; it must be a number from 1 to 200."),
        ("exchanges?limit=201", 400, "from 1 to 200"),
        ("exchanges?limit=١", 400, "from 1 to 200"),
        ("exchanges?before=x", 400, "before is 'x'"),
        ("exchanges?befor=7", 400, "Unknown parameter 'befor'; the parameters are filter, before, limit."),
        ("exchanges?limit=1&limit=2", 400, "The parameter limit occurs more than once."),
        ("exchanges/99", 404, "There is no exchange 99."),
        ("exchanges/x", 404, "There is no exchange x."),
        ("exchanges/99999999999999999999", 404, "There is no exchange"),
        ("nothing", 404, "/api/openapi.json describes the API"),
    ],
)
def test_refusal_says_what_to_do(http: httpx.Client, token: str, path: str, status: int, sentence: str) -> None:
    answer = http.get(f"/api/{path}")
    assert answer.status_code == status
    assert answer.json()["error"]["status"] == status
    assert sentence in answer.json()["error"]["detail"]


def test_other_method_is_refused_with_the_right_one(http: httpx.Client, token: str) -> None:
    for method, path, allowed in (
        ("POST", "exchanges", "GET"),
        ("HEAD", "exchanges/1", "GET"),
        ("GET", "diagnose", "POST"),
    ):
        answer = http.request(method, f"/api/{path}")
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_reading_is_audited(filled: History, http: httpx.Client, token: str, audit: Audit) -> None:
    http.get("/api/exchanges", params={"filter": "step:token", "limit": 6})
    http.get("/api/exchanges/3")
    one, some = entries(audit, "export")
    assert (one.person, one.name, one.role, one.address) == (ADA.id, "all (token)", "operator", "127.0.0.1")
    assert (one.object, one.detail) == ("row 3", "API")
    assert (some.object, some.detail) == ("step:token", "6 exchanges, API")


def test_nothing_is_read_that_cannot_be_audited(
    filled: History, http: httpx.Client, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise HistoryError("The history is full.")

    monkeypatch.setattr(Audit, "record", fail)
    for path in ("exchanges", "exchanges/3"):
        answer = http.get(f"/api/{path}")
        assert (answer.status_code, answer.json()["error"]["detail"]) == (503, "The history is full.")
        assert answer.headers["retry-after"] == "5"


def challenge(answer: httpx.Response) -> dict[str, str]:
    [parsed] = parse(answer.headers["www-authenticate"])
    assert parsed.scheme == "Bearer"
    return {name: value for name, value in parsed.parameters.items() if name != "error_description"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
def test_request_without_a_token_is_refused_without_an_error_code(http: httpx.Client, operation: Operation) -> None:
    for authorization in ({}, {"Authorization": "Basic YTpi"}, {"Cookie": "console=1"}):
        answer = http.request(operation.method, f"/api{operation.path}", headers=authorization)
        assert answer.status_code == 401
        assert challenge(answer) == {"realm": "OAuth Console"}


def test_invalid_token_is_refused_and_audited(
    http: httpx.Client, audit: Audit, times: list[datetime], settings: Settings
) -> None:
    expired = tokens.create(audit, ADA, "expired", ["history:read"], 1)
    revoked = tokens.create(audit, ADA, "revoked", ["history:read"], 1)
    tokens.revoke(audit, ADA, "revoked")
    times.append(times[-1] + timedelta(days=1))
    for number, secret in enumerate((expired, revoked, "oc_unknown", expired[:-1])):
        forged = {"Authorization": f"Bearer {secret}", "X-Forwarded-For": f"10.0.0.{number}"}
        answer = http.get("/api/exchanges", headers=forged)
        assert answer.status_code == 401
        assert challenge(answer) == {"realm": "OAuth Console", "error": "invalid_token"}
    refusals = entries(audit, "refusal")
    assert len(refusals) == 4
    assert {(it.person, it.object, it.detail, it.allowed) for it in refusals} == {
        ("", "GET /api/exchanges", "invalid token", False)
    }
    assert "forwarded for 10.0.0.3" in refusals[0].address


def test_token_ends_with_the_role_of_its_creator(http: httpx.Client, audit: Audit, token: str) -> None:
    database, ada = audit.history.database, replace(ADA, role=Role.READER)
    for role, status in ((Role.ADMIN, 200), (Role.SUPPORT, 200), (Role.READER, 403), (Role.ADMIN, 200)):
        people.seen(database, replace(ADA, role=role), "", database.clock())
        assert http.get("/api/exchanges").status_code == status
        answer = http.post("/api/diagnose", content="x", headers={"Content-Type": "text/plain"})
        assert answer.status_code != 403
    people.seen(database, ada, "", database.clock())
    answer = http.get("/api/exchanges")
    assert challenge(answer) == {"realm": "OAuth Console", "error": "insufficient_scope", "scope": "history:read"}
    detail = "who created the token no longer has the role support, which the scope history:read needs"
    assert answer.json()["error"]["detail"].lower() == f"{detail}."
    assert entries(audit, "refusal")[0].detail == detail


def test_token_without_the_scope_is_refused_and_audited(http: httpx.Client, audit: Audit) -> None:
    secret = tokens.create(audit, ADA, "ci", ["diagnose"], 1)
    answer = http.get("/api/exchanges", headers={"Authorization": f"bearer {secret}"})
    assert answer.status_code == 403
    assert challenge(answer) == {"realm": "OAuth Console", "error": "insufficient_scope", "scope": "history:read"}
    [refusal] = entries(audit, "refusal")
    assert (refusal.name, refusal.detail) == ("ci (token)", "the token lacks the scope history:read")


def test_token_elsewhere_or_twice_is_refused(http: httpx.Client, token: str) -> None:
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer x")]
    del http.headers["Authorization"]
    for answer in (
        http.get("/api/exchanges", params={"access_token": token}),
        http.get("/api/exchanges", headers=twice),
        http.get("/api/exchanges", headers={"Authorization": f"Bearer {token} x"}),
    ):
        assert answer.status_code == 400
        assert challenge(answer) == {"realm": "OAuth Console", "error": "invalid_request"}


def test_too_many_requests_are_refused_by_token_person_and_address(
    http: httpx.Client, audit: Audit, monkeypatch: pytest.MonkeyPatch, times: list[datetime]
) -> None:
    monkeypatch.setattr(bearer, "PER_TOKEN", Rate(2, 60))
    monkeypatch.setattr(bearer, "PER_PERSON", Rate(3, 60))
    monkeypatch.setattr(bearer, "REFUSED", Rate(1, 60))
    monkeypatch.setattr(bearer, "ALL_REFUSED", Rate(2, 60))
    secrets = [tokens.create(audit, ADA, name, ["history:read"], 1) for name in "ab"]
    bob = tokens.create(audit, Person("8@login.example", "Bob", Role.ADMIN), "c", ["history:read"], 1)

    def get(secret: str, source: str = "127.0.0.1", forwarded: str = "10.0.0.1") -> httpx.Response:
        headers = {"Authorization": f"Bearer {secret}", "X-Forwarded-For": forwarded}
        with httpx.Client(transport=httpx.HTTPTransport(local_address=source)) as client:
            return client.get(http.base_url.join("/api/exchanges"), headers=headers)

    first, second = secrets
    assert [get(secret).status_code for secret in (first, first, first, second, second)] == [200, 200, 429, 200, 429]
    assert get(bob).status_code == 200
    answer = get(first)
    assert 1 <= int(answer.headers["retry-after"]) <= 30
    assert "Try again in" in answer.json()["error"]["detail"]
    times.append(times[-1] + timedelta(seconds=60))
    assert get(first).status_code == 200
    assert [get("oc_x").status_code for _ in range(3)] == [401, 429, 429]
    made_up = [get("oc_x", forwarded=f"10.0.0.{number}").status_code for number in range(2, 5)]
    assert made_up == [429, 429, 429], "nobody is believed who sends an address"
    assert [get("oc_x", f"127.0.0.{number}").status_code for number in range(2, 5)] == [401, 429, 429]
    assert len(entries(audit, "refusal")) == 2, "guesses do not fill the audit"


def test_text_is_diagnosed_and_not_kept(http: httpx.Client, token: str, history: History, settings: Settings) -> None:
    secret = "s3cr3tOfACustomer0123456789"
    sent = f"curl https://p.example/token -d grant_type=authorization_code -d code={secret}\n\n{REFUSED}"
    plain = http.post("/api/diagnose", content=sent, headers={"Content-Type": "text/plain; charset=utf-8"})
    assert plain.status_code == 200
    [result] = plain.json()
    assert (result["status"], result["error"], result["step"]) == (400, "invalid_grant", "token")
    assert result["causes"]
    assert http.post("/api/diagnose", json={"text": sent}).json() == [result]
    assert secret not in plain.text
    assert history.count(Filters()) == 0
    assert http.post("/api/diagnose", json={"text": "nothing of interest"}).json() == []


@pytest.mark.parametrize(
    ("content", "kind", "status", "sentence"),
    [
        (b"x", "text/html", 415, "Send the text as text/plain"),
        (b"x", "", 415, "Send the text as text/plain"),
        (b"\xff", "text/plain", 400, "must be UTF-8"),
        (b"", "text/plain", 422, "Reading stopped at line 1, column 1: the text is empty."),
        (b"{", "application/json", 400, "valid JSON"),
        (b'["x"]', "application/json", 400, "The body must be"),
        (b'{"text": 1}', "application/json", 400, "The body must be"),
        (b'{"text": "x", "more": 1}', "application/json", 400, "The body must be"),
        (b"[" * 100_000, "application/json", 400, "valid JSON"),
    ],
)
def test_body_that_is_no_text_is_refused(
    http: httpx.Client, token: str, content: bytes, kind: str, status: int, sentence: str
) -> None:
    answer = http.post("/api/diagnose", content=content, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == status
    assert sentence in answer.json()["error"]["detail"]


def test_text_that_is_too_large_or_takes_too_long_is_refused(
    http: httpx.Client, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: Any, **__: Any) -> None:
        raise IsolationError("it took more than 50 seconds")

    monkeypatch.setattr("oauth.isolation.call", late)
    answer = http.post("/api/diagnose", json={"text": "x"})
    assert answer.status_code == 422
    assert "Cut out the part around the error" in answer.json()["error"]["detail"]
    monkeypatch.setattr("oauth.paste.MOST_OCTETS", 1000)
    assert http.post("/api/diagnose", json={"text": "x" * 1000}).status_code == 413


def test_diagnoses_beyond_the_most_at_a_time_are_told_to_wait(
    http: httpx.Client, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[httpx.Response] = []

    def meanwhile(*_: Any, **__: Any) -> list[Any]:
        answers.append(http.post("/api/diagnose", json={"text": "x"}))
        return []

    monkeypatch.setattr("oauth.isolation.call", meanwhile)
    answers.append(http.post("/api/diagnose", json={"text": "x"}))
    assert [answer.status_code for answer in answers] == [503, *[200] * api.AT_A_TIME]
    assert answers[0].headers["retry-after"] == "5"
    assert "is the most at a time" in answers[0].json()["error"]["detail"]


def test_client_that_sends_its_text_slowly_keeps_nobody_out(
    http: httpx.Client, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "BODY_SECONDS", 0.2)
    head = f"POST /api/diagnose HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: text/plain\r\n"
    address = (http.base_url.host, http.base_url.port or 80)
    with socket.create_connection(address, 20) as slow, socket.create_connection(address, 20) as slower:
        for connection in (slow, slower):
            connection.sendall(f"{head}Content-Length: 100\r\n\r\nHTTP/1.1".encode())
        for connection in (slow, slower):
            assert connection.recv(12) == b"HTTP/1.1 408"
    answer = http.post("/api/diagnose", content=REFUSED, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 200


def test_tokens_are_needed_without_a_sign_in_too(history: History, http: httpx.Client, settings: Settings) -> None:
    off = Audit(history, Vault(b"key"), is_on=False)
    secret = tokens.create(off, ADA, "local", ["history:read"], 1)
    assert http.get("/api/exchanges").status_code == 401
    assert http.get("/api/exchanges", headers={"Authorization": f"Bearer {secret}"}).status_code == 200


def test_document_names_every_operation(http: httpx.Client, settings: Settings) -> None:
    document = http.get("/api/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(operation.method, operation.path) for operation in OPERATIONS}
    assert document["servers"] == [{"url": str(http.base_url).rstrip("/") + "/api"}]


@pytest.fixture
def described(http: httpx.Client, token: str, filled: History, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(bearer, "PER_TOKEN", Rate(10_000, 1))
    monkeypatch.setattr(bearer, "PER_PERSON", Rate(10_000, 1))
    monkeypatch.setattr(bearer, "REFUSED", Rate(10_000, 1))
    monkeypatch.setattr(bearer, "ALL_REFUSED", Rate(10_000, 1))
    return schemathesis.openapi.from_url(f"{http.base_url}/api/openapi.json")


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
def test_operation_keeps_to_the_document(
    described: Any, operation: Operation, mode: GenerationMode, token: str
) -> None:
    # A filter line and a text that begins as JSON have a grammar, which a schema cannot say; and as plain text, every
    # number is a text too.
    names = {
        "/exchanges": ["positive_data_acceptance"],
        "/diagnose": ["positive_data_acceptance", "negative_data_rejection"],
    }
    excluded: list[Any] = [CHECKS.get_one(name) for name in names.get(operation.path, [])]

    @hypothesis_settings(max_examples=10, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=described[operation.path][operation.method].as_strategy(generation_mode=mode))
    def check(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, excluded_checks=excluded)

    check()
