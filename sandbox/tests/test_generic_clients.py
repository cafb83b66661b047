"""Clients that are not ours against the OpenID provider: authlib in a web application, requests-oauthlib, and PyJWT."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import jwt
import pytest
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from requests_oauthlib import OAuth2Session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from oauth_sandbox.testing import RunningSandbox, running, serving

pytestmark = pytest.mark.servers

SCOPE = "openid profile email"
SignIn = Callable[[], httpx.Response]


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningSandbox]:
    with running(provider="generic") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(provider: RunningSandbox) -> RunningSandbox:
    provider.control.reset()
    return provider


@contextmanager
def application(sandbox: RunningSandbox, client_id: str, secret: str | None) -> Iterator[SignIn]:
    """Serve a web application that signs its users in with authlib, and yield a function that does so in a browser."""
    oauth = OAuth()
    oauth.register(
        "sandbox",
        client_id=client_id,
        client_secret=secret,
        server_metadata_url=f"{sandbox.url}/.well-known/openid-configuration",
        client_kwargs={"scope": SCOPE, "code_challenge_method": "S256", "trust_env": False},
    )

    async def login(request: Request) -> Response:
        answer: Response = await oauth.sandbox.authorize_redirect(request, str(request.url_for("callback")))
        return answer

    async def callback(request: Request) -> Response:
        try:
            token = await oauth.sandbox.authorize_access_token(request)
        except JoseError as error:
            return JSONResponse({"refused": repr(error)}, 403)
        info = await oauth.sandbox.userinfo(token=token)
        return JSONResponse({"claims": token["userinfo"], "info": info})

    app = Starlette(
        routes=[Route("/login", login), Route("/callback", callback)],
        middleware=[Middleware(SessionMiddleware, secret_key="of the test")],
    )
    with serving(app) as url, httpx.Client(trust_env=False) as browser:
        yield lambda: browser.get(sandbox.control.approve(browser.get(f"{url}/login").headers["location"]))


@pytest.mark.parametrize(("client_id", "secret"), [("web-app", "web-secret"), ("public-app", None)])
@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_authlib_in_a_web_application(
    sandbox: RunningSandbox, client_id: str, secret: str | None, algorithm: str
) -> None:
    sandbox.control.settings(openid={"id_token_algorithm": algorithm})
    with application(sandbox, client_id, secret) as sign_in:
        signed_in = sign_in().json()
        assert (signed_in["claims"]["sub"], signed_in["claims"]["aud"]) == ("1001", client_id)
        assert signed_in["info"]["email"] == "ada@example.com"
        assert sandbox.control.lint() == []


@pytest.mark.parametrize(
    ("flaw", "refusal"),
    [
        ("expired", "ExpiredTokenError"),
        ("issued-in-the-future", "issued in the future"),
        ("wrong-issuer", "Invalid claim: 'iss'"),
        ("several-audiences", "Invalid claim: 'azp'"),
        ("wrong-nonce", "Invalid claim: 'nonce'"),
        ("no-nonce", "Missing claim: 'nonce'"),
        ("wrong-at-hash", "Invalid claim: 'at_hash'"),
        ("unknown-kid", "No key for kid"),
        ("bad-signature", "BadSignatureError"),
        ("alg-none", "Algorithm of 'none' is not allowed"),
        ("hmac-with-public-key", "Algorithm of 'HS256' is not allowed"),
    ],
)
def test_authlib_refuses_an_id_token_for_its_one_flaw(sandbox: RunningSandbox, flaw: str, refusal: str) -> None:
    # Not among them is wrong-audience, which authlib takes: it looks at azp alone where there is one.
    with application(sandbox, "web-app", "web-secret") as sign_in:
        sandbox.control.fault("wrong-id-token", flaw=flaw)
        answer = sign_in()
        assert answer.status_code == 403
        assert refusal in answer.json()["refused"]
        assert sign_in().status_code == 200


def test_authlib_fetches_the_keys_again_after_a_rotation(sandbox: RunningSandbox) -> None:
    with application(sandbox, "web-app", "web-secret") as sign_in:
        assert sign_in().status_code == 200
        sandbox.control.settings(openid={"signing_key": 2})
        assert sign_in().status_code == 200


def test_requests_oauthlib_and_pyjwt(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    metadata = httpx.get(f"{sandbox.url}/.well-known/openid-configuration", trust_env=False).json()
    callback = "http://localhost:7000/callback"
    with OAuth2Session("web-app", scope=SCOPE.split(), redirect_uri=callback, pkce="S256") as session:
        session.trust_env = False
        url, _ = session.authorization_url(metadata["authorization_endpoint"], nonce="a-nonce-of-this-test")
        answer = sandbox.control.approve(url)
        token = session.fetch_token(
            metadata["token_endpoint"], authorization_response=answer, client_secret="web-secret", auth=None
        )
        assert session.get(metadata["userinfo_endpoint"]).json()["email"] == "ada@example.com"
        key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(token["id_token"])
        claims = jwt.decode(
            token["id_token"],
            key,
            algorithms=metadata["id_token_signing_alg_values_supported"],
            audience="web-app",
            issuer=metadata["issuer"],
        )
        assert claims["nonce"] == "a-nonce-of-this-test"
        renewed = session.refresh_token(metadata["token_endpoint"], auth=("web-app", "web-secret"))
        assert renewed["refresh_token"] != token["refresh_token"]
    assert sandbox.control.lint() == []
