import json
from urllib.parse import urlencode

import pytest

from oauth.redaction import PLACEHOLDER, Vault
from tests.redaction.samples import check_field, exchange

SECRET_NAMES = [
    "client_secret", "clientSecret", "CLIENT-SECRET", "ClientSecret", "code", "code_verifier", "access_token",
    "accessToken", "refresh_token", "id_token", "token", "assertion", "client_assertion", "password", "passwd",
    "state", "nonce", "api_key", "apikey", "X-Api-Key", "X-Auth-Token", "secret", "session", "sid",
    "session_token", "device_code", "user_code", "registration_access_token", "id_token_hint", "logout_token",
    "subject_token", "actor_token", "login_token", "csrf_token", "X-CSRF-Token", "X-XSRF-TOKEN",
    "csrfmiddlewaretoken", "SAMLResponse", "software_statement", "signature", "sig", "X-Amz-Signature",
    "user[password]", "auth.token", "token[]", "DPoP", "oauth_token_secret",
]  # fmt: skip
OTHER_NAMES = [
    "token_type", "token_type_hint", "code_challenge", "code_challenge_method", "error", "error_description",
    "scope", "grant_type", "client_id", "redirect_uri", "expires_in", "response_type", "status", "token_endpoint",
    "error_code", "X-Request-Id", "Content-Type", "Version", "username",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_secret_names_in_any_spelling_are_redacted(vault: Vault, name: str) -> None:
    assert PLACEHOLDER.fullmatch(vault.redact_value(name, "Zq7-hidden"))
    assert "Zq7-hidden" not in vault.redact_text(json.dumps({"a": [{name: "Zq7-hidden"}]}))
    assert "Zq7-hidden" not in vault.redact_text(urlencode({"a": "b", name: "Zq7-hidden"}))
    assert "Zq7-hidden" not in vault.redact_url(f"/cb?a=b&{urlencode({name: 'Zq7-hidden'})}")


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_other_names_are_left_alone(vault: Vault, name: str) -> None:
    assert vault.redact_value(name, "plain-text") == "plain-text"
    body = json.dumps({name: "plain-text"})
    assert vault.redact_text(body) == body


@pytest.mark.parametrize(
    ("name", "value", "redacted"),
    [
        ("client_secret", " abc\n", " «client_secret 3ch»\n"),
        ("error_description", "Code: it is unknown", "Code: it is unknown"),
    ],
)
def test_white_space_and_ordinary_sentences_stay(vault: Vault, name: str, value: str, redacted: str) -> None:
    check_field(vault, name, value, redacted)


@pytest.mark.parametrize("body", ['{"error":{"code":400}}', '{"code":"190"}', "code=400&error=x", "<code>17</code>"])
def test_numeric_code_is_an_error_number_in_a_response_and_a_secret_in_a_request(vault: Vault, body: str) -> None:
    redacted = vault.redact(exchange(body=body, response_body=body))
    assert redacted.response is not None
    assert redacted.response.body.decode() == body
    assert "«code " in redacted.request.body.decode()


def test_numeric_code_in_a_redirect_is_a_secret(vault: Vault) -> None:
    redacted = vault.redact(exchange(response_body="", response_headers=(("Location", "/cb?code=400400"),)))
    assert redacted.response is not None
    assert redacted.response.headers == (("Location", "/cb?code=«code 6ch»"),)
