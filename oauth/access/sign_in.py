"""The settings of the sign-in, and what it ends with when somebody may not come in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from oauth.access.roles import Rules
from oauth.addresses import is_loopback
from oauth.settings import SettingError


class Refused(Exception):
    """A sign-in is refused; the text says why, for the person and for the audit, and has no secret in it."""


class Unreachable(Exception):
    """Nothing can be said of a sign-in, because the provider or the proxy's keys cannot be read; the text says why."""


SIGN_IN, CALLBACK, SIGN_OUT, WHO = "/sign-in", "/sign-in/callback", "/sign-out", "/who-am-i"
"""The paths of the sign-in; the last shows a person's claims and the role that they gave."""

SCOPE = "openid profile email"
"""The scope of a sign-in, unless ``CONSOLE_OIDC_SCOPE`` says another."""


@dataclass(frozen=True, slots=True)
class OpenId:
    """The console as a client of an OpenID provider (OpenID Connect Core 1.0 §3.1)."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    scope: str = SCOPE


@dataclass(frozen=True, slots=True)
class Voucher:
    """The JWT of a proxy that signs people in: the header it comes in, and what it must say."""

    header: str
    issuer: str
    audience: str
    jwks: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """The rules of the roles, and who says who somebody is: a provider, or the voucher of a proxy."""

    rules: Rules
    by: OpenId | Voucher


def load(environ: Mapping[str, str], mode: str) -> SignIn | None:
    """Read the settings of a sign-in ``mode``, a value of ``CONSOLE_SIGN_IN``; ``None`` when it is off.

    Raises ``SettingError``.
    """
    if mode == "off":
        return None

    def needed(name: str) -> str:
        if value := environ.get(name, "").strip():
            return value
        raise SettingError(f"CONSOLE_SIGN_IN is {mode!r}, which needs {name}. docs/operate.md says what it is.")

    try:
        rules = Rules.parse(needed("CONSOLE_ROLES"))
    except ValueError as error:
        raise SettingError(f"CONSOLE_ROLES {error}.") from error
    if mode == "proxy":
        jwks = _address("CONSOLE_JWT_JWKS", needed("CONSOLE_JWT_JWKS"))
        issuer, audience = needed("CONSOLE_JWT_ISSUER"), needed("CONSOLE_JWT_AUDIENCE")
        return SignIn(rules, Voucher(needed("CONSOLE_JWT_HEADER").lower(), issuer, audience, jwks))
    issuer = _address("CONSOLE_OIDC_ISSUER", needed("CONSOLE_OIDC_ISSUER"))
    secret = environ.get("CONSOLE_OIDC_CLIENT_SECRET", "").strip()
    scope = environ.get("CONSOLE_OIDC_SCOPE", "").strip() or SCOPE
    return SignIn(rules, OpenId(issuer, needed("CONSOLE_OIDC_CLIENT_ID"), secret, scope))


def _address(name: str, text: str) -> str:
    """Return an address that can be trusted for keys: with TLS, or on this machine."""
    try:
        parts = urlsplit(text)
        local = is_loopback(parts.hostname or "")
    except ValueError as error:
        raise SettingError(f"{name} is {text!r}, which is not a valid URL: {error}.") from error
    if not parts.hostname or "@" in text or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise SettingError(f"{name} is {text!r}; it must begin with https://, name a host, and have no user.")
    return text
