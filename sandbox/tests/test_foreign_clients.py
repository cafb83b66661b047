"""OAuth clients that are not ours complete every grant: Authlib's on httpx, and requests-oauthlib."""

import pytest
from authlib.integrations.httpx_client import OAuth2Client
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

from oauth_sandbox.testing import SteeredSandbox

CALLBACK = "http://localhost:7000/callback"
SCOPE = "read write v2"
VERSION = {"Version": "2.0"}


@pytest.fixture
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """oauthlib refuses plain HTTP, also on loopback, unless it is told."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib(steered_sandbox: SteeredSandbox, method: str) -> None:
    base = steered_sandbox.url
    token_url, control = f"{base}/api/open/oauth/token", steered_sandbox.control
    with OAuth2Client(
        "demo-app",
        "demo-secret",
        scope=SCOPE,
        redirect_uri=CALLBACK,
        token_endpoint=token_url,
        token_endpoint_auth_method=method,
        trust_env=False,
    ) as client:
        url, state = client.create_authorization_url(f"{base}/oauth/authorize/")
        token = client.fetch_token(token_url, authorization_response=control.approve(url), state=state)
        assert set(token["scope"].split()) == set(SCOPE.split())
        assert client.get(f"{base}/api/partner/users/me", headers=VERSION).json()["data"]["name"] == "Demo user"
        steered_sandbox.clock.move(86_400)
        assert client.get(f"{base}/api/partner/users/me", headers=VERSION).status_code == 401
        renewed = client.refresh_token(token_url)
        assert renewed["refresh_token"] != token["refresh_token"]
        assert client.get(f"{base}/api/partner/users/me", headers=VERSION).status_code == 200
        application = client.fetch_token(token_url, grant_type="client_credentials")
        assert "refresh_token" not in application
        assert client.get(f"{base}/api/partner/cities", headers=VERSION).status_code == 200
    assert control.lint() == ["token-late"]


def test_requests_oauthlib(steered_sandbox: SteeredSandbox, plain_http: None) -> None:
    base = steered_sandbox.url
    token_url, control = f"{base}/api/open/oauth/token", steered_sandbox.control
    with OAuth2Session("demo-app", scope=SCOPE.split(), redirect_uri=CALLBACK) as session:
        session.trust_env = False
        url, _ = session.authorization_url(f"{base}/oauth/authorize/")
        token = session.fetch_token(
            token_url,
            authorization_response=control.approve(url),
            client_secret="demo-secret",
            include_client_id=True,
        )
        me = session.get(f"{base}/api/partner/users/me", headers=VERSION)
        assert me.json()["data"]["name"] == "Demo user"
        renewed = session.refresh_token(token_url, client_id="demo-app", client_secret="demo-secret")
        assert renewed["refresh_token"] != token["refresh_token"]
        assert session.get(f"{base}/api/partner/users/me", headers=VERSION).status_code == 200
    with OAuth2Session(client=BackendApplicationClient("machine-app")) as session:
        session.trust_env = False
        session.fetch_token(token_url, client_secret="machine-secret")
        assert session.get(f"{base}/api/partner/cities", headers=VERSION).status_code == 200
    assert control.lint() == []
