import pytest

from oauth.redaction import Vault
from tests.redaction.samples import check_text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Authorization: Bearer abc\nHost: a.test", "Authorization: Bearer «access_token 3ch»\nHost: a.test"),
        ("Cookie: a=b; c=d", "Cookie: a=«cookie 1ch»; c=«cookie 1ch»"),
        ("curl -H 'X-Api-Key: abc' https://a.test", "curl -H 'X-Api-Key: «x_api_key 3ch»' https://a.test"),
        ("client_secret: abc\nother: def", "client_secret: «client_secret 3ch»\nother: def"),
    ],
)
def test_lines_are_redacted(vault: Vault, text: str, redacted: str) -> None:
    check_text(vault, text, redacted)
