"""The authorization endpoint (RFC 6749 §3.1 and §4.1): from the request through the user's decision to the redirect."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from oauth_sandbox.behaviour import Pkce
from oauth_sandbox.clients import Client, GrantType
from oauth_sandbox.configuration import Api
from oauth_sandbox.openid import authorization as openid
from oauth_sandbox.openid import pushed
from oauth_sandbox.parameters import from_query
from oauth_sandbox.pkce import METHODS, is_challenge
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.scope import Scope, parse, within


class ErrorPage(Exception):
    """A request that must not be redirected, because its target is not trusted (RFC 6749 §4.1.2.1).

    ``value`` is the offending value, ``remedy`` what to do.
    """

    def __init__(self, problem: str, value: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.value = value
        self.remedy = remedy


class ErrorRedirect(Exception):
    """A request refused by a redirect to the client, with the error in ``location``."""

    def __init__(self, location: str, error: str, description: str) -> None:
        super().__init__("refused by redirect")
        self.location = location
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A valid request that waits for the user's decision.

    ``issuer`` goes into the response (RFC 9207) unless it is empty, and ``wish`` is for an OpenID provider.
    """

    client: Client
    redirect_uri: str
    redirect_uri_sent: bool
    scope: Scope
    state: str | None
    code_challenge: str = ""
    issuer: str = ""
    wish: openid.Wish | None = None


def examine(sandbox: Sandbox, query: str, issuer: str = "") -> AuthorizationRequest:
    """Read and check the query of an authorization request.

    Raises ``ErrorPage`` for a bad client or redirect URI, then ``ErrorRedirect`` for a repeated parameter, a response
    type other than ``code``, a client without this grant, a scope outside the client's, a challenge of PKCE that is
    missing or of a method that is not allowed, or what an OpenID provider refuses, in that order. Without a ``scope``
    the request is for all of the client's scopes.
    """
    is_openid = sandbox.configuration.api is Api.GENERIC
    reference = pushed.reference_in(query) if is_openid else ""
    if reference and (whole := pushed.resolved(sandbox, query)) is not None:
        query = whole
    elif reference:
        remedy = "Push the request again: a reference is valid for ten minutes, for one code and one client."
        raise ErrorPage("The request_uri is unknown, expired or used", reference, remedy)
    parameters, repeated = from_query(query)
    client = _client(sandbox, parameters.get("client_id"), "client_id" in repeated)
    redirect_uri = _redirect_uri(client, parameters.get("redirect_uri"), "redirect_uri" in repeated)
    state = None if "state" in repeated else parameters.get("state")
    response_type = parameters.get("response_type")
    scope = parse(parameters.get("scope", "")) or client.scopes
    pkce, method = sandbox.behaviour.pkce, parameters.get("code_challenge_method", "plain")
    if repeated:
        problem = ("invalid_request", "A parameter is repeated")
    elif response_type is None:
        problem = ("invalid_request", 'Missing parameter: "response_type" is required')
    elif response_type != "code":
        problem = ("unsupported_response_type", 'The response type must be "code"')
    elif GrantType.AUTHORIZATION_CODE not in client.grants:
        problem = ("unauthorized_client", "The client may not use the authorization code grant")
    elif not scope or not within(scope, client.scopes):
        problem = ("invalid_scope", "The scope requested is invalid for this client")
    elif (pkce is Pkce.REQUIRED or client.is_public) and "code_challenge" not in parameters:
        problem = ("invalid_request", "Code challenge required")  # RFC 7636 §4.4.1
    elif pkce is not Pkce.IGNORED and method not in (METHODS if pkce is Pkce.ENFORCED else ["S256"]):
        problem = ("invalid_request", "The code challenge method is not supported")  # RFC 7636 §4.4.1
    elif is_openid and (challenge := parameters.get("code_challenge")) and not is_challenge(method, challenge):
        problem = ("invalid_request", "The code challenge is not of its method's form")
    elif is_openid and (refused := openid.problem(sandbox, client, scope, parameters)):
        problem = refused
    else:
        challenge = f"{method} {parameters['code_challenge']}" if parameters.get("code_challenge") else ""
        wish = openid.wish_of(parameters, reference) if is_openid else None
        sent = "redirect_uri" in parameters
        return AuthorizationRequest(client, redirect_uri, sent, scope, state, challenge, issuer, wish)
    error, description = problem
    members = {"error": error, "error_description": description}
    raise ErrorRedirect(with_parameters(redirect_uri, members, state, issuer), error, description)


def decide(sandbox: Sandbox, request: AuthorizationRequest, decision: str, user: str = "") -> str:
    """Return the URL that the user's ``decision``, approve or deny, leads to (RFC 6749 §4.1.2).

    ``user`` is the id of the user who decides, the first one when empty. Raises ``ErrorPage`` for an unknown decision
    or user.
    """
    if request.wish is not None and request.wish.silent and sandbox.logins.session is not None:
        user = str(sandbox.logins.session.user_id)
    user_id = approver(sandbox, decision, user)
    if user_id is None:
        return refuse(request, "access_denied", "The user denied the request")
    code = sandbox.issue_code(
        request.client.client_id,
        request.redirect_uri,
        request.scope,
        request.redirect_uri_sent,
        user_id,
        request.code_challenge,
    )
    if request.wish is not None:
        openid.remember(sandbox, request.wish, request.client, request.scope, user_id, code)
    return with_parameters(request.redirect_uri, {"code": code}, request.state, request.issuer)


def approver(sandbox: Sandbox, decision: str, user: str) -> int | None:
    """Return the id of the user who approves, the first one when ``user`` is empty; ``None`` for who denies.

    Raises ``ErrorPage`` for an unknown decision or user.
    """
    if decision == "deny":
        return None
    if decision != "approve":
        raise ErrorPage("The decision is neither approve nor deny", decision, "Use one of the page's buttons.")
    by_text = {str(user_id): user_id for user_id in sandbox.users}
    if user and user not in by_text:
        raise ErrorPage("The user is unknown", user, f"Choose one of: {', '.join(by_text)}.")
    return by_text[user] if user else next(iter(sandbox.users))


def refuse(request: AuthorizationRequest, error: str, description: str) -> str:
    """Return the URL that delivers an error to the client (RFC 6749 §4.1.2.1)."""
    members = {"error": error, "error_description": description}
    return with_parameters(request.redirect_uri, members, request.state, request.issuer)


def _client(sandbox: Sandbox, client_id: str | None, repeated: bool) -> Client:
    if client_id is None or repeated:
        problem = "The client_id is repeated" if repeated else "The client_id is missing"
        raise ErrorPage(problem, "", "Send the client_id of your application, once.")
    try:
        client = sandbox.client(client_id)
    except LookupError as error:
        known = ", ".join(client.client_id for client in sandbox.clients())
        raise ErrorPage("The client_id is unknown", client_id, f"Use one of: {known}.") from error
    if not client.active:
        raise ErrorPage("Client is not active", client_id, "Use an active client, or activate this one in the sandbox.")
    return client


def _redirect_uri(client: Client, redirect_uri: str | None, repeated: bool) -> str:
    registered = ", ".join(client.redirect_uris) or "none"
    if repeated:
        raise ErrorPage("The redirect_uri is repeated", "", "Send it once.")
    if redirect_uri is None:
        if len(client.redirect_uris) != 1:
            raise ErrorPage(
                "The redirect_uri is missing",
                "",
                f"It may be left out when exactly one is registered. Registered for this client: {registered}.",
            )
        return client.redirect_uris[0]
    if not client.may_redirect_to(redirect_uri):
        raise ErrorPage(
            "The redirect_uri is not registered for this client",
            redirect_uri,
            f"Send a registered one, equal in every character ({registered}), or any http URI on a loopback host "
            "(localhost, 127.0.0.0/8, [::1]), with any port and path and no fragment.",
        )
    return redirect_uri


def with_parameters(redirect_uri: str, members: Mapping[str, str], state: str | None, issuer: str = "") -> str:
    """Add parameters to the redirect URI and keep its own query (RFC 6749 §3.1.2)."""
    members = {**members, **({} if state is None else {"state": state}), **({"iss": issuer} if issuer else {})}
    if not members:
        return redirect_uri
    joint = "" if redirect_uri.endswith(("?", "&")) else "&" if "?" in redirect_uri else "?"
    return redirect_uri + joint + urlencode(members, quote_via=quote, safe="", errors="surrogateescape")
