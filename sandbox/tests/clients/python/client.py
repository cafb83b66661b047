"""Two OAuth clients for Python at the sandbox: ``client.py NAME URL...`` writes one line of JSON for each sandbox."""

import json
import os
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client
from requests_oauthlib import OAuth2Session

CALLBACK = "http://localhost:7000/callback"
SCOPE = "read write v2"
VERSION = {"Version": "2.0"}
Token = dict[str, Any]

LACKING: dict[str, Token] = {"scope_missing": {"scope": "read"}, "user_missing": {"user_id": None}}
HTTP = httpx.Client(trust_env=False)


class Client(Protocol):
    """What an application does with a client; ``api`` returns what an application of it would see."""

    def url(self, state: str, verifier: str) -> str: ...
    def exchange(self, callback: str, state: str, verifier: str) -> Token: ...
    def refresh(self, token: Token) -> Token: ...
    def api(self, token: Token, address: str) -> httpx.Response: ...


def challenge_of(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Authlib:
    def __init__(self, site: str, client_id: str, secret: str) -> None:
        self.site = site
        self.token_url = f"{site}/api/open/oauth/token"
        self.client = OAuth2Client(
            client_id, secret, scope=SCOPE, redirect_uri=CALLBACK, code_challenge_method="S256", trust_env=False
        )

    def url(self, state: str, verifier: str) -> str:
        url: str = self.client.create_authorization_url(
            f"{self.site}/oauth/authorize/", state=state, code_verifier=verifier
        )[0]
        return url

    def exchange(self, callback: str, state: str, verifier: str) -> Token:
        token: Token = self.client.fetch_token(
            self.token_url, authorization_response=callback, state=state, code_verifier=verifier
        )
        return token

    def refresh(self, token: Token) -> Token:
        new: Token = self.client.refresh_token(self.token_url, refresh_token=token["refresh_token"])
        return new

    def api(self, token: Token, address: str) -> Any:
        self.client.token = token
        # Not Authlib's own check of the expiry, which would refresh first.
        return self.client.get(address, headers=VERSION)


class RequestsOAuthlib:
    def __init__(self, site: str, client_id: str, secret: str) -> None:
        self.site = site
        self.token_url = f"{site}/api/open/oauth/token"
        self.credentials = (client_id, secret)
        self.session = OAuth2Session(client_id, scope=SCOPE.split(), redirect_uri=CALLBACK)
        self.session.trust_env = False

    def url(self, state: str, verifier: str) -> str:
        challenge = {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}
        return str(self.session.authorization_url(f"{self.site}/oauth/authorize/", state=state, **challenge)[0])

    def exchange(self, callback: str, state: str, verifier: str) -> Token:
        return dict(
            self.session.fetch_token(
                self.token_url,
                authorization_response=callback,
                client_secret=self.credentials[1],
                include_client_id=True,
                code_verifier=verifier,
            )
        )

    def refresh(self, token: Token) -> Token:
        client_id, secret = self.credentials
        return dict(
            self.session.refresh_token(
                self.token_url, token["refresh_token"], client_id=client_id, client_secret=secret
            )
        )

    def api(self, token: Token, address: str) -> Any:
        self.session.token = token
        return self.session.get(address, headers=VERSION)


CLIENTS: dict[str, Callable[[str, str, str], Client]] = {"authlib": Authlib, "requests-oauthlib": RequestsOAuthlib}


def control(site: str, path: str, body: Token, method: str = "POST") -> Token:
    response = HTTP.request(method, f"{site}/control/{path}", json=body).raise_for_status()
    answer: Token = response.json()
    return answer


def outcomes(make: Callable[[str, str, str], Client], site: str) -> dict[str, str]:
    """Take a client through everything that a setting may decide."""
    client = make(site, "demo-app", "demo-secret")
    result: dict[str, str] = {}

    def step(name: str, action: Callable[[], Any]) -> Any:
        try:
            value = action()
        except Exception as error:  # noqa: BLE001 - what it is belongs to the outcome
            result[name] = (getattr(error, "description", "") or str(error)).splitlines()[0]
            return {}
        result[name] = "ok" if value is None or isinstance(value, dict) else str(value)
        return value

    def api(token: Token) -> None:
        response = client.api(token, f"{site}/api/partner/users/me")
        if response.status_code != 200:
            raise ValueError(f"API: {response.status_code}")
        assert response.json()["data"]["name"] == "Demo user"

    def approved(state: str, verifier: str) -> str:
        return str(control(site, "consent", {"url": client.url(state, verifier), "decision": "approve"})["location"])

    state, verifier = generate_token(32), generate_token(48)
    callback = approved(state, verifier)
    token = step("sign_in", lambda: client.exchange(callback, state, verifier))
    if result["sign_in"] != "ok":
        return result
    step("expires_in", lambda: round(token["expires_at"] - time.time()))
    step("scope", lambda: token["scope"] if isinstance(token["scope"], str) else " ".join(token["scope"]))
    step("api", lambda: api(token))
    newer = step("refresh", lambda: client.refresh(token))
    step("api_after_refresh", lambda: api(newer))
    result["findings"] = " ".join(finding["rule"] for finding in HTTP.get(f"{site}/control/lint").json())
    step("older_access_token", lambda: api(token))
    step("older_refresh_token", lambda: client.refresh(token))
    step("api_after_reuse", lambda: api(newer))

    another = approved(state, verifier)
    others = client.exchange(another, state, verifier)
    step("code_again", lambda: client.exchange(another, state, verifier))
    step("api_after_code_again", lambda: api(others))
    unproven = approved(state, verifier)
    step("wrong_verifier", lambda: client.exchange(unproven, state, generate_token(48)))

    code = control(site, "codes", {"client_id": "inactive-app", "redirect_uri": CALLBACK})["secret"]
    answer = f"{CALLBACK}?{urlencode({'code': code, 'state': state})}"
    inactive = make(site, "inactive-app", "inactive-secret")
    step("inactive_client", lambda: inactive.exchange(answer, state, verifier))
    for name, lacking in LACKING.items():
        secret = control(site, "access-tokens", {"client_id": "demo-app"} | lacking)["secret"]
        step(name, partial(api, {"access_token": secret, "token_type": "Bearer"}))
    last = approved(state, verifier)
    expired = client.exchange(last, state, verifier)
    control(site, "clock/move", {"seconds": 86_400})
    step("expired_access_token", lambda: api(expired))
    control(site, "settings", {"request_limit": {"requests": 1}}, "PATCH")
    client.api(expired, f"{site}/api/partner/users/me")
    step("too_many_requests", lambda: client.refresh(expired))
    return result


if __name__ == "__main__":
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    for site in sys.argv[2:]:
        print(json.dumps(outcomes(CLIENTS[sys.argv[1]], site)))
