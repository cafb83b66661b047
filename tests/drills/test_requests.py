"""From a step to its request, without a socket."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from oauth import flow as flows
from oauth.drills import Setting
from oauth.drills.requests import decision_request, fields_of, request_of, values_of
from oauth.drills.schema import ApplicationToken, Authorize, Call, CodeExchange, Sent
from oauth.errors import InputError
from oauth.exchange import Request, header
from oauth.flow import Flow, Grant
from oauth.providers import BodyFormat, ClientAuthentication
from tests.drills.conftest import now


@pytest.fixture
def flow(setting: Setting) -> Flow:
    flow = Flow(setting.provider, setting.client, setting.redirect_uri, "the-state", now())
    flow = flows.with_authorization(flow, flows.authorization_fields(flow))
    return flows.read_callback(flow, [("code", "the-code"), ("state", "the-state")], now(), pasted=False)


def asked(step: Sent, flow: Flow) -> Request:
    values = values_of(flow, None)
    return request_of(step, flow, fields_of(step, flow, values), values)


def test_an_unchanged_step_sends_what_the_walkthrough_sends(flow: Flow) -> None:
    step = CodeExchange()
    fields = flows.token_fields(flow, Grant.AUTHORIZATION_CODE)
    ours, theirs = asked(step, flow), flows.token_request(flow.provider.token_endpoint, fields)
    assert (ours.method, ours.url, ours.body) == (theirs.method, theirs.url, theirs.body)
    assert sorted(ours.headers) == sorted(theirs.headers)


def test_fields_are_set_renamed_left_out_and_added(flow: Flow) -> None:
    step = CodeExchange(
        set={"code": "{code:.3}", "note": "{state}"},
        rename={"redirect_uri": "redirect"},
        leave_out=("scope", "client_secret"),
        extra={"grant_type": "again"},
        body_format=BodyFormat.FORM,
    )
    assert parse_qsl(asked(step, flow).body.decode()) == [
        ("grant_type", "authorization_code"),
        ("client_id", "a-client-of-mine"),
        ("code", "the"),
        ("redirect", "http://localhost:8501/callback"),
        ("note", "the-state"),
        ("grant_type", "again"),
    ]


def test_a_request_is_reshaped(flow: Flow) -> None:
    step = ApplicationToken(
        authentication=ClientAuthentication.BASIC,
        header={"content-type": "text/plain", "X-Mine": "{client_id}", "Accept": ""},
        query={"code": "{code}"},
        method="GET",
        body="{{ {state}",
    )
    request = asked(step, flow)
    assert request.method == "GET"
    assert request.body == b"{ the-state"
    assert urlsplit(request.url).query == "code=the-code"
    assert [value for name, value in request.headers if name.lower() == "content-type"] == ["text/plain"]
    assert header(request.headers, "Content-Length") == "11"
    assert header(request.headers, "X-Mine") == "a-client-of-mine"
    assert header(request.headers, "Accept") is None
    assert str(header(request.headers, "Authorization")).startswith("Basic ")


def test_another_client_asks_with_its_own_secret(flow: Flow) -> None:
    body = json.loads(asked(CodeExchange(client="website-app"), flow).body)
    assert (body["client_id"], body["client_secret"], body["code"]) == ("website-app", "website-secret", "the-code")
    with pytest.raises(InputError, match="does not have the ready-made client nobody"):
        asked(Call(client="nobody"), flow)


def test_a_call_goes_to_its_path_or_the_providers_first_one(flow: Flow) -> None:
    assert urlsplit(asked(Call(), flow).url).path == "/api/partner/users/me"
    assert urlsplit(asked(Call(path="/cities"), flow).url).path == "/api/partner/cities"


def test_the_decision_goes_where_the_page_is(flow: Flow) -> None:
    page = asked(Authorize(set={"scope": "read"}), flow)
    assert dict(parse_qsl(urlsplit(page.url).query))["scope"] == "read"
    posted = decision_request(page, "deny")
    assert (posted.method, posted.url, posted.body) == ("POST", page.url, b"decision=deny")
    assert header(posted.headers, "Content-Length") == "13"
