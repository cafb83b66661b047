import pytest

from oauth.redaction import Vault
from tests.redaction.samples import check_field


@pytest.mark.parametrize(
    ("name", "value", "redacted"),
    [
        ("Cookie", "a=b; c=d e;f", "a=«cookie 1ch»; c=«cookie 3ch»;«cookie 1ch»"),
        ("Set-Cookie", "sid=abc; Path=/; HttpOnly", "sid=«cookie 3ch»; Path=/; HttpOnly"),
    ],
)
def test_cookie_values_are_redacted_and_attributes_are_not(vault: Vault, name: str, value: str, redacted: str) -> None:
    check_field(vault, name, value, redacted)
