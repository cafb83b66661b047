"""Texts that were read wrongly once, each the smallest of its kind: a body, or words around one."""

import json

import pytest

from oauth.catalogue.matcher import Match, match
from oauth.catalogue.words import find

REFRESH = "Invalid refresh token"
CODE = "Authorization code doesn't exist or is invalid for the client"
GRANT = "The grant type is unauthorized for this client_id"


def read(text: str, status: int | None = None) -> Match:
    """Read the body, or the words as the members of the body that they stand for."""
    result = match(status, (), text.encode())
    if result is None:
        words = next(find(text))
        form = {"error": words.error, "error_description": words.description}
        body = "&".join(f"{name}={value}" for name, value in form.items() if value)
        result = match(words.status or status, (), b"", address=f"https://c.example/?{body.replace(' ', '+')}")
        if not words.error:
            result = match(status, (), json.dumps(form).encode(), cut=words.is_cut)
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("text", "number", "error", "description", "status"),
    [
        ('[2026-11-24 09:15:02] production.ERROR: Invalid refresh token {"userId":8}', 11, "", REFRESH, None),
        ("token request failed: invalid_grant: Invalid refresh token", 11, "invalid_grant", REFRESH, None),
        ('{"status":400,"message":"The grant type was not specified in the request"}', 3, "",
         "The grant type was not specified in the request", 400),
        ('{"title":"invalid_token","status":401,"detail":"The access token provided is invalid"}', 7, "invalid_token",
         "The access token provided is invalid", 401),
        ('{"error":"insufficient_scope","error_description":"The request requires higher privileges than provided by '
         "the access to (truncated...)", 8, "insufficient_scope",
         "The request requires higher privileges than provided by the access to", None),
        ("the error: error=unauthorized_client&error_description=The+grant+type+is+unauthorized+for+this+client_id",
         10, "unauthorized_client", GRANT, None),
        ('{"error":"invalid_grant","error_description":"Authorization code doesn&#39;t exist or is invalid for the '
         'client"}', 2, "invalid_grant", CODE, None),
        ("dat=com.partner.app:/cb?error=unauthorized_client&error_description=The+grant+type+is+unauthorized+for+this"
         "+client_id&state=pL0oK9iJ8uH7yG6t flg=0x1", 10, "unauthorized_client", GRANT, None),
        ("ServerResponse(StandardErrorResponse { error: InvalidGrant, error_description: Some(\"Authorization code "
         "doesn't exist or is invalid for the client\"), error_uri: None })", 2, "invalid_grant", CODE, None),
        ('{"error":"invalid_token","error_description":"The access token provided\u200b is invalid"}', 7,
         "invalid_token", "The access token provided is invalid", None),
        ('{"Error":"invalid_grant","Error_Description":"Invalid refresh token"}', 11, "invalid_grant", REFRESH, None),
        ("<error>invalid_token</error><error_description>The access token provided is invalid</error_description>", 7,
         "invalid_token", "The access token provided is invalid", None),
        ('oauth2: "bad_verification_code" "The code passed is incorrect or expired."', None, "bad_verification_code",
         "The code passed is incorrect or expired.", None),
        ('{"error":{"message":"Invalid OAuth access token.","type":"OAuthException","code":190}}', None,
         "OAuthException", "Invalid OAuth access token.", None),
        ('{"error":{"code":401,"message":"Request had invalid authentication credentials.",'
         '"status":"UNAUTHENTICATED"}}', None, "UNAUTHENTICATED", "Request had invalid authentication credentials.",
         401),
        ('{"errorCode":"invalid_grant","errorMessage":"AADSTS700082: The refresh token has expired due to '
         'inactivity."}', None, "invalid_grant", "AADSTS700082: The refresh token has expired due to inactivity.",
         None),
        ('{"code":"invalid_token","message":"Invalid access token","data":{"status":401}}', None, "invalid_token",
         "Invalid access token", 401),
        ("AADSTS700082: The refresh token has expired due to inactivity.", None, "",
         "AADSTS700082: The refresh token has expired due to inactivity.", None),
        ("error=bad_verification_code&error_description=The+code+passed+is+incorrect+or+expired.", None,
         "bad_verification_code", "The code passed is incorrect or expired.", None),
        ('{"ok":false,"error":"code_already_used"}', None, "code_already_used", "", None),
        ("Token request failed (invalid_grant): invalid refresh_token", None, "invalid_grant", "invalid refresh_token",
         None),
        ("error: invalid_grant, error_description: Refresh token revoked", None, "invalid_grant",
         "Refresh token revoked", None),
        ("invalid_grant: expired access/refresh token", None, "invalid_grant", "expired access/refresh token", None),
        ('oauth2: "invalid_grant" "Code not valid"', None, "invalid_grant", "Code not valid", None),
    ],
)  # fmt: skip
def test_case_is_read(text: str, number: int | None, error: str, description: str, status: int | None) -> None:
    result = read(text)
    assert (result.documented.number if result.documented else None) == number
    assert (result.error, result.description, result.stated_status) == (error, description, status)
    assert result.how == ("cut" if "truncated" in text else result.how)


def test_no_body_is_told_by_spring_with_its_status() -> None:
    text = (
        "OAuth2AuthenticationException: [invalid_token_response] An error occurred while attempting to retrieve the "
        "OAuth 2.0 Access Token Response: 401 : [no body]"
    )
    words = next(find(text))
    assert (words.error, words.status) == ("invalid_token_response", 401)


def test_text_of_another_provider_with_status_403_is_read() -> None:
    result = read('{"message":"The access token provided has expired"}', 403)
    assert result.description == "The access token provided has expired"
    assert result.documented is None
