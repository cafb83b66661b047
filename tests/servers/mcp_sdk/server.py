"""The authorization server of the ``mcp`` SDK, with a login page and an API that names its metadata.

``python server.py`` reads PORT, REDIRECT_URI and CODE_SECONDS from the environment.
"""

import os
import secrets
import time
from urllib.parse import parse_qsl

import uvicorn
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend, RequireAuthMiddleware
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    ProviderTokenVerifier,
    RefreshToken,
    construct_redirect_uri,
)
from mcp.server.auth.routes import (
    build_resource_metadata_url,
    create_auth_routes,
    create_protected_resource_routes,
)
from mcp.server.auth.settings import ClientRegistrationOptions, RevocationOptions
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyHttpUrl, AnyUrl
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

PORT = int(os.environ["PORT"])
ISSUER = AnyHttpUrl(f"http://127.0.0.1:{PORT}")
API = AnyHttpUrl(f"http://127.0.0.1:{PORT}/api/notes")
SCOPES = ["notes", "admin"]
TOKEN_SECONDS = {"short-app": 1}


class Provider:
    """Clients, codes and tokens in memory, as an ``OAuthAuthorizationServerProvider``. Tokens are revoked in pairs."""

    def __init__(self) -> None:
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self.waiting: dict[str, tuple[str, AuthorizationParams]] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.access: dict[str, AccessToken] = {}
        self.refresh: dict[str, RefreshToken] = {}
        self.pairs: dict[str, str] = {}

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self.clients[client_info.client_id or ""] = client_info

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        ticket = secrets.token_urlsafe(24)
        self.waiting[ticket] = (client.client_id or "", params)
        return f"{str(ISSUER).rstrip('/')}/login?ticket={ticket}"

    def decide(self, ticket: str, is_allowed: bool) -> str:
        """Return the address that takes the browser back to the client."""
        client_id, params = self.waiting.pop(ticket)
        if not is_allowed:
            return str(construct_redirect_uri(str(params.redirect_uri), error="access_denied", state=params.state))
        code = secrets.token_urlsafe(24)
        self.codes[code] = AuthorizationCode(
            code=code, scopes=params.scopes or SCOPES[:1], expires_at=time.time() + 300, client_id=client_id,
            code_challenge=params.code_challenge, redirect_uri=params.redirect_uri, resource=params.resource,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly, subject="demo",
        )  # fmt: skip
        return str(construct_redirect_uri(str(params.redirect_uri), code=code, state=params.state))

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        del self.codes[authorization_code.code]
        return self.issue(authorization_code.client_id, authorization_code.scopes, authorization_code.resource)

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        return self.refresh.get(refresh_token)

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        await self.revoke_token(refresh_token)
        return self.issue(refresh_token.client_id, scopes, refresh_token.resource)

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.access.get(token)

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        other = self.pairs.pop(token.token, "")
        self.pairs.pop(other, None)
        for one in (token.token, other):
            self.access.pop(one, None)
            self.refresh.pop(one, None)

    def issue(self, client_id: str, scopes: list[str], resource: str | None) -> OAuthToken:
        """Return a new pair of tokens."""
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        seconds = TOKEN_SECONDS.get(client_id, 600)
        self.access[access] = AccessToken(
            token=access, client_id=client_id, scopes=scopes, expires_at=int(time.time()) + seconds, resource=resource,
            subject="demo",
        )  # fmt: skip
        self.refresh[refresh] = RefreshToken(token=refresh, client_id=client_id, scopes=scopes, resource=resource)
        self.pairs |= {access: refresh, refresh: access}
        return OAuthToken(
            access_token=access, token_type="Bearer", expires_in=seconds, scope=" ".join(scopes), refresh_token=refresh
        )


provider = Provider()
sessions: set[str] = set()


async def login(request: Request) -> Response:
    """Ask for the user's name and password, then for consent."""
    ticket = request.query_params.get("ticket", "")
    form = dict(parse_qsl((await request.body()).decode()))
    if ticket not in provider.waiting:
        return HTMLResponse("<h1>This login page is too old</h1>", 400)
    if form.get("password") == "demo-password":
        session = secrets.token_hex(12)
        sessions.add(session)
        response = RedirectResponse(str(request.url), 302)
        response.set_cookie("session", session)
        return response
    if request.cookies.get("session") not in sessions:
        fields = '<input name="username"><input name="password" type="password"><button name="login">Log in</button>'
        return HTMLResponse(f'<h1>Log in</h1><form method="post">{fields}</form>')
    if "allowed" in form:
        return RedirectResponse(provider.decide(ticket, form["allowed"] == "true"), 302)
    buttons = '<button name="allowed" value="true">Allow</button><button name="allowed" value="false">Deny</button>'
    return HTMLResponse(f'<h1>Allow access?</h1><form method="post">{buttons}</form>')


async def notes(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the notes of the user."""
    await JSONResponse([{"id": 1, "text": "Buy milk"}])(scope, receive, send)


def populate() -> None:
    """Create a client for each method of authentication."""
    for client_id, method, scope in (
        ("web-app", "client_secret_post", "notes admin"),
        ("other-app", "client_secret_post", "notes admin"),
        ("short-app", "client_secret_post", "notes admin"),
        ("limited-app", "client_secret_post", "notes"),
        ("basic-app", "client_secret_basic", "notes admin"),
        ("public-app", "none", "notes admin"),
    ):
        provider.clients[client_id] = OAuthClientInformationFull(
            client_id=client_id,
            client_secret=None if method == "none" else f"{client_id}-secret-0123456789",
            token_endpoint_auth_method=method,
            redirect_uris=[AnyUrl(os.environ["REDIRECT_URI"])],
            scope=scope,
            grant_types=["authorization_code"]
            if client_id == "limited-app"
            else ["authorization_code", "refresh_token"],
        )


verifier = ProviderTokenVerifier(provider)
guarded = RequireAuthMiddleware(notes, ["notes"], build_resource_metadata_url(API))
admin = RequireAuthMiddleware(notes, ["admin"], build_resource_metadata_url(API))
app = Starlette(
    routes=[
        *create_auth_routes(
            provider,
            ISSUER,
            client_registration_options=ClientRegistrationOptions(
                enabled=True, valid_scopes=SCOPES, default_scopes=SCOPES
            ),
            revocation_options=RevocationOptions(enabled=True),
        ),
        *create_protected_resource_routes(API, [ISSUER], SCOPES, "Notes"),
        Route("/login", login, methods=["GET", "POST"]),
        Route("/api/notes", guarded),
        Route("/api/admin", admin),
    ],
    middleware=[Middleware(AuthenticationMiddleware, backend=BearerAuthBackend(verifier))],
)

if __name__ == "__main__":
    populate()
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
