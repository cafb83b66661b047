"""The applications that may ask the sandbox for tokens."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from oauth.sandbox.json_schema import Schema, table
from oauth.sandbox.scope import Scope

# The address must end where a browser ends it too: no user part, backslash, fragment or control character.
LOOPBACK_REDIRECT_URI = re.compile(
    r"http://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?"
    r"(?:[/?][A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]*)?",
    re.IGNORECASE,
)


class GrantType(StrEnum):
    """The grants the token endpoint knows (RFC 6749 §4.1.3, §6 and §4.4.2)."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_CREDENTIALS = "client_credentials"


# VSCHAR of RFC 6749 Appendix A.1 and A.2; an id stands in the control's paths too, hence fewer signs.
CLIENT_ID: Schema = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9._~-]{1,100}$",
    "not": {"enum": [".", ".."]},
    "description": "The client_id: letters, digits and . _ ~ -, 100 at most.",
}
SCOPE_NAME: Schema = {
    "type": "string",
    "pattern": r"^[\x21\x23-\x5b\x5d-\x7e]{1,100}$",
    "description": "One scope (RFC 6749 §3.3).",
}
PROPERTIES: Mapping[str, Schema] = {
    "name": {"type": "string", "minLength": 1, "maxLength": 100, "description": "What the consent page calls it."},
    "secret": {
        "type": "string",
        "pattern": r"^[\x20-\x7e]{1,200}$",
        "description": "The client_secret, in the open: printable ASCII, 200 characters at most.",
    },
    "grants": {
        "type": "array",
        "items": {"enum": list(GrantType), "description": f"Allowed: {', '.join(GrantType)}."},
        "uniqueItems": True,
        "description": "The grants it may use.",
    },
    "scopes": {
        "type": "array",
        "items": SCOPE_NAME,
        "uniqueItems": True,
        "description": "The scopes it may have, of those that the sandbox has.",
    },
    "redirect_uris": {
        "type": "array",
        "items": {"type": "string", "minLength": 1, "maxLength": 2000, "description": "An absolute address."},
        "maxItems": 100,
        "uniqueItems": True,
        "description": "Registered redirect URIs. Any http address on a loopback host may be used beside them.",
    },
    "active": {"type": "boolean", "description": "Whether it may get tokens; otherwise it is answered error 5."},
}
CLIENT = table({"client_id": CLIENT_ID, **PROPERTIES}, ["client_id", "secret"], "A client.")


@dataclass(frozen=True, slots=True)
class Client:
    """A registered application (RFC 6749 §2). ``redirect_uris`` match exactly."""

    client_id: str
    name: str
    secret: str = field(repr=False)
    grants: frozenset[GrantType]
    scopes: Scope
    redirect_uris: tuple[str, ...]
    active: bool = True

    def may_redirect_to(self, uri: str) -> bool:
        """Whether ``uri`` is registered, or is an ``http`` address on a loopback host, port and path free."""
        return uri in self.redirect_uris or LOOPBACK_REDIRECT_URI.fullmatch(uri) is not None

    @property
    def members(self) -> dict[str, Any]:
        """As JSON, with its secret."""
        return {
            "client_id": self.client_id,
            "name": self.name,
            "secret": self.secret,
            "grants": [grant for grant in GrantType if grant in self.grants],
            "scopes": list(self.scopes),
            "redirect_uris": list(self.redirect_uris),
            "active": self.active,
        }


def client_from(members: Mapping[str, Any], scopes: Iterable[str]) -> Client:
    """A client from what is of the shape ``CLIENT``. What is left out is as wide as can be: every grant, every one of
    ``scopes``, active; only redirect URIs there are none. Raises ``ValueError`` for a scope that is none of them."""
    return Client(
        client_id=members["client_id"],
        name=members.get("name", members["client_id"]),
        secret=members["secret"],
        grants=frozenset(GrantType(grant) for grant in members.get("grants", GrantType)),
        scopes=checked_scopes(members.get("scopes", scopes), scopes),
        redirect_uris=tuple(members.get("redirect_uris", ())),
        active=members.get("active", True),
    )


def checked_scopes(asked: Iterable[str], scopes: Iterable[str]) -> Scope:
    """What is asked, when it is all among ``scopes``. Raises ``ValueError`` that names the first that is not."""
    there_are = tuple(scopes)
    for name in (names := tuple(dict.fromkeys(asked))):
        if name not in there_are:
            raise ValueError(f"There is no scope {name!r}. There are: {', '.join(there_are)}.")
    return names
