"""The checks, one per rule. They run before the request has an effect."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from oauth_sandbox import pkce
from oauth_sandbox.behaviour import Cors
from oauth_sandbox.configuration import Api
from oauth_sandbox.openid.pushed import resolved
from oauth_sandbox.parameters import Parameters, from_query
from oauth_sandbox.request import OF_PARTNER_API, OF_USER, Endpoint, IncomingRequest, basic, bearer
from oauth_sandbox.store import Issued, Kind, State

if TYPE_CHECKING:
    from oauth_sandbox.provider import Sandbox

SECRETS = frozenset({"client_secret", "access_token", "refresh_token", "token", "code", "password", "code_verifier"})
SHORTEST_STATE = 16
RACE = timedelta(seconds=10)
"""Time in which two refreshes with one token are two workers of a client, and not a token that was stored wrongly."""
SEPARATOR = re.compile(r"[,;+|]|%20")


class LintContext(Struct):
    """The view of one request that the checks share: parameters, and the code or token it presents."""

    sandbox: "Sandbox"
    request: IncomingRequest
    client_id: str | None
    query: Parameters
    repeated: frozenset[str]
    presented: Issued | None

    @property
    def body(self) -> Parameters:
        """The body's parameters, empty when it cannot be read."""
        return self.request.parameters


Check = Callable[[LintContext], bool]
CHECKS: dict[Endpoint, dict[str, Check]] = {endpoint: {} for endpoint in Endpoint}
# Checks of the presented code or token, skipped for the many requests without one.
CHECKS_OF_PRESENTED: dict[Endpoint, dict[str, Check]] = {endpoint: {} for endpoint in Endpoint}
RESOURCES = (*OF_PARTNER_API, Endpoint.METADATA, Endpoint.USERINFO)
AUTHENTICATED = (Endpoint.TOKEN, Endpoint.REVOKE, Endpoint.INTROSPECT, Endpoint.PAR, Endpoint.DEVICE)
"""Endpoints that the client proves itself at."""
OF_OPENID = frozenset({"challenge-missing", "nonce-reused"})
UNKNOWN_RULES: Mapping[Api, frozenset[str]] = {
    Api.PARTNER: OF_OPENID,
    Api.OLXGROUP: OF_OPENID | {"redirect-uri-missing", "scope-missing"},
    Api.GENERIC: frozenset(),
}
"""Rules about parameters that an API does not document."""


def examine(sandbox: "Sandbox", request: IncomingRequest, client_id: str | None, presented: Issued | None) -> list[str]:
    """Return the names of the rules that a request breaks."""
    # The decision posted from the consent page is not a request of the client.
    if request.endpoint is Endpoint.AUTHORIZE and request.method == "POST":
        return []
    if request.is_preflight:  # it is the browser's, and not what the client meant to send
        return [] if sandbox.behaviour.cors is Cors.OPEN else ["called-from-browser"]
    # A pushed request is looked at when the browser comes with its reference.
    may_be_pushed = sandbox.configuration.api is Api.GENERIC and request.endpoint is Endpoint.AUTHORIZE
    whole = resolved(sandbox, request.query) if may_be_pushed else request.query
    query, repeated = from_query(whole) if whole else ({}, frozenset())
    context = LintContext(sandbox, request, client_id, query, repeated, presented)
    names = [name for name, check in CHECKS[request.endpoint].items() if check(context)]
    if presented is not None:
        names += [name for name, check in CHECKS_OF_PRESENTED[request.endpoint].items() if check(context)]
    return [name for name in names if name not in UNKNOWN_RULES[sandbox.configuration.api]]


def presented(sandbox: "Sandbox", request: IncomingRequest) -> Issued | None:
    """Return what the code or token of a request stands for, in any state."""
    if request.endpoint in RESOURCES:
        token = bearer(request.headers.get("authorization", ""))
        return sandbox.find(Kind.ACCESS_TOKEN, token) if token else None
    if "code" in request.parameters:
        return sandbox.find(Kind.CODE, request.parameters["code"])
    if "refresh_token" in request.parameters:
        return sandbox.find(Kind.REFRESH_TOKEN, request.parameters["refresh_token"])
    return None


def client_of(sandbox: "Sandbox", request: IncomingRequest, presented: Issued | None) -> str | None:
    """Return the client that a request claims to come from, ``None`` when it is unknown."""
    if request.endpoint is Endpoint.AUTHORIZE:
        client_id = request.query_parameters.get("client_id", "")
    elif request.endpoint in AUTHENTICATED:
        client_id = request.parameters.get("client_id") or _basic_client(request)
    else:
        client_id = presented.client_id if presented is not None else ""
    if sandbox.has_client(client_id):
        return client_id
    sandbox.lint.unknown_clients.add(client_id)
    return None


def _basic_client(request: IncomingRequest) -> str:
    try:
        credentials = basic(request.headers.get("authorization", ""))
    except ValueError:
        return ""
    return credentials[0] if credentials else ""


def _check(name: str, *endpoints: Endpoint, of_presented: bool = False) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        for endpoint in endpoints:
            (CHECKS_OF_PRESENTED if of_presented else CHECKS)[endpoint][name] = check
        return check

    return register


@_check("state-missing", Endpoint.AUTHORIZE)
def _state_missing(context: LintContext) -> bool:
    return "state" not in context.query


@_check("state-reused", Endpoint.AUTHORIZE)
def _state_reused(context: LintContext) -> bool:
    state = context.query.get("state", "")
    return bool(state) and context.sandbox.lint.states.is_reused(context.client_id, state, context.request.query)


@_check("state-short", Endpoint.AUTHORIZE)
def _state_short(context: LintContext) -> bool:
    return 0 < len(context.query.get("state", "")) < SHORTEST_STATE


@_check("challenge-missing", Endpoint.AUTHORIZE)
def _challenge_missing(context: LintContext) -> bool:
    return "code_challenge" not in context.query


@_check("nonce-reused", Endpoint.AUTHORIZE)
def _nonce_reused(context: LintContext) -> bool:
    nonce = context.query.get("nonce", "")
    return bool(nonce) and context.sandbox.lint.nonces.is_reused(context.client_id, nonce, context.request.query)


@_check("authorize-elsewhere", Endpoint.AUTHORIZE)
def _authorize_elsewhere(context: LintContext) -> bool:
    return context.request.elsewhere


@_check("called-from-browser", *AUTHENTICATED, *RESOURCES)
def _called_from_browser(context: LintContext) -> bool:
    return "origin" in context.request.headers and context.sandbox.behaviour.cors is Cors.CLOSED


@_check("verifier-wrong", Endpoint.TOKEN, of_presented=True)
def _verifier_wrong(context: LintContext) -> bool:
    code = context.presented
    if code is None or code.kind is not Kind.CODE:
        return False
    return not pkce.matches(code.code_challenge, context.body.get("code_verifier"))


@_check("redirect-uri-missing", Endpoint.AUTHORIZE)
def _redirect_uri_missing(context: LintContext) -> bool:
    return "redirect_uri" not in context.query


@_check("redirect-uri-unregistered", Endpoint.AUTHORIZE)
def _redirect_uri_unregistered(context: LintContext) -> bool:
    uri = context.query.get("redirect_uri")
    if uri is None or context.client_id is None:
        return False
    return not context.sandbox.client(context.client_id).may_redirect_to(uri)


@_check("redirect-uri-differs", Endpoint.TOKEN, of_presented=True)
def _redirect_uri_differs(context: LintContext) -> bool:
    code = context.presented
    if code is None or code.kind is not Kind.CODE:
        return False
    sent = context.body.get("redirect_uri")
    return sent != code.redirect_uri and (code.redirect_uri_sent or sent is not None)


@_check("scope-missing", Endpoint.AUTHORIZE)
def _scope_missing(context: LintContext) -> bool:
    return "scope" not in context.query


@_check("scope-separator", Endpoint.AUTHORIZE, Endpoint.TOKEN)
def _scope_separator(context: LintContext) -> bool:
    scope = context.query.get("scope") or context.body.get("scope", "")
    return bool(scope) and SEPARATOR.search(scope) is not None


@_check("secret-in-query", *Endpoint)
def _secret_in_query(context: LintContext) -> bool:
    return not SECRETS.isdisjoint(context.query)


@_check("parameter-repeated", *Endpoint)
def _parameter_repeated(context: LintContext) -> bool:
    problem = context.request.problem
    return bool(context.repeated) or (problem is not None and problem.description.startswith("Repeated parameter"))


@_check("code-reused", Endpoint.TOKEN, of_presented=True)
def _code_reused(context: LintContext) -> bool:
    return _is(context, Kind.CODE, State.USED)


@_check("code-late", Endpoint.TOKEN, of_presented=True)
def _code_late(context: LintContext) -> bool:
    return _is(context, Kind.CODE, State.EXPIRED)


@_check("refresh-token-reused", Endpoint.TOKEN, of_presented=True)
def _refresh_token_reused(context: LintContext) -> bool:
    return _is_replaced(context) and not _is_raced(context)


@_check("refresh-raced", Endpoint.TOKEN, of_presented=True)
def _refresh_raced(context: LintContext) -> bool:
    return _is_replaced(context) and _is_raced(context)


def _is_replaced(context: LintContext) -> bool:
    """Return true for a refresh token that was replaced, and is not accepted any more."""
    token = context.presented
    is_replaced = _is(context, Kind.REFRESH_TOKEN, State.REPLACED)
    return token is not None and is_replaced and not context.sandbox.in_grace(token)


def _is_raced(context: LintContext) -> bool:
    ended_at = context.presented.ended_at if context.presented is not None else None
    return ended_at is not None and context.sandbox.clock.now() - ended_at < RACE


def details(sandbox: "Sandbox", names: Iterable[str], token: Issued | None, request_id: str) -> dict[str, str]:
    """Return what more there is to say of the rules that a request broke."""
    if "refresh-raced" not in names or token is None or token.ended_at is None:
        return {}
    milliseconds = (sandbox.clock.now() - token.ended_at) / timedelta(milliseconds=1)
    first = f"Request {token.ended_by} refreshed with this token"
    return {"refresh-raced": f"{first}, and request {request_id} {milliseconds:.0f} ms later."}


@_check("credentials-twice", *AUTHENTICATED)
def _credentials_twice(context: LintContext) -> bool:
    return "client_secret" in context.body and "authorization" in context.request.headers


@_check("credentials-of-another", Endpoint.TOKEN, of_presented=True)
def _credentials_of_another(context: LintContext) -> bool:
    return context.presented is not None and context.client_id not in (None, context.presented.client_id)


@_check("body-unreadable", Endpoint.TOKEN)
def _body_unreadable(context: LintContext) -> bool:
    if context.request.problem is not None:
        return not _parameter_repeated(context)
    # JSON labelled as a form parses as one parameter with an odd name.
    return context.request.opening == b"{" and "json" not in context.request.headers.get("content-type", "").lower()


@_check("token-request-not-post", Endpoint.TOKEN)
def _token_request_not_post(context: LintContext) -> bool:
    return context.request.method != "POST"


@_check("version-missing", *OF_PARTNER_API)
def _version_missing(context: LintContext) -> bool:
    return context.request.headers.get("version", "").strip() != "2.0"


@_check("content-type-on-get", *OF_PARTNER_API)
def _content_type_on_get(context: LintContext) -> bool:
    return "content-type" in context.request.headers and context.request.method in ("GET", "HEAD")


@_check("bearer-missing", *RESOURCES)
def _bearer_missing(context: LintContext) -> bool:
    return not bearer(context.request.headers.get("authorization", ""))


@_check("token-late", *RESOURCES, of_presented=True)
def _token_late(context: LintContext) -> bool:
    return _is(context, Kind.ACCESS_TOKEN, State.EXPIRED)


@_check("application-token-for-user", *OF_USER, of_presented=True)
def _application_token_for_user(context: LintContext) -> bool:
    return context.presented is not None and context.presented.user_id is None


def _is(context: LintContext, kind: Kind, state: State) -> bool:
    return context.presented is not None and context.presented.kind is kind and context.presented.state is state
