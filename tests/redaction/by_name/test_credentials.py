import base64

import pytest

from oauth.redaction import Vault
from tests.redaction.samples import check_field, check_text


@pytest.mark.parametrize(
    ("name", "value", "redacted"),
    [
        ("Authorization", "Bearer abc", "Bearer «access_token 3ch»"),
        ("authorization", "bearer   abc def", "bearer   «access_token 7ch»"),
        ("Authorization", "DPoP abc", "DPoP «access_token 3ch»"),
        ("Authorization", "Custom abc", "Custom «authorization 3ch»"),
        ("Authorization", "abc", "«authorization 3ch»"),
        ("Authorization", "Bearer", "Bearer"),
        ("Proxy-Authorization", "Basic " + base64.b64encode(b"me:pw").decode(), "Basic me:«client_secret 2ch»"),
        (
            "Authorization",
            "Basic " + base64.b64encode(b"demo-app:a%2Bb+c").decode(),
            "Basic demo-app:«client_secret 5ch»",
        ),
        ("Authorization", "Basic " + base64.b64encode(b"demo-app:").decode(), "Basic ZGVtby1hcHA6"),
        ("Authorization", "Basic no-base64!", "Basic «basic 10ch»"),
        ("access_token", "Bearer abc", "Bearer «access_token 3ch»"),
    ],
)
def test_credential_is_redacted_and_its_scheme_is_not(vault: Vault, name: str, value: str, redacted: str) -> None:
    check_field(vault, name, value, redacted)


def test_parameters_of_an_unknown_scheme_are_redacted_as_one(vault: Vault) -> None:
    value = 'username="u", response="abc"'
    check_field(vault, "Authorization", f"Digest {value}", f"Digest {vault.placeholder('authorization', value)}")


def test_credential_in_a_sentence_is_redacted(vault: Vault) -> None:
    check_text(vault, "got Bearer abc123-xyz from it", "got Bearer «access_token 10ch» from it")


def test_scheme_without_a_credential_is_left_alone(vault: Vault) -> None:
    sentence = "The Bearer authentication scheme, Basic authentication"
    check_text(vault, sentence, sentence)


@pytest.mark.parametrize("mechanism", ["AUTHENTICATE XOAUTH2", "AUTH OAUTHBEARER"])
def test_credential_of_a_mail_client_is_redacted(vault: Vault, mechanism: str) -> None:
    secret = base64.b64encode(b"user=me@example.net\x01auth=Bearer abc123\x01\x01").decode()
    check_text(vault, f"A1 {mechanism} {secret}", f"A1 {mechanism} {vault.placeholder('access_token', secret)}")


def test_mechanisms_of_a_mail_server_are_no_credential(vault: Vault) -> None:
    check_text(
        vault,
        "AUTH=XOAUTH2 IMAP4rev1 AUTH=OAUTHBEARER X-GM-EXT-1",
        "AUTH=XOAUTH2 IMAP4rev1 AUTH=OAUTHBEARER X-GM-EXT-1",
    )


@pytest.mark.parametrize(
    ("before", "secret", "after"),
    [
        ("external code: ", "5cffb71e0875e98bd92a", "?error=server_error"),
        ("external code: ", "cb8dc01f2a6414e479c1.0.mr.Q-Qz7LwKb3", "#error=server_error"),
        ("new refresh token: ", "M.C106_BAY.-CX7pQw3LzTn*oKc2XsRd!YmGh6TfJr0Ea8$$", ""),
    ],
)
def test_secret_in_words_is_redacted_up_to_its_end(vault: Vault, before: str, secret: str, after: str) -> None:
    kind = "code" if "code" in before else "refresh_token"
    check_text(vault, before + secret + after, before + vault.placeholder(kind, secret) + after)
