"""The endpoints of the OpenID provider, with the errors of the standards and nobody's own."""

import hmac
import secrets

from oauth_sandbox import authorization_endpoint, token_endpoint
from oauth_sandbox.authorization_endpoint import ErrorPage, ErrorRedirect, with_parameters
from oauth_sandbox.behaviour import Pkce
from oauth_sandbox.clients import Client, GrantType
from oauth_sandbox.configuration import subject
from oauth_sandbox.consent import device_page, done_page
from oauth_sandbox.errors import (
    InactiveClient,
    InvalidClient,
    OAuthError,
    RedirectUriMismatch,
    challenge,
)
from oauth_sandbox.openid import device, keys, pushed, registration
from oauth_sandbox.openid.authorization import PROMPTS, approved
from oauth_sandbox.openid.claims import OPENID, id_token, user_claims
from oauth_sandbox.openid.refusal import Refusal
from oauth_sandbox.parameters import FORM, Parameters
from oauth_sandbox.paths import PATHS
from oauth_sandbox.provider import Sandbox, Tokens
from oauth_sandbox.request import Endpoint, IncomingRequest, bearer
from oauth_sandbox.response import Response
from oauth_sandbox.scope import parse, within
from oauth_sandbox.store import Issued, Kind

ADDRESSES = {
    "authorization_endpoint": Endpoint.AUTHORIZE,
    "token_endpoint": Endpoint.TOKEN,
    "userinfo_endpoint": Endpoint.USERINFO,
    "jwks_uri": Endpoint.JWKS,
    "revocation_endpoint": Endpoint.REVOKE,
    "introspection_endpoint": Endpoint.INTROSPECT,
    "end_session_endpoint": Endpoint.LOGOUT,
    "pushed_authorization_request_endpoint": Endpoint.PAR,
    "device_authorization_endpoint": Endpoint.DEVICE,
    "registration_endpoint": Endpoint.REGISTER,
}
"""The members of the metadata that are addresses (RFC 8414 §2, OpenID Connect Discovery §3)."""

SECRET_METHODS = ["client_secret_basic", "client_secret_post"]
CHALLENGE_METHODS = {Pkce.REQUIRED: ["S256"], Pkce.ENFORCED: ["S256", "plain"], Pkce.IGNORED: ["S256"]}


def discovery(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Return the metadata (OpenID Connect Discovery §3, RFC 8414 §2), which is the same document under both names."""
    _only(request, "GET", "HEAD")
    issuer = sandbox.issuer_at(request.origin)
    paths = PATHS[sandbox.configuration.api]
    users = sandbox.users.values()
    return Response.json(
        {
            "issuer": issuer,
            **{name: f"{issuer}{paths[endpoint]}" for name, endpoint in ADDRESSES.items()},
            "scopes_supported": list(sandbox.configuration.scopes),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [*GrantType, device.GRANT],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [sandbox.openid.id_token_algorithm],
            "claims_supported": list(dict.fromkeys(name for user in users for name in user_claims(user, ALL_SCOPES))),
            "token_endpoint_auth_methods_supported": [*SECRET_METHODS, "none"],
            "revocation_endpoint_auth_methods_supported": [*SECRET_METHODS, "none"],
            "introspection_endpoint_auth_methods_supported": SECRET_METHODS,
            "code_challenge_methods_supported": CHALLENGE_METHODS[sandbox.behaviour.pkce],
            "prompt_values_supported": PROMPTS,
            "authorization_response_iss_parameter_supported": True,
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        }
    )


def jwks(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Return the public keys (RFC 7517 §5)."""
    _only(request, "GET", "HEAD")
    return Response.json({"keys": keys.published(sandbox.openid)})


def token(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Issue tokens, with an id_token where the scope has openid (OpenID Connect Core §3.1.3). Raises ``Refusal``."""
    parameters = _form(request)
    try:
        if parameters.get("grant_type") == device.GRANT:
            tokens = _of_device(sandbox, request, parameters)
        else:
            tokens = token_endpoint.tokens(sandbox, parameters, request.headers.get("authorization"))
    except OAuthError as error:
        raise _refusal(error) from error
    members = token_endpoint.members(sandbox, tokens) | {"token_type": "Bearer"}
    issued = sandbox.live(Kind.ACCESS_TOKEN, tokens.access_token)
    if issued is not None and issued.user_id is not None and OPENID in issued.scope:
        first = parameters["grant_type"] == GrantType.AUTHORIZATION_CODE
        issuer = sandbox.issuer_at(request.origin)
        text = id_token(sandbox, issuer, issued, tokens.access_token, first=first, flaw=request.flaw)
        members |= {} if text is None else {"id_token": text}
    return Response.json(members)


def push(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Take an authorization request ahead of the browser (RFC 9126 §2). Raises ``Refusal``."""
    parameters = _form(request)
    client = _client(sandbox, request, parameters)
    if "request_uri" in parameters:
        raise Refusal(400, "invalid_request", "A pushed request has no request_uri")
    query = pushed.query_of(client, parameters)
    try:
        authorization_endpoint.examine(sandbox, query)
    except ErrorPage as refused:
        raise Refusal(400, "invalid_request", f"{refused.problem}. {refused.remedy}") from refused
    except ErrorRedirect as refused:
        raise Refusal(400, refused.error, refused.description) from refused
    reference = pushed.push(sandbox, client, query)
    return Response.json({"request_uri": reference, "expires_in": int(pushed.LIFETIME.total_seconds())}, 201)


def begin_on_device(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Begin the login of a device that has no browser (RFC 8628 §3.1). Raises ``Refusal``."""
    parameters = _form(request)
    client = _client(sandbox, request, parameters)
    scope = parse(parameters.get("scope", "")) or client.scopes
    if GrantType.AUTHORIZATION_CODE not in client.grants:  # whoever may ask a user may ask on a device
        raise Refusal(400, "unauthorized_client", "The client may not ask a user")
    if not within(scope, client.scopes):
        raise Refusal(400, "invalid_scope", "The scope requested is invalid for this client")
    code, begun = device.begin(sandbox, client.client_id, scope)
    page = f"{sandbox.issuer_at(request.origin)}{PATHS[sandbox.configuration.api][Endpoint.ACTIVATE]}"
    return Response.json(
        {
            "device_code": code,
            "user_code": begun.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={begun.user_code}",
            "expires_in": int(device.LIFETIME.total_seconds()),
            "interval": int(device.INTERVAL.total_seconds()),
        }
    )


def activate(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Show the page on which a user decides for a device, and take the decision (RFC 8628 §3.3)."""
    _only(request, "GET", "HEAD", "POST")
    form = request.readable if request.method == "POST" else {}
    code = form.get("user_code") or request.query_parameters.get("user_code", "")
    waiting = device.of_user_code(sandbox, code) if code else None
    if waiting is None:
        return device_page(code)
    if "decision" not in form:
        users = tuple(sandbox.users.values())
        return device_page(code, sandbox.client(waiting.client_id), sandbox.scope_in_words(waiting.scope), users)
    user_id = authorization_endpoint.approver(sandbox, form["decision"], form.get("user", ""))
    waiting.user_id = user_id or 0
    if user_id is not None:
        approved(sandbox, waiting.client_id, waiting.scope, user_id)
    return done_page("Done", "You can go back to the device.")


def register(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Register a client (RFC 7591 §3), or remove one that registered itself (RFC 7592 §2.3). Raises ``Refusal``."""
    _only(request, "POST", "DELETE")
    registrations = sandbox.logins.registrations
    if request.method == "DELETE":
        client_id = request.query_parameters.get("client_id", "")
        token, known = bearer(request.headers.get("authorization", "")) or "", registrations.get(client_id, "")
        if not (known and hmac.compare_digest(token.encode(), known.encode()) and sandbox.has_client(client_id)):
            raise _refused_token(401, "invalid_token", "The registration access token is not that of this client")
        del registrations[client_id]
        sandbox.remove_client(client_id)
        return Response(204)
    client, members = registration.register(sandbox, request.body)
    token = registrations[client.client_id] = secrets.token_urlsafe(32)
    page = f"{sandbox.issuer_at(request.origin)}{PATHS[sandbox.configuration.api][Endpoint.REGISTER]}"
    managed = {"registration_client_uri": f"{page}?client_id={client.client_id}", "registration_access_token": token}
    return Response.json({**members, **managed}, 201)


def _of_device(sandbox: Sandbox, request: IncomingRequest, parameters: Parameters) -> Tokens:
    """Return the tokens of a device whose user approved."""
    client = _client(sandbox, request, parameters)
    if "device_code" not in parameters:
        raise Refusal(400, "invalid_request", "The parameter device_code is required")
    ready = device.poll(sandbox, client.client_id, parameters["device_code"])
    return sandbox.issue_tokens(client.client_id, ready.scope, ready.user_id, family=sandbox.new_family())


def userinfo(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Return the claims about the user (OpenID Connect Core §5.3). Raises ``Refusal``."""
    _only(request, "GET", "HEAD", "POST")
    secret = bearer(request.headers.get("authorization", ""))
    if secret is None and request.method == "POST":
        secret = request.readable.get("access_token")  # RFC 6750 §2.2
    if not secret:
        raise Refusal(401, "", "No access token was sent", challenge())
    issued = sandbox.live(Kind.ACCESS_TOKEN, secret)
    if issued is None:
        raise _refused_token(401, "invalid_token", "The access token is unknown, expired or revoked")
    if issued.user_id is None or OPENID not in issued.scope:
        raise _refused_token(403, "insufficient_scope", "A token of a user with the scope openid is needed", OPENID)
    return Response.json(user_claims(sandbox.users[issued.user_id], issued.scope))


def revoke(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Revoke a token, and with a refresh token all that comes from its consent (RFC 7009 §2). Raises ``Refusal``."""
    parameters = _form(request)
    client = _client(sandbox, request, parameters)
    kind, issued = _token(sandbox, parameters)
    if issued is not None and issued.client_id != client.client_id:
        raise Refusal(400, "invalid_grant", "The token belongs to another client")
    if issued is not None:
        sandbox.revoke(kind, issued.serial)
        if kind is Kind.REFRESH_TOKEN:
            sandbox.revoke_family(issued.family)
    return Response(200)


def introspect(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Say what a token is worth to any client with a secret (RFC 7662 §2). Raises ``Refusal``."""
    parameters = _form(request)
    if _client(sandbox, request, parameters).is_public:
        raise _refusal(InvalidClient())
    kind, issued = _token(sandbox, parameters)
    if issued is None:
        return Response.json({"active": False})
    user = None if issued.user_id is None else sandbox.users[issued.user_id]
    return Response.json(
        {
            "active": True,
            "scope": " ".join(issued.scope),
            "client_id": issued.client_id,
            **({} if user is None else {"username": user["name"]}),
            **({"token_type": "Bearer"} if kind is Kind.ACCESS_TOKEN else {}),
            "exp": int(issued.expires_at.timestamp()),
            "iat": int(issued.issued_at.timestamp()),
            "sub": issued.client_id if user is None else subject(user),
            "iss": sandbox.issuer_at(request.origin),
        }
    )


def logout(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Sign the user out, and go back to the client (OpenID Connect RP-Initiated Logout §2). Raises ``Refusal``."""
    _only(request, "GET", "HEAD", "POST")
    parameters = request.readable if request.method == "POST" else request.query_parameters
    client_id = parameters.get("client_id", "")
    if hint := parameters.get("id_token_hint"):
        claims = keys.claims_of(hint)
        audience = None if claims is None else claims.get("aud")
        if not isinstance(audience, str) or client_id not in ("", audience):
            raise Refusal(400, "invalid_request", "The id_token_hint is not of this provider and this client")
        client_id = audience
    uri = parameters.get("post_logout_redirect_uri")
    if uri is not None and not (sandbox.has_client(client_id) and sandbox.client(client_id).may_redirect_to(uri)):
        problem = (
            "post_logout_redirect_uri must be a redirect URI of the client, which id_token_hint or client_id names"
        )
        raise Refusal(400, "invalid_request", problem)
    sandbox.logins.session = None
    if uri is not None:
        return Response.redirect(with_parameters(uri, {}, parameters.get("state")))
    return done_page("Signed out", "You can close this page.")


ALL_SCOPES = ("profile", "email", "address", "phone")


def _only(request: IncomingRequest, *methods: str) -> None:
    if request.method not in methods:
        allow = ", ".join(methods)
        raise Refusal(
            405, "invalid_request", f"This method is not supported here. Supported: {allow}", {"Allow": allow}
        )


def _form(request: IncomingRequest) -> Parameters:
    _only(request, "POST")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.opening and content_type != FORM:
        raise Refusal(400, "invalid_request", f"The body must be a form: send Content-Type {FORM}")
    try:
        return request.readable
    except OAuthError as error:
        raise _refusal(error) from error


def _client(sandbox: Sandbox, request: IncomingRequest, parameters: Parameters) -> Client:
    try:
        return token_endpoint.authenticated(sandbox, parameters, request.headers.get("authorization"))
    except OAuthError as error:
        raise _refusal(error) from error


def _token(sandbox: Sandbox, parameters: Parameters) -> tuple[Kind, Issued | None]:
    """Return what the parameter ``token`` stands for, of whatever kind it is, if it is live."""
    if "token" not in parameters:
        raise Refusal(400, "invalid_request", "The parameter token is required")
    access_token = sandbox.live(Kind.ACCESS_TOKEN, parameters["token"])
    if access_token is not None:
        return Kind.ACCESS_TOKEN, access_token
    return Kind.REFRESH_TOKEN, sandbox.live(Kind.REFRESH_TOKEN, parameters["token"])


def _refusal(error: OAuthError) -> Refusal:
    """Return an error of the partner API as the standards have it."""
    if isinstance(error, InvalidClient | InactiveClient):
        return Refusal(401, error.error, error.description, challenge("Basic"))
    code = "invalid_grant" if isinstance(error, RedirectUriMismatch) else error.error  # RFC 6749 §5.2
    return Refusal(error.status, code, error.description, error.headers)


def _refused_token(status: int, error: str, description: str, scope: str = "") -> Refusal:
    needed = {"scope": scope} if scope else {}
    return Refusal(status, error, description, challenge(error=error, error_description=description, **needed))
