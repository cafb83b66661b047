import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth.catalogue.entries import CatalogueError
from oauth.catalogue.explain import explain_response
from oauth.catalogue.shapes import ShapeError, error_in, read_body, read_table, read_xml, table
from oauth.exchange import Request, Step

NO = (None, "", "")
ERRORS = [
    ('{"error":"invalid_grant","error_description":"No"}', "invalid_grant", "No", None, ""),
    ('{"error":"invalid_grant"}', "invalid_grant", "", None, ""),
    ('{"Error":"invalid_grant","ERROR_DESCRIPTION":"No"}', "invalid_grant", "No", None, ""),
    ('{"error":"invalid_grant","errorDescription":"No"}', "invalid_grant", "No", None, ""),
    ('{"error":"invalid_grant: Token is expired","error_description":"It is expired"}', "invalid_grant",
     "It is expired", None, ""),
    ('{"error":"invalid_token: The access token provided is invalid","status":401}', "invalid_token",
     "The access token provided is invalid", 401, ""),
    # Google, now and before
    ('{"error":{"code":401,"message":"Request had invalid authentication credentials.","status":"UNAUTHENTICATED"}}',
     "UNAUTHENTICATED", "Request had invalid authentication credentials.", 401, ""),
    ('{"error":{"errors":[{"domain":"global","reason":"authError","message":"Invalid Credentials"}],"code":401,'
     '"message":"Invalid Credentials"}}', "authError", "Invalid Credentials", 401, ""),
    # Facebook, Stripe, OpenAI
    ('{"error":{"message":"Invalid OAuth access token.","type":"OAuthException","code":190,"fbtrace_id":"AbC1"}}',
     "OAuthException", "Invalid OAuth access token.", None, "AbC1"),
    ('{"error":{"message":"Incorrect API key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}',
     "invalid_api_key", "Incorrect API key", None, ""),
    # Microsoft Graph, OData
    ('{"error":{"code":"InvalidAuthenticationToken","message":"Access token is empty.","innerError":'
     '{"date":"2026-11-24T09:15:02","request-id":"7a1","client-request-id":"7a2"}}}',
     "InvalidAuthenticationToken", "Access token is empty.", None, "7a1"),
    ('{"error":{"code":"005056A509B11EE1","message":{"lang":"en","value":"Not authorised"}}}', "", "Not authorised",
     None, ""),
    # Spotify, JSON-RPC, Bitbucket, the partner
    ('{"error":{"status":401,"message":"The access token expired"}}', "", "The access token expired", 401, ""),
    ('{"jsonrpc":"2.0","error":{"code":-32001,"message":"Unauthorized"},"id":null}', "", "Unauthorized", None, ""),
    ('{"type":"error","error":{"message":"Access token expired."}}', "", "Access token expired.", None, ""),
    ('{"error":{"status":400,"title":"Bad Request","detail":"Invalid owner in token"}}', "", "Invalid owner in token",
     400, ""),
    ('{"error":{"status":404,"title":"Not Found"}}', "", "Not Found", 404, ""),
    # lists
    ('{"errors":[{"errorType":"invalid_grant","message":"Refresh token invalid."}],"success":false}', "invalid_grant",
     "Refresh token invalid.", None, ""),
    ('{"errors":[{"code":"invalid_token","title":"Unauthorized","detail":"Expired","status":"401","id":"e1"}]}',
     "invalid_token", "Expired", 401, "e1"),
    ('{"errors":[{"message":"Not signed in","extensions":{"code":"UNAUTHENTICATED"}}],"data":null}',
     "UNAUTHENTICATED", "Not signed in", None, ""),
    ('{"errors":["Not Authenticated"]}', "", "Not Authenticated", None, ""),
    ('{"errors":"[API] Invalid API key or access token"}', "", "[API] Invalid API key or access token", None, ""),
    ('{"errors":[{"code":89,"message":"Invalid or expired token."}]}', "", "Invalid or expired token.", None, ""),
    ('{"errors":[{"category":"AUTHENTICATION_ERROR","code":"UNAUTHORIZED","detail":"Not good"}]}', "UNAUTHORIZED",
     "Not good", None, ""),
    ('{"message":"Bad Request","errors":[{"resource":"RefreshToken","field":"refresh_token","code":"invalid"}]}',
     "invalid", "Bad Request", None, ""),
    ('[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]', "INVALID_SESSION_ID",
     "Session expired or invalid", None, ""),
    # Slack, Telegram
    ('{"ok":false,"error":"code_already_used"}', "code_already_used", "", None, ""),
    ('{"ok":false,"error_code":401,"description":"Unauthorized"}', "", "Unauthorized", 401, ""),
    # RFC 9457
    ('{"type":"about:blank","title":"Unauthorized","status":401,"detail":"Token expired"}', "Unauthorized",
     "Token expired", 401, ""),
    ('{"title":"invalid_token","status":401,"detail":"The access token provided is invalid"}', "invalid_token",
     "The access token provided is invalid", 401, ""),
    ('{"title":"Forbidden","status":403}', "", "Forbidden", 403, ""),
    # message
    ('{"status":400,"message":"The grant type was not specified in the request"}', "",
     "The grant type was not specified in the request", 400, ""),
    ('{"message":"Not good enough","transaction_id":"t-1","status":403}', "", "Not good enough", 403, "t-1"),
    ('{"message":"Unauthenticated."}', "", "Unauthenticated.", None, ""),
    ('{"Message":"Authorization has been denied for this request."}', "",
     "Authorization has been denied for this request.", None, ""),
    ('{"message":"Bad credentials","documentation_url":"https://docs.example","status":"401"}', "", "Bad credentials",
     401, ""),
    ('{"detail":"Authentication credentials were not provided."}', "", "Authentication credentials were not provided.",
     None, ""),
    ('{"code":"token_not_valid","detail":"Given token not valid for any token type"}', "token_not_valid",
     "Given token not valid for any token type", None, ""),
    ('{"message":"401: Unauthorized","code":0}', "", "401: Unauthorized", None, ""),
    ('{"message":"Unauthorized","error":401}', "", "Unauthorized", 401, ""),
    ('{"code":401,"message":"Unauthorized; scope does not match"}', "", "Unauthorized; scope does not match", 401, ""),
    ('{"status":"error","message":"Something is off"}', "", "Something is off", None, ""),
    ('{"timestamp":"2026-11-24T09:15:02Z","status":401,"error":"Unauthorized","message":"No session","path":"/x"}',
     "Unauthorized", "No session", 401, ""),
    ('{"statusCode":401,"message":"Invalid token","error":"Unauthorized"}', "Unauthorized", "Invalid token", 401, ""),
    ('{"id":"unauthorized","message":"Unable to authenticate you"}', "unauthorized", "Unable to authenticate you",
     None, ""),
    ('{"object":"error","status":401,"code":"unauthorized","message":"API token is invalid.","request_id":"r-1"}',
     "unauthorized", "API token is invalid.", 401, "r-1"),
    ('{"status":"BAD_AUTH_CODE","message":"missing or unknown auth code","correlationId":"c-1"}', "BAD_AUTH_CODE",
     "missing or unknown auth code", None, "c-1"),
    ('{"status":"error","statusCode":401,"message":"The token expired 5 hours ago.",'
     '"category":"EXPIRED_AUTHENTICATION","correlationId":"c-3"}', "EXPIRED_AUTHENTICATION",
     "The token expired 5 hours ago.", 401, "c-3"),
    ('{"error":"invalid_client","error_description":"No","httpStatusCode":401}', "invalid_client", "No", 401, ""),
    ('{"name":"Error","status":400,"message":"Bad Request","context":{"errors":[{"errorType":"invalid_grant",'
     '"message":"Gone"}],"success":false}}', "invalid_grant", "Gone", 400, ""),
    ('{"name":"AUTHENTICATION_FAILURE","message":"Authentication failed","debug_id":"d-1"}', "AUTHENTICATION_FAILURE",
     "Authentication failed", None, "d-1"),
    ('{"reason":"Invalid authorization code","error":"invalid_request"}', "invalid_request",
     "Invalid authorization code", None, ""),
    # WordPress, MSAL, Okta, Apigee, AWS, Instagram, VK, Dropbox
    ('{"code":"invalid_token","message":"Invalid access token","data":{"status":401}}', "invalid_token",
     "Invalid access token", 401, ""),
    ('{"errorCode":"invalid_grant","errorMessage":"AADSTS700082: It expired.","subError":"","correlationId":"c-2"}',
     "invalid_grant", "AADSTS700082: It expired.", None, "c-2"),
    ('{"errorCode":"E0000011","errorSummary":"Invalid token provided","errorLink":"E0000011","errorId":"oae1"}',
     "E0000011", "Invalid token provided", None, "oae1"),
    ('{"fault":{"faultstring":"Invalid access token","detail":{"errorcode":"oauth.v2.InvalidAccessToken"}}}',
     "oauth.v2.InvalidAccessToken", "Invalid access token", None, ""),
    ('{"__type":"NotAuthorizedException","message":"Refresh Token has expired"}', "NotAuthorizedException",
     "Refresh Token has expired", None, ""),
    ('{"error_type":"OAuthException","code":400,"error_message":"Invalid authorization code"}', "OAuthException",
     "Invalid authorization code", 400, ""),
    ('{"error":{"error_code":5,"error_msg":"User authorization failed"}}', "", "User authorization failed", None, ""),
    ('{"error_summary":"expired_access_token/..","error":{".tag":"expired_access_token"}}', "expired_access_token",
     "expired_access_token/..", None, ""),
    ('{"errcode":40029,"errmsg":"invalid code"}', "", "invalid code", None, ""),
    ('{"fault":{"error":[{"message":"Token expired","detail":"Token expired: 1","code":"3200"}],'
     '"type":"AUTHENTICATION"}}', "AUTHENTICATION", "Token expired: 1", None, ""),
    ('{"error":{"type":"security_exception","reason":"missing credentials"},"status":401}', "security_exception",
     "missing credentials", 401, ""),
    ('{"tppMessages":[{"category":"ERROR","code":"TOKEN_INVALID","text":"Not good"}]}', "TOKEN_INVALID", "Not good",
     None, ""),
    ('{"error":"invalid_token","description":"The token is gone"}', "invalid_token", "The token is gone", None, ""),
    ('{"name":"Bad Request","message":"Not good","code":0,"status":400,"type":"yii\\\\web\\\\BadRequestHttpException"}',
     "", "Not good", 400, ""),
    ('{"__type":"com.amazonaws.cognito#NotAuthorizedException","message":"No"}', "NotAuthorizedException", "No", None,
     ""),
    # wrappers
    ('{"data":{"error":"invalid_grant","error_description":"No"}}', "invalid_grant", "No", None, ""),
    ('{"response":{"status":400,"data":{"error":"invalid_grant"}},"message":"Request failed with status code 400"}',
     "invalid_grant", "", 400, ""),
    ('{"statusCode":400,"body":"{\\"error\\":\\"invalid_grant\\",\\"error_description\\":\\"No\\"}"}', "invalid_grant",
     "No", 400, ""),
    ('{"detail":{"error":"invalid_grant","error_description":"No"}}', "invalid_grant", "No", None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "error", "description", "status", "request_id"), ERRORS)
def test_error_is_read_from_its_shape(
    body: str, error: str, description: str, status: int | None, request_id: str
) -> None:
    result = error_in(json.loads(body))
    assert result is not None
    assert (result.error, result.description, result.status) == (error, description, status)
    assert result.request_id == request_id


@pytest.mark.parametrize(
    "body",
    [
        '{"id":1,"name":"x"}',
        '{"id":1,"name":"x","message":"Invalid password was entered","user":{"id":2}}',
        '{"message":"ok"}',
        '{"message":"Hello"}',
        '{"code":0,"message":"success","data":{"id":1}}',
        '{"code":200,"message":"Token revoked"}',
        '{"status":"success","message":"The token was revoked"}',
        '{"success":true,"message":"The token was revoked"}',
        '{"error":{"code":"ok","message":"","log_id":"1"},"data":{"user":{"id":1}}}',
        '{"errcode":0,"errmsg":"ok"}',
        '{"error":"0","message":"done"}',
        '{"error":false,"message":"done"}',
        '{"error":null,"result":1}',
        '{"errors":[],"data":{"id":1}}',
        '{"ok":true,"error":""}',
        '{"level":"error","msg":"token request failed: invalid_grant: Invalid refresh token"}',
        '{"level":"error","time":"2026-11-24T09:15:02Z","message":"upstream denied","error":"timeout"}',
        '{"severity":"ERROR","message":"connection failed","timestamp":"2026-11-24"}',
        '{"access_token":"a","token_type":"bearer","expires_in":3600,"scope":"read"}',
        '{"issuer":"https://p.example","token_endpoint":"https://p.example/token","error_codes_supported":["x"]}',
        '{"name":"app","version":"1.0.0","description":"Shows invalid tokens","scripts":{"error":"node ."}}',
        '{"code":"SplxlOBeZQQYbYSWxSbIA","state":"xyz"}',
        '{"code":"SplxlOBeZQQYbYSWxSbIA","message":"thanks"}',
        '{"request":{"method":"GET","url":"/"},"response":{"status":400,"body":{"error":"invalid_grant"}}}',
        '{"type":"message","text":"invalid","channel":"C1"}',
        '{"title":"A book","detail":"About errors"}',
        '[{"id":1,"message":"hi"}]',
        "[]", "{}", "null", '"error"', "1",
    ],
)  # fmt: skip
def test_healthy_body_is_no_error(body: str) -> None:
    assert error_in(json.loads(body)) is None


def test_error_status_of_the_response_is_a_sign() -> None:
    value = {"message": "The plan has no calls left"}
    assert error_in(value) is None
    assert error_in(value, 200) is None
    result = error_in(value, 403)
    assert result is not None
    assert result.description == "The plan has no calls left"


def test_authorization_code_is_not_shown_as_the_error_code() -> None:
    result = error_in({"code": "SplxlOBeZQQYbYSWxSbIA", "message": "It was used before"}, 400)
    assert result is not None
    assert result.error == ""


def test_path_leads_to_the_object_with_the_error() -> None:
    result = error_in({"data": {"body": {"error": "invalid_grant"}}})
    assert result is not None
    assert result.path == ("data", "body")


@pytest.mark.parametrize(
    ("text", "error", "description"),
    [
        ("error=bad_verification_code&error_description=The+code+passed+is+incorrect+or+expired.&error_uri=x",
         "bad_verification_code", "The code passed is incorrect or expired."),
        ("<error>invalid_token</error><error_description>It is &amp; was</error_description>", "invalid_token",
         "It is & was"),
        ("<?xml version='1.0'?>\n<OAuth2Exception><error>invalid_grant</error><error_description>No"
         "</error_description></OAuth2Exception>", "invalid_grant", "No"),
        ("<errors><error><code>401</code><message>Bad token</message></error></errors>", "", "Bad token"),
        ('<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>R1</RequestId></Error>',
         "AccessDenied", "Access Denied"),
        ('<ErrorResponse xmlns="https://x/"><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>Gone</Message>'
         "</Error></ErrorResponse>", "ExpiredToken", "Gone"),
        ('<s:Envelope xmlns:s="x"><s:Body><s:Fault><faultcode>wsse:InvalidSecurity</faultcode><faultstring>Bad'
         "</faultstring></s:Fault></s:Body></s:Envelope>", "wsse:InvalidSecurity", "Bad"),
        ("<error><error_description><![CDATA[a < b]]></error_description></error>", "", "a < b"),
        ('<oauth xmlns="x"><error>unauthorized</error><error_description>Full authentication is required'
         "</error_description></oauth>", "unauthorized", "Full authentication is required"),
    ],
)  # fmt: skip
def test_form_and_xml_are_read(text: str, error: str, description: str) -> None:
    value, _ = read_body(text)
    result = error_in(value)
    assert result is not None
    assert (result.error, result.description) == (error, description)


@pytest.mark.parametrize(
    "text",
    [
        "", "a=b", "access_token=a&scope=b", "an error=1 in words", "<html><body>error</body></html>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><error>&a;</error>", "<error>", "<error></other>", "</error>", "<a",
        "<?xml version='1.0'?><!DOCTYPE x SYSTEM 'file:///etc/passwd'><error>x</error>",
    ],
)  # fmt: skip
def test_other_text_is_no_body(text: str) -> None:
    assert read_body(text)[0] is None


def test_entity_is_not_expanded() -> None:
    assert read_xml("<error>&a;&lol9;</error>") == {"error": "&a;&lol9;"}


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.text() | st.sampled_from(["error", "errors", "data", "message", "code", "detail", "status", "fault"]),
        inner, max_size=6),
    max_leaves=20), st.none() | st.integers(0, 999))  # fmt: skip
def test_any_value_is_searched_without_raising(value: Any, status: int | None) -> None:
    assert isinstance(error_in(value, status), ShapeError | None)


@given(st.text() | st.text(alphabet="<>/a&;='\" ![]CDAT-?"))
def test_any_text_is_read_without_raising(text: str) -> None:
    error_in(read_body(text)[0])


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('has = ["error", "error_description"]', "", "has"),
        ('name = "Slack"', 'name = "MSAL"', "the same name"),
        ('name = "Slack"', 'name = "Slack"\ncolour = "red"', "colour"),
        ("[signs]", "[sings]", "must contain entries under"),
    ],
)
def test_invalid_table_is_refused_with_its_place(old: str, new: str, problem: str) -> None:
    from oauth.catalogue.entries import file_text

    text = file_text("shapes.toml")
    with pytest.raises(CatalogueError, match=r"bad\.toml") as caught:
        read_table(text.replace(old, new, 1), "bad.toml")
    assert problem in str(caught.value)


def test_table_is_read() -> None:
    assert len(table().shapes) > 40


@pytest.mark.parametrize("before", [[], [{"@type": "type.googleapis.com/google.rpc.Help", "links": []}]])
@pytest.mark.parametrize("reason", ["API_KEY_INVALID", "SERVICE_DISABLED", "ACCESS_TOKEN_EXPIRED"])
def test_reason_of_a_google_api_is_its_entry(reason: str, before: list[dict[str, object]]) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
    body = {"error": {"code": 400, "message": "In other words.", "status": "FAILED", "details": [*before, info]}}
    request = Request("GET", "https://gmail.googleapis.com/gmail/v1/users/me/profile")
    explanation = explain_response(400, (), json.dumps(body).encode(), step=Step.API, request=request)
    assert explanation is not None
    assert explanation.entry == f"google/{reason}"
