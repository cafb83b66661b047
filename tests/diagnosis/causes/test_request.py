"""The request around its fields: headers of an API call, address, method, and the request limit."""

from dataclasses import replace
from datetime import datetime

from oauth.catalogue.explain import explain
from oauth.diagnosis import HistoryPast, diagnose
from oauth.exchange import Request, Response
from tests.diagnosis.harness import Walk, cause, setting, text, verdict, with_header


def test_a_missing_version_header(walk: Walk) -> None:
    walk.got_tokens()
    found = walk.diagnosed(walk.call(setting(Version=None)))
    missing = cause(found, "header.version_missing")
    assert missing.verdict == "proven"
    assert "there is no Version header" in text(missing)
    assert missing.fix is not None
    assert [(change.target, change.name, change.after) for change in missing.fix.changes] == [
        ("header", "Version", "2.0")
    ]


def test_another_version(walk: Walk) -> None:
    walk.got_tokens()
    found = walk.diagnosed(walk.call(setting(Version="1.0")))
    assert verdict(found, "header.version_missing") == "proven"


def test_a_content_type_on_a_get(walk: Walk) -> None:
    walk.got_tokens()
    found = walk.diagnosed(walk.call(raw=lambda request: with_header(request, "Content-Type", "application/json")))
    wrong = cause(found, "header.content_type_on_get")
    assert wrong.verdict == "proven"
    assert "Content-Type is application/json on a GET" in text(wrong)
    assert verdict(found, "header.version_missing") == "ruled out"


def test_the_headers_are_ruled_out_when_they_are_right(walk: Walk) -> None:
    """A 400 of the API that is about neither: put to a call that has the right headers."""
    walk.got_tokens()
    answer = Response(400, "Bad Request", (), b'{"error": {"status": 400, "title": "Bad Request", "detail": "no"}}')
    found = walk.diagnosed(replace(walk.call(), response=answer))
    assert verdict(found, "header.version_missing") == "ruled out"
    assert verdict(found, "header.content_type_on_get") == "ruled out"


def test_a_get_on_the_token_endpoint(walk: Walk) -> None:
    walk.authorize()
    found = walk.diagnosed(walk.token(raw=lambda request: replace(request, method="GET")))
    method = cause(found, "request.method")
    assert method.verdict == "proven"
    assert method.fix is not None
    assert method.fix.changes[0].after == "POST"


def test_a_wrong_address(walk: Walk) -> None:
    walk.authorize()

    def elsewhere(request: Request) -> Request:
        return replace(request, url=request.url.replace("/api/open/oauth/token", "/oauth/token"))

    found = walk.diagnosed(walk.token(raw=elsewhere))
    address = cause(found, "request.address")
    assert address.verdict == "proven"
    assert address.fix is not None
    assert address.fix.changes[0].after == walk.provider.token_endpoint
    assert verdict(found, "request.method") == "ruled out"


def test_the_right_address_is_ruled_out(walk: Walk) -> None:
    """Nothing is found at the documented address: the sandbox is always there, so the answer is put to it."""
    walk.authorize()
    found = walk.diagnosed(replace(walk.token(), response=Response(404, "Not Found", (), b"<html>gone</html>")))
    assert verdict(found, "request.address") == "ruled out"
    assert verdict(found, "request.method") == "ruled out"


class BusyPast(HistoryPast):
    """A history in which the limit was passed, without the 4,501 rows."""

    def sent_to(self, host: str, since: datetime, until: datetime) -> int:
        return 4501


def test_the_request_limit(walk: Walk) -> None:
    """The sandbox has no limit: the provider's answer past it is put to a call."""
    walk.got_tokens()
    refused = replace(walk.call(), response=Response(403, "Forbidden", (("X-Request-ID", "r-1"),), b""))
    explanation = explain(refused)
    assert explanation is not None
    past = BusyPast(walk.history)
    passed = diagnose(refused, explanation, flow=walk.flow, past=past, vault=walk.vault)
    assert verdict(passed, "limit.requests") == "proven"
    assert "4,501 requests of this console" in text(cause(passed, "limit.requests"))
    few = diagnose(refused, explanation, flow=walk.flow, past=walk.past, vault=walk.vault)
    assert verdict(few, "limit.requests") == "possible"
    assert "2 requests of this console" in text(cause(few, "limit.requests"))
