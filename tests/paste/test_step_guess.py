import pytest

from oauth.exchange import Request, Response
from oauth.paste.step_guess import step_of


@pytest.mark.parametrize(
    ("method", "url", "body", "step"),
    [
        ("POST", "https://a.example/anything", b"grant_type=authorization_code", "token"),
        ("POST", "https://a.example/anything", b'{"grant_type": "client_credentials"}', "token"),
        ("POST", "https://a.example/oauth/token", b"grant_type=refresh_token", "refresh"),
        ("POST", "https://a.example/oauth/token", b"", "token"),
        ("GET", "https://a.example/x?grant_type=refresh_token", b"", "refresh"),
        ("GET", "https://a.example/oauth/authorize/?client_id=1", b"", "authorize"),
        ("GET", "https://a.example/login?response_type=code", b"", "authorize"),
        ("GET", "https://a.example/cb?code=1", b"", "callback"),
        ("GET", "https://a.example/cb#error=access_denied", b"", "callback"),
        ("GET", "https://a.example/users/me", b"", "api"),
        ("POST", "https://a.example/adverts?code=1", b"{}", "api"),
        ("GET", "https://[a.example/cb?code=1", b"", "api"),
        ("POST", "https://a.example/o/revoke_token/", b"token=a", "revoke"),
        ("POST", "https://a.example/token/revocation", b"token=a", "revoke"),
        ("POST", "https://a.example/token/introspection", b"token=a", "introspect"),
        ("POST", "https://a.example/o/introspect/", b"token=a", "introspect"),
        ("POST", "https://a.example/par", b"client_id=a&response_type=code", "par"),
        ("POST", "https://a.example/oauth2/pushed_authorization_request", b"client_id=a", "par"),
        ("POST", "https://a.example/device/auth", b"client_id=a", "device"),
        ("POST", "https://a.example/o/device-authorization/", b"client_id=a", "device"),
        ("POST", "https://a.example/token", b"grant_type=urn:ietf:params:oauth:grant-type:device_code", "token"),
        ("GET", "https://a.example/userinfo", b"", "userinfo"),
        ("GET", "https://a.example/.well-known/jwks.json", b"", "jwks"),
        ("GET", "https://a.example/devices/codes", b"", "api"),
        ("POST", "https://a.example/company", b"{}", "api"),
    ],
)
def test_step_is_guessed_from_the_request(method: str, url: str, body: bytes, step: str) -> None:
    assert step_of(Request(method, url, (), body), None) == step


@pytest.mark.parametrize(
    ("response", "step"),
    [
        (Response(200, body=b'{"access_token": "a"}'), "token"),
        (Response(401, body=b'{"error": "invalid_token"}'), "api"),
        (Response(400, body=b'{"error": {"status": 400}}'), "api"),
        (Response(302, headers=(("Location", "https://a.example/cb?code=1"),)), "authorize"),
        (Response(400, body=b'{"error": "invalid_grant"}'), None),
    ],
)
def test_step_is_guessed_from_some_responses(response: Response, step: str | None) -> None:
    assert step_of(None, response) == step
