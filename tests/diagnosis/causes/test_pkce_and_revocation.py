"""What the sandbox has not got: PKCE and revocation, at a small server with texts of its own, over HTTP."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from oauth import flow as flows
from oauth.catalogue.explain import Explanation, explain
from oauth.diagnosis import Diagnosis, diagnose
from oauth.exchange import Exchange, Step
from oauth.flow import pkce
from oauth.providers import BodyFormat, Lifetimes, Pkce, Provider
from oauth_sandbox.testing import RunningSandbox, serving
from tests.diagnosis.harness import Site, Walk, cause, setting, text, verdict

VERIFIER = "a-verifier-of-this-flow-that-is-long-enough-to-be-one"


@dataclass
class Server:
    """RFC 7636 §4.6 and RFC 7009, with codes and refresh tokens of one use, and an API that takes no token at all."""

    challenges: dict[str, str] = field(default_factory=dict)
    refresh_tokens: set[str] = field(default_factory=set)

    async def authorize(self, request: Request) -> Response:
        code = secrets.token_hex(20)
        self.challenges[code] = request.query_params.get("code_challenge", "")
        back = urlencode({"code": code, "state": request.query_params["state"]})
        return RedirectResponse(f"{request.query_params['redirect_uri']}?{back}", 302)

    async def token(self, request: Request) -> Response:
        asked = await self._form(request)
        if asked["grant_type"] == "refresh_token":
            good = asked["refresh_token"] in self.refresh_tokens
            self.refresh_tokens.discard(asked["refresh_token"])
        else:
            verifier = asked.get("code_verifier", "")
            made = pkce.challenge(verifier, Pkce.S256) if verifier else ""
            good = self.challenges.pop(asked["code"], None) == made
        if not good:
            return JSONResponse({"error": "invalid_grant", "error_description": "Not this one"}, 400)
        tokens = {"access_token": secrets.token_hex(20), "refresh_token": secrets.token_hex(20)}
        self.refresh_tokens.add(tokens["refresh_token"])
        return JSONResponse(tokens | {"token_type": "bearer", "expires_in": 3600, "scope": "read write v2"})

    async def revoke(self, request: Request) -> Response:
        self.refresh_tokens.discard((await self._form(request))["token"])
        return Response()

    async def me(self, _request: Request) -> Response:
        challenge = 'Bearer error="invalid_token", error_description="Not this one"'
        return Response(status_code=401, headers={"WWW-Authenticate": challenge})

    async def _form(self, request: Request) -> dict[str, str]:
        return dict(parse_qsl((await request.body()).decode()))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = Server()
    routes = [
        Route("/authorize", server.authorize, methods=["GET", "POST"]),
        Route("/token", server.token, methods=["POST"]),
        Route("/revoke", server.revoke, methods=["POST"]),
        Route("/api/me", server.me),
    ]
    with serving(Starlette(routes=routes)) as url:
        yield url


@pytest.fixture
def walk(new_walk: Callable[..., Walk], address: str, sandbox: RunningSandbox) -> Walk:
    profile = Provider(
        "own-texts",
        "A server with texts of its own",
        authorization_endpoint=f"{address}/authorize",
        token_endpoint=f"{address}/token",
        revocation_endpoint=f"{address}/revoke",
        api=f"{address}/api",
        scope="read write v2",
    )
    walk = new_walk("an-app", "the-secret-of-an-app", at=Site(sandbox, profile))
    walk.vault.add("code_verifier", VERIFIER)
    walk.flow = replace(walk.flow, pkce=Pkce.S256, verifier=VERIFIER)
    return walk


def exchanged(walk: Walk, **fields: str | None) -> Exchange:
    return walk.token(setting(**fields), body=BodyFormat.FORM)


def step_of_fix(diagnosis: Diagnosis) -> Step | None:
    fix = cause(diagnosis, "access_token.revoked").fix
    return fix.step if fix is not None else None


def explained(exchange: Exchange) -> Explanation:
    explanation = explain(exchange)
    assert explanation is not None
    return explanation


def revoke(walk: Walk, kind: str) -> Exchange:
    fields = flows.presented_token_fields(walk.flow, kind)
    return walk.beside(Step.REVOKE, flows.form_request(walk.provider.revocation_endpoint, fields))


@pytest.mark.proves("invalid_grant", "pkce.verifier_missing")
@pytest.mark.rules_out("invalid_grant", "pkce.not_asked")
def test_missing_verifier_is_diagnosed(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(exchanged(walk, code_verifier=None))
    missing = cause(diagnosis, "pkce.verifier_missing")
    assert "code_verifier is not in the token request" in text(missing)
    assert missing.fix is not None
    assert walk.vault.resolve(str(missing.fix.changes[0].after)) == VERIFIER


@pytest.mark.proves("invalid_grant", "pkce.verifier_differs")
@pytest.mark.rules_out("invalid_grant", "pkce.verifier_missing", "pkce.not_asked")
def test_verifier_of_another_flow_is_diagnosed(walk: Walk) -> None:
    walk.authorize()
    diagnosis = walk.diagnosed(exchanged(walk, code_verifier=VERIFIER[::-1]))
    assert VERIFIER[::-1] not in repr(diagnosis)
    assert "differs from the code_challenge of the authorization" in text(cause(diagnosis, "pkce.verifier_differs"))


@pytest.mark.finds_likely("invalid_grant", "pkce.not_asked")
def test_verifier_without_a_challenge_is_diagnosed(walk: Walk) -> None:
    walk.authorize(setting(code_challenge=None, code_challenge_method=None))
    diagnosis = walk.diagnosed(exchanged(walk))
    assert "The authorization request had no code_challenge" in text(cause(diagnosis, "pkce.not_asked"))
    assert verdict(diagnosis, "pkce.verifier_missing") == "ruled out"


@pytest.mark.proves("invalid_grant", "code.used")
@pytest.mark.rules_out("invalid_grant", "pkce.verifier_differs")
def test_right_verifier_with_a_spent_code_is_ruled_out(walk: Walk) -> None:
    walk.authorize()
    exchanged(walk)
    diagnosis = cause(walk.diagnosed(exchanged(walk)), "pkce.verifier_differs")
    assert "The S256 challenge of the verifier matches" in text(diagnosis)


@pytest.mark.proves("invalid_token", "access_token.revoked")
def test_revoked_access_token_is_proven(walk: Walk) -> None:
    walk.authorize()
    exchanged(walk)
    row = revoke(walk, "access_token")
    diagnosis = walk.diagnosed(walk.call(path="/me"))
    revoked = cause(diagnosis, "access_token.revoked")
    assert revoked.evidence[0].row == row.id
    assert f"It was revoked before: row {row.id}" in text(revoked)
    assert revoked.fix is not None
    assert (revoked.fix.title, revoked.fix.step) == ("Refresh the access token", Step.REFRESH)


def test_refresh_is_not_offered_with_a_revoked_or_expired_refresh_token(walk: Walk) -> None:
    walk.authorize()
    exchanged(walk)
    revoke(walk, "access_token")
    call = walk.call(path="/me")
    walk.provider = replace(walk.provider, lifetimes=Lifetimes(refresh_token=60))
    walk.flow = replace(walk.flow, provider=walk.provider)
    later = diagnose(
        call, explained(call), flow=walk.flow, past=walk.past, vault=walk.vault, now=walk.now + timedelta(seconds=61)
    )
    assert step_of_fix(later) is Step.AUTHORIZE
    assert step_of_fix(walk.diagnosed(call)) is Step.REFRESH
    revoke(walk, "refresh_token")
    assert step_of_fix(walk.diagnosed(walk.call(path="/me"))) is Step.AUTHORIZE


@pytest.mark.rules_out("invalid_token", "access_token.revoked")
def test_access_token_refused_for_another_reason_was_not_revoked(walk: Walk) -> None:
    walk.authorize()
    exchanged(walk)
    diagnosis = walk.diagnosed(walk.call(path="/me"))
    assert "No revocation of it" in text(cause(diagnosis, "access_token.revoked"))


@pytest.mark.proves("invalid_grant", "refresh_token.revoked")
def test_revoked_refresh_token_is_proven(walk: Walk) -> None:
    walk.authorize()
    exchanged(walk)
    row = revoke(walk, "refresh_token")
    diagnosis = walk.diagnosed(walk.token(grant=flows.Grant.REFRESH_TOKEN, body=BodyFormat.FORM))
    assert cause(diagnosis, "refresh_token.revoked").evidence[0].row == row.id
    assert verdict(diagnosis, "refresh_token.replaced") == "ruled out"


@pytest.mark.proves("invalid_grant", "refresh_token.replaced")
@pytest.mark.rules_out("invalid_grant", "refresh_token.revoked")
def test_replaced_refresh_token_was_not_revoked(walk: Walk) -> None:
    walk.authorize()
    exchanged(walk)
    assert walk.flow.tokens is not None
    old = walk.flow.tokens.refresh_token
    walk.token(grant=flows.Grant.REFRESH_TOKEN, body=BodyFormat.FORM)
    again = setting(refresh_token=old)
    diagnosis = walk.diagnosed(walk.token(again, grant=flows.Grant.REFRESH_TOKEN, body=BodyFormat.FORM))
    assert "No revocation of it" in text(cause(diagnosis, "refresh_token.revoked"))
