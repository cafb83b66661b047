"""The provider where its documentation is silent: each assumption as a setting, and a preset against the client."""

import os
import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

DATA = Path(__file__).with_name("behaviour.toml")

LONGEST_GRACE = 86_400


class Preset(StrEnum):
    """The sets of values: those that most is known of, and those that break most clients."""

    USUAL = "usual"
    STRICT = "strict"


class ExpiresIn(StrEnum):
    """The JSON type of ``expires_in`` (RFC 6749 §5.1 has a number)."""

    NUMBER = "number"
    TEXT = "text"


class ScopeOrder(StrEnum):
    """The order of the scopes in a token response (RFC 6749 §3.3: it means nothing)."""

    REQUESTED = "requested"
    DOCUMENTED = "documented"


class TokenShape(StrEnum):
    """The shape of tokens, which are opaque to the client (RFC 6749 §1.4)."""

    HEX = "hex"
    URL_SAFE = "url-safe"
    LONG = "long"


class Reuse(StrEnum):
    """What happens when a code or a refresh token comes a second time (RFC 6749 §4.1.2, RFC 9700 §4.14.2)."""

    REFUSE = "refuse"
    REVOKE_FAMILY = "revoke-family"


class Pkce(StrEnum):
    """What PKCE is worth (RFC 7636). Enforced, a verifier must match its challenge, and none comes without one.

    Required, each authorization request needs a challenge too, and only S256 will do (RFC 9700 §2.1.1).
    """

    IGNORED = "ignored"
    ENFORCED = "enforced"
    REQUIRED = "required"


class Cors(StrEnum):
    """Whether a page of another origin may read the responses of the token endpoint and the API."""

    CLOSED = "closed"
    OPEN = "open"


class OnGet(StrEnum):
    """What the API does with a ``Content-Type`` on a GET."""

    REFUSED = "refused"
    ACCEPTED = "accepted"


class Coordinates(StrEnum):
    """The JSON type of an advert's coordinates."""

    NUMBER = "number"
    TEXT = "text"


class ExtraFields(StrEnum):
    """What the API does with a member of an advert that it does not know."""

    IGNORED = "ignored"
    REFUSED = "refused"


class Behaviour(Struct, frozen=True, forbid_unknown_fields=True):
    """What is assumed of the provider. ``behaviour.toml`` says what is known of each."""

    challenges: Annotated[bool, Meta(description="Errors have a WWW-Authenticate header beside their body.")] = True
    expires_in: Annotated[ExpiresIn, Meta(description="The JSON type of expires_in.")] = ExpiresIn.NUMBER
    scope_order: Annotated[ScopeOrder, Meta(description="The order of scopes; documented: v2 read write.")] = (
        ScopeOrder.REQUESTED
    )
    token_shape: Annotated[TokenShape, Meta(description="40 hex digits, 43 URL-safe characters, or 1,600.")] = (
        TokenShape.HEX
    )
    refresh_grace_seconds: Annotated[
        int,
        Meta(ge=0, le=LONGEST_GRACE, description="Seconds for which a replaced refresh token is still accepted."),
    ] = 0
    refresh_reuse: Annotated[
        Reuse, Meta(description="A replaced refresh token is refused, or revokes everything of its consent too.")
    ] = Reuse.REFUSE
    code_reuse: Annotated[
        Reuse, Meta(description="A used code is refused, or revokes everything of its consent too.")
    ] = Reuse.REFUSE
    pkce: Annotated[Pkce, Meta(description="PKCE is ignored, enforced, or required with S256.")] = Pkce.IGNORED
    cors: Annotated[Cors, Meta(description="Responses can be read by pages of other origins when open.")] = Cors.CLOSED
    content_type_on_get: Annotated[OnGet, Meta(description="A GET with a Content-Type is refused or accepted.")] = (
        OnGet.REFUSED
    )
    coordinates: Annotated[Coordinates, Meta(description="The JSON type of an advert's coordinates.")] = (
        Coordinates.NUMBER
    )
    longest_title: Annotated[
        int, Meta(ge=16, le=1000, description="The characters that an advert's title may have.")
    ] = 150
    moderation_seconds: Annotated[
        int, Meta(ge=0, le=86_400, description="Seconds for which a created advert is new before it is active.")
    ] = 0
    extra_fields: Annotated[
        ExtraFields, Meta(description="Unknown fields of an advert are ignored, or the body is refused.")
    ] = ExtraFields.IGNORED


PRESETS: Mapping[Preset, Behaviour] = {
    Preset.USUAL: Behaviour(),
    Preset.STRICT: Behaviour(
        challenges=False,
        expires_in=ExpiresIn.TEXT,
        scope_order=ScopeOrder.DOCUMENTED,
        token_shape=TokenShape.LONG,
        refresh_reuse=Reuse.REVOKE_FAMILY,
        code_reuse=Reuse.REVOKE_FAMILY,
        pkce=Pkce.ENFORCED,
        coordinates=Coordinates.TEXT,
        longest_title=70,
        moderation_seconds=180,
        extra_fields=ExtraFields.REFUSED,
    ),
}

NEW_SECRET: Mapping[TokenShape, Callable[[], str]] = {
    TokenShape.HEX: lambda: os.urandom(20).hex(),  # as secrets.token_hex, in half the time
    TokenShape.URL_SAFE: lambda: secrets.token_urlsafe(32),
    TokenShape.LONG: lambda: ".".join(map(secrets.token_urlsafe, (27, 915, 256))),  # the three parts of a JWT
}


@dataclass(frozen=True, slots=True)
class Known:
    """One behaviour, how it is known (documented, observed or assumed), where from, and the setting that changes it."""

    what: str
    evidence: str
    source: str
    setting: str = ""


def known() -> tuple[Known, ...]:
    """Return what is known of the provider's behaviour."""
    return tuple(Known(**row) for row in tomllib.loads(DATA.read_text(encoding="utf-8"))["behaviour"])
