"""What a provider profile says: the fields, what each means, and where it stands among the others.

The meaning of a field is beside the field, so that the Providers page, the README and an error say the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from oauth.connection_settings import ConnectionSettings
from oauth.exchange import Step


class BodyFormat(StrEnum):
    """How a token request carries its fields: RFC 6749 §4.1.3 says a form, some providers document JSON."""

    JSON = "json"
    FORM = "form"


class ClientAuthentication(StrEnum):
    """How the client proves itself, by the registered names of RFC 7591 §2 and OpenID Connect Core §9."""

    BODY = "client_secret_post"
    BASIC = "client_secret_basic"
    NONE = "none"
    PRIVATE_KEY_JWT = "private_key_jwt"


class Pkce(StrEnum):
    """The code challenge method of RFC 7636 §4.3, or that no challenge is sent."""

    OFF = "off"
    S256 = "S256"
    PLAIN = "plain"


class Kind(StrEnum):
    """What may stand in a field."""

    TEXT = "text"
    NAME = "name"
    ADDRESS = "address"
    PATH = "path"
    HEADER_NAME = "header name"
    HEADER_VALUE = "header value"
    SEPARATOR = "separator"
    SECONDS = "seconds"
    COUNT = "count"


CONNECTION = {
    "connect_timeout": "Seconds for the connection and its TLS handshake",
    "read_timeout": "Seconds for each wait for more of the answer",
    "total_timeout": "Seconds for everything together",
    "proxy": "An http:// address of a proxy, without user and password",
    "ca_bundle": "Path of a PEM file whose certificate authorities are trusted, in place of this machine's",
    "client_certificate": "Path of a PEM file with the certificate that the server is shown",
    "client_key": "Path of a PEM file with its key, where the key is not in the certificate's file",
    "verify": "The server's certificate is checked",
}
"""What the fields of ``ConnectionSettings`` mean."""


def about(meaning: str, kind: Kind = Kind.TEXT) -> Mapping[str, Any]:
    """What is told about a field of a profile."""
    return {"meaning": meaning, "kind": kind}


@dataclass(frozen=True, slots=True)
class ApiHeader:
    """A header that every call of the API needs."""

    name: str = field(metadata=about("Its name", Kind.HEADER_NAME))
    value: str = field(metadata=about("Its value", Kind.HEADER_VALUE))
    meaning: str = field(default="", metadata=about("What it is for"))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path of the API that is worth calling with a fresh token."""

    path: str = field(metadata=about("What follows the address of the API", Kind.PATH))
    title: str = field(default="", metadata=about("What it gives"))


@dataclass(frozen=True, slots=True)
class StepNote:
    """What to know about one step at this provider."""

    step: Step = field(metadata=about("The step"))
    text: str = field(metadata=about("What to know"))


@dataclass(frozen=True, slots=True)
class Link:
    """A page of the provider that helps, such as the list of one's applications."""

    title: str = field(metadata=about("What it is called"))
    url: str = field(metadata=about("Where it is", Kind.ADDRESS))


@dataclass(frozen=True, slots=True)
class ReadyClient:
    """A client that is offered: published test credentials, or the operator's own from outside the profile."""

    id: str
    secret: str = field(repr=False)
    title: str = ""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things live, in seconds; ``None`` where it is not known."""

    code: int | None = field(default=None, metadata=about("An authorization code", Kind.SECONDS))
    access_token: int | None = field(
        default=None, metadata=about("An access token, where the answer has no expires_in", Kind.SECONDS)
    )
    refresh_token: int | None = field(default=None, metadata=about("A refresh token", Kind.SECONDS))


@dataclass(frozen=True, slots=True)
class RequestLimit:
    """So many requests from one address in ``seconds``; past that a refusal for ``pause`` seconds."""

    requests: int = field(metadata=about("So many requests", Kind.COUNT))
    seconds: int = field(metadata=about("in so many seconds", Kind.SECONDS))
    pause: int = field(metadata=about("and past that, a refusal for so many seconds", Kind.SECONDS))


@dataclass(frozen=True, slots=True)
class Provider:
    """One authorization server and its API (RFC 6749 §3, RFC 8414 §2).

    ``family`` and ``site`` tell the sites of one provider apart, such as a country's. ``clients`` are published test
    credentials, and ``control`` is where a sandbox can be told what to do; other providers have neither.
    """

    id: str
    name: str = field(metadata=about("What the provider is called in this console", Kind.NAME))
    order: int = 100
    family: str = ""
    site: str = ""
    notes: str = field(default="", metadata=about("What to know before beginning"))
    issuer: str = field(
        default="", metadata=about("The server's own name for itself; discovery begins there", Kind.ADDRESS)
    )
    authorization_endpoint: str = field(
        default="", metadata=about("Where the browser is sent to approve", Kind.ADDRESS)
    )
    token_endpoint: str = field(default="", metadata=about("Where a code becomes a token", Kind.ADDRESS))
    userinfo_endpoint: str = field(default="", metadata=about("Says who approved (OpenID Connect)", Kind.ADDRESS))
    revocation_endpoint: str = field(default="", metadata=about("Takes a token back (RFC 7009)", Kind.ADDRESS))
    introspection_endpoint: str = field(default="", metadata=about("Says what a token is (RFC 7662)", Kind.ADDRESS))
    pushed_authorization_request_endpoint: str = field(
        default="", metadata=about("Takes the authorization request beforehand (RFC 9126)", Kind.ADDRESS)
    )
    device_authorization_endpoint: str = field(
        default="", metadata=about("Begins the grant of a device without a browser (RFC 8628)", Kind.ADDRESS)
    )
    jwks_uri: str = field(
        default="", metadata=about("The keys that signatures are checked with (RFC 7517)", Kind.ADDRESS)
    )
    api: str = field(default="", metadata=about("What the paths of the API begin with", Kind.ADDRESS))
    scope: str = field(default="", metadata=about("What is asked for unless you say otherwise"))
    scope_separator: str = field(
        default=" ", metadata=about("What stands between two scopes; RFC 6749 §3.3 says a space", Kind.SEPARATOR)
    )
    token_body: BodyFormat = field(
        default=BodyFormat.FORM, metadata=about("How a token request carries its fields: json or form")
    )
    client_authentication: ClientAuthentication = field(
        default=ClientAuthentication.BODY,
        metadata=about(
            "How the client proves itself: client_secret_post, client_secret_basic, none or private_key_jwt"
        ),
    )
    pkce: Pkce = field(default=Pkce.OFF, metadata=about("The code challenge of RFC 7636: S256, plain or off"))
    response_mode: str = field(
        default="", metadata=about("How the answer comes back, if it has to be said: query, fragment or form_post")
    )
    dpop: bool = field(default=False, metadata=about("Tokens are bound to a key of the client (RFC 9449)"))
    accepts_loopback: bool = field(
        default=True, metadata=about("A redirect URI on localhost can be registered (RFC 8252 §7.3)")
    )
    lifetimes: Lifetimes = field(
        default=Lifetimes(), metadata=about("How long things live, in seconds, where it is known")
    )
    request_limit: RequestLimit | None = field(
        default=None, metadata=about("How many requests it takes from one address")
    )
    headers: tuple[ApiHeader, ...] = field(default=(), metadata=about("Headers that every call of the API needs"))
    content_type_on_get: bool = field(default=True, metadata=about("A GET may have a Content-Type header"))
    endpoints: tuple[Endpoint, ...] = field(
        default=(), metadata=about("Paths of the API that are worth calling with a fresh token")
    )
    step_notes: tuple[StepNote, ...] = field(default=(), metadata=about("What to know about one step"))
    links: tuple[Link, ...] = field(default=(), metadata=about("Pages of the provider that help"))
    connection: ConnectionSettings = field(
        default_factory=ConnectionSettings, metadata=about("How the server is connected to")
    )
    clients: tuple[ReadyClient, ...] = field(default=(), repr=False)
    control: str = ""

    @property
    def title(self) -> str:
        """The provider's name, with its site where it has several."""
        return f"{self.name}, {self.site}" if self.site else self.name

    def scopes(self, text: str) -> list[str]:
        """The names in a scope of this provider; RFC 6749 §3.3 has a space between them, and some servers a comma."""
        return text.replace(self.scope_separator, " ").split()

    def notes_on(self, step: Step) -> tuple[str, ...]:
        """What to know about a step at this provider."""
        return tuple(note.text for note in self.step_notes if note.step is step)


RESERVED_FIELDS = ("id", "order", "family", "site", "clients", "control")
"""Fields that a profile of one's own does not have: they come with the file, or only a shipped profile has them."""


def kind_of(name: str) -> Kind | None:
    """What may stand in a field of ``Provider``, ``None`` where there is no such field of text."""
    return next((item.metadata.get("kind") for item in fields(Provider) if item.name == name), None)


def meaning_of(name: str) -> str:
    """What a field of ``Provider`` means."""
    return next(str(item.metadata["meaning"]) for item in fields(Provider) if item.name == name)


def addresses() -> tuple[str, ...]:
    """The fields of ``Provider`` that are addresses, in their order."""
    return tuple(item.name for item in fields(Provider) if item.metadata.get("kind") is Kind.ADDRESS)
