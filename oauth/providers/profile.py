"""The fields of a provider profile, each with its meaning.

The meaning is next to the field, so that the Providers page, the README and error messages agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from oauth.connection_settings import ConnectionSettings
from oauth.exchange import Step
from oauth.redaction.names import secret_kind


class BodyFormat(StrEnum):
    """Format of a token request's body: a form by RFC 6749 §4.1.3, JSON at some providers."""

    JSON = "json"
    FORM = "form"


class ClientAuthentication(StrEnum):
    """Client authentication methods, by their registered names (RFC 7591 §2, OpenID Connect Core §9)."""

    BODY = "client_secret_post"
    BASIC = "client_secret_basic"
    NONE = "none"
    PRIVATE_KEY_JWT = "private_key_jwt"


class Pkce(StrEnum):
    """The code challenge method of RFC 7636 §4.3, or no challenge."""

    OFF = "off"
    S256 = "S256"
    PLAIN = "plain"


class Kind(StrEnum):
    """The kinds of values of a field, for validation."""

    TEXT = "text"
    NAME = "name"
    ADDRESS = "address"
    PATH = "path"
    HEADER_NAME = "header name"
    SECRET_HEADER = "secret header"
    HEADER_VALUE = "header value"
    SEPARATOR = "separator"
    RESPONSE_MODE = "response mode"
    SECONDS = "seconds"
    COUNT = "count"


CONNECTION = {
    "connect_timeout": "Timeout of the connection and its TLS handshake, in seconds",
    "read_timeout": "Timeout of each wait for more of the response, in seconds",
    "total_timeout": "Timeout of the whole exchange, in seconds",
    "proxy": "The http:// address of a proxy, without user and password",
    "ca_bundle": "PEM file in CONSOLE_CERTIFICATES with the certificate authorities to trust instead of this machine's",
    "client_certificate": "PEM file in CONSOLE_CERTIFICATES with the client certificate",
    "client_key": "PEM file in CONSOLE_CERTIFICATES with its key, if the key is not in the certificate's file",
    "verify": "Verify the server's certificate",
}
"""Meanings of the fields of ``ConnectionSettings``."""


def about(meaning: str, kind: Kind = Kind.TEXT) -> Mapping[str, Any]:
    """Return the metadata of a profile field: its meaning and the kind of its value."""
    return {"meaning": meaning, "kind": kind}


def described(meaning: str, kind: Kind = Kind.TEXT, default: Any = "") -> Any:
    """Return a profile field with a default."""
    return field(default=default, metadata=about(meaning, kind))


@dataclass(frozen=True, slots=True)
class ApiHeader:
    """A header of every API call."""

    name: str = field(metadata=about("Name of the header", Kind.HEADER_NAME))
    value: str = field(metadata=about("Value of the header", Kind.HEADER_VALUE))
    meaning: str = described("Purpose of the header")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An API endpoint that the walkthrough offers."""

    path: str = field(metadata=about("Path below the address of the API", Kind.PATH))
    title: str = described("Title of the endpoint")


@dataclass(frozen=True, slots=True)
class StepNote:
    """A note on one step at this provider."""

    step: Step = field(metadata=about("The step"))
    text: str = field(metadata=about("Text of the note"))


@dataclass(frozen=True, slots=True)
class Link:
    """A page of the provider, such as the list of your applications."""

    title: str = field(metadata=about("Title of the link"))
    url: str = field(metadata=about("Address of the page", Kind.ADDRESS))


@dataclass(frozen=True, slots=True)
class ReadyClient:
    """A ready-made client: published test credentials, or one that the operator configured outside the profile.

    ``roles`` are the labels of the roles that it is offered to, separated by commas; empty for those that may send.
    """

    id: str
    secret: str = field(repr=False)
    title: str = ""
    api_key: str = field(default="", repr=False)
    active: bool = True
    roles: str = ""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Lifetimes in seconds, ``None`` if unknown."""

    code: int | None = described("Lifetime of an authorization code, in seconds", Kind.SECONDS, default=None)
    access_token: int | None = described(
        "Lifetime of an access token without expires_in, in seconds", Kind.SECONDS, default=None
    )
    refresh_token: int | None = described("Lifetime of a refresh token, in seconds", Kind.SECONDS, default=None)


@dataclass(frozen=True, slots=True)
class RequestLimit:
    """A rate limit: ``requests`` from one address in ``seconds``; beyond it a refusal for ``pause`` seconds."""

    requests: int = field(metadata=about("Number of requests", Kind.COUNT))
    seconds: int = field(metadata=about("Period, in seconds", Kind.SECONDS))
    pause: int = field(metadata=about("Refusal beyond the limit, in seconds", Kind.SECONDS))


@dataclass(frozen=True, slots=True)
class Provider:
    """One authorization server and its API (RFC 6749 §3, RFC 8414 §2).

    ``family`` and ``site`` distinguish the sites of one provider, such as those of countries. ``clients`` are published
    test credentials, and ``control`` is the address of a sandbox's control API; other providers have neither.
    """

    id: str
    name: str = field(metadata=about("Name of the provider in this console", Kind.NAME))
    order: int = 100
    family: str = ""
    site: str = ""
    notes: str = described("Notes to read before starting")
    issuer: str = described("Issuer identifier of the server; discovery starts there", Kind.ADDRESS)
    authorization_endpoint: str = described("Endpoint at which the user approves, in the browser", Kind.ADDRESS)
    token_endpoint: str = described("Endpoint that issues tokens", Kind.ADDRESS)
    userinfo_endpoint: str = described("Endpoint that returns who approved (OpenID Connect)", Kind.ADDRESS)
    revocation_endpoint: str = described("Endpoint that revokes a token (RFC 7009)", Kind.ADDRESS)
    introspection_endpoint: str = described("Endpoint that returns the state of a token (RFC 7662)", Kind.ADDRESS)
    pushed_authorization_request_endpoint: str = described(
        "Endpoint that accepts pushed authorization requests (RFC 9126)", Kind.ADDRESS
    )
    device_authorization_endpoint: str = described("Endpoint that starts the device grant (RFC 8628)", Kind.ADDRESS)
    registration_endpoint: str = described("Endpoint that registers a client (RFC 7591)", Kind.ADDRESS)
    jwks_uri: str = described("Address of the keys that verify signatures (RFC 7517)", Kind.ADDRESS)
    api: str = described("Address that the API's paths are appended to", Kind.ADDRESS)
    resource: str = described("Identifier of the API, to request tokens for it alone (RFC 8707)")
    scope: str = described("Default scope")
    scope_separator: str = described(
        "Separator between two scopes; RFC 6749 §3.3 says a space", Kind.SEPARATOR, default=" "
    )
    token_body: BodyFormat = described("Format of a token request's body: json or form", default=BodyFormat.FORM)
    client_authentication: ClientAuthentication = described(
        "Client authentication: client_secret_post, client_secret_basic, none or private_key_jwt",
        default=ClientAuthentication.BODY,
    )
    public_clients: bool = described("The server accepts clients without a secret (none)", default=False)
    pkce: Pkce = described("PKCE code challenge method (RFC 7636): S256, plain or off", default=Pkce.OFF)
    response_mode: str = described("Response mode to request, if any: query, fragment or form_post", Kind.RESPONSE_MODE)
    dpop: bool = described("Bind tokens to a key of the client (RFC 9449)", default=False)
    accepts_loopback: bool = described("The provider accepts a redirect URI on localhost (RFC 8252 §7.3)", default=True)
    lifetimes: Lifetimes = described("Lifetimes in seconds, if known", default=Lifetimes())
    request_limit: RequestLimit | None = described("Rate limit for requests from one address", default=None)
    headers: tuple[ApiHeader, ...] = described("Headers of every API call", default=())
    api_key_header: str = described(
        "Header with the API key in every request but the browser's; the key is typed in the walkthrough",
        Kind.SECRET_HEADER,
    )
    content_type_on_get: bool = described("A GET request may have a Content-Type header", default=True)
    endpoints: tuple[Endpoint, ...] = described("API endpoints to offer in the walkthrough", default=())
    step_notes: tuple[StepNote, ...] = described("Notes on a step", default=())
    links: tuple[Link, ...] = described("Links to pages of the provider", default=())
    catalogue: str = described("Id of the catalogue with its documented errors")
    connection: ConnectionSettings = field(default_factory=ConnectionSettings, metadata=about("Connection settings"))
    clients: tuple[ReadyClient, ...] = field(default=(), repr=False)
    control: str = ""

    @property
    def title(self) -> str:
        """The provider's name, with its site where it has several."""
        return f"{self.name}, {self.site}" if self.site else self.name

    @property
    def api_key_kind(self) -> str:
        """The kind of secret that redaction calls an API key, by its header."""
        return secret_kind(self.api_key_header) or "api_key"

    def scopes(self, text: str) -> list[str]:
        """Split a scope of this provider; RFC 6749 §3.3 separates the names by spaces, some servers by commas."""
        return text.replace(self.scope_separator, " ").split()

    def notes_on(self, step: Step) -> tuple[str, ...]:
        """Return the notes on a step."""
        return tuple(note.text for note in self.step_notes if note.step is step)


RESERVED_FIELDS = ("id", "order", "family", "site", "clients", "control")
"""Fields that a custom profile cannot set: its file determines them, or only built-in profiles have them."""


def kind_of(name: str) -> Kind | None:
    """Return the kind of a field of ``Provider``, ``None`` if there is no such field."""
    return next((item.metadata.get("kind") for item in fields(Provider) if item.name == name), None)


def meaning_of(name: str) -> str:
    """Return the meaning of a field of ``Provider``."""
    return next(str(item.metadata["meaning"]) for item in fields(Provider) if item.name == name)


def addresses() -> tuple[str, ...]:
    """Return the names of the fields of ``Provider`` that are addresses, in order."""
    return tuple(item.name for item in fields(Provider) if item.metadata.get("kind") is Kind.ADDRESS)
