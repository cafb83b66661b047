import pytest

from oauth import paste


@pytest.mark.parametrize(
    ("text", "step", "url"),
    [
        ("https://app.example/cb?code=abcdef&state=s1", "callback", "https://app.example/cb?code=abcdef&state=s1"),
        (" <https://app.example/cb?error=access_denied> \n", "callback", "https://app.example/cb?error=access_denied"),
        ("com.example.app:/cb?code=abcdef", "callback", "com.example.app:/cb?code=abcdef"),
        ("app.example/cb?code=abcdef", "callback", "https://app.example/cb?code=abcdef"),
        ("/callback?code=abcdef", "callback", "/callback?code=abcdef"),
        ("?code=abcdef&state=s1", "callback", "?code=abcdef&state=s1"),
        ("code=abcdef&state=s1", "callback", "?code=abcdef&state=s1"),
        ("https://app.example/cb#error=invalid_scope", "callback", "https://app.example/cb#error=invalid_scope"),
        ("https://www.olx.pl/oauth/authorize/?client_id=1&response_type=code", "authorize",
         "https://www.olx.pl/oauth/authorize/?client_id=1&response_type=code"),
    ],
)  # fmt: skip
def test_address_is_a_request_with_its_step(text: str, step: str, url: str) -> None:
    (result,) = paste.read(text)
    assert result.request is not None
    assert (result.step, result.request.url, result.response) == (step, url, None)


def test_several_addresses_are_several_requests() -> None:
    result = paste.read(
        "https://www.olx.pl/oauth/authorize/?response_type=code&state=s1234\nhttps://a.example/?code=c1234&state=s1234"
    )
    assert [item.step for item in result] == ["authorize", "callback"]
    assert result[0].flow == result[1].flow != ""


def test_form_alone_is_a_token_request() -> None:
    (result,) = paste.read("grant_type=authorization_code&code=abcdef&client_id=1")
    assert result.request is not None
    assert (result.request.method, result.step) == ("POST", "token")
    assert result.request.body == b"grant_type=authorization_code&code=abcdef&client_id=1"
