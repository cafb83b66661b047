"""The checks: each says of one request whether it breaks a rule. They run before the request has an effect."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth.sandbox.parameters import Parameters, from_query
from oauth.sandbox.request import Endpoint, IncomingRequest, basic, bearer
from oauth.sandbox.store import Issued, Kind, State

if TYPE_CHECKING:
    from oauth.sandbox.provider import Sandbox

SECRETS = frozenset({"client_secret", "access_token", "refresh_token", "token", "code", "password", "code_verifier"})
SHORTEST_STATE = 16
SEPARATOR = re.compile(r"[,;+|]|%20")


@dataclass(slots=True)
class Seen:
    """One request with what the checks look at: the parameters of its query and of its body, and what the code or
    token in it stands for."""

    sandbox: "Sandbox"
    request: IncomingRequest
    client_id: str | None
    query: Parameters
    repeated: frozenset[str]
    presented: Issued | None

    @property
    def body(self) -> Parameters:
        """Empty when it cannot be read."""
        return self.request.parameters


Check = Callable[[Seen], bool]
CHECKS: dict[Endpoint, dict[str, Check]] = {endpoint: {} for endpoint in Endpoint}
# Those that look at the code or token of a request: most requests for a token have none.
CHECKS_OF_PRESENTED: dict[Endpoint, dict[str, Check]] = {endpoint: {} for endpoint in Endpoint}
API = (Endpoint.USER, Endpoint.CITIES)


def examine(sandbox: "Sandbox", request: IncomingRequest, client_id: str | None, presented: Issued | None) -> list[str]:
    """The names of the rules that a request breaks."""
    # A visit of the authorization page is one request, and the decision that is posted from it none of the client's.
    if request.endpoint is Endpoint.AUTHORIZE and request.method == "POST":
        return []
    query, repeated = from_query(request.query) if request.query else ({}, frozenset())
    seen = Seen(sandbox, request, client_id, query, repeated, presented)
    found = [name for name, check in CHECKS[request.endpoint].items() if check(seen)]
    if presented is not None:
        found += [name for name, check in CHECKS_OF_PRESENTED[request.endpoint].items() if check(seen)]
    return found


def presented(sandbox: "Sandbox", request: IncomingRequest) -> Issued | None:
    """What the code or token of a request stands for, in whatever state it is."""
    if request.endpoint in API:
        token = bearer(request.headers.get("authorization", ""))
        return sandbox.seen(Kind.ACCESS_TOKEN, token) if token else None
    if "code" in request.parameters:
        return sandbox.seen(Kind.CODE, request.parameters["code"])
    if "refresh_token" in request.parameters:
        return sandbox.seen(Kind.REFRESH_TOKEN, request.parameters["refresh_token"])
    return None


def client_of(sandbox: "Sandbox", request: IncomingRequest, presented: Issued | None) -> str | None:
    """The client that a request says it comes from, ``None`` when there is no such client."""
    if request.endpoint is Endpoint.AUTHORIZE:
        client_id = request.query_parameters.get("client_id", "")
    elif request.endpoint is Endpoint.TOKEN:
        client_id = request.parameters.get("client_id") or _basic_client(request)
    else:
        client_id = presented.client_id if presented is not None else ""
    return client_id if sandbox.has_client(client_id) else None


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
def _state_missing(seen: Seen) -> bool:
    return "state" not in seen.query


@_check("state-reused", Endpoint.AUTHORIZE)
def _state_reused(seen: Seen) -> bool:
    state = seen.query.get("state", "")
    return bool(state) and seen.sandbox.lint.states.is_reused(seen.client_id, state, seen.request.query)


@_check("state-short", Endpoint.AUTHORIZE)
def _state_short(seen: Seen) -> bool:
    return 0 < len(seen.query.get("state", "")) < SHORTEST_STATE


@_check("redirect-uri-missing", Endpoint.AUTHORIZE)
def _redirect_uri_missing(seen: Seen) -> bool:
    return "redirect_uri" not in seen.query


@_check("redirect-uri-unregistered", Endpoint.AUTHORIZE)
def _redirect_uri_unregistered(seen: Seen) -> bool:
    uri = seen.query.get("redirect_uri")
    if uri is None or seen.client_id is None:
        return False
    return not seen.sandbox.client(seen.client_id).may_redirect_to(uri)


@_check("redirect-uri-differs", Endpoint.TOKEN, of_presented=True)
def _redirect_uri_differs(seen: Seen) -> bool:
    code = seen.presented
    if code is None or code.kind is not Kind.CODE:
        return False
    sent = seen.body.get("redirect_uri")
    return sent != code.redirect_uri and (code.redirect_uri_sent or sent is not None)


@_check("scope-missing", Endpoint.AUTHORIZE)
def _scope_missing(seen: Seen) -> bool:
    return "scope" not in seen.query


@_check("scope-separator", Endpoint.AUTHORIZE, Endpoint.TOKEN)
def _scope_separator(seen: Seen) -> bool:
    scope = seen.query.get("scope") or seen.body.get("scope", "")
    return bool(scope) and SEPARATOR.search(scope) is not None


@_check("secret-in-query", *Endpoint)
def _secret_in_query(seen: Seen) -> bool:
    return not SECRETS.isdisjoint(seen.query)


@_check("parameter-repeated", *Endpoint)
def _parameter_repeated(seen: Seen) -> bool:
    problem = seen.request.problem
    return bool(seen.repeated) or (problem is not None and problem.description.startswith("Repeated parameter"))


@_check("code-reused", Endpoint.TOKEN, of_presented=True)
def _code_reused(seen: Seen) -> bool:
    return _is(seen, Kind.CODE, State.USED)


@_check("code-late", Endpoint.TOKEN, of_presented=True)
def _code_late(seen: Seen) -> bool:
    return _is(seen, Kind.CODE, State.EXPIRED)


@_check("refresh-token-reused", Endpoint.TOKEN, of_presented=True)
def _refresh_token_reused(seen: Seen) -> bool:
    return _is(seen, Kind.REFRESH_TOKEN, State.REPLACED)


@_check("credentials-twice", Endpoint.TOKEN)
def _credentials_twice(seen: Seen) -> bool:
    return "client_secret" in seen.body and "authorization" in seen.request.headers


@_check("credentials-of-another", Endpoint.TOKEN, of_presented=True)
def _credentials_of_another(seen: Seen) -> bool:
    return seen.presented is not None and seen.client_id not in (None, seen.presented.client_id)


@_check("body-unreadable", Endpoint.TOKEN)
def _body_unreadable(seen: Seen) -> bool:
    if seen.request.problem is not None:
        return not _parameter_repeated(seen)
    # JSON that is labelled a form can be read, as one parameter with an odd name.
    return seen.request.opening == b"{" and "json" not in seen.request.headers.get("content-type", "").lower()


@_check("token-request-not-post", Endpoint.TOKEN)
def _token_request_not_post(seen: Seen) -> bool:
    return seen.request.method != "POST"


@_check("version-missing", *API)
def _version_missing(seen: Seen) -> bool:
    return seen.request.headers.get("version", "").strip() != "2.0"


@_check("content-type-on-get", *API)
def _content_type_on_get(seen: Seen) -> bool:
    return "content-type" in seen.request.headers


@_check("bearer-missing", *API)
def _bearer_missing(seen: Seen) -> bool:
    return not bearer(seen.request.headers.get("authorization", ""))


@_check("token-late", *API, of_presented=True)
def _token_late(seen: Seen) -> bool:
    return _is(seen, Kind.ACCESS_TOKEN, State.EXPIRED)


@_check("application-token-for-user", Endpoint.USER, of_presented=True)
def _application_token_for_user(seen: Seen) -> bool:
    return seen.presented is not None and seen.presented.user_id is None


def _is(seen: Seen, kind: Kind, state: State) -> bool:
    return seen.presented is not None and seen.presented.kind is kind and seen.presented.state is state


def checked() -> Mapping[str, tuple[Endpoint, ...]]:
    """Every rule that is checked, with its endpoints."""
    found: dict[str, tuple[Endpoint, ...]] = {}
    for checks in (CHECKS, CHECKS_OF_PRESENTED):
        for endpoint, named in checks.items():
            for name in named:
                found[name] = (*found.get(name, ()), endpoint)
    return found
