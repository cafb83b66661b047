"""Discovery, sans-IO: where a server's metadata may be, and what the document says.

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

MOST_SCOPES = 6
"""Scopes that are asked for without being chosen, where the server lists no ``openid``."""

LISTS = {
    "response_types_supported": "what an authorization request may ask for",
    "response_modes_supported": "how the answer may come back",
    "grant_types_supported": "how a token may be asked for",
    "scopes_supported": "what a token may be allowed to do",
    "code_challenge_methods_supported": "PKCE, RFC 7636",
    "token_endpoint_auth_methods_supported": "how a client may prove itself",
    "token_endpoint_auth_signing_alg_values_supported": "what its assertion may be signed with",
    "dpop_signing_alg_values_supported": "what a DPoP proof may be signed with, RFC 9449",
    "id_token_signing_alg_values_supported": "what an ID token is signed with",
}
"""Members of the document that are lists of texts, and what each is about."""

FLAGS = {
    "authorization_response_iss_parameter_supported": "the answer names its issuer, RFC 9207",
    "require_pushed_authorization_requests": "an authorization request has to be pushed first, RFC 9126",
}

DEFAULTS = {
    "grant_types_supported": ("authorization_code", "implicit"),
    "token_endpoint_auth_methods_supported": (ClientAuthentication.BASIC.value,),
    "response_modes_supported": ("query", "fragment"),
}
"""What holds for a list that is left out (RFC 8414 §2)."""

PREFERRED = (
    ClientAuthentication.BASIC,
    ClientAuthentication.BODY,
    ClientAuthentication.PRIVATE_KEY_JWT,
    ClientAuthentication.NONE,
)


class DiscoveryError(ValueError):
    """An answer is no metadata that may be used; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where the document of ``issuer`` may be, and the rule by which."""

    url: str
    issuer: str
    rule: str

    @property
    def is_oauth(self) -> bool:
        """Whether it is that of RFC 8414, and not that of OpenID Connect."""
        return OAUTH in self.url

    @property
    def request(self) -> Request:
        """The request that asks for it (RFC 8414 §3.1)."""
        return build_request("GET", self.url)


@dataclass(frozen=True, slots=True)
class Metadata:
    """A server's document, whose issuer is the one that was asked for.

    ``given`` are the members of the right type. ``problems`` are what the document has wrong and what can be lived
    with, each beginning with the name of its member.
    """

    url: str
    issuer: str
    members: Mapping[str, Any] = field(repr=False)
    problems: tuple[str, ...] = ()

    def listed(self, name: str) -> tuple[str, ...]:
        """A list of the document, or what RFC 8414 §2 says holds without it."""
        return self.members[name] if name in self.members else DEFAULTS.get(name, ())

    def says(self, name: str) -> bool:
        """Whether the document has this member, rather than leaving it to a default."""
        return name in self.members

    def flag(self, name: str) -> bool:
        """A member that is true or false; false without it."""
        return self.members.get(name) is True

    def address(self, name: str) -> str:
        """An address of the document, or an empty text."""
        return str(self.members.get(name, ""))


def candidates(text: str) -> list[Candidate]:
    """Where to look, in order, for an issuer, another address of the server, or the address of the document itself.

    Raises ``DiscoveryError`` when the text is no address.
    """
    text = text.strip()
    if "://" not in text:
        text = f"https://{text}"
    if fault := next(address_faults(text), ""):
        raise DiscoveryError(f"This {fault}. Give the issuer, such as https://login.example.com, or any address of it.")
    parts = urlsplit(text)
    if parts.username is not None:
        raise DiscoveryError(
            "This address has a user in it, and perhaps a password. Leave out what stands before the @."
        )
    if WELL_KNOWN in parts.path:
        return [_document(parts)]
    path = parts.path.rstrip("/")
    asked = [(path, parts.path), *([("", "")] if path else [])]
    places = (place for where, typed in asked for place in _places(parts, where, typed))
    found: dict[str, Candidate] = {}
    for place in places:
        found.setdefault(place.url, place)
    return list(found.values())


def _places(parts: SplitResult, path: str, typed: str) -> Iterator[Candidate]:
    """Where the document of an issuer with this path may be; ``typed`` is the path as it was given."""
    issuer = urlunsplit((parts.scheme, parts.netloc, typed, "", ""))
    for spelled, rule in (
        (f"{path}{WELL_KNOWN}{OPENID}", "OpenID Connect Discovery 1.0 §4.1"),
        (f"{WELL_KNOWN}{OPENID}{path}", "RFC 8414 §5, the OpenID document with the path behind"),
        (f"{WELL_KNOWN}{OAUTH}{path}", "RFC 8414 §3.1"),
        (f"{path}{WELL_KNOWN}{OAUTH}", "no rule, and found in use"),
    ):
        yield Candidate(urlunsplit((parts.scheme, parts.netloc, spelled, "", "")), issuer, rule)


def _document(parts: SplitResult) -> Candidate:
    """The document that an address is of: its issuer has the path before or behind the well-known part."""
    before, _, behind = parts.path.partition(WELL_KNOWN)
    path = before or behind.partition("/")[2]
    issuer = urlunsplit((parts.scheme, parts.netloc, f"/{path.strip('/')}" if path else "", "", ""))
    return Candidate(urlunsplit(parts._replace(query="")), issuer, "the address of the document")


def read(candidate: Candidate, response: Response) -> Metadata:
    """What the answer says. Raises ``DiscoveryError`` when it is no metadata, or another issuer's (RFC 8414 §3.3)."""
    if 300 <= response.status < 400:
        raise DiscoveryError(
            f"It answered with a redirect ({response.status}), which is not followed. Look at where it leads, and ask "
            "there if you trust it."
        )
    if response.status != 200:
        raise DiscoveryError(f"It answered {response.status}: there is no document here.")
    if response.cut:
        raise DiscoveryError("The answer is longer than this console reads.")
    try:
        members = json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise DiscoveryError("The answer is no JSON, so it is not the document.") from error
    if not isinstance(members, dict):
        raise DiscoveryError("The answer is JSON and no object, so it is not the document.")
    issuer = members.get("issuer")
    if not isinstance(issuer, str) or not issuer:
        raise DiscoveryError("The answer has no issuer, which the document must have (RFC 8414 §2).")
    if issuer.rstrip("/") != candidate.issuer.rstrip("/"):
        raise DiscoveryError(
            f"The document says that its issuer is {issuer!r}, and {candidate.issuer!r} was asked. It must not be used "
            f"(RFC 8414 §3.3): anybody could name another server's addresses. If {issuer!r} is who you mean, ask it."
        )
    given: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in members.items():
        kept, fault = _member(name, value)
        if fault:
            problems.append(f"{name} {fault}")
        else:
            given[name] = kept
    problems += _missing(given)
    problems += _unsafe(issuer, given)
    return Metadata(candidate.url, issuer, given, tuple(problems))


def _member(name: str, value: Any) -> tuple[Any, str]:
    """A member's value, and what is wrong with it."""
    if name in LISTS:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value), ""
        return None, "is no list of texts"
    if name in FLAGS:
        return value, "" if isinstance(value, bool) else "is neither true nor false"
    if kind_of(name) is Kind.ADDRESS and name != "issuer":
        if not isinstance(value, str):
            return None, "is no text"
        return value, next(address_faults(value), "")
    return value, ""


def _missing(given: Mapping[str, Any]) -> Iterator[str]:
    if "response_types_supported" not in given:
        yield "response_types_supported is missing, and RFC 8414 §2 requires it"
    grants = given.get("grant_types_supported", DEFAULTS["grant_types_supported"])
    if "authorization_endpoint" not in given and {"authorization_code", "implicit"} & set(grants):
        yield "authorization_endpoint is missing, and a listed grant needs it"
    if "token_endpoint" not in given and set(grants) != {"implicit"}:
        yield "token_endpoint is missing, and a listed grant needs it"


def _unsafe(issuer: str, given: Mapping[str, Any]) -> Iterator[str]:
    if not issuer.startswith("https:"):
        return
    for name, value in given.items():
        if kind_of(name) is Kind.ADDRESS and value.startswith("http:"):
            yield f"{name} is an http address of an https issuer: what is sent there can be read on the way"


def provider(metadata: Metadata, template: Provider) -> Provider:
    """``template`` with what the document says; what it does not say stays as it is there."""
    addresses: dict[str, Any] = {
        name: metadata.address(name)
        for name in metadata.members
        if kind_of(name) is Kind.ADDRESS and name != "issuer" and isinstance(metadata.members[name], str)
    }
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


def _scope(listed: Sequence[str]) -> str:
    """A first scope to ask for: who the user is, or else the few that there are."""
    if "openid" in listed:
        return " ".join(name for name in ("openid", "profile", "email") if name in listed)
    return " ".join(listed) if len(listed) <= MOST_SCOPES else ""


def _pkce(listed: Sequence[str]) -> Pkce:
    return next((item for item in (Pkce.S256, Pkce.PLAIN) if item in listed), Pkce.OFF)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One place that was asked, and why what it answered is not used; an empty ``problem`` for the one that is."""

    candidate: Candidate
    exchange: Exchange
    problem: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """What came of looking: every place that was asked, in order, and the document if there is one."""

    asked: str
    attempts: tuple[Attempt, ...]
    metadata: Metadata | None


def discover(text: str, ask: Callable[[Request], Exchange]) -> Discovery:
    """Look for the document in one place after the other, until one has it; ``ask`` sends a request and records it.

    Behind an OpenID document that of RFC 8414 is looked for too: servers name their endpoints for revocation and
    introspection there alone. Raises ``DiscoveryError`` when the text is no address.
    """
    attempts: list[Attempt] = []
    found: Metadata | None = None
    for candidate in candidates(text):
        if found is not None and not (candidate.is_oauth and candidate.issuer.rstrip("/") == found.issuer.rstrip("/")):
            continue
        exchange = ask(candidate.request)
        if exchange.response is None:
            # Every place is on the same host, so the others would not answer either.
            attempts.append(Attempt(candidate, exchange, "No answer came."))
            break
        try:
            metadata = read(candidate, exchange.response)
        except DiscoveryError as error:
            attempts.append(Attempt(candidate, exchange, str(error)))
            continue
        attempts.append(Attempt(candidate, exchange, ""))
        if candidate.is_oauth:
            return Discovery(text, tuple(attempts), merge(found, metadata) if found else metadata)
        found = metadata
    return Discovery(text, tuple(attempts), found)


def merge(first: Metadata, second: Metadata) -> Metadata:
    """What two documents of one issuer say; where both speak, the first holds, and other addresses are a problem."""
    differing = [
        f"{name} is another address in {second.url}"
        for name in first.members.keys() & second.members.keys()
        if kind_of(name) is Kind.ADDRESS and name != "issuer" and first.members[name] != second.members[name]
    ]
    problems = dict.fromkeys((*first.problems, *second.problems, *sorted(differing)))
    return replace(first, members={**second.members, **first.members}, problems=tuple(problems))
