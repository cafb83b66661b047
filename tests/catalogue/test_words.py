import pytest

from oauth.catalogue.shapes import Printed, table
from oauth.catalogue.words import Words, find

CODE = "The code passed is incorrect or expired."


def only(text: str) -> Words:
    results = list(find(text))
    assert len(results) == 1, results
    words = results[0]
    assert 0 <= words.start < words.end <= len(text)
    return words


@pytest.mark.parametrize("printed", [pytest.param(printed, id=printed.name) for printed in table().printed])
def test_example_of_a_form_is_read_by_it(printed: Printed) -> None:
    words = only(printed.example)
    assert words.form == printed.name
    assert words.error or words.description


PRINTED = [
    # golang.org/x/oauth2
    ('oauth2: "bad_verification_code" "The code passed is incorrect or expired."', "bad_verification_code", CODE),
    ('oauth2: "invalid_grant" "Code not valid"', "invalid_grant", "Code not valid"),
    ('exchange: oauth2: "invalid_grant"', "invalid_grant", ""),
    ('msg="exchange oauth2 token: oauth2: \\"invalid_grant\\" \\"Bad Request\\"" audit=false', "invalid_grant",
     "Bad Request"),
    # parentheses, colon, members
    ("Token request failed (invalid_grant): invalid refresh_token", "invalid_grant", "invalid refresh_token"),
    ("error: invalid_grant, error_description: Refresh token revoked", "invalid_grant", "Refresh token revoked"),
    ("invalid_grant: expired access/refresh token", "invalid_grant", "expired access/refresh token"),
    ("error: code_was_used, error_description: It is gone, error_uri: null", "code_was_used", "It is gone"),
    ("error = invalid_grant, error_description = 'AADSTS50: Not good', error_uri: 'error_uri is null'.",
     "invalid_grant", "AADSTS50: Not good"),
    ('error="invalid_token", error_description="The token expired"', "invalid_token", "The token expired"),
    ('level=error error=invalid_grant error_description="Token has been revoked" req_id=7', "invalid_grant",
     "Token has been revoked"),
    # openid-client, next-auth
    ("OPError: invalid_grant (Code not valid)\n    at processResponse (/app/x.js:39:13)", "invalid_grant",
     "Code not valid"),
    ("  message: 'invalid_client (Client authentication failed)',", "invalid_client", "Client authentication failed"),
    # AppAuth
    ('Domain=org.openid.appauth.oauth_token Code=-10 "invalid_grant: Token is not active" UserInfo={a=b}',
     "invalid_grant", "Token is not active"),
    # google-auth, oauth2client, signet
    ("google.auth.exceptions.RefreshError: ('invalid_grant: Bad Request', '')", "invalid_grant", "Bad Request"),
    ("oauth2client.client.HttpAccessTokenRefreshError: invalid_grant: Token has been expired or revoked.",
     "invalid_grant", "Token has been expired or revoked."),
    # oauthlib, authlib
    ("oauthlib.oauth2.rfc6749.errors.InvalidGrantError: (invalid_grant) Code not valid", "invalid_grant",
     "Code not valid"),
    ("oauthlib.oauth2.rfc6749.errors.CustomOAuth2Error: (bad_verification_code) The code is incorrect",
     "bad_verification_code", "The code is incorrect"),
    ("authlib.integrations.base_client.errors.OAuthError: invalid_grant: Code not valid", "invalid_grant",
     "Code not valid"),
    ("InvalidClientError: The client is not known", "invalid_client", "The client is not known"),
    ("raise InvalidGrantError\n", "invalid_grant", ""),
    # omniauth, the oauth2 gem
    ("(x) Authentication failure! invalid_credentials: OAuth2::Error, invalid_grant: Bad Request", "invalid_grant",
     "Bad Request"),
    # Spring
    ("OAuth2AuthenticationException: [invalid_token_response] An error occurred while attempting to retrieve the "
     "OAuth 2.0 Access Token Response: 401 : [no body]", "invalid_token_response",
     "An error occurred while attempting to retrieve the OAuth 2.0 Access Token Response"),
    ("org.x.ClientAuthorizationException: [invalid_grant] Session not active\n\tat org.x.A.b(A.java:1)",
     "invalid_grant", "Session not active"),
    ("[invalid_grant] Bad credentials; nested exception is java.lang.Exception: x", "invalid_grant", "Bad credentials"),
    # Rust
    ("ServerResponse(StandardErrorResponse { error: InvalidGrant, error_description: Some(\"Authorization code doesn't "
     'exist or is invalid for the client"), error_uri: None })', "invalid_grant",
     "Authorization code doesn't exist or is invalid for the client"),
    ("StandardErrorResponse { error: InvalidClient, error_description: None, error_uri: None }", "invalid_client", ""),
    # Microsoft
    ("AADSTS700082: The refresh token has expired due to inactivity.", "",
     "AADSTS700082: The refresh token has expired due to inactivity."),
    ("MsalUiRequiredException: AADSTS50076: Due to a change you must use MFA. Sign in. Trace ID: 1 Correlation ID: 2",
     "", "AADSTS50076: Due to a change you must use MFA. Sign in."),
    ("invalid_grant: AADSTS70008: The code expired. Send a new one.\r\nTrace ID: 8", "invalid_grant",
     "AADSTS70008: The code expired. Send a new one."),
    ("IDX10223: Lifetime validation failed. The token is expired.", "",
     "IDX10223: Lifetime validation failed. The token is expired."),
    # message_key
    ('"Internal Server Error (500)": message: "The code passed is incorrect or expired.", message_key: '
     '"bad_verification_code"', "bad_verification_code", CODE),
    # PHP League
    ("IdentityProviderException: invalid_grant in /srv/vendor/GenericProvider.php:216", "invalid_grant", ""),
    # queries
    ("the error: error=unauthorized_client&error_description=The+grant+type+is+unauthorized+for+this+client_id",
     "unauthorized_client", "The grant type is unauthorized for this client_id"),
    ("dat=com.partner.app:/cb?error=unauthorized_client&error_description=The+grant+type+is+unauthorized+for+this+"
     "client_id&state=pL0oK9iJ8uH7yG6t flg=0x1", "unauthorized_client",
     "The grant type is unauthorized for this client_id"),
    ("cb?error_reason=user_denied&amp;error=access_denied&amp;error_description=The+user+denied+it.", "access_denied",
     "The user denied it."),
    ("/wp-login.php?login-error=invalid_grant&message=Invalid+authorization+code", "invalid_grant",
     "Invalid authorization code"),
    ("[status code] 400 [reason phrase] Bad Request [error] invalid_grant [error_description] Code expired",
     "invalid_grant", "Code expired"),
    ("PlatformException(token_failed, Failed to get token: invalid_grant: It is gone., null, null)", "invalid_grant",
     "It is gone."),
    ("CAUSE: invalid_grant(Invalid authorization code or code verifier)\nat / app / x", "invalid_grant",
     "Invalid authorization code or code verifier"),
    ("Handling error: InvalidRequestException, Missing grant type", "invalid_request", "Missing grant type"),
    ("has error: INVALID_CLIENT - Unknown client_id.", "invalid_client", "Unknown client_id."),
    ('\\"error\\":\\"invalid_grant",\\n\\"error_description\\":\\"Invalid code verifier.\\"\\n}', "invalid_grant",
     "Invalid code verifier."),
    ("OAuth token endpoint failure: invalid_request;Description=Client credentials should be sent once",
     "invalid_request", "Client credentials should be sent once"),
    ("errorCode: 'invalid_grant',\nAADSTS50126: Error validating credentials due to invalid password", "invalid_grant",
     "AADSTS50126: Error validating credentials due to invalid password"),
    ("MsalUiRequiredException: \n\tErrorCode: invalid_grant\nMicrosoft.Identity.Client.MsalUiRequiredException: "
     "AADSTS70000: It is not valid.\nTrace ID: 2", "invalid_grant", "AADSTS70000: It is not valid."),
    ("BrowserAuthError: interaction_in_progress: Interaction is in progress.", "interaction_in_progress",
     "Interaction is in progress."),
    ('x: contained an "error" entry with value: ""invalid_client"", referer: https://i.example/\n'
     'x: contained an "error_description" entry with value: ""The client is not known."", referer: x', "invalid_client",
     "The client is not known."),
    ('D auth: TokenError: Invalid "code" in request.\n    at parse (/x.js:1:2)', "", 'Invalid "code" in request.'),
    ("Uncaught (in promise) ErrorResponse: login_required", "login_required", ""),
    ("Uncaught (in promise) ErrorResponse: Token is not active", "", "Token is not active"),
    ('"error":"invalid_grant","error_description":"AADSTS50058: No user is signed in.\\r\\nTrace ID: 1"',
     "invalid_grant", "AADSTS50058: No user is signed in.\r\nTrace ID: 1"),
    ("org.apache.oltu.oauth2.common.exception.OAuthProblemException: invalid_grant, Code was already redeemed.",
     "invalid_grant", "Code was already redeemed."),
    ("failed: error=invalid_grant, description=Code not valid", "invalid_grant", "Code not valid"),
    ("ERR! invalid_grant Invalid refresh token", "invalid_grant", "Invalid refresh token"),
    ("Uncaught OAuthException: Error validating access token: It expired. thrown in /srv/x.php on line 3",
     "OAuthException", "Error validating access token: It expired."),
    ("OAuthException - #190 - Invalid OAuth access token", "OAuthException", "Invalid OAuth access token"),
    ("Got error 'invalid_grant' with description 'Token is expired'", "invalid_grant", "Token is expired"),
    ('{ error = "invalid_grant", errorDescription = Just "Session not active" }', "invalid_grant",
     "Session not active"),
    ("OAuthErrorResponse: [InvalidGrant] Session not active", "invalid_grant", "Session not active"),
    ("rpc error: code = Unauthenticated desc = Request had no credentials.", "Unauthenticated",
     "Request had no credentials."),
    ("<b>invalid_grant</b>: Session not active", "invalid_grant", "Session not active"),
    ("Exception: Provider error 401: invalid_client: Unknown client\n#0      OAuth2Helper.getToken", "invalid_client",
     "Unknown client"),
    # the end of a description
    ("[2026-11-24] production.ERROR: invalid_grant: Code expired {\"userId\":8}", "invalid_grant", "Code expired"),
    ("invalid_grant: Code expired, req_id=7 user=8", "invalid_grant", "Code expired"),
    ("invalid_grant: Code expired at foo.js:12", "invalid_grant", "Code expired"),
    ("invalid_grant: Code expired. Please help me with this", "invalid_grant", "Code expired."),
    ("token request failed: invalid_grant: Invalid refresh token", "invalid_grant", "Invalid refresh token"),
    ("I get invalid_grant: Invalid refresh token. Please help", "invalid_grant", "Invalid refresh token"),
    ('invalid_request: Missing parameter: "code" is required', "invalid_request",
     'Missing parameter: "code" is required'),
    ("invalid_grant - Code not valid", "invalid_grant", "Code not valid"),
    ("Error = invalid_grant", "invalid_grant", ""),
    ("error:invalid_grant", "invalid_grant", ""),
    ("AuthorizationException{error=invalid_grant}", "invalid_grant", ""),
    ("I always get invalid_grant from it", "invalid_grant", ""),
    # known texts alone
    ("[2026-11-24 09:15:02] production.ERROR: Invalid refresh token {\"userId\":8}", "", "Invalid refresh token"),
    ("it says authorization code doesn’t exist or is invalid for the client.", "",
     "Authorization code doesn't exist or is invalid for the client"),
    ("Invalid refresh token (invalid_grant)", "invalid_grant", "Invalid refresh token"),
    ("Error: Missing parameter: &quot;code&quot; is required", "", 'Missing parameter: "code" is required'),
    ("Exception: The provided authorization grant (e.g., authorization code, resource owner credentials) or refresh "
     "token is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or "
     "was issued to another client. Check it.", "invalid_grant",
     "The provided authorization grant (e.g., authorization code, resource owner credentials) or refresh token is "
     "invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued "
     "to another client."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "error", "description"), PRINTED)
def test_printed_error_is_read(text: str, error: str, description: str) -> None:
    words = only(text)
    assert (words.error, words.description) == (error, description)


@pytest.mark.parametrize(("text", "error", "description"), PRINTED)
@pytest.mark.parametrize(
    ("before", "after"), [("2026-11-24 09:15:02 ERROR [main] ", ""), ("Hello\n\n", "\n\nThanks\n")]
)
def test_printed_error_is_read_within_other_text(
    before: str, after: str, text: str, error: str, description: str
) -> None:
    words = only(before + text + after)
    assert (words.error, words.description) == (error, description)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The error is that nothing works: error: yes, message: hello",
        "error: something failed",
        "We use OAuth2: \"Sign in\" and \"Sign out\" are buttons",
        "Invalid refresh token format",
        "Invalid refresh token: 12a13560163da7901d7f74c89fc5df3ea7625942",
        "java.lang.IllegalStateException: [main] Something is off",
        "GET /docs/invalid_grant.html",
        "https://p.example/errors/invalid_grant/",
        "error=1&page=2",
        "NullPointerException: code is null",
        "grant_type=authorization_code&code=abc",
        "the code: words are words",
        "if ($response['error'] == 'invalid_request' || $response['error'] == 'invalid_grant') {",
        '"invalid_client" => BasicErrorResponseType::InvalidClient,',
        "if (INVALID_GRANT.equalsIgnoreCase(error)) { throw new Refused(\n    INVALID_GRANT,\n",
        "- `invalid_grant` (400): too old\n- `invalid_client` (401): wrong\n- was `invalid_request`",
        "Failed: [error: null, description: Invalid ID Token]",
        "class: Some words, exception: other words, number: yet others",
    ],
)  # fmt: skip
def test_other_text_has_no_error(text: str) -> None:
    assert list(find(text)) == []


def test_status_in_the_form_is_read() -> None:
    text = 'OAuth2AuthorizationException: [invalid_token_response] It failed: 401 Unauthorized: "x"'
    assert only(text).status == 401


def test_answer_behind_an_exception_says_what_went_wrong() -> None:
    text = 'OAuth2AuthorizationException: [invalid_token_response] It failed: 400 Bad Request: "{"error":"a"}"'
    assert list(find(text)) == []


def test_status_of_an_error_page_is_read() -> None:
    words = only("Access blocked: Authorization Error\nError 401: invalid_client\nIt was not found.")
    assert (words.error, words.status) == ("invalid_client", 401)


def test_cut_description_is_said_to_be_cut() -> None:
    words = only("insufficient_scope: The request requires higher privileges than provided by the (truncated...)")
    assert words.is_cut
    assert words.description == "The request requires higher privileges than provided by the"


def test_human_title_gives_its_code() -> None:
    words = only("Provided authorization credentials are invalid or expired.")
    assert (words.error, words.human_title) == (
        "invalid_grant",
        "Provided authorization credentials are invalid or expired",
    )


def test_positions_are_those_of_the_form() -> None:
    text = "2026 failed: invalid_grant: Code expired, req_id=7"
    words = only(text)
    assert text[words.start : words.end] == "invalid_grant: Code expired"


def test_several_errors_are_all_read() -> None:
    text = "invalid_grant: Code expired\ninvalid_client: Unknown client\n"
    assert [words.error for words in find(text)] == ["invalid_grant", "invalid_client"]
