"""The checks, one per rule. They run before the request has an effect."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from oauth_sandbox import pkce
from oauth_sandbox.behaviour import Cors
from oauth_sandbox.configuration import Api
from oauth_sandbox.lint.findings import RecentStates
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
CheckOfPresented = Callable[[LintContext, Issued], bool]
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
        checks = CHECKS_OF_PRESENTED[request.endpoint].items()
        names += [name for name, check in checks if check(context, presented)]
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


def details(sandbox: "Sandbox", names: Iterable[str], token: Issued | None, request_id: str) -> dict[str, str]:
    """Return what more there is to say of the rules that a request broke."""
    if "refresh-raced" not in names or token is None or token.ended_at is None:
        return {}
    milliseconds = (sandbox.clock.now() - token.ended_at) / timedelta(milliseconds=1)
    first = f"Request {token.ended_by} refreshed with this token"
    return {"refresh-raced": f"{first}, and request {request_id} {milliseconds:.0f} ms later."}


def _is_reused(context: LintContext, name: str, values: RecentStates) -> bool:
    value = context.query.get(name, "")
    return bool(value) and values.is_reused(context.client_id, value, context.request.query)


def _redirect_uri_unregistered(context: LintContext) -> bool:
    uri = context.query.get("redirect_uri")
    if uri is None or context.client_id is None:
        return False
    return not context.sandbox.client(context.client_id).may_redirect_to(uri)


def _scope_separator(context: LintContext) -> bool:
    scope = context.query.get("scope") or context.body.get("scope", "")
    return bool(scope) and SEPARATOR.search(scope) is not None


def _parameter_repeated(context: LintContext) -> bool:
    problem = context.request.problem
    return bool(context.repeated) or (problem is not None and problem.description.startswith("Repeated parameter"))


def _body_unreadable(context: LintContext) -> bool:
    if context.request.problem is not None:
        return not _parameter_repeated(context)
    # JSON labelled as a form parses as one parameter with an odd name.
    return context.request.opening == b"{" and "json" not in context.request.headers.get("content-type", "").lower()


def _verifier_wrong(context: LintContext, code: Issued) -> bool:
    return code.kind is Kind.CODE and not pkce.matches(code.code_challenge, context.body.get("code_verifier"))


def _redirect_uri_differs(context: LintContext, code: Issued) -> bool:
    sent = context.body.get("redirect_uri")
    return code.kind is Kind.CODE and sent != code.redirect_uri and (code.redirect_uri_sent or sent is not None)


def _is_refused_refresh(context: LintContext, token: Issued, *, raced: bool) -> bool:
    """Return true for a refresh token that was replaced, and is not accepted any more."""
    if token.kind is not Kind.REFRESH_TOKEN or token.state is not State.REPLACED or context.sandbox.in_grace(token):
        return False
    is_raced = token.ended_at is not None and context.sandbox.clock.now() - token.ended_at < RACE
    return is_raced is raced


def _is(kind: Kind, state: State) -> CheckOfPresented:
    return lambda _context, issued: issued.kind is kind and issued.state is state


_CHECKS: Mapping[str, tuple[Check, Iterable[Endpoint]]] = {
    "state-missing": (lambda it: "state" not in it.query, [Endpoint.AUTHORIZE]),
    "state-reused": (lambda it: _is_reused(it, "state", it.sandbox.lint.states), [Endpoint.AUTHORIZE]),
    "state-short": (lambda it: 0 < len(it.query.get("state", "")) < SHORTEST_STATE, [Endpoint.AUTHORIZE]),
    "challenge-missing": (lambda it: "code_challenge" not in it.query, [Endpoint.AUTHORIZE]),
    "nonce-reused": (lambda it: _is_reused(it, "nonce", it.sandbox.lint.nonces), [Endpoint.AUTHORIZE]),
    "authorize-elsewhere": (lambda it: it.request.elsewhere, [Endpoint.AUTHORIZE]),
    "called-from-browser": (
        lambda it: "origin" in it.request.headers and it.sandbox.behaviour.cors is Cors.CLOSED,
        [*AUTHENTICATED, *RESOURCES],
    ),
    "redirect-uri-missing": (lambda it: "redirect_uri" not in it.query, [Endpoint.AUTHORIZE]),
    "redirect-uri-unregistered": (_redirect_uri_unregistered, [Endpoint.AUTHORIZE]),
    "scope-missing": (lambda it: "scope" not in it.query, [Endpoint.AUTHORIZE]),
    "scope-separator": (_scope_separator, [Endpoint.AUTHORIZE, Endpoint.TOKEN]),
    "secret-in-query": (lambda it: not SECRETS.isdisjoint(it.query), Endpoint),
    "parameter-repeated": (_parameter_repeated, Endpoint),
    "credentials-twice": (
        lambda it: "client_secret" in it.body and "authorization" in it.request.headers,
        AUTHENTICATED,
    ),
    "body-unreadable": (_body_unreadable, [Endpoint.TOKEN]),
    "token-request-not-post": (lambda it: it.request.method != "POST", [Endpoint.TOKEN]),
    "version-missing": (lambda it: it.request.headers.get("version", "").strip() != "2.0", OF_PARTNER_API),
    "content-type-on-get": (
        lambda it: "content-type" in it.request.headers and it.request.method in ("GET", "HEAD"),
        OF_PARTNER_API,
    ),
    "bearer-missing": (lambda it: not bearer(it.request.headers.get("authorization", "")), RESOURCES),
}
_CHECKS_OF_PRESENTED: Mapping[str, tuple[CheckOfPresented, Iterable[Endpoint]]] = {
    "verifier-wrong": (_verifier_wrong, [Endpoint.TOKEN]),
    "redirect-uri-differs": (_redirect_uri_differs, [Endpoint.TOKEN]),
    "code-reused": (_is(Kind.CODE, State.USED), [Endpoint.TOKEN]),
    "code-late": (_is(Kind.CODE, State.EXPIRED), [Endpoint.TOKEN]),
    "refresh-token-reused": (partial(_is_refused_refresh, raced=False), [Endpoint.TOKEN]),
    "refresh-raced": (partial(_is_refused_refresh, raced=True), [Endpoint.TOKEN]),
    "credentials-of-another": (lambda it, issued: it.client_id not in (None, issued.client_id), [Endpoint.TOKEN]),
    "token-late": (_is(Kind.ACCESS_TOKEN, State.EXPIRED), RESOURCES),
    "application-token-for-user": (lambda _context, issued: issued.user_id is None, OF_USER),
}
"""The checks of the presented code or token, skipped for the many requests without one."""

CHECKS = {at: {name: check for name, (check, places) in _CHECKS.items() if at in places} for at in Endpoint}
CHECKS_OF_PRESENTED = {
    at: {name: check for name, (check, places) in _CHECKS_OF_PRESENTED.items() if at in places} for at in Endpoint
}
