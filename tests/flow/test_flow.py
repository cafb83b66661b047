import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth import flow as flows
from oauth import providers
from oauth.errors import InputError
from oauth.exchange import Exchange, Headers, Request, Response, Step, header
from oauth.flow import Client, Field, Flow, Grant, StateCheck
from oauth.providers import BodyFormat, ClientAuthentication

NOW = datetime(2026, 3, 1, 10, 2, 7, tzinfo=UTC)
SANDBOX = providers.load("http://localhost:8501")["sandbox"]


def begin() -> Flow:
    return Flow(SANDBOX, Client("demo-app", "demo-secret"), "http://localhost:8501/callback", "s" * 43, NOW)


def exchange(body: object, status: int = 200, headers: Headers = ()) -> Exchange:
    response = Response(status, headers=headers, body=json.dumps(body).encode())
    return Exchange(Step.TOKEN, Request("POST", "http://x/"), NOW, response=response, duration_ms=1000)


def sent_json(request: Request) -> dict[str, str]:
    parsed: dict[str, str] = json.loads(request.body)
    return parsed


def test_authorization_request_has_its_five_parameters() -> None:
    flow = begin()
    request = flows.authorization_request(SANDBOX.authorization_endpoint, flows.authorization_fields(flow))
    parts = urlsplit(request.url)
    assert (parts.netloc, parts.path) == ("localhost:8501", "/sandbox/oauth/authorize/")
    assert parse_qs(parts.query) == {
        "client_id": ["demo-app"],
        "response_type": ["code"],
        "redirect_uri": ["http://localhost:8501/callback"],
        "scope": ["read write v2"],
        "state": ["s" * 43],
    }


def test_authorization_endpoint_keeps_its_own_query() -> None:
    request = flows.authorization_request("https://as.example/auth?tenant=1", [Field("state", "x y", "", "")])
    assert request.url == "https://as.example/auth?tenant=1&state=x+y"


def test_field_that_is_switched_off_is_not_sent() -> None:
    fields = [replace(item, send=item.name != "code") for item in flows.token_fields(begin(), Grant.AUTHORIZATION_CODE)]
    assert "code" not in sent_json(flows.token_request(SANDBOX.token_endpoint, fields))


def test_empty_field_is_sent_empty() -> None:
    fields = [Field("grant_type", "", "", "")]
    assert sent_json(flows.token_request("https://as.example/token", fields)) == {"grant_type": ""}


def test_token_request_repeats_the_authorization_request() -> None:
    flow = begin()
    fields_sent = [
        replace(item, value="read") if item.name == "scope" else item for item in flows.authorization_fields(flow)
    ]
    fields = {
        item.name: item
        for item in flows.token_fields(flows.with_authorization(flow, fields_sent), Grant.AUTHORIZATION_CODE)
    }
    assert fields["scope"].value == "read"
    assert fields["redirect_uri"] == Field(
        "redirect_uri", flow.redirect_uri, "Must equal the one in step 1 exactly", "step 1"
    )


def test_redirect_uri_omitted_in_step_1_is_omitted_again() -> None:
    flow = begin()
    fields_sent = [replace(item, send=item.name != "redirect_uri") for item in flows.authorization_fields(flow)]
    fields = {
        item.name: item
        for item in flows.token_fields(flows.with_authorization(flow, fields_sent), Grant.AUTHORIZATION_CODE)
    }
    assert not fields["redirect_uri"].send


@pytest.mark.parametrize(
    ("grant", "names"),
    [
        (
            Grant.AUTHORIZATION_CODE,
            ["grant_type", "client_id", "client_secret", "code", "redirect_uri", "scope"],
        ),
        (Grant.REFRESH_TOKEN, ["grant_type", "client_id", "client_secret", "refresh_token"]),
        (Grant.CLIENT_CREDENTIALS, ["grant_type", "client_id", "client_secret", "scope"]),
    ],
)
def test_each_grant_has_its_documented_fields(grant: Grant, names: list[str]) -> None:
    fields = flows.token_fields(begin(), grant)
    assert [item.name for item in fields] == names
    assert fields[0].value == grant.value
    assert all(item.meaning and item.source for item in fields)


def test_basic_moves_the_form_encoded_credentials_to_the_header() -> None:
    fields = [Field("client_id", "my app", "", ""), Field("client_secret", "p:w%d", "", ""), Field("code", "c", "", "")]
    request = flows.token_request("https://as.example/t", fields, BodyFormat.FORM, ClientAuthentication.BASIC)
    scheme, _, credentials = (header(request.headers, "authorization") or "").partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(credentials) == b"my+app:p%3Aw%25d"
    assert request.body == b"code=c"


def test_form_body_has_its_type_and_length() -> None:
    request = flows.token_request("https://as.example/t", [Field("scope", "read é&=", "", "")], BodyFormat.FORM)
    assert header(request.headers, "content-type") == "application/x-www-form-urlencoded"
    assert header(request.headers, "content-length") == str(len(request.body))
    assert parse_qs(request.body.decode()) == {"scope": ["read é&="]}


def test_api_call_sends_its_fields_as_headers() -> None:
    flow = flows.read_tokens(
        begin(), exchange({"access_token": "a" * 40, "scope": "read"}), Grant.AUTHORIZATION_CODE, "read"
    )
    request = flows.api_request(f"{SANDBOX.api}/users/me", flows.api_fields(flow, flow.tokens))
    assert header(request.headers, "authorization") == "Bearer " + "a" * 40
    assert header(request.headers, "version") == "2.0"
    assert header(request.headers, "content-type") is None
    assert request.body == b""


def test_default_header_is_replaced_by_an_extra_field() -> None:
    request = flows.api_request("https://api.example/", [Field("accept", "text/html", "", "")])
    assert [value for name, value in request.headers if name.lower() == "accept"] == ["text/html"]


@pytest.mark.parametrize("bad", [("Versión", "2"), ("X", "a\nb"), (" ", "x"), ("X\r\n", "y")])
def test_invalid_header_is_refused_with_a_reason(bad: tuple[str, str]) -> None:
    with pytest.raises(InputError, match="cannot be sent"):
        flows.api_request("https://api.example/", [Field(*bad, "", "")])


@pytest.mark.parametrize("url", ["", "ftp://x/", "localhost:8501/x", "https://", "http://x:port/", "http://[::1/"])
def test_invalid_address_is_refused_and_quoted(url: str) -> None:
    with pytest.raises(InputError) as caught:
        flows.token_request(url, [])
    assert repr(url) in str(caught.value)


def test_state_of_the_callback_is_checked() -> None:
    flow = begin()
    cases = {
        StateCheck.MATCHES: [("code", "c"), ("state", flow.state)],
        StateCheck.DIFFERS: [("code", "c"), ("state", "other")],
        StateCheck.MISSING: [("error", "access_denied"), ("error_description", "no")],
        StateCheck.NOT_POSSIBLE: [("code", "c")],
    }
    for expected, parameters in cases.items():
        callback = flows.read_callback(flow, parameters, NOW, pasted=True).callback
        assert callback is not None
        assert callback.state_check is expected


def test_repeated_state_does_not_match() -> None:
    flow = begin()
    callback = flows.read_callback(flow, [("state", flow.state), ("state", "x")], NOW, pasted=False).callback
    assert callback is not None
    assert callback.state_check is StateCheck.DIFFERS


def test_code_expires_ten_minutes_after_its_arrival() -> None:
    flow = flows.read_callback(begin(), [("code", "c"), ("state", "s" * 43)], NOW, pasted=False)
    assert flow.code == "c"
    assert flow.code_expires_at == NOW + timedelta(seconds=600)


def test_tokens_have_requested_and_granted_scopes() -> None:
    body = {"access_token": "a", "refresh_token": "r", "expires_in": 86400, "token_type": "bearer", "scope": "read"}
    tokens = flows.read_tokens(begin(), exchange(body), Grant.AUTHORIZATION_CODE, "read write").tokens
    assert tokens is not None
    assert (tokens.scope, tokens.requested_scope) == ("read", "read write")
    assert tokens.expires_at == NOW + timedelta(seconds=86401)


def test_omitted_scope_is_the_requested_one() -> None:
    tokens = flows.read_tokens(begin(), exchange({"access_token": "a"}), Grant.AUTHORIZATION_CODE, "read write").tokens
    assert tokens is not None
    assert tokens.scope == "read write"
    assert tokens.expires_at is None


@pytest.mark.parametrize("body", [{"error": "invalid_grant"}, [], "x", {"access_token": 7}, None])
def test_response_without_a_token_changes_nothing(body: object) -> None:
    flow = begin()
    assert flows.read_tokens(flow, exchange(body), Grant.AUTHORIZATION_CODE, "") == flow
    assert flows.read_tokens(flow, exchange({"access_token": "a"}, 400), Grant.AUTHORIZATION_CODE, "") == flow


def test_refresh_reports_a_replaced_refresh_token() -> None:
    first = flows.read_tokens(
        begin(), exchange({"access_token": "a", "refresh_token": "r"}), Grant.AUTHORIZATION_CODE, ""
    )
    replaced = flows.read_tokens(first, exchange({"access_token": "b", "refresh_token": "r2"}), Grant.REFRESH_TOKEN, "")
    assert replaced.refresh_replaced is True
    kept = flows.read_tokens(first, exchange({"access_token": "b"}), Grant.REFRESH_TOKEN, "")
    assert kept.refresh_replaced is False
    assert kept.tokens is not None
    assert kept.tokens.refresh_token == "r"


def test_application_token_leaves_the_users_unchanged() -> None:
    flow = flows.read_tokens(begin(), exchange({"access_token": "u"}), Grant.AUTHORIZATION_CODE, "")
    flow = flows.read_tokens(flow, exchange({"access_token": "app"}), Grant.CLIENT_CREDENTIALS, "read")
    assert flow.tokens is not None
    assert flow.application_tokens is not None
    assert (flow.tokens.access_token, flow.application_tokens.access_token) == ("u", "app")


@pytest.mark.parametrize(
    ("pasted", "expected"),
    [
        ("https://shop.example/oauth?code=abc&state=xyz", [("code", "abc"), ("state", "xyz")]),
        ("  http://localhost:8501/callback?state=x&code=a%2Fb  ", [("state", "x"), ("code", "a/b")]),
        ("https://shop.example/cb#code=abc", [("code", "abc")]),
        ("myapp://callback?code=abc", [("code", "abc")]),
        ("?code=abc&state=x", [("code", "abc"), ("state", "x")]),
        ("code=abc", [("code", "abc")]),
        ("abc123", [("code", "abc123")]),
        ("https://x.example/?error=access_denied&state=s", [("error", "access_denied"), ("state", "s")]),
    ],
)
def test_pasted_callback_is_parsed(pasted: str, expected: list[tuple[str, str]]) -> None:
    assert flows.parse_pasted(pasted) == expected


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("", "Nothing was pasted"),
        ("   \n", "Nothing was pasted"),
        ("https://shop.example/", "neither a code nor an error"),
        ("the code is abc", "whitespace"),
        ("https://x.example/?code=a&code=b", "more than once"),
    ],
)
def test_invalid_callback_is_refused_with_a_reason(pasted: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        flows.parse_pasted(pasted)


@given(st.text())
def test_no_pasted_text_breaks_the_parser(text: str) -> None:
    try:
        parameters = flows.parse_pasted(text)
    except InputError:
        return
    assert {"code", "error"} & {name for name, _ in parameters}


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(st.text(min_size=1), st.text()), unique_by=lambda pair: pair[0]))
def test_every_body_has_its_fields_unchanged(pairs: list[tuple[str, str]]) -> None:
    fields = [Field(name, value, "", "") for name, value in pairs]
    assert sent_json(flows.token_request("https://as.example/", fields)) == dict(pairs)
    form = flows.token_request("https://as.example/", fields, BodyFormat.FORM)
    assert parse_qs(form.body.decode(), keep_blank_values=True) == {name: [value] for name, value in pairs}


def test_secrets_are_not_in_the_repr() -> None:
    flow = flows.read_callback(begin(), [("code", "topsecretcode")], NOW, pasted=True)
    flow = flows.read_tokens(
        flow,
        exchange({"access_token": "topsecretaccess", "refresh_token": "topsecretrefresh"}),
        Grant.AUTHORIZATION_CODE,
        "",
    )
    text = repr(flow)
    assert "topsecret" not in text
    assert "demo-secret" not in text
    assert flow.state not in text


def test_profile_without_a_scope_sends_none() -> None:
    flow = replace(begin(), provider=replace(SANDBOX, scope=""))
    request = flows.authorization_request(SANDBOX.authorization_endpoint, flows.authorization_fields(flow))
    assert "scope" not in request.url
    asked = flows.token_request(SANDBOX.token_endpoint, flows.token_fields(flow, Grant.CLIENT_CREDENTIALS))
    assert "scope" not in sent_json(asked)


def test_api_key_goes_with_every_request_but_the_browsers() -> None:
    provider = replace(SANDBOX, api_key_header="X-API-KEY")
    flow = replace(begin(), provider=provider, client=Client("demo-app", "demo-secret", "the-key-of-the-demo-app"))
    assert ("x_api_key", "the-key-of-the-demo-app") in flows.secrets_of(flow)
    assert "the-key" not in repr(flow)
    browser = flows.authorization_request(provider.authorization_endpoint, flows.authorization_fields(flow))
    assert "the-key" not in repr(browser)
    requests = [
        flows.api_request(f"{provider.api}/users/me", flows.api_fields(flow, None)),
        flows.form_request("https://as.example/revoke", flows.presented_token_fields(flow, "access_token")),
        flows.form_request("https://as.example/device", flows.device_fields(flow)),
        flows.par_request("https://as.example/par", flows.par_fields(flow)),
        *(flows.token_request(provider.token_endpoint, flows.token_fields(flow, grant)) for grant in Grant),
    ]
    for request in requests:
        assert header(request.headers, "X-API-KEY") == "the-key-of-the-demo-app", request.url
        assert b"the-key" not in request.body
