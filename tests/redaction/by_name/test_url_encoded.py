from urllib.parse import parse_qsl, urlsplit

import pytest

from oauth.redaction import Vault, quoted
from tests.redaction.samples import TOKEN, check_field, check_text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (
            "https://u:pw@a.test/x?code=abc&y=1#token=z",
            "https://u:«password 2ch»@a.test/x?code=«code 3ch»&y=1#token=«token 1ch»",
        ),
        ("https://key@a.test/", "https://«userinfo 3ch»@a.test/"),
        ("grant_type=password&password=a+b%26c&x=1", "grant_type=password&password=«password 5ch»&x=1"),
        ("c%6Fde=abc&x=1", "c%6Fde=«code 3ch»&x=1"),
        (
            "next=https%3A%2F%2Fa.test%2F%3Fcode%3Dabc%26x%3D1",
            "next=https%3A%2F%2Fa.test%2F%3Fcode%3D«code 3ch»%26x%3D1",
        ),
        ("data=%7B%22code%22%3A+%22abc%22%7D", "data=%7B%22code%22%3A+%22«code 3ch»%22%7D"),
    ],
)
def test_urls_and_forms_are_redacted(vault: Vault, text: str, redacted: str) -> None:
    check_text(vault, text, redacted)


@pytest.mark.parametrize(
    ("name", "value", "redacted"),
    [
        (
            "Location",
            "/cb?state=a b&error=x&code=y#id_token=z",
            "/cb?state=«state 3ch»&error=x&code=«code 1ch»#id_token=«id_token 1ch»",
        ),
        ("Content-Location", "?code=abc", "?code=«code 3ch»"),
        ("Referer", "https://a.test/?code=abc", "https://a.test/?code=«code 3ch»"),
        ("Link", "<https://a.test/?token=abc>; rel=next", "<https://a.test/?token=«token 3ch»>; rel=next"),
        ("Refresh", "0; url=https://a.test/?code=abc", "0; url=https://a.test/?code=«code 3ch»"),
    ],
)
def test_headers_with_urls_are_redacted(vault: Vault, name: str, value: str, redacted: str) -> None:
    check_field(vault, name, value, redacted)


def test_redacted_url_can_be_parsed_once_it_is_quoted(vault: Vault) -> None:
    url = quoted(vault.redact_url(f"https://a.test/cb?state={TOKEN}&error=access_denied"))
    assert dict(parse_qsl(urlsplit(url).query)) == {
        "state": vault.placeholder("state", TOKEN),
        "error": "access_denied",
    }
