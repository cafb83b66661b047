import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import FrameType
from unittest.mock import Mock

import pytest

from oauth import parameters, paste
from oauth.diagnosis import InMemoryPast, pasted, readings
from oauth.diagnosis.in_memory import NEWEST_OF_FLOW, NEWEST_SEEN
from oauth.diagnosis.pasted import Finding, Paste
from oauth.exchange import Exchange, Request, Response, Step
from oauth.redaction import Vault
from tests.benchmarks import paste as benchmark

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CODE = "0123456789abcdef0123"
FORM = [{"name": "Content-Type", "value": "application/x-www-form-urlencoded"}]
URL = "https://www.olx.pl/api/open/oauth/token"
GRANT = (
    '{"error": "invalid_grant", "error_description": "Authorization code doesn\'t exist or is invalid for the client"}'
)
SPENT = '{"error": "invalid_grant", "error_description": "Invalid refresh token"}'
TOKEN = "refresh-token-000000001"
REQUEST = (
    "POST /api/open/oauth/token HTTP/1.1\nHost: www.olx.pl\nContent-Type: application/x-www-form-urlencoded\n\n"
    f"grant_type=authorization_code&client_id=7&code={CODE}\n"
)


def read(text: str) -> list[Finding]:
    return list(Paste(paste.read(text), Vault(b"key"), NOW).findings())


def verdicts(finding: Finding) -> dict[str, str]:
    assert finding.diagnosis is not None
    return {cause.id: cause.verdict.value for cause in finding.diagnosis.causes}


def answer(status: str, minute: int, body: str) -> str:
    return f"HTTP/1.1 {status}\nDate: Mon, 23 Nov 2026 10:{minute:02}:00 GMT\n\n{body}\n"


def test_an_earlier_exchange_of_the_code_in_the_paste_is_found() -> None:
    success = answer("200 OK", 0, '{"access_token": "fedcba9876543210fedc"}')
    first, second = read(REQUEST + "\n" + success + "\n" + REQUEST + "\n" + answer("400 Bad Request", 1, GRANT))
    assert first.explanation is None
    assert verdicts(second)["code.used"] == "proven"


def test_age_of_a_code_is_unknown_without_times() -> None:
    token = f"curl {URL} -d grant_type=authorization_code -d code={CODE}\n{GRANT}"
    callback, second = read(f"curl 'https://app.example/cb?code={CODE}&state=s1s1s1s1'\n{token}")
    assert callback.exchange.step is Step.CALLBACK
    assert verdicts(second)["code.expired"] == "unknown"


def test_a_request_whose_file_was_not_read_is_not_judged_by_its_body() -> None:
    missing = '{"error": "invalid_request", "error_description": "The grant type was not specified in the request"}'
    (result,) = read(f"curl {URL} -d @body.json\n{missing}")
    judged = verdicts(result)
    assert judged.pop("grant_type.in_query") == "ruled out"  # the address was pasted
    assert set(judged.values()) == {"unknown"}
    (alone,) = read(f"curl {URL} -d @body.json")
    assert alone.preflight is None


def test_a_response_without_its_body_is_not_called_empty() -> None:
    (result,) = read(f"requests.exceptions.HTTPError: 400 Client Error: Bad Request for url: {URL}")
    assert result.explanation is not None
    assert (result.explanation.entry, result.explanation.status) == ("answer/not_shown", 400)


def test_findings_are_redacted() -> None:
    (result,) = read(REQUEST + "\n" + answer("400 Bad Request", 0, GRANT.replace("doesn't", CODE)))
    assert CODE not in repr((result.exchange, result.explanation, result.diagnosis))
    assert CODE.encode() not in result.exchange.request.body


def test_past_of_a_paste_includes_its_rows_and_the_further_past() -> None:
    vault = Vault(b"key")
    body = f"grant_type=authorization_code&client_id=7&code={CODE}".encode()
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    row = vault.redact(Exchange(Step.TOKEN, Request("POST", URL, headers, body), NOW, Response(200), flow="f"))
    first, second = InMemoryPast(), InMemoryPast(further=InMemoryPast())
    assert first.sightings([vault.placeholder("code", CODE)]) == ()
    for past in (first, second.further):
        assert isinstance(past, InMemoryPast)
        past.add(row)
    for past in (first, second):
        assert past.sightings([vault.placeholder("code", CODE)]) == (row,)
        assert past.sightings([vault.placeholder("code", CODE[::-1])]) == ()
        assert past.flow("f") == (row,)
        assert past.flow("") == ()
        assert past.token_requests("7") == (row,)
        assert past.token_requests("8") == ()
        assert past.sent_to("www.olx.pl", NOW - timedelta(seconds=1), NOW) == 1
        assert past.sent_to("www.olx.pl", NOW + timedelta(seconds=1), NOW + timedelta(seconds=2)) == 0


def refreshes(count: int) -> str:
    """A flow that lives long: each refresh gives the next token, and each third is a spent one and fails."""
    exchanged = []
    for number in range(count):
        failed = number % 3 == 0
        sent = f"grant_type=refresh_token&client_id=7&refresh_token=refresh-token-{number - failed:09}"
        given = f'{{"access_token": "access-token-{number:09}", "refresh_token": "refresh-token-{number + 1:09}"}}'
        exchanged.append((sent, SPENT if failed else given))
    return har(exchanged)


def hammering(count: int) -> str:
    """One refresh token that was replaced, sent over and over."""
    sent = f"grant_type=refresh_token&client_id=7&client_secret=secret-of-the-client&refresh_token={TOKEN}"
    given = '{"access_token": "access-token-1-of", "refresh_token": "refresh-token-000000002"}'
    return har([(sent, given), *[(sent, SPENT)] * (count - 1)])


def ways(count: int) -> str:
    """A client that names another redirect URI each time, with a scope that is refused each second time."""
    return har(
        (
            f"grant_type=authorization_code&client_id=7&code=code-of-number-{number:09}&scope=read+write"
            f"&redirect_uri=https%3A%2F%2Fapp.example%2F{number}",
            '{"error": "invalid_scope", "error_description": "An unsupported scope was requested"}'
            if number % 2
            else f'{{"access_token": "access-token-{number:09}", "scope": "read"}}',
        )
        for number in range(count)
    )


def har(pairs: Iterable[tuple[str, str]]) -> str:
    """Token requests, a second apart, with these bodies sent and received."""
    entries = [
        {
            "startedDateTime": (NOW + timedelta(seconds=number)).isoformat(),
            "request": {"method": "POST", "url": URL, "headers": FORM, "postData": {"text": sent}},
            "response": {"status": 400 if "error" in received else 200, "content": {"text": received}},
        }
        for number, (sent, received) in enumerate(pairs)
    ]
    return json.dumps({"log": {"entries": entries}})


def work(text: str) -> int:
    """How many functions are called for the diagnosis of a paste, Python's own among them."""
    items = paste.read(text)
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        findings = list(Paste(items, Vault(b"key"), NOW).findings())
    finally:
        sys.setprofile(None)
    assert sum(finding.diagnosis is not None for finding in findings) >= len(items) // 3 - 1
    return calls


@pytest.mark.parametrize("made", [benchmark.har, refreshes, hammering, ways])
def test_work_grows_linearly_with_the_exchanges(made: Callable[[int], str]) -> None:
    few, more, most = (work(made(count)) for count in (150, 250, 350))
    # What is remembered of a flow, a secret and a client has its bounds, which the first paste has reached.
    assert most - more < 1.2 * (more - few)


def test_each_answer_is_read_for_its_tokens_once_however_many_requests_fail_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_members = Mock(wraps=parameters.members)
    monkeypatch.setattr(readings, "parameters", Mock(wraps=parameters, members=read_members))
    findings = read(benchmark.short_har(90))
    assert sum(finding.diagnosis is not None for finding in findings) == 30
    bodies = [call.args[0] for call in read_members.call_args_list]
    assert 30 <= len(bodies) <= 45  # those of the token endpoint
    assert len({id(body) for body in bodies}) == len(bodies)


def test_window_of_a_paste_is_diagnosed_as_in_the_whole() -> None:
    items = paste.read(refreshes(30))
    whole, windows = (Paste(items, Vault(b"key"), NOW) for _ in range(2))
    findings = list(whole.findings())
    assert [finding.position for finding in findings] == list(range(30))
    for first, count in ((20, 7), (0, 5), (25, 20), (30, 5)):
        assert list(windows.findings(first, count)) == findings[first : first + count]
    assert list(windows.findings(3, 20, only={3, 11, 22, 29})) == [findings[position] for position in (3, 11, 22)]


def test_likeliest_error_has_the_smallest_key() -> None:
    whole = '{"error": "invalid_grant", "error_description": "Invalid refresh token"}'
    texts = {
        "healthy": 'HTTP/1.1 200 OK\n\n{"access_token": "5f3a9c0e1b7d4826aa0155e2c9d8f7b6"}',
        "status": "HTTP/1.1 502 Bad Gateway\n\n<html></html>",
        "remark": 'POST /api/open/oauth/token HTTP/1.1\n\ngrant_type=x\n\nHTTP/1.1 200 OK\n\n{"a": 1}',
        "code alone": 'HTTP/1.1 400 Bad Request\n\n{"error": "invalid_grant"}',
        "words": whole,
        "all": f"HTTP/1.1 400 Bad Request\n\n{whole}",
        "nothing": '{"id": 1}',
    }
    keys = {name: Paste(paste.read(text), Vault(b"key"), NOW).likelihoods()[0] for name, text in texts.items()}
    order = sorted(keys, key=keys.__getitem__)
    assert order == ["all", "words", "code alone", "status", "remark", "healthy", "nothing"]


def test_window_looks_back_a_bounded_number_of_exchanges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pasted, "LOOK_BACK", 3)
    redacted = Mock(wraps=(vault := Vault(b"key")).redact)
    monkeypatch.setattr(vault, "redact", redacted)
    read_paste = Paste(paste.read(hammering(40)), vault, NOW)
    (finding,) = read_paste.findings(30, 1)
    assert verdicts(finding)["refresh_token.replaced"] != "proven"
    assert redacted.call_count == 4
    list(read_paste.findings(31, 9))
    assert redacted.call_count == 4 + 9


def test_exchange_is_redacted_once() -> None:
    vault = Vault(b"key")
    paste_of_two = Paste(paste.read(REQUEST + "\n" + answer("400 Bad Request", 1, GRANT)), vault, NOW)
    (finding,) = paste_of_two.findings()
    assert paste_of_two.redacted(0) is finding.exchange
    assert paste_of_two.explanation(0) == finding.explanation


def test_of_a_long_flow_the_first_and_the_newest_are_kept() -> None:
    vault, past, rows = Vault(b"key"), InMemoryPast(), []
    for number, item in enumerate(paste.read(hammering(1000))):
        row = replace(vault.redact(item.to_exchange(NOW)), flow="f", duration_ms=number)
        past.add(row)
        rows.append(row)
    mark = vault.placeholder("refresh_token", TOKEN)
    assert past.reach == 1000
    for result, newest in ((past.flow("f"), NEWEST_OF_FLOW), (past.sightings([mark]), NEWEST_SEEN)):
        assert len(result) < 6 * newest
        assert list(result[:2]) == rows[:2]
        assert list(result[-newest:]) == rows[-newest:]


def test_api_calls_are_counted_but_belong_to_no_flow() -> None:
    past = InMemoryPast()
    for number in range(5):
        request = Request("GET", "https://www.olx.pl/api/partner/users/me")
        past.add(Exchange(Step.API, request, NOW - timedelta(seconds=number), Response(200), flow="f"))
    assert past.flow("f") == ()
    assert past.sent_to("www.olx.pl", NOW - timedelta(seconds=3), NOW - timedelta(seconds=1)) == 3
    assert past.sent_to("www.olx.pl", NOW, NOW - timedelta(seconds=1)) == 0
