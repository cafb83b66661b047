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
