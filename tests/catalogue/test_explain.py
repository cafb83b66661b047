import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.catalogue import answers, documented, remedy_of
from oauth.catalogue.explain import Explanation, explain, explain_response
from oauth.exchange import Exchange, Failure, Headers, Request, Response, Step

NOW = datetime(2026, 3, 1, tzinfo=UTC)
JSON_TYPE = (("Content-Type", "application/json"),)
TOKENS = b'{"access_token": "0123456789", "token_type": "bearer", "expires_in": 86400}'


def exchange(step: Step, response: Response | None = None, **changes: Any) -> Exchange:
    request = Request("GET" if step is not Step.TOKEN else "POST", "https://provider.example/x")
    return replace(Exchange(step, request, NOW, response=response), **changes)


def answered(
    step: Step, status: int, body: bytes = b"", headers: Headers = JSON_TYPE, *, cut: bool = False
) -> Explanation | None:
    return explain(exchange(step, Response(status, headers=headers, body=body, cut=cut)))


@pytest.mark.parametrize("number", range(1, 12))
def test_a_documented_error_is_explained(number: int) -> None:
    entry = documented()[number]
    step = Step.API if entry.endpoint == "api" else Step.TOKEN
    found = answered(step, entry.status or 400, entry.example.encode())
    assert found is not None
    assert (found.kind, found.number, found.match) == ("documented", number, "exact")
    assert found.entry == f"partner/{number}"
    assert (found.title, found.cause, found.remedy) == (entry.title, entry.cause, entry.remedy)
    assert (found.error, found.error_description) == (entry.error, entry.description)
    assert found.status == (entry.status or 400)
    assert found.status_as_documented is (True if entry.status else None)
    assert (found.where, found.reference) == ("JSON body", f"Authorization errors, number {number}")
    assert found.matched_text in entry.example


def test_a_documented_error_with_status_200_is_still_explained() -> None:
    found = answered(Step.TOKEN, 200, documented()[2].example.encode())
    assert found is not None
    assert (found.number, found.status, found.status_as_documented) == (2, 200, False)


def test_an_undocumented_text_gets_its_codes_meaning() -> None:
    body = b'{"error": "invalid_grant", "error_description": "The authorization code has expired"}'
    found = answered(Step.TOKEN, 400, body)
    assert found is not None
    assert (found.kind, found.number, found.match) == ("registered", None, None)
    assert found.entry == "rfc6749/invalid_grant"
    assert (found.reference, found.error_description) == ("RFC 6749 §5.2", "The authorization code has expired")


@pytest.mark.parametrize(
    "kind", [entry.kind for entry in answers().values() if entry.sent and entry.kind != "no_answer"]
)
@pytest.mark.parametrize("step", [Step.TOKEN, Step.API, Step.REFRESH])
def test_a_failure_is_explained_by_its_kind(kind: str, step: Step) -> None:
    found = explain(exchange(step, failure=Failure(kind, "detail")))
    assert found is not None
    assert (found.kind, found.answer, found.title) == ("answer", kind, answers()[kind].title)
    assert found.status is None


def test_a_failure_of_an_unknown_kind_is_explained_too() -> None:
    found = explain(exchange(Step.TOKEN, failure=Failure("melted")))
    assert found is not None
    assert found.answer == "failed"


def test_a_request_without_any_answer_says_so() -> None:
    found = explain(exchange(Step.TOKEN))
    assert found is not None
    assert found.answer == "no_answer"


@pytest.mark.parametrize(
    ("step", "status", "headers", "body", "kind"),
    [
        (Step.TOKEN, 301, (("Location", "https://other.example/"),), b"", "redirect"),
        (Step.API, 302, (("Location", "/login?code=1"),), b"<html>", "redirect"),
        (Step.TOKEN, 200, (("Content-Type", "text/html; charset=utf-8"),), b"<p>Hello</p>", "html"),
        (Step.API, 400, (), b"\n <!DOCTYPE html><title>No</title>", "html"),
        (Step.TOKEN, 200, JSON_TYPE, b"", "empty"),
        (Step.TOKEN, 204, (), b"", "empty"),
        (Step.API, 400, (), b" \n", "empty"),
        (Step.TOKEN, 200, JSON_TYPE, b"access_token=a", "invalid_json"),
        (Step.API, 400, JSON_TYPE, b"No", "invalid_json"),
        (Step.API, 404, (), b"<html></html>", "not_found"),
        (Step.TOKEN, 405, (), b"", "not_found"),
        (Step.API, 404, JSON_TYPE, b'{"error": {"status": 404, "title": "Not Found"}}', "not_found"),
        (Step.API, 404, JSON_TYPE, b'{"error": "not_found"}', "not_found"),
        (Step.API, 403, (("x-request-id", "1"),), b"Blocked", "rate_limited"),
        (Step.TOKEN, 429, JSON_TYPE, b'{"error": {"status": 429, "title": "Too many"}}', "rate_limited"),
        (Step.API, 503, (), b"<html></html>", "server_error"),
        (Step.TOKEN, 500, (), b"", "server_error"),
        (Step.API, 400, JSON_TYPE, b'{"error": {"status": 400, "detail": "Bad phone"}}', "unknown_error"),
        (Step.TOKEN, 400, JSON_TYPE, b'{"error": "made_up"}', "unknown_error"),
        (Step.TOKEN, 400, JSON_TYPE, b'{"message": "no"}', "unknown_error"),
        (Step.API, 400, JSON_TYPE, b'{"error": {"status": 400, "detail": "Missing required \'Version\' header!"}}',
         "missing_version"),
        (Step.API, 400, (), "MISSING required ‘Version’ header!".encode(), "missing_version"),
        (Step.TOKEN, 200, JSON_TYPE, b'{"token_type": "bearer"}', "no_access_token"),
        (Step.REFRESH, 200, JSON_TYPE, b"[]", "no_access_token"),
        (Step.TOKEN, 200, JSON_TYPE, b'{"error": "made_up"}', "unknown_error"),
        (Step.API, 401, (("WWW-Authenticate", 'Bearer realm="api"'),), b"", "no_token"),
        (Step.API, 401, (("WWW-Authenticate", "Bearer"),), b'{"error": {"status": 401, "detail": "No"}}', "no_token"),
        (Step.AUTHORIZE, 400, (), b"<html>Unknown client</html>", "error_page"),
        (Step.AUTHORIZE, 502, (), b"<html></html>", "server_error"),
    ],
)  # fmt: skip
def test_an_unexpected_answer_is_explained(step: Step, status: int, headers: Headers, body: bytes, kind: str) -> None:
    found = answered(step, status, body, headers)
    assert found is not None
    assert (found.kind, found.answer, found.number) == ("answer", kind, None)
    assert found.entry == f"answer/{kind}"
    assert (found.status, found.remedy) == (status, answers()[kind].remedy)


def test_a_cut_body_is_explained() -> None:
    found = answered(Step.API, 200, b'{"data": [', cut=True)
    assert found is not None
    assert found.answer == "too_large"


def test_a_content_type_on_a_get_is_suspected() -> None:
    refused = Response(400, headers=JSON_TYPE, body=b'{"error": {"status": 400, "title": "Bad Request"}}')
    with_type = Request("GET", "https://provider.example/x", (("content-type", "application/json"),))
    found = explain(exchange(Step.API, refused, request=with_type))
    assert found is not None
    assert found.answer == "content_type_on_get"


@pytest.mark.parametrize(
    ("step", "status", "headers", "body"),
    [
        (Step.TOKEN, 200, JSON_TYPE, TOKENS),
        (Step.REFRESH, 200, (("Content-Type", "text/html"),), TOKENS),
        (Step.TOKEN, 200, JSON_TYPE, b'{"data": ' + TOKENS + b"}"),
        (Step.API, 200, JSON_TYPE, b'{"data": {"id": 1}}'),
        (Step.API, 200, JSON_TYPE, b"[]"),
        (Step.API, 200, JSON_TYPE, b'{"error": "none", "id": 1}'),
        (Step.API, 204, (), b""),
        (Step.AUTHORIZE, 200, (("Content-Type", "text/html"),), b"<html>Approve?</html>"),
        (Step.AUTHORIZE, 302, (("Location", "https://client.example/callback?code=a&state=b"),), b""),
    ],
)
def test_a_success_needs_no_explanation(step: Step, status: int, headers: Headers, body: bytes) -> None:
    assert answered(step, status, body, headers) is None


def test_an_authorization_that_waits_for_the_browser_is_no_failure() -> None:
    assert explain(exchange(Step.AUTHORIZE)) is None


@pytest.mark.parametrize("separator", ["?", "#"])
def test_an_error_redirect_is_explained(separator: str) -> None:
    address = f"https://client.example/callback{separator}error=access_denied&error_description=No&state=x"
    callback = explain(exchange(Step.CALLBACK, request=Request("GET", address)))
    redirect = answered(Step.AUTHORIZE, 302, headers=(("Location", address),))
    assert callback is not None
    assert redirect is not None
    for found, where in ((callback, "callback address"), (redirect, "Location header")):
        assert (found.kind, found.reference, found.where) == ("registered", "RFC 6749 §4.1.2.1", where)
    assert callback.status is None


@pytest.mark.parametrize(
    ("query", "kind"), [("code=a&state=b", None), ("state=b", "no_code"), ("error=made_up", "unknown_error")]
)
def test_a_callback_is_judged_by_its_address(query: str, kind: str | None) -> None:
    request = Request("GET", f"http://localhost/callback?{query}")
    found = explain(exchange(Step.CALLBACK, Response(400, body=b"<html>Refused</html>"), request=request))
    assert (found.answer if found else None) == kind


def test_the_body_states_the_status_that_is_not_known_otherwise() -> None:
    found = explain_response(None, (), documented()[9].example.encode())
    assert found is not None
    assert (found.number, found.status) == (9, 400)
    pretended = explain_response(200, (), b'{"error": {"status": 404, "title": "Not Found"}}')
    assert pretended is not None
    assert (pretended.answer, pretended.status) == ("not_found", 200)


def test_an_inactive_token_is_an_answer() -> None:
    found = explain_response(200, JSON_TYPE, b'{"active": false}')
    assert found is not None
    assert found.answer == "inactive_token"


@pytest.mark.parametrize(
    ("step", "code", "reference"),
    [
        (Step.PAR, "invalid_request", "RFC 9126 §2.3"),
        (Step.PAR, "invalid_client", "RFC 6749 §5.2"),
        (Step.PAR, "unsupported_response_type", "RFC 6749 §4.1.2.1"),
        (Step.PAR, "use_dpop_nonce", "RFC 9449 §8"),
        (Step.DEVICE, "invalid_request", "RFC 6749 §5.2"),
        (Step.DEVICE, "invalid_scope", "RFC 6749 §5.2"),
        (Step.TOKEN, "slow_down", "RFC 8628 §3.5"),
        (Step.TOKEN, "access_denied", "RFC 8628 §3.5"),
        (Step.REVOKE, "unsupported_token_type", "RFC 7009 §2.2.1"),
        (Step.REVOKE, "invalid_request", "RFC 6749 §5.2"),
        (Step.INTROSPECT, "invalid_client", "RFC 6749 §5.2"),
        (Step.INTROSPECT, "invalid_token", "RFC 6750 §3.1"),
        (Step.USERINFO, "invalid_request", "RFC 6750 §3.1"),
        (Step.USERINFO, "use_dpop_nonce", "RFC 9449 §9"),
    ],
)
def test_a_code_means_what_its_endpoint_says(step: Step, code: str, reference: str) -> None:
    found = explain(exchange(step, Response(400, headers=JSON_TYPE, body=json.dumps({"error": code}).encode())))
    assert found is not None
    assert (found.kind, found.error, found.reference) == ("registered", code, reference)


@pytest.mark.parametrize(
    ("step", "status", "body"),
    [
        (Step.PAR, 201, b'{"request_uri": "urn:example:1", "expires_in": 60}'),
        (Step.DEVICE, 200, b'{"device_code": "d", "user_code": "u", "verification_uri": "https://as.example/device"}'),
        (Step.REVOKE, 200, b""),
        (Step.REVOKE, 200, b"null"),
        (Step.INTROSPECT, 200, b'{"active": false}'),
        (Step.USERINFO, 200, b'{"sub": "1"}'),
        (Step.JWKS, 200, b'{"keys": []}'),
    ],
)
def test_the_endpoints_beside_the_flow_have_successes_of_their_own(step: Step, status: int, body: bytes) -> None:
    assert explain(exchange(step, Response(status, headers=JSON_TYPE, body=body))) is None


def test_userinfo_may_be_signed() -> None:
    signed = Response(200, headers=(("Content-Type", "application/jwt"),), body=b"e30.e30.c2ln")
    assert explain(exchange(Step.USERINFO, signed)) is None


@pytest.mark.parametrize("step", [Step.PAR, Step.DEVICE, Step.INTROSPECT, Step.JWKS])
def test_a_success_without_its_member_is_none(step: Step) -> None:
    found = explain(exchange(step, Response(200, headers=JSON_TYPE, body=b'{"hello": 1}')))
    assert found is not None
    assert found.answer == "incomplete"


@given(
    step=st.sampled_from(Step),
    status=st.integers(100, 599),
    body=st.binary(max_size=60) | st.text(alphabet='{}[]":,error data', max_size=60).map(str.encode),
    headers=st.lists(st.tuples(st.sampled_from(["Location", "Content-Type", "WWW-Authenticate"]), st.text())),
    url=st.text(),
    cut=st.booleans(),
)
def test_no_exchange_raises(
    step: Step, status: int, body: bytes, headers: list[tuple[str, str]], url: str, cut: bool
) -> None:
    response = Response(status, headers=tuple(headers), body=body, cut=cut)
    found = explain(exchange(step, response, request=Request("GET", url)))
    if status >= 400 and step is not Step.CALLBACK:
        assert found is not None
    if found is not None:
        assert found.remedy == remedy_of(found.entry)
        json.dumps(found.remedy)


def test_an_error_redirect_is_read_behind_a_redacted_state() -> None:
    address = "http://localhost:8501/callback?state=«state #0123456789 43ch»&error=access_denied&error_description=No"
    found = explain(Exchange(Step.CALLBACK, Request("GET", address), datetime(2026, 1, 1, tzinfo=UTC)))
    assert found is not None
    assert (found.error, found.error_description) == ("access_denied", "No")
