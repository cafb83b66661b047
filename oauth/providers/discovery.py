"""Discovery, sans-IO: the candidate addresses of a server's metadata, and the content of the document.

OpenID Connect Discovery 1.0 §4 and RFC 8414 §3. The requests made here are sent and recorded like any other.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from oauth.exchange import Exchange, Request, Response
from oauth.providers.profile import ClientAuthentication, Kind, Link, Pkce, Provider, kind_of
from oauth.providers.validation import address_faults
from oauth.request_builder import build_request

OPENID = "openid-configuration"
OAUTH = "oauth-authorization-server"
WELL_KNOWN = "/.well-known/"

MAX_DEFAULT_SCOPES = 6
"""Scopes that a profile requests by default, if the server lists no ``openid``; none if it lists more."""

LISTS = {
    "response_types_supported": "Responses of the authorization endpoint",
    "response_modes_supported": "Ways to return the authorization response",
    "grant_types_supported": "Grants of the token endpoint",
    "scopes_supported": "Permissions that can be requested",
    "code_challenge_methods_supported": "PKCE methods, RFC 7636",
    "token_endpoint_auth_methods_supported": "Client authentication methods",
    "token_endpoint_auth_signing_alg_values_supported": "Algorithms of a client assertion",
    "dpop_signing_alg_values_supported": "Algorithms of a DPoP proof, RFC 9449",
    "id_token_signing_alg_values_supported": "Algorithms of an ID token",
}
"""Members of the document that are lists of strings, with their meaning."""

FLAGS = {
    "authorization_response_iss_parameter_supported": "The authorization response names its issuer, RFC 9207",
    "require_pushed_authorization_requests": "Authorization requests must be pushed, RFC 9126",
}

DEFAULTS = {
    "grant_types_supported": ("authorization_code", "implicit"),
    "token_endpoint_auth_methods_supported": (ClientAuthentication.BASIC.value,),
    "response_modes_supported": ("query", "fragment"),
}
"""Defaults of lists that are not in the document (RFC 8414 §2)."""

PREFERRED = (
    ClientAuthentication.BASIC,
    ClientAuthentication.BODY,
    ClientAuthentication.PRIVATE_KEY_JWT,
    ClientAuthentication.NONE,
)


class DiscoveryError(ValueError):
    """A response is not usable metadata; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible address of the document of ``issuer``, and the rule it follows."""

    url: str
    issuer: str
    rule: str

    @property
    def is_oauth(self) -> bool:
        """True for the document of RFC 8414, False for that of OpenID Connect."""
        return OAUTH in self.url

    @property
    def request(self) -> Request:
        """The request for the document (RFC 8414 §3.1)."""
        return build_request("GET", self.url)


@dataclass(frozen=True, slots=True)
class Metadata:
    """A server's metadata document with the expected issuer.

    ``members`` are those of the right type. ``problems`` do not prevent its use; each begins with the name of a member.
    """

    url: str
    issuer: str
    members: Mapping[str, Any] = field(repr=False)
    problems: tuple[str, ...] = ()

    def listed(self, name: str) -> tuple[str, ...]:
        """Return a list of the document, or its default by RFC 8414 §2."""
        return self.members[name] if name in self.members else DEFAULTS.get(name, ())

    def says(self, name: str) -> bool:
        """Return True if the document has this member, False if a default applies."""
        return name in self.members

    def flag(self, name: str) -> bool:
        """Return a boolean member, False if it is missing."""
        return self.members.get(name) is True

    def address(self, name: str) -> str:
        """Return an address of the document, or an empty string."""
        return str(self.members.get(name, ""))


def candidates(text: str) -> list[Candidate]:
    """Return the addresses to try, in order, for an issuer, another URL of the server, or the document's own URL.

    Raises ``DiscoveryError`` if the text is not a valid address.
    """
    text = text.strip()
    if "://" not in text:
        text = f"https://{text}"
    if fault := next(address_faults(text), ""):
        raise DiscoveryError(f"This {fault}. Enter the issuer, such as https://login.example.com, or any URL of it.")
    parts = urlsplit(text)
    if parts.username is not None:
        raise DiscoveryError("This address contains a user, and perhaps a password. Remove everything before the @.")
    if WELL_KNOWN in parts.path:
        return [_document(parts)]
    path = parts.path.rstrip("/")
    paths = [(path, parts.path), *([("", "")] if path else [])]
    by_url: dict[str, Candidate] = {}
    for candidate in (item for stripped, typed in paths for item in _candidates(parts, stripped, typed)):
        by_url.setdefault(candidate.url, candidate)
    return list(by_url.values())


def _candidates(parts: SplitResult, path: str, typed: str) -> Iterator[Candidate]:
    """Yield the possible addresses of the document of an issuer with this path; ``typed`` is the path as entered."""
    issuer = urlunsplit((parts.scheme, parts.netloc, typed, "", ""))
    for place, rule in (
        (f"{path}{WELL_KNOWN}{OPENID}", "OpenID Connect Discovery 1.0 §4.1"),
        (f"{WELL_KNOWN}{OPENID}{path}", "RFC 8414 §5, the OpenID document with the path at the end"),
        (f"{WELL_KNOWN}{OAUTH}{path}", "RFC 8414 §3.1"),
        (f"{path}{WELL_KNOWN}{OAUTH}", "no rule, but found in use"),
    ):
        yield Candidate(urlunsplit((parts.scheme, parts.netloc, place, "", "")), issuer, rule)


def _document(parts: SplitResult) -> Candidate:
    """Return the candidate for a document's own address: the issuer's path is before or after the well-known part."""
    before, _, after = parts.path.partition(WELL_KNOWN)
    path = before or after.partition("/")[2]
    issuer = urlunsplit((parts.scheme, parts.netloc, f"/{path.strip('/')}" if path else "", "", ""))
    return Candidate(urlunsplit(parts._replace(query="")), issuer, "the address of the document")


def read(candidate: Candidate, response: Response) -> Metadata:
    """Parse the document. Raises ``DiscoveryError`` if it is not metadata, or another issuer's (RFC 8414 §3.3)."""
    if 300 <= response.status < 400:
        raise DiscoveryError(
            f"The server returned a redirect ({response.status}), which is not followed. Check its target, and enter "
            "that if you trust it."
        )
    if response.status != 200:
        raise DiscoveryError(f"The server returned {response.status}: there is no document here.")
    if response.cut:
        raise DiscoveryError("The response is larger than the console reads.")
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise DiscoveryError("The response is not valid JSON, so it is not the document.") from error
    if not isinstance(document, dict):
        raise DiscoveryError("The response is JSON but not an object, so it is not the document.")
    issuer = document.get("issuer")
    if not isinstance(issuer, str) or not issuer:
        raise DiscoveryError("The response has no issuer, which the document must have (RFC 8414 §2).")
    if issuer.rstrip("/") != candidate.issuer.rstrip("/"):
        raise DiscoveryError(
            f"The document's issuer is {issuer!r}, not {candidate.issuer!r}. It must not be used (RFC 8414 §3.3): "
            f"anyone could name another server's endpoints. If you mean {issuer!r}, enter that."
        )
    members: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in document.items():
        member, fault = _member(name, value)
        if fault:
            problems.append(f"{name} {fault}")
        else:
            members[name] = member
    problems += _missing(members)
    problems += _unsafe(issuer, members)
    return Metadata(candidate.url, issuer, members, tuple(problems))


def _member(name: str, value: Any) -> tuple[Any, str]:
    """Return a member's value and its fault, empty if it is valid."""
    if name in LISTS:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value), ""
        return None, "is not a list of strings"
    if name in FLAGS:
        return value, "" if isinstance(value, bool) else "is neither true nor false"
    if _is_endpoint(name):
        if not isinstance(value, str):
            return None, "is not a string"
        return value, next(address_faults(value), "")
    return value, ""


def _is_endpoint(name: str) -> bool:
    return kind_of(name) is Kind.ADDRESS and name != "issuer"


def _missing(members: Mapping[str, Any]) -> Iterator[str]:
    if "response_types_supported" not in members:
        yield "response_types_supported is missing, and RFC 8414 §2 requires it"
    grants = members.get("grant_types_supported", DEFAULTS["grant_types_supported"])
    if "authorization_endpoint" not in members and {"authorization_code", "implicit"} & set(grants):
        yield "authorization_endpoint is missing, and a listed grant needs it"
    if "token_endpoint" not in members and set(grants) != {"implicit"}:
        yield "token_endpoint is missing, and a listed grant needs it"


def _unsafe(issuer: str, members: Mapping[str, Any]) -> Iterator[str]:
    if not issuer.startswith("https:"):
        return
    for name, value in members.items():
        if _is_endpoint(name) and value.startswith("http:"):
            yield f"{name} is an http address of an https issuer: requests to it are not encrypted"


def provider(metadata: Metadata, template: Provider) -> Provider:
    """Return ``template`` with the values of the document; it keeps those that the document does not have."""
    addresses: dict[str, Any] = {name: metadata.address(name) for name in metadata.members if _is_endpoint(name)}
    methods = metadata.listed("token_endpoint_auth_methods_supported")
    modes = metadata.listed("response_modes_supported")
    links = [
        Link(title, metadata.address(name))
        for name, title in (("service_documentation", "Documentation"), ("op_tos_uri", "Terms of service"))
        if not next(address_faults(metadata.address(name)), "x")
    ]
    return replace(
        template,
        **addresses,
        name=urlsplit(metadata.issuer).netloc,
        issuer=metadata.issuer,
        scope=_scope(metadata.listed("scopes_supported")),
        client_authentication=next((item for item in PREFERRED if item in methods), template.client_authentication),
        pkce=_pkce(metadata.listed("code_challenge_methods_supported")),
        response_mode="" if "query" in modes else next(iter(modes), ""),
        links=tuple(links),
    )


def _scope(supported: Sequence[str]) -> str:
    """Return a default scope: the user's identity with OpenID Connect, otherwise all scopes if they are few."""
    if "openid" in supported:
        return " ".join(name for name in ("openid", "profile", "email") if name in supported)
    return " ".join(supported) if len(supported) <= MAX_DEFAULT_SCOPES else ""


def _pkce(supported: Sequence[str]) -> Pkce:
    return next((item for item in (Pkce.S256, Pkce.PLAIN) if item in supported), Pkce.OFF)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request for the document, with the ``problem`` of its response, empty if the document is used."""

    candidate: Candidate
    exchange: Exchange
    problem: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """The result of discovery: every attempt in order, and the document if one was found."""

    attempts: tuple[Attempt, ...]
    metadata: Metadata | None


def discover(text: str, ask: Callable[[Request], Exchange]) -> Discovery:
    """Try one candidate after the other until one has the document; ``ask`` sends a request and records it.

    After an OpenID document that of RFC 8414 is tried too: some servers name their revocation and introspection
    endpoints only there. Raises ``DiscoveryError`` if the text is not a valid address.
    """
    attempts: list[Attempt] = []
    openid: Metadata | None = None
    for candidate in candidates(text):
        if openid and not (candidate.is_oauth and candidate.issuer.rstrip("/") == openid.issuer.rstrip("/")):
            continue
        exchange = ask(candidate.request)
        if exchange.response is None:
            # All candidates are on the same host, so the others would fail too.
            attempts.append(Attempt(candidate, exchange, "No response was received."))
            break
        try:
            metadata = read(candidate, exchange.response)
        except DiscoveryError as error:
            attempts.append(Attempt(candidate, exchange, str(error)))
            continue
        attempts.append(Attempt(candidate, exchange, ""))
        if candidate.is_oauth:
            return Discovery(tuple(attempts), _merge(openid, metadata) if openid else metadata)
        openid = metadata
    return Discovery(tuple(attempts), openid)


def _merge(first: Metadata, second: Metadata) -> Metadata:
    """Merge two documents of one issuer; the first takes precedence, and endpoints that differ are a problem."""
    differences = [
        f"{name} is another address in {second.url}"
        for name in first.members.keys() & second.members.keys()
        if _is_endpoint(name) and first.members[name] != second.members[name]
    ]
    problems = dict.fromkeys((*first.problems, *second.problems, *sorted(differences)))
    return replace(first, members={**second.members, **first.members}, problems=tuple(problems))
