"""The state of a flow, as immutable values: what was asked, what came back, and the tokens (RFC 6749)."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from oauth.flow import device
from oauth.flow.device import Device
from oauth.jose.dpop import Nonces
from oauth.jose.keys import SigningKey
from oauth.providers import ClientAuthentication, Pkce, Provider


class Grant(StrEnum):
    """How a token is asked for (RFC 6749 §1.3, §6; RFC 8628 §3.4)."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_CREDENTIALS = "client_credentials"
    DEVICE_CODE = device.GRANT


class StateCheck(StrEnum):
    """What comparing the returned ``state`` with the sent one gave (RFC 6749 §10.12)."""

    MATCHES = "matches"
    DIFFERS = "differs"
    MISSING = "missing"
    NOT_POSSIBLE = "not possible"


class IssuerCheck(StrEnum):
    """What comparing the returned ``iss`` with the profile's issuer gave (RFC 9207 §2.4)."""

    MATCHES = "matches"
    DIFFERS = "differs"
    NOT_SENT = "not sent"
    NOT_POSSIBLE = "not possible"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request before it is sent: its meaning, where the value comes from, and whether it is sent.

    ``since`` is when the value arrived, for one that an earlier answer gave. A ``header`` travels as one, beside the
    fields of the body. An ``optional`` field is for those who look for it: it is not drawn unless it is sent.
    """

    name: str
    value: str
    meaning: str
    source: str
    send: bool = True
    since: datetime | None = None
    header: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Client:
    """The client's credentials (RFC 6749 §2.2, §2.3.1)."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """What is signed anew for each request: the client's assertion and the DPoP proof. Empty where there is none."""

    assertion: str = field(default="", repr=False)
    proof: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Callback:
    """The redirect that came back (RFC 6749 §4.1.2), with what the checks of its ``state`` and ``iss`` gave."""

    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    received_at: datetime
    state_check: StateCheck
    pasted: bool
    issuer_check: IssuerCheck = IssuerCheck.NOT_SENT

    def get(self, name: str) -> str:
        """The first parameter of that name, or an empty text."""
        return next((value for key, value in self.parameters if key == name), "")

    @property
    def is_mixed_up(self) -> bool:
        """Whether another server answered than the one that was asked: the code is not to be used (RFC 9207 §2.4)."""
        return self.issuer_check is IssuerCheck.DIFFERS


@dataclass(frozen=True, slots=True)
class Pushed:
    """An authorization request that the server keeps (RFC 9126 §2.2), and what was pushed."""

    request_uri: str = field(repr=False)
    pushed_at: datetime
    expires_at: datetime
    parameters: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A successful token response (RFC 6749 §5.1). ``expires_in`` is in seconds, ``None`` when the server said none.

    ``id_token`` is that of OpenID Connect Core §3.1.3.3, empty without one.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    scope: str
    requested_scope: str
    expires_in: int | None
    token_type: str
    grant: Grant
    issued_at: datetime
    id_token: str = field(default="", repr=False)

    @property
    def expires_at(self) -> datetime | None:
        """When the access token ends, by the server's own word."""
        return None if self.expires_in is None else self.issued_at + timedelta(seconds=self.expires_in)


@dataclass(frozen=True, slots=True)
class Flow:
    """One walk from the authorization request to the token: the exchanges that share a ``state``.

    ``verifier`` is that of PKCE and ``nonce`` that of OpenID Connect; ``signing_key`` is the client's for
    ``private_key_jwt``, ``dpop_key`` the one that tokens are bound to.
    """

    provider: Provider
    client: Client
    redirect_uri: str
    state: str = field(repr=False)
    started_at: datetime
    case: str = ""
    authorization: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)
    callback: Callback | None = None
    tokens: Tokens | None = None
    application_tokens: Tokens | None = None
    refresh_replaced: bool | None = None
    pkce: Pkce = Pkce.OFF
    verifier: str = field(default="", repr=False)
    nonce: str = field(default="", repr=False)
    authentication: ClientAuthentication = ClientAuthentication.BODY
    signing_key: SigningKey | None = field(default=None, repr=False)
    dpop_key: SigningKey | None = field(default=None, repr=False)
    dpop_nonces: Nonces = field(default=(), repr=False)
    pushed: Pushed | None = None
    device: Device | None = None

    @property
    def id(self) -> str:
        """A name for the flow that can be written down: it is derived from ``state`` and does not give it away."""
        return hashlib.sha256(self.state.encode()).hexdigest()[:10]

    @property
    def code(self) -> str:
        """The authorization code that came back and may be used, or an empty text."""
        return self.callback.get("code") if self.callback and not self.callback.is_mixed_up else ""

    @property
    def code_expires_at(self) -> datetime | None:
        """When the code ends, counted from its arrival with the provider's documented lifetime, if it has one."""
        life = self.provider.lifetimes.code
        if self.callback is None or not self.code or life is None:
            return None
        return self.callback.received_at + timedelta(seconds=life)

    def authorization_parameter(self, name: str) -> str:
        """A parameter of the authorization request as it went out, or an empty text."""
        return dict(self.authorization or ()).get(name, "")
