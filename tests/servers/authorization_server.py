"""A small, strict authorization server with PAR, PKCE, DPoP, device grant, assertions, signed tokens and registration.

It shares no code with the console: proofs and assertions are checked with joserfc. It approves every request.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import unquote_plus, urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class OAuthError(Exception):
    """An error response of the server."""

    def __init__(self, error: str, status: int = 400, **headers: str) -> None:
        super().__init__(error)
        self.error, self.status, self.headers = error, status, headers


@dataclass
class Server:
    """The server's state and the settings that a test may change.

    ``received`` has the path and form of each request, ``proofs`` the DPoP headers, ``registered`` the metadata of the
    registered client, which replaces the first. With ``initial_token`` only its bearer may register one.
    """

    client_id: str = "app"
    secret: str = "the-secret-of-the-app"
    client_key: Mapping[str, Any] | None = None
    demands_nonce: bool = False
    answers_as: str = ""
    opaque: bool = True
    polls: list[str] = field(default_factory=list)
    initial_token: str = ""
    registered: dict[str, Any] = field(default_factory=dict)
    registration_token: str = "registration-token-0123456789"
    methods: tuple[str, ...] = ("client_secret_basic", "client_secret_post")
    change_id_token: Callable[[dict[str, Any]], dict[str, Any]] = dict
    signing: Key = field(default_factory=lambda: RSAKey.generate_key(2048, parameters={"kid": "server-key"}))
    published: list[Any] = field(default_factory=list)
    received: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)
    nonce: str = "server-nonce-0123456789"
    issuer: str = ""
    _pending: dict[str, dict[str, str]] = field(default_factory=dict)
    _tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    _used_ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.published.append(self.signing.as_dict(private=False))

    def app(self) -> Starlette:
        """Return the application with its endpoints at the root."""
        forms = {
            "/par": self._par, "/token": self._token, "/device": self._device, "/revoke": self._revoke,
            "/introspect": self._introspect,
        }  # fmt: skip
        return Starlette(
            routes=[
                Route("/authorize", self._authorize),
                Route("/jwks", lambda _: JSONResponse({"keys": self.published})),
                Route("/userinfo", self._resource),
                Route("/.well-known/oauth-authorization-server", lambda _: JSONResponse(self.metadata())),
                Route("/.well-known/oauth-protected-resource/userinfo", self._resource_metadata),
                Route("/register", self._register, methods=["POST"]),
                Route("/register/{client}", self._unregister, methods=["DELETE"]),
                *(Route(path, self._form_endpoint(path, handler), methods=["POST"]) for path, handler in forms.items()),
            ]
        )

    def profile(self) -> str:
        """Return the profile of this server as TOML."""
        return "\n".join(
            [
                'name = "Everything"',
                f'issuer = "{self.issuer}"',
                f'authorization_endpoint = "{self.issuer}/authorize"',
                f'token_endpoint = "{self.issuer}/token"',
                f'pushed_authorization_request_endpoint = "{self.issuer}/par"',
                f'device_authorization_endpoint = "{self.issuer}/device"',
                f'revocation_endpoint = "{self.issuer}/revoke"',
                f'introspection_endpoint = "{self.issuer}/introspect"',
                f'userinfo_endpoint = "{self.issuer}/userinfo"',
                f'jwks_uri = "{self.issuer}/jwks"',
                f'api = "{self.issuer}/userinfo"',
                'scope = "openid email"',
                'token_body = "form"',
                'client_authentication = "client_secret_basic"',
                'pkce = "S256"',
            ]
        )

    def metadata(self) -> dict[str, Any]:
        """Return the metadata document (RFC 8414 §2)."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "revocation_endpoint": f"{self.issuer}/revoke",
            "introspection_endpoint": f"{self.issuer}/introspect",
            "registration_endpoint": f"{self.issuer}/register",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": list(self.methods),
        }

    # Endpoints

    def _resource_metadata(self, _: Request) -> Response:
        document = {"resource": f"{self.issuer}/userinfo", "authorization_servers": [self.issuer]}
        return JSONResponse(document | {"scopes_supported": ["read", "write"]})

    async def _register(self, request: Request) -> Response:
        if self.initial_token and request.headers.get("Authorization") != f"Bearer {self.initial_token}":
            return JSONResponse({"error": "invalid_token"}, 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        wanted = await request.json()
        if not all(isinstance(wanted.get(name), list) for name in ("redirect_uris", "grant_types", "response_types")):
            return JSONResponse({"error": "invalid_client_metadata"}, 400)
        if any("#" in uri for uri in wanted["redirect_uris"]):
            return JSONResponse({"error": "invalid_redirect_uri"}, 400)
        self.client_id, self.secret = f"registered-{secrets.token_hex(4)}", secrets.token_urlsafe(24)
        self.registered = wanted | {"client_id": self.client_id, "client_secret_expires_at": 0}
        if wanted.get("token_endpoint_auth_method") == "none":
            self.secret = ""
        else:
            self.registered["client_secret"] = self.secret
        self.registered |= {
            "registration_client_uri": f"{self.issuer}/register/{self.client_id}",
            "registration_access_token": self.registration_token,
        }
        return JSONResponse(self.registered, 201)

    def _unregister(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self.registration_token}":
            return JSONResponse({"error": "invalid_token"}, 401)
        self.registered = {}
        return Response(status_code=204)

    def _form_endpoint(
        self, path: str, handler: Callable[[Request, dict[str, str]], Response]
    ) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            form = {name: str(value) for name, value in (await request.form()).items()}
            self.received.append((path, form))
            try:
                self._authenticate(request, form)
                return handler(request, form)
            except OAuthError as error:
                return JSONResponse({"error": error.error}, error.status, error.headers)

        return endpoint

    def _authorize(self, request: Request) -> Response:
        parameters = dict(request.query_params)
        if "request_uri" in parameters:
            parameters = self._pending.pop(parameters["request_uri"])
        code = secrets.token_urlsafe(24)
        self._pending[code] = parameters
        response = {"code": code, "state": parameters["state"], "iss": self.answers_as or self.issuer}
        match parameters.get("response_mode", "query"):
            case "form_post":
                fields = "".join(f'<input name="{n}" value="{escape(v)}">' for n, v in response.items())
                return HTMLResponse(
                    f'<form method="post" action="{escape(parameters["redirect_uri"])}">{fields}</form>'
                )
            case "fragment":
                return RedirectResponse(f"{parameters['redirect_uri']}#{urlencode(response)}", 302)
            case _:
                return RedirectResponse(f"{parameters['redirect_uri']}?{urlencode(response)}", 302)

    def _par(self, _: Request, form: dict[str, str]) -> Response:
        if "request_uri" in form:
            raise OAuthError("invalid_request")
        reference = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(24)}"
        self._pending[reference] = form
        return JSONResponse({"request_uri": reference, "expires_in": 60}, 201)

    def _device(self, _: Request, form: dict[str, str]) -> Response:
        code = secrets.token_urlsafe(24)
        self._pending[code] = form
        activation = f"{self.issuer}/activate"
        return JSONResponse(
            {
                "device_code": code,
                "user_code": "WDJB-MJHT",
                "verification_uri": activation,
                "verification_uri_complete": f"{activation}?user_code=WDJB-MJHT",
                "expires_in": 600,
                "interval": 5,
            }
        )

    def _token(self, request: Request, form: dict[str, str]) -> Response:
        thumbprint = self._proof(request) if request.headers.get("DPoP") else ""
        authorization: dict[str, str] = {}
        match form.get("grant_type"):
            case "authorization_code":
                authorization = self._pending.get(form.get("code", ""), {})
                same_redirect = authorization.get("redirect_uri", "") == form.get("redirect_uri")
                if not authorization or not same_redirect or not _verifier_matches(authorization, form):
                    raise OAuthError("invalid_grant")
                del self._pending[form["code"]]
            case grant if grant == DEVICE:
                if form.get("device_code") not in self._pending:
                    raise OAuthError("invalid_grant")
                if error := self.polls.pop(0) if self.polls else "":
                    raise OAuthError(error)
            case "refresh_token":
                if form.get("refresh_token") not in self._tokens:
                    raise OAuthError("invalid_grant")
            case _:
                raise OAuthError("unsupported_grant_type")
        return JSONResponse(self._issue(authorization.get("nonce", ""), thumbprint))

    def _issue(self, nonce: str, thumbprint: str) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "7", "exp": now + 600, "iat": now}
        bound = {"cnf": {"jkt": thumbprint}} if thumbprint else {}
        access = secrets.token_urlsafe(24) if self.opaque else self._sign(claims | bound)
        refresh = secrets.token_urlsafe(24)
        self._tokens |= {access: claims | bound, refresh: claims}
        digest = hashlib.sha256(access.encode()).digest()[:16]
        id_token = claims | {"aud": self.client_id, "at_hash": _base64(digest)} | ({"nonce": nonce} if nonce else {})
        return {
            "access_token": access,
            "refresh_token": refresh,
            "id_token": self._sign(self.change_id_token(id_token)),
            "expires_in": 600,
            "scope": "openid",
            "token_type": "DPoP" if thumbprint else "Bearer",
        }

    def _sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "server-key"}, claims, self.signing)

    def _revoke(self, _: Request, form: dict[str, str]) -> Response:
        self._tokens.pop(form["token"], None)
        return Response(status_code=200)

    def _introspect(self, _: Request, form: dict[str, str]) -> Response:
        claims = self._tokens.get(form["token"])
        return JSONResponse({"active": True} | claims if claims else {"active": False})

    def _resource(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        self.received.append((request.url.path, {"scheme": scheme, "proof": request.headers.get("DPoP", "")}))
        try:
            claims = self._tokens.get(token)
            if claims is None:
                raise OAuthError("invalid_token", 401)
            if "cnf" in claims and (scheme != "DPoP" or self._proof(request, token) != claims["cnf"]["jkt"]):
                raise OAuthError("invalid_dpop_proof", 401)
        except OAuthError as error:
            metadata = f"{self.issuer}/.well-known/oauth-protected-resource/userinfo"
            challenge = {"WWW-Authenticate": f'DPoP error="{error.error}", resource_metadata="{metadata}"'}
            return JSONResponse({"error": error.error}, error.status, challenge | error.headers)
        return JSONResponse({"sub": "7", "email": "seven@example.com"})

    # Client authentication and proofs

    def _authenticate(self, request: Request, form: dict[str, str]) -> None:
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            pair = base64.b64decode(encoded).decode().partition(":")
            authenticated = (unquote_plus(pair[0]), unquote_plus(pair[2])) == (self.client_id, self.secret)
            authenticated = authenticated and "client_secret" not in form
        elif "client_assertion" in form:
            authenticated = form.get("client_assertion_type") == ASSERTION and self._is_valid_assertion(
                form["client_assertion"]
            )
        else:
            authenticated = form.get("client_id") == self.client_id and form.get("client_secret", "") == self.secret
        if not authenticated:
            raise OAuthError("invalid_client", 401)

    def _is_valid_assertion(self, assertion: str) -> bool:
        if self.client_key is None:
            return False
        try:
            claims = jwt.decode(assertion, JWKRegistry.import_key(dict(self.client_key)), algorithms=["ES256"]).claims
        except JoseError:
            return False
        fresh = claims["jti"] not in self._used_ids
        self._used_ids.add(claims["jti"])
        right_parties = claims["iss"] == claims["sub"] == self.client_id and claims["aud"] == self.issuer
        return fresh and right_parties and claims["exp"] > time.time()

    def _proof(self, request: Request, token: str = "") -> str:
        """Return the thumbprint of the key that signed the proof of this request (RFC 9449 §4.3)."""
        proof = request.headers.get("DPoP", "")
        self.proofs.append(proof)
        try:
            part = proof.split(".")[0]
            header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            key = JWKRegistry.import_key(header["jwk"])
            claims = jwt.decode(proof, key, algorithms=["ES256"]).claims
        except (JoseError, ValueError, KeyError) as error:
            raise OAuthError("invalid_dpop_proof") from error
        here = f"{self.issuer}{request.url.path}"
        valid = header["typ"] == "dpop+jwt" and claims["htm"] == request.method and claims["htu"] == here
        valid = valid and claims["jti"] not in self._used_ids and abs(claims["iat"] - time.time()) < 60
        if token:
            valid = valid and claims.get("ath") == _base64(hashlib.sha256(token.encode()).digest())
        self._used_ids.add(claims["jti"])
        if not valid or key.is_private:
            raise OAuthError("invalid_dpop_proof")
        if self.demands_nonce and claims.get("nonce") != self.nonce:
            raise OAuthError("use_dpop_nonce", 401 if token else 400, **{"DPoP-Nonce": self.nonce})
        return key.thumbprint()


def _verifier_matches(authorization: dict[str, str], form: dict[str, str]) -> bool:
    """Compare verifier and challenge (RFC 7636 §4.6)."""
    challenge, verifier = authorization.get("code_challenge", ""), form.get("code_verifier", "")
    if authorization.get("code_challenge_method") == "S256":
        return _base64(hashlib.sha256(verifier.encode()).digest()) == challenge
    return verifier == challenge


def _base64(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
