"""An authorization server's metadata document: its content, checked, and the profile made of it.

OpenID Connect Discovery 1.0 §3 and RFC 8414 §2.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from oauth.addresses import loopback_twin
from oauth.exchange import Response
from oauth.providers.profile import ClientAuthentication, Kind, Link, Pkce, Provider, kind_of
from oauth.providers.protected_resource import Resource
from oauth.providers.validation import RESPONSE_MODES, address_faults
from oauth.providers.well_known import DiscoveryError, document, is_same

OPENID = "openid-configuration"
OAUTH = "oauth-authorization-server"

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

SECRETS = (ClientAuthentication.BASIC, ClientAuthentication.BODY)
"""Methods that need no more than a secret; the document's order decides between them."""

OTHERS = (ClientAuthentication.PRIVATE_KEY_JWT, ClientAuthentication.NONE)
"""Methods for a document that lists none with a secret."""

MAX_SCOPES = 6
"""Scopes of an API that a profile requests by default; none of them if the API lists more."""

IDENTITY = ("openid", "profile")
"""Scopes that a profile requests by default, those of them that the server lists."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible address of the document of ``issuer``, and the rule it follows.

    ``others`` are further issuers that a document at this address may name.
    """

    url: str
    issuer: str
    rule: str
    others: tuple[str, ...] = ()

    @property
    def is_oauth(self) -> bool:
        """True for the document of RFC 8414, False for that of OpenID Connect."""
        return OAUTH in self.url


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


def read(candidate: Candidate, response: Response) -> Metadata:
    """Parse the document. Raises ``DiscoveryError`` if it is not metadata, or another issuer's (RFC 8414 §3.3).

    An issuer with the other name of this machine, ``localhost`` or ``127.0.0.1``, is accepted and reported.
    """
    content = document(response)
    issuer = content.get("issuer")
    if not isinstance(issuer, str) or not issuer:
        raise DiscoveryError("The response has no issuer, which the document must have (RFC 8414 §2).")
    problems: list[str] = []
    expected = (candidate.issuer, *candidate.others)
    if not any(is_same(issuer, item) for item in expected):
        if not any(is_same(loopback_twin(issuer), item) for item in expected):
            raise DiscoveryError(
                f"The document's issuer is {issuer!r}, not {candidate.issuer!r}. It must not be used (RFC 8414 §3.3): "
                f"anyone could name another server's endpoints. If you mean {issuer!r}, enter that."
            )
        problems.append(f"issuer is {issuer}, the same machine by its other name, and is used as such")
    members: dict[str, Any] = {}
    for name, value in content.items():
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
    return kind_of(name) is Kind.ADDRESS and name.endswith(("_endpoint", "_uri"))


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


def provider(metadata: Metadata, template: Provider, resource: Resource | None = None) -> Provider:
    """Return ``template`` with the values of the document; it keeps those that the document does not have.

    ``resource`` is the API that discovery started from.
    """
    addresses: dict[str, Any] = {name: metadata.address(name) for name in metadata.members if _is_endpoint(name)}
    if resource is not None:
        addresses |= {"api": resource.address, "resource": resource.identifier}
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
        scope=_scope(metadata.listed("scopes_supported"), resource),
        client_authentication=_authentication(methods, template.client_authentication),
        public_clients=ClientAuthentication.NONE in methods,
        pkce=_pkce(metadata.listed("code_challenge_methods_supported")),
        response_mode="" if "query" in modes else next((mode for mode in modes if mode in RESPONSE_MODES), ""),
        links=tuple(links),
    )


def _authentication(methods: Sequence[str], default: ClientAuthentication) -> ClientAuthentication:
    """Return the method that the server lists first, of those that need a secret only, or else of the others."""
    preferred = [*(name for name in methods if name in SECRETS), *(name for name in OTHERS if name in methods)]
    return ClientAuthentication(preferred[0]) if preferred else default


def _scope(supported: Sequence[str], resource: Resource | None) -> str:
    """Return a default scope: what the API asks for, or else the user's identity with OpenID Connect."""
    if resource is not None and (resource.scope or 0 < len(resource.scopes) <= MAX_SCOPES):
        return resource.scope or " ".join(resource.scopes)
    return " ".join(name for name in IDENTITY if name in supported) if "openid" in supported else ""


def _pkce(supported: Sequence[str]) -> Pkce:
    return next((item for item in (Pkce.S256, Pkce.PLAIN) if item in supported), Pkce.OFF)


def merge(first: Metadata, second: Metadata) -> Metadata:
    """Merge two documents of one issuer; the first takes precedence, and endpoints that differ are a problem."""
    differences = [
        f"{name} is another address in {second.url}"
        for name in first.members.keys() & second.members.keys()
        if _is_endpoint(name) and first.members[name] != second.members[name]
    ]
    problems = dict.fromkeys((*first.problems, *second.problems, *sorted(differences)))
    return replace(first, members={**second.members, **first.members}, problems=tuple(problems))
