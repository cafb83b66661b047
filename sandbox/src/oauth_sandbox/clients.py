"""The applications registered at the sandbox."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from oauth_sandbox.scope import Scope
from oauth_sandbox.validation import optional, quoted

# It must be unambiguous for every browser: no user part, backslash, fragment or control character.
LOOPBACK_REDIRECT_URI = re.compile(
    r"http://(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?"
    r"(?:[/?][A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]*)?",
    re.IGNORECASE,
)


RUNS_IN_THE_BROWSER = frozenset({"javascript", "data", "vbscript", "file", "blob", "about"})
SCHEME = re.compile(r"[\s\x00-\x1f]*:")
ABSOLUTE_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s\x00-\x1f\x7f]+", re.IGNORECASE)
MOST_URIS = 100
LONGEST_URI = 2000  # characters
WITH_HOST = frozenset({"http", "https"})


class UnknownScope(ValueError):
    """A scope that the sandbox does not have."""


class InvalidRedirectUri(ValueError):
    """A redirect URI that cannot be registered; ``problem`` says why and what to do, without naming it."""

    def __init__(self, uri: str, problem: str) -> None:
        super().__init__(f"The redirect URI {quoted(uri)} {problem}")
        self.problem = problem


class GrantType(StrEnum):
    """The grants of the token endpoint (RFC 6749 §4.1.3, §6 and §4.4.2)."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_CREDENTIALS = "client_credentials"


# Fewer characters than VSCHAR of RFC 6749 Appendix A.1 and A.2: an id is also part of the control's paths.
ClientId = Annotated[
    str,
    Meta(
        pattern=r"^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,100}$(?!\n)",
        description="The client_id: letters, digits and . _ ~ -, 100 at most.",
    ),
]
ScopeName = Annotated[
    str,
    Meta(
        pattern=r"^[\x21\x23-\x5b\x5d-\x7e]{1,100}$(?!\n)",
        description="A scope has 1 to 100 characters of printable ASCII, without spaces, quotation marks and "
        "backslashes (RFC 6749 §3.3).",
    ),
]
_PORT = "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"

Address = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LONGEST_URI,
        description="An absolute URI without a fragment.",
        # What ``check_redirect_uri`` accepts, for generators of requests; it alone decides, and says what is wrong.
        extra_json_schema={
            "pattern": r"^(?:https?://(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[::1\])"
            rf"(?::{_PORT})?(?:[/?][^\s\x00-\x1f\x7f#]*)?"
            rf"|(?!(?:https?|{'|'.join(sorted(RUNS_IN_THE_BROWSER))}):)"
            r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x1f\x7f#]+)$"
        },
    ),
]


class Client(Struct, frozen=True, forbid_unknown_fields=True):
    """A registered application (RFC 6749 §2), with its secret."""

    client_id: ClientId
    name: Annotated[str, Meta(min_length=1, max_length=100, description="The name on the consent page.")]
    secret: Annotated[
        str,
        Meta(
            pattern=r"^[\x20-\x7e]{0,200}$(?!\n)",
            description="The client_secret in plain text: printable ASCII, 200 characters at most. "
            "Empty: a public client, which needs PKCE instead.",
        ),
    ]
    grants: Annotated[tuple[GrantType, ...], Meta(description="The grants it may use.")]
    scopes: Annotated[tuple[ScopeName, ...], Meta(description="The scopes it may have, of those of the sandbox.")]
    redirect_uris: Annotated[
        tuple[Address, ...],
        Meta(
            max_length=MOST_URIS,
            description="Registered redirect URIs, matched exactly. Any http URI on a loopback host is allowed too.",
        ),
    ]
    active: Annotated[bool, Meta(description="An inactive client gets documented error 5.")] = True
    api_key: Annotated[
        str,
        Meta(
            pattern=r"^[\x21-\x7e]{0,200}$(?!\n)",
            description="The key that an API with X-API-KEY knows it by, in plain text: printable ASCII, no spaces.",
        ),
    ] = ""

    def __repr__(self) -> str:
        """Leave out the secret."""
        return f"Client({self.client_id!r})"

    @property
    def is_public(self) -> bool:
        """True for a client without a secret (RFC 6749 §2.1)."""
        return not self.secret

    @property
    def has_users(self) -> bool:
        """False for a client with the grant client_credentials alone, whose tokens are its own (RFC 6749 §4.4)."""
        return self.grants != (GrantType.CLIENT_CREDENTIALS,)

    def may_redirect_to(self, uri: str) -> bool:
        """Return true for a registered URI, and for ``http`` on a loopback host with any port and path."""
        return uri in self.redirect_uris or LOOPBACK_REDIRECT_URI.fullmatch(uri) is not None

    def registered(self, uri: str) -> "Client":
        """Return the client with a redirect URI in place of those on loopback hosts.

        Raises ``InvalidRedirectUri``.
        """
        check_redirect_uri(uri)
        others = (it for it in self.redirect_uris if not LOOPBACK_REDIRECT_URI.fullmatch(it))
        return replace(self, redirect_uris=tuple(dict.fromkeys((*others, uri))))


NewClient = optional(Client, "NewClient", required=("client_id", "secret"))
ClientChange = optional(Client, "ClientChange", client_id=None)


def client_from(fields: Any, scopes: Iterable[str]) -> Client:
    """Return a client with the fields of a ``NewClient``.

    Defaults: its id as the name, every grant, all ``scopes``, no redirect URIs, active. Raises ``ValueError`` for an
    unknown grant, for a scope that is not among ``scopes``, and for a redirect URI that cannot be registered.
    """
    values = msgspec.to_builtins(fields)
    for uri in values.get("redirect_uris", ()):
        check_redirect_uri(uri)
    grants = set(map(GrantType, values.get("grants", GrantType)))
    if not values["secret"]:
        grants.discard(GrantType.CLIENT_CREDENTIALS)  # for confidential clients only (RFC 6749 §4.4)
    return Client(
        client_id=values["client_id"],
        name=values.get("name", values["client_id"]),
        secret=values["secret"],
        grants=tuple(grant for grant in GrantType if grant in grants),
        scopes=checked_scopes(values.get("scopes", scopes), scopes),
        redirect_uris=tuple(dict.fromkeys(values.get("redirect_uris", ()))),
        active=values.get("active", True),
        api_key=values.get("api_key", ""),
    )


def check_redirect_uri(uri: str) -> None:
    """Check that a URI is absolute and has no fragment (RFC 6749 §3.1.2), and leads to a program.

    Raises ``InvalidRedirectUri``.
    """
    if SCHEME.split(uri.strip(), maxsplit=1)[0].lower() in RUNS_IN_THE_BROWSER:
        raise InvalidRedirectUri(uri, "would run or open in the browser itself. Use http or https.")
    if not ABSOLUTE_URI.fullmatch(uri) or not _has_its_host(uri):
        raise InvalidRedirectUri(uri, "is not absolute. Use one such as https://app.example/callback.")
    if "#" in uri:
        raise InvalidRedirectUri(uri, "has a fragment. Leave out the # and what follows it.")


def _has_its_host(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        return parts.scheme not in WITH_HOST or (bool(parts.hostname) and parts.port != 0)
    except ValueError:  # a port that is not one, or a half of a bracket
        return False


def checked_scopes(names: Iterable[str], scopes: Iterable[str]) -> Scope:
    """Return the names without repetition. Raises ``UnknownScope`` naming the first that is not among ``scopes``."""
    allowed = tuple(scopes)
    for name in (unique := tuple(dict.fromkeys(names))):
        if name not in allowed:
            raise UnknownScope(f"Unknown scope {quoted(name)}. Allowed: {', '.join(allowed)}.")
    return unique
