"""The request around its fields: headers of an API call, address, method, and the request limit."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from oauth.diagnosis.causes.request import address
from oauth.diagnosis.context import Context
from oauth.diagnosis.contradictions import ENDPOINT_OF
from oauth.exchange import Exchange, Request, Response, Step
from oauth.providers import RequestLimit
from oauth_sandbox import rate_limit
from oauth_sandbox.faults.kinds import fault_from
from tests.diagnosis.harness import Walk, cause, setting, text, verdict, with_header


@pytest.mark.proves("missing_version", "header.version_missing")
def test_missing_version_header_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.call(setting(Version=None)))
    missing = cause(diagnosis, "header.version_missing")
    assert missing.verdict == "proven"
    assert "There is no Version header" in text(missing)
    assert missing.fix is not None
    assert [(change.target, change.name, change.after) for change in missing.fix.changes] == [
        ("header", "Version", "2.0")
    ]


@pytest.mark.proves("unknown_error", "header.version_missing")
@pytest.mark.rules_out("unknown_error", "header.content_type_on_get")
def test_other_version_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.call(setting(Version="1.0")))
    assert verdict(diagnosis, "header.version_missing") == "proven"


@pytest.mark.proves("content_type_on_get", "header.content_type_on_get")
@pytest.mark.rules_out("content_type_on_get", "header.version_missing")
def test_content_type_on_a_get_is_proven(walk: Walk) -> None:
    walk.got_tokens()
    diagnosis = walk.diagnosed(walk.call(raw=lambda request: with_header(request, "Content-Type", "application/json")))
    wrong = cause(diagnosis, "header.content_type_on_get")
    assert wrong.verdict == "proven"
    assert "Content-Type is application/json on a GET" in text(wrong)
    assert verdict(diagnosis, "header.version_missing") == "ruled out"


def test_correct_headers_are_ruled_out(walk: Walk) -> None:
    """A 400 of the API that is about neither header: put to a call that has the right ones."""
    walk.got_tokens()
    answer = Response(400, "Bad Request", (), b'{"error": {"status": 400, "title": "Bad Request", "detail": "no"}}')
    diagnosis = walk.diagnosed(replace(walk.call(), response=answer))
    assert verdict(diagnosis, "header.version_missing") == "ruled out"
    assert verdict(diagnosis, "header.content_type_on_get") == "ruled out"


@pytest.mark.proves("invalid_request", "request.method")
def test_get_on_the_token_endpoint_is_proven(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(walk.token(raw=lambda request: replace(request, method="GET")))
    method = cause(diagnosis, "request.method")
    assert method.verdict == "proven"
    assert method.fix is not None
    assert method.fix.changes[0].after == "POST"


@pytest.mark.proves("not_found", "request.address")
@pytest.mark.rules_out("not_found", "request.method")
def test_wrong_url_is_proven(walk: Walk) -> None:
    walk.authorize()

    def elsewhere(request: Request) -> Request:
        return replace(request, url=request.url.replace("/api/open/oauth/token", "/oauth/token"))

    diagnosis = walk.diagnosed(walk.token(raw=elsewhere))
    address = cause(diagnosis, "request.address")
    assert address.verdict == "proven"
    assert address.fix is not None
    assert address.fix.changes[0].after == walk.provider.token_endpoint
    assert verdict(diagnosis, "request.method") == "ruled out"


@pytest.mark.rules_out("html", "request.address", "request.method")
def test_documented_url_is_ruled_out(walk: Walk) -> None:
    """Something between answers with a page of its own."""
    walk.running.sandbox.faults.add(fault_from("html-page", {"status": 200}))
    diagnosis = walk.diagnosed(walk.application())
    assert "The URL is the documented one" in text(cause(diagnosis, "request.address"))


@pytest.mark.suspects("not_found", "request.address")
def test_path_missing_from_the_profile_is_possible(walk: Walk) -> None:
    walk.got_tokens()
    address = cause(walk.diagnosed(walk.call(path="/users/you")), "request.address")
    assert "The profile does not name the path /users/you; it names /users/me, /cities" in text(address)


def judged(walk: Walk, exchange: Exchange, **addresses: Any) -> str:
    flow = replace(walk.flow, provider=replace(walk.flow.provider, **addresses))
    return address(Context(exchange, None, flow, walk.past, walk.vault, walk.now)).verdict.value


@pytest.mark.parametrize("step", ENDPOINT_OF)
def test_each_step_is_compared_with_its_own_endpoint(walk: Walk, step: Step) -> None:
    walk.got_tokens()
    sent = replace(walk.call(), step=step)
    url = sent.request.url
    assert judged(walk, sent, **{ENDPOINT_OF[step]: url}) == "ruled out"
    assert judged(walk, sent, **{ENDPOINT_OF[step]: f"{url}/elsewhere"}) == "proven"
    assert judged(walk, sent, **{ENDPOINT_OF[step]: ""}) == "unknown"


def test_the_address_of_the_api_may_be_that_of_its_only_endpoint(walk: Walk) -> None:
    walk.got_tokens()
    sent = walk.call()
    assert judged(walk, sent, api=sent.request.url) == "ruled out"
    assert judged(walk, sent, api=f"{sent.request.url}/below") == "proven"
    assert judged(walk, sent, api="") == "unknown"


@pytest.mark.proves("rate_limited", "limit.requests")
def test_exceeded_rate_limit_is_proven(walk: Walk) -> None:
    """A limit of twenty, at the sandbox and in the provider's profile alike: 4,500 would take the test too long."""
    walk.provider = replace(walk.provider, request_limit=RequestLimit(requests=20, seconds=300, pause=1800))
    walk.begin()
    walk.running.sandbox.set_request_limit(rate_limit.RequestLimit(requests=20, seconds=300, pause=1800))
    for _ in range(20):
        worked = walk.application()
        assert worked.response is not None
        assert worked.response.status == 200
    refused = walk.application()
    assert refused.response is not None
    assert refused.response.status == 403
    assert b"Request ID" in refused.response.body
    diagnosis = walk.diagnosed(refused)
    passed = cause(diagnosis, "limit.requests")
    assert passed.verdict == "proven"
    host = walk.provider.token_endpoint.split("/")[2]
    assert f"21 requests to {host} in 5 min are known here; 20 are allowed from one IP address" in text(passed)
    assert passed.fix is not None
    assert passed.fix.title == "Wait 30 min, then send it again"
    walk.wait(1700)
    assert verdict(walk.diagnosed(walk.application()), "limit.requests") == "proven"
    walk.wait(100)
    again = walk.application()
    assert again.response is not None
    assert again.response.status == 200


@pytest.mark.suspects("rate_limited", "limit.requests")
def test_rate_limit_exceeded_by_others_is_possible(walk: Walk) -> None:
    """Another program behind the same address used it up."""
    walk.running.sandbox.set_request_limit(rate_limit.RequestLimit(requests=3, seconds=300, pause=1800))
    for _ in range(3):
        httpx.get(f"{walk.provider.api}/cities")
    diagnosis = cause(walk.diagnosed(walk.application()), "limit.requests")
    assert diagnosis.verdict == "possible"
    assert "1 request to" in text(diagnosis)
    assert "4,500 are allowed" in text(diagnosis)


def test_unknown_rate_limit_is_unknown(walk: Walk) -> None:
    walk.provider = replace(walk.provider, request_limit=None)
    walk.begin()
    walk.running.sandbox.set_request_limit(rate_limit.RequestLimit(requests=1, seconds=300, pause=1800))
    walk.application()
    diagnosis = cause(walk.diagnosed(walk.application()), "limit.requests")
    assert diagnosis.verdict == "unknown"
    assert "its profile does not say" in text(diagnosis)
