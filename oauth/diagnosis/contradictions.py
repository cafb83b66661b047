"""Contradictions between a server's metadata and its observed behaviour (RFC 8414 §2).

Works on recorded exchanges: placeholders take the place of secrets, and nothing here needs a secret.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from oauth import parameters
from oauth.exchange import Exchange, Step, header
from oauth.providers.metadata import Metadata
from oauth.providers.profile import addresses

TOKEN_STEPS = (Step.TOKEN, Step.REFRESH)

ENDPOINT_OF = {
    Step.AUTHORIZE: "authorization_endpoint",
    Step.TOKEN: "token_endpoint",
    Step.REFRESH: "token_endpoint",
    Step.PAR: "pushed_authorization_request_endpoint",
    Step.DEVICE: "device_authorization_endpoint",
    Step.USERINFO: "userinfo_endpoint",
    Step.REVOKE: "revocation_endpoint",
    Step.INTROSPECT: "introspection_endpoint",
    Step.JWKS: "jwks_uri",
}
"""The field of a profile that has the address of a step."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A member of the metadata, its promise, the behaviour observed instead, and the history row of the observation."""

    member: str
    promised: str
    observed: str
    row: int | None


def contradictions(metadata: Metadata, exchanges: Sequence[Exchange]) -> tuple[Contradiction, ...]:
    """Return every contradiction once, in the order of the exchanges."""
    unique: dict[tuple[str, str], Contradiction] = {}
    for position, exchange in enumerate(exchanges):
        for rule in RULES:
            for item in rule(metadata, exchange, exchanges[:position]):
                unique.setdefault((item.member, item.observed), item)
    return tuple(unique.values())


Rule = Callable[[Metadata, Exchange, Sequence[Exchange]], Iterator[Contradiction]]


def _issuer(metadata: Metadata, exchange: Exchange, _: Sequence[Exchange]) -> Iterator[Contradiction]:
    """RFC 9207 §2.4: an authorization response names the issuer if the metadata says so."""
    if exchange.step is not Step.CALLBACK:
        return
    issuer = dict(parameters.query_of(exchange.request.url)).get("iss")
    member = "authorization_response_iss_parameter_supported"
    if issuer is None and metadata.flag(member):
        yield Contradiction(member, "the response names its issuer", "the callback has no iss", exchange.id)
    elif issuer is not None and issuer != metadata.issuer:
        yield Contradiction("issuer", metadata.issuer, f"the callback's iss is {issuer}", exchange.id)
    elif issuer is not None and not metadata.flag(member):
        yield Contradiction(member, "no iss in the response", "the callback has an iss", exchange.id)


def _pkce(metadata: Metadata, exchange: Exchange, before: Sequence[Exchange]) -> Iterator[Contradiction]:
    """RFC 7636 §4.3: an unlisted method was accepted, or a listed one refused."""
    member, listed = "code_challenge_methods_supported", metadata.listed("code_challenge_methods_supported")
    promised = " ".join(listed) or "no PKCE"
    if exchange.step is Step.TOKEN and parameters.succeeded(exchange):
        if parameters.grant_of(exchange) != "authorization_code":
            return
        request = _authorization_request(before)
        method = request.get("code_challenge_method") or "plain"
        if request.get("code_challenge") and method not in listed and listed:
            yield Contradiction(member, promised, f"a code with a {method} challenge was accepted", exchange.id)
    elif exchange.step in (Step.CALLBACK, Step.PAR):
        request = _authorization_request([*before, exchange])
        method = request.get("code_challenge_method") or "plain"
        error, description = _error(exchange)
        if error and request.get("code_challenge") and method in listed and "code_challenge" in description:
            yield Contradiction(member, promised, f"a {method} challenge was refused: {error}", exchange.id)


def _authentication(metadata: Metadata, exchange: Exchange, _: Sequence[Exchange]) -> Iterator[Contradiction]:
    """OpenID Connect Core §9: an unlisted authentication method was accepted, or a listed one refused."""
    if exchange.step not in TOKEN_STEPS:
        return
    member = "token_endpoint_auth_methods_supported"
    listed, method = metadata.listed(member), parameters.authentication_of(exchange.request)
    promised = " ".join(listed)
    if parameters.succeeded(exchange) and method not in listed:
        yield Contradiction(member, promised, f"{method} was accepted", exchange.id)
    error, description = _error(exchange)
    if error == "invalid_client" and method in listed and "method" in description:
        yield Contradiction(member, promised, f"{method} was refused: {error}", exchange.id)


def _grant(metadata: Metadata, exchange: Exchange, _: Sequence[Exchange]) -> Iterator[Contradiction]:
    """RFC 6749 §5.2: an unlisted grant issued a token, or a listed one is unsupported."""
    if exchange.step not in TOKEN_STEPS or not (grant := parameters.grant_of(exchange)):
        return
    member, listed = "grant_types_supported", metadata.listed("grant_types_supported")
    if parameters.succeeded(exchange) and grant not in listed and metadata.says(member):
        yield Contradiction(member, " ".join(listed), f"{grant} issued a token", exchange.id)
    if _error(exchange)[0] == "unsupported_grant_type" and grant in listed:
        yield Contradiction(member, " ".join(listed), f"{grant} was refused: unsupported_grant_type", exchange.id)


def _response_type(metadata: Metadata, exchange: Exchange, before: Sequence[Exchange]) -> Iterator[Contradiction]:
    """RFC 6749 §4.1.2.1: a listed response type is unsupported."""
    member = "response_types_supported"
    response_type = _authorization_request([*before, exchange]).get("response_type", "")
    if _error(exchange)[0] == "unsupported_response_type" and response_type in metadata.listed(member):
        yield Contradiction(member, " ".join(metadata.listed(member)), f"{response_type} was refused", exchange.id)


def _scope(metadata: Metadata, exchange: Exchange, _: Sequence[Exchange]) -> Iterator[Contradiction]:
    """An unlisted scope was granted, although RFC 8414 §2 allows a server not to list some."""
    if exchange.step not in TOKEN_STEPS or not parameters.succeeded(exchange) or not metadata.says("scopes_supported"):
        return
    granted = parameters.member(exchange.response, "scope").split()
    if more := [name for name in granted if name not in metadata.listed("scopes_supported")]:
        listed = " ".join(metadata.listed("scopes_supported"))
        yield Contradiction("scopes_supported", listed, f"also granted: {' '.join(more)}", exchange.id)


def _pushed(metadata: Metadata, exchange: Exchange, before: Sequence[Exchange]) -> Iterator[Contradiction]:
    """RFC 9126 §5: a request that was not pushed got a code although pushing is required."""
    member = "require_pushed_authorization_requests"
    if exchange.step is not Step.CALLBACK or not metadata.flag(member):
        return
    sent = next((item for item in reversed(before) if item.step is Step.AUTHORIZE), None)
    code = dict(parameters.query_of(exchange.request.url)).get("code")
    if sent and code and "request_uri" not in dict(parameters.query_of(sent.request.url)):
        yield Contradiction(member, "requests must be pushed", "a request that was not pushed got a code", exchange.id)


def _dpop(metadata: Metadata, exchange: Exchange, _: Sequence[Exchange]) -> Iterator[Contradiction]:
    """RFC 9449 §5.1: a proof was accepted or ignored, contrary to the metadata."""
    member, listed = "dpop_signing_alg_values_supported", metadata.listed("dpop_signing_alg_values_supported")
    is_token = exchange.step in TOKEN_STEPS and parameters.succeeded(exchange)
    if not is_token or header(exchange.request.headers, "DPoP") is None:
        return
    kind = parameters.member(exchange.response, "token_type").lower()
    if listed and kind == "bearer":
        yield Contradiction(member, " ".join(listed), "a proof was sent, but the token is a Bearer token", exchange.id)
    elif not listed and kind == "dpop":
        yield Contradiction(member, "no DPoP", "a DPoP-bound token was issued", exchange.id)


def _endpoint(metadata: Metadata, exchange: Exchange, _: Sequence[Exchange]) -> Iterator[Contradiction]:
    """An endpoint of the metadata does not exist."""
    member = ENDPOINT_OF.get(exchange.step, "")
    if member not in addresses() or exchange.response is None or exchange.response.status not in (404, 405):
        return
    if _place(exchange.request.url) == _place(metadata.address(member)):
        yield Contradiction(member, metadata.address(member), f"it returned {exchange.response.status}", exchange.id)


RULES: tuple[Rule, ...] = (
    _issuer,
    _pkce,
    _authentication,
    _grant,
    _response_type,
    _scope,
    _pushed,
    _dpop,
    _endpoint,
)


def _place(url: str) -> str:
    return url.partition("?")[0]


def _authorization_request(exchanges: Iterable[Exchange]) -> dict[str, str]:
    """Return the parameters of the latest authorization request, pushed or in the browser's URL."""
    request: dict[str, str] = {}
    for exchange in exchanges:
        if exchange.step is Step.AUTHORIZE:
            sent = dict(parameters.query_of(exchange.request.url))
            request = request | sent if "request_uri" in sent else sent
        elif exchange.step is Step.PAR:
            request = {item.name: item.value for item in parameters.read(exchange.request).parameters}
    return request


def _error(exchange: Exchange) -> tuple[str, str]:
    """Return the error of a response and its description in lower case, both empty without one."""
    if exchange.step is Step.CALLBACK:
        query = dict(parameters.query_of(exchange.request.url))
        return query.get("error", ""), query.get("error_description", "").lower()
    if parameters.succeeded(exchange):
        return "", ""
    error, description = (parameters.member(exchange.response, name) for name in ("error", "error_description"))
    return error, description.lower()
