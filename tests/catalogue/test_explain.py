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
def test_documented_error_is_explained(number: int) -> None:
    entry = documented()[number]
    step = Step.API if entry.endpoint == "api" else Step.TOKEN
    explanation = answered(step, entry.status or 400, entry.example.encode())
    assert explanation is not None
    assert (explanation.kind, explanation.number, explanation.match) == ("documented", number, "exact")
    assert explanation.entry == f"partner/{number}"
    assert (explanation.title, explanation.cause, explanation.remedy) == (entry.title, entry.cause, entry.remedy)
    assert (explanation.error, explanation.error_description) == (entry.error, entry.description)
    assert explanation.status == (entry.status or 400)
    assert explanation.status_as_documented is (True if entry.status else None)
    assert (explanation.where, explanation.reference) == ("JSON body", f"Authorization errors, number {number}")
    assert explanation.matched_text in entry.example


def test_documented_error_with_status_200_is_explained() -> None:
    explanation = answered(Step.TOKEN, 200, documented()[2].example.encode())
    assert explanation is not None
    assert (explanation.number, explanation.status, explanation.status_as_documented) == (2, 200, False)


def test_undocumented_text_gets_the_meaning_of_its_code() -> None:
    body = b'{"error": "invalid_grant", "error_description": "The authorization code has expired"}'
    explanation = answered(Step.TOKEN, 400, body)
    assert explanation is not None
    assert (explanation.kind, explanation.number, explanation.match) == ("registered", None, None)
    assert explanation.entry == "rfc6749/invalid_grant"
    assert (explanation.reference, explanation.error_description) == (
        "RFC 6749 §5.2",
        "The authorization code has expired",
    )


@pytest.mark.parametrize(
    "kind", [entry.kind for entry in answers().values() if entry.sent and entry.kind != "no_answer"]
)
@pytest.mark.parametrize("step", [Step.TOKEN, Step.API, Step.REFRESH])
def test_failure_is_explained_by_its_kind(kind: str, step: Step) -> None:
    explanation = explain(exchange(step, failure=Failure(kind, "detail")))
    assert explanation is not None
    assert (explanation.kind, explanation.answer, explanation.title) == ("answer", kind, answers()[kind].title)
    assert explanation.status is None


def test_failure_of_unknown_kind_is_explained() -> None:
    explanation = explain(exchange(Step.TOKEN, failure=Failure("melted")))
    assert explanation is not None
    assert explanation.answer == "failed"


def test_missing_response_is_explained() -> None:
    explanation = explain(exchange(Step.TOKEN))
    assert explanation is not None
    assert explanation.answer == "no_answer"


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
        (Step.API, 403, (("Retry-After", "60"),), b"{}", "rate_limited"),
        (Step.API, 403, (("X-RateLimit-Remaining", "0"),), b'{"message": "No"}', "rate_limited"),
        (Step.API, 403, JSON_TYPE, b'{"message": "API rate limit exceeded for 10.0.0.1."}', "rate_limited"),
        (Step.API, 403, (("X-RateLimit-Remaining", "59"),), b'{"message": "No"}', "unknown_error"),
        (Step.API, 403, JSON_TYPE, b'{"message": "The access token provided has expired"}', "unknown_error"),
        (Step.API, 403, (("x-request-id", "1"),), b"<html>Forbidden</html>", "html"),
        (Step.API, 500, JSON_TYPE, b'{"error": "bad_verification_code"}', "unknown_error"),
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
def test_unexpected_response_is_explained(step: Step, status: int, headers: Headers, body: bytes, kind: str) -> None:
    explanation = answered(step, status, body, headers)
    assert explanation is not None
    assert (explanation.kind, explanation.answer, explanation.number) == ("answer", kind, None)
    assert explanation.entry == f"answer/{kind}"
    assert (explanation.status, explanation.remedy) == (status, answers()[kind].remedy)


@pytest.mark.parametrize("body", [b"{'Accept': 'application/json'}", b'{"Accept": "application/json"}', b"{}"])
@pytest.mark.parametrize("step", [None, Step.TOKEN, Step.REFRESH, Step.PAR, Step.API])
def test_body_alone_is_no_success_without_a_token(step: Step | None, body: bytes) -> None:
    """Nothing says that the request succeeded."""
    assert explain_response(None, (), body, step=step) is None


def test_truncated_body_is_explained() -> None:
    explanation = answered(Step.API, 200, b'{"data": [', cut=True)
    assert explanation is not None
    assert explanation.answer == "too_large"


@pytest.mark.parametrize(
    ("host", "answer"), [("www.olx.pl", "content_type_on_get"), ("provider.example", "unknown_error")]
)
def test_content_type_on_a_get_is_suspected_at_the_documented_provider(host: str, answer: str) -> None:
    refused = Response(400, headers=JSON_TYPE, body=b'{"error": {"status": 400, "title": "Bad Request"}}')
    with_type = Request("GET", f"https://{host}/api/partner/x", (("content-type", "application/json"),))
    explanation = explain(exchange(Step.API, refused, request=with_type))
    assert explanation is not None
    assert explanation.answer == answer


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
def test_success_has_no_explanation(step: Step, status: int, headers: Headers, body: bytes) -> None:
    assert answered(step, status, body, headers) is None


def test_authorization_waiting_for_the_browser_is_not_a_failure() -> None:
    assert explain(exchange(Step.AUTHORIZE)) is None


@pytest.mark.parametrize("separator", ["?", "#"])
def test_error_redirect_is_explained(separator: str) -> None:
    address = f"https://client.example/callback{separator}error=access_denied&error_description=No&state=x"
    callback = explain(exchange(Step.CALLBACK, request=Request("GET", address)))
    redirect = answered(Step.AUTHORIZE, 302, headers=(("Location", address),))
    assert callback is not None
    assert redirect is not None
    for explanation, where in ((callback, "callback address"), (redirect, "Location header")):
        assert (explanation.kind, explanation.reference, explanation.where) == (
            "registered",
            "RFC 6749 §4.1.2.1",
            where,
        )
    assert callback.status is None


@pytest.mark.parametrize(
    ("query", "kind"), [("code=a&state=b", None), ("state=b", "no_code"), ("error=made_up", "unknown_error")]
)
def test_callback_is_judged_by_its_url(query: str, kind: str | None) -> None:
    request = Request("GET", f"http://localhost/callback?{query}")
    explanation = explain(exchange(Step.CALLBACK, Response(400, body=b"<html>Refused</html>"), request=request))
    assert (explanation.answer if explanation else None) == kind


def test_unknown_status_is_taken_from_the_body() -> None:
    explanation = explain_response(None, (), documented()[9].example.encode())
    assert explanation is not None
    assert (explanation.number, explanation.status) == (9, 400)
    pretended = explain_response(200, (), b'{"error": {"status": 404, "title": "Not Found"}}')
    assert pretended is not None
    assert (pretended.answer, pretended.status) == ("not_found", 200)


def test_inactive_token_is_explained() -> None:
    explanation = explain_response(200, JSON_TYPE, b'{"active": false}')
    assert explanation is not None
    assert explanation.answer == "inactive_token"


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
def test_code_is_explained_by_its_endpoint(step: Step, code: str, reference: str) -> None:
    explanation = explain(exchange(step, Response(400, headers=JSON_TYPE, body=json.dumps({"error": code}).encode())))
    assert explanation is not None
    assert (explanation.kind, explanation.error, explanation.reference) == ("registered", code, reference)


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
def test_endpoints_beside_the_flow_have_their_own_successes(step: Step, status: int, body: bytes) -> None:
    assert explain(exchange(step, Response(status, headers=JSON_TYPE, body=body))) is None


def test_userinfo_may_be_signed() -> None:
    signed = Response(200, headers=(("Content-Type", "application/jwt"),), body=b"e30.e30.c2ln")
    assert explain(exchange(Step.USERINFO, signed)) is None


@pytest.mark.parametrize("step", [Step.PAR, Step.DEVICE, Step.INTROSPECT, Step.JWKS])
def test_success_without_its_required_member_is_incomplete(step: Step) -> None:
    explanation = explain(exchange(step, Response(200, headers=JSON_TYPE, body=b'{"hello": 1}')))
    assert explanation is not None
    assert explanation.answer == "incomplete"


@given(
    step=st.sampled_from(Step),
    status=st.integers(100, 599),
    body=st.binary(max_size=60) | st.text(alphabet='{}[]":,error data', max_size=60).map(str.encode),
    headers=st.lists(st.tuples(st.sampled_from(["Location", "Content-Type", "WWW-Authenticate"]), st.text())),
    url=st.text(),
    cut=st.booleans(),
)
def test_any_exchange_is_explained_without_raising(
    step: Step, status: int, body: bytes, headers: list[tuple[str, str]], url: str, cut: bool
) -> None:
    response = Response(status, headers=tuple(headers), body=body, cut=cut)
    explanation = explain(exchange(step, response, request=Request("GET", url)))
    if status >= 400 and step is not Step.CALLBACK:
        assert explanation is not None
    if explanation is not None:
        assert explanation.remedy == remedy_of(explanation.entry)
        json.dumps(explanation.remedy)


def test_error_redirect_is_parsed_after_a_redacted_state() -> None:
    address = "http://localhost:8501/callback?state=«state #0123456789 43ch»&error=access_denied&error_description=No"
    explanation = explain(Exchange(Step.CALLBACK, Request("GET", address), datetime(2026, 1, 1, tzinfo=UTC)))
    assert explanation is not None
    assert (explanation.error, explanation.error_description) == ("access_denied", "No")


@pytest.mark.parametrize(
    ("status", "body", "title"),
    [
        (
            200,
            b"error=bad_verification_code&error_description=The+code+passed+is+incorrect+or+expired.",
            "unknown_error",
        ),
        (403, b'{"message":"The access token provided has expired"}', "unknown_error"),
        (403, b'{"id":1}', "unknown_error"),
        (200, b'{"ok":false,"error":"code_already_used"}', "unknown_error"),
    ],
)
def test_error_of_another_shape_is_no_remark(status: int, body: bytes, title: str) -> None:
    explanation = answered(Step.TOKEN, status, body)
    assert explanation is not None
    assert explanation.answer == title
