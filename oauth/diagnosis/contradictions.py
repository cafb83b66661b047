"""What a server's metadata says, against what was then observed of it (RFC 8414 §2).

Works on recorded exchanges: placeholders stand in the place of secrets, and nothing here looks at one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from oauth import parameters as reading
from oauth.exchange import Exchange, Step, header
from oauth.providers.discovery import Metadata
from oauth.providers.profile import ClientAuthentication, addresses

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


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A member of the document, what it promises, what was observed instead, and in which row of the history."""

    member: str
    promised: str
    observed: str
    row: int | None


def contradictions(metadata: Metadata, exchanges: Sequence[Exchange]) -> tuple[Contradiction, ...]:
    """Every contradiction once, in the order of the exchanges."""
    found: dict[tuple[str, str], Contradiction] = {}
    for position, exchange in enumerate(exchanges):
        for rule in RULES:
            for item in rule(metadata, exchange, exchanges[:position]):
                found.setdefault((item.member, item.observed), item)
    return tuple(found.values())


Rule = Callable[[Metadata, Exchange, Sequence[Exchange]], Iterator[Contradiction]]


def _issuer(metadata: Metadata, exchange: Exchange, _: Sequence[Exchange]) -> Iterator[Contradiction]:
    """RFC 9207 §2.4: an answer of the authorization endpoint names the issuer if the document says so."""
    if exchange.step is not Step.CALLBACK:
        return
    came = dict(reading.query_of(exchange.request.url)).get("iss")
    member = "authorization_response_iss_parameter_supported"
    if came is None and metadata.flag(member):
        yield Contradiction(member, "the answer names its issuer", "the callback has no iss", exchange.id)
    elif came is not None and came != metadata.issuer:
        yield Contradiction("issuer", metadata.issuer, f"the callback's iss is {came}", exchange.id)
    elif came is not None and not metadata.flag(member):
        yield Contradiction(member, "no iss in the answer", "the callback has an iss", exchange.id)


def _pkce(metadata: Metadata, exchange: Exchange, before: Sequence[Exchange]) -> Iterator[Contradiction]:
    """RFC 7636 §4.3: a method that is not listed went through, or a listed one was refused."""
    member, listed = "code_challenge_methods_supported", metadata.listed("code_challenge_methods_supported")
    promised = " ".join(listed) or "no PKCE"
    if exchange.step is Step.TOKEN and reading.succeeded(exchange):
        if reading.grant_of(exchange) != "authorization_code":
            return
        asked = _asked(before)
        method = asked.get("code_challenge_method") or "plain"
        if asked.get("code_challenge") and method not in listed and listed:
            yield Contradiction(member, promised, f"a code with a {method} challenge was accepted", exchange.id)
    elif exchange.step in (Step.CALLBACK, Step.PAR):
        asked = _asked([*before, exchange])
        method = asked.get("code_challenge_method") or "plain"
        error, told = _error(exchange)
        if error and asked.get("code_challenge") and method in listed and "code_challenge" in told:
            yield Contradiction(member, promised, f"a {method} challenge was refused: {error}", exchange.id)


def _authentication(metadata: Metadata, exchange: Exchange, _: Sequence[Exchange]) -> Iterator[Contradiction]:
    """OpenID Connect Core §9: the client proved itself in a way that is not listed, or in a listed one in vain."""
    if exchange.step not in TOKEN_STEPS:
        return
    member = "token_endpoint_auth_methods_supported"
    listed, method = metadata.listed(member), _method(exchange)
    promised = " ".join(listed)
    if reading.succeeded(exchange) and method not in listed:
        yield Contradiction(member, promised, f"{method} was accepted", exchange.id)
    error, told = _error(exchange)
    if error == "invalid_client" and method in listed and "method" in told:
        yield Contradiction(member, promised, f"{method} was refused: {error}", exchange.id)


def _grant(metadata: Metadata, exchange: Exchange, _: Sequence[Exchange]) -> Iterator[Contradiction]:
    """A grant that is not listed gave a token, or a listed one is not supported (RFC 6749 §5.2)."""
    if exchange.step not in TOKEN_STEPS or not (grant := reading.grant_of(exchange)):
        return
    member, listed = "grant_types_supported", metadata.listed("grant_types_supported")
    if reading.succeeded(exchange) and grant not in listed and metadata.says(member):
        yield Contradiction(member, " ".join(listed), f"{grant} gave a token", exchange.id)
    if _error(exchange)[0] == "unsupported_grant_type" and grant in listed:
        yield Contradiction(member, " ".join(listed), f"{grant} was refused: unsupported_grant_type", exchange.id)


def _response_type(metadata: Metadata, exchange: Exchange, before: Sequence[Exchange]) -> Iterator[Contradiction]:
    """RFC 6749 §4.1.2.1: a listed response type is not supported."""
    asked, member = _asked([*before, exchange]).get("response_type", ""), "response_types_supported"
    if _error(exchange)[0] == "unsupported_response_type" and asked in metadata.listed(member):
        yield Contradiction(member, " ".join(metadata.listed(member)), f"{asked} was refused", exchange.id)


def _scope(metadata: Metadata, exchange: Exchange, _: Sequence[Exchange]) -> Iterator[Contradiction]:
    """A scope was granted that is not among those listed; RFC 8414 §2 lets a server keep some to itself."""
    if exchange.step not in TOKEN_STEPS or not reading.succeeded(exchange) or not metadata.says("scopes_supported"):
        return
    granted = reading.member(exchange.response, "scope").split()
    if more := [name for name in granted if name not in metadata.listed("scopes_supported")]:
        listed = " ".join(metadata.listed("scopes_supported"))
        yield Contradiction("scopes_supported", listed, f"granted besides: {' '.join(more)}", exchange.id)


def _pushed(metadata: Metadata, exchange: Exchange, before: Sequence[Exchange]) -> Iterator[Contradiction]:
    """RFC 9126 §5: a request that was not pushed got a code although it would have to be."""
    member = "require_pushed_authorization_requests"
    if exchange.step is not Step.CALLBACK or not metadata.flag(member):
        return
    sent = next((item for item in reversed(before) if item.step is Step.AUTHORIZE), None)
    code = dict(reading.query_of(exchange.request.url)).get("code")
    if sent and code and "request_uri" not in dict(reading.query_of(sent.request.url)):
        yield Contradiction(member, "a request is pushed first", "one that was not pushed got a code", exchange.id)


def _dpop(metadata: Metadata, exchange: Exchange, _: Sequence[Exchange]) -> Iterator[Contradiction]:
    """RFC 9449 §5.1: the proof was taken or refused against the document."""
    member, listed = "dpop_signing_alg_values_supported", metadata.listed("dpop_signing_alg_values_supported")
    if exchange.step not in TOKEN_STEPS or header(exchange.request.headers, "DPoP") is None:
        return
    kind = reading.member(exchange.response, "token_type").lower()
    if not reading.succeeded(exchange):
        return
    if listed and kind == "bearer":
        yield Contradiction(member, " ".join(listed), "a proof was sent, and the token is a Bearer", exchange.id)
    elif not listed and kind == "dpop":
        yield Contradiction(member, "no DPoP", "a token bound by DPoP was given", exchange.id)


def _endpoint(metadata: Metadata, exchange: Exchange, _: Sequence[Exchange]) -> Iterator[Contradiction]:
    """An endpoint of the document is not there."""
    member = ENDPOINT_OF.get(exchange.step, "")
    if member not in addresses() or exchange.response is None or exchange.response.status not in (404, 405):
        return
    if _place(exchange.request.url) == _place(metadata.address(member)):
        yield Contradiction(member, metadata.address(member), f"it answered {exchange.response.status}", exchange.id)


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


def _asked(exchanges: Iterable[Exchange]) -> dict[str, str]:
    """The parameters of the latest authorization request, pushed or in the browser's address."""
    found: dict[str, str] = {}
    for exchange in exchanges:
        if exchange.step is Step.AUTHORIZE:
            sent = dict(reading.query_of(exchange.request.url))
            found = found | sent if "request_uri" in sent else sent
        elif exchange.step is Step.PAR:
            found = {item.name: item.value for item in reading.read(exchange.request).parameters}
    return found


def _error(exchange: Exchange) -> tuple[str, str]:
    """The error that came back and its description, lower case, both empty where there is none."""
    if exchange.step is Step.CALLBACK:
        parameters = dict(reading.query_of(exchange.request.url))
        return parameters.get("error", ""), parameters.get("error_description", "").lower()
    if reading.succeeded(exchange):
        return "", ""
    return reading.member(exchange.response, "error"), reading.member(exchange.response, "error_description").lower()


def _method(exchange: Exchange) -> str:
    """How the client proved itself, by its registered name."""
    sent = reading.read(exchange.request)
    if reading.basic(exchange.request) is not None:
        return ClientAuthentication.BASIC.value
    if sent.value("client_assertion"):
        return ClientAuthentication.PRIVATE_KEY_JWT.value
    return (ClientAuthentication.BODY if sent.value("client_secret") else ClientAuthentication.NONE).value
