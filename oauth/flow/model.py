"""The state of a flow, as immutable values: the requests, the callback and the tokens (RFC 6749)."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from oauth.exchange import Exchange, Request, Step
from oauth.flow import device
from oauth.flow.device import Device
from oauth.jose.dpop import Nonces
from oauth.moments import later
from oauth.providers import ClientAuthentication, Pkce, Provider, ReadyClient

if TYPE_CHECKING:  # it loads the library for keys, which few commands need
    from oauth.jose.keys import SigningKey
else:  # annotations are read when a flow is kept, without its keys
    SigningKey = Any


class Grant(StrEnum):
    """The ``grant_type`` of a token request (RFC 6749 §1.3, §6; RFC 8628 §3.4)."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_CREDENTIALS = "client_credentials"
    DEVICE_CODE = device.GRANT


class StateCheck(StrEnum):
    """The result of comparing the returned ``state`` with the one in the request (RFC 6749 §10.12)."""

    MATCHES = "matches"
    DIFFERS = "differs"
    MISSING = "missing"
    NOT_POSSIBLE = "not possible"


class IssuerCheck(StrEnum):
    """The result of comparing the returned ``iss`` with the profile's issuer (RFC 9207 §2.4)."""

    MATCHES = "matches"
    DIFFERS = "differs"
    NOT_SENT = "not sent"
    NOT_POSSIBLE = "not possible"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request before it is sent: its meaning, the source of its value, and the choice to send it.

    ``since`` is the time at which an earlier response brought the value. A ``header`` field is sent as a header beside
    the fields of the body. An ``optional`` field is hidden unless it is sent or all options are shown.
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
    """The client's credentials (RFC 6749 §2.2, §2.3.1), and its key where the API wants one in a header."""

    id: str
    secret: str = field(repr=False)
    api_key: str = field(default="", repr=False)


def client_from(ready: ReadyClient) -> Client:
    """Return a ready-made client's credentials."""
    return Client(ready.id, ready.secret, ready.api_key)


@dataclass(frozen=True, slots=True)
class Signed:
    """The signatures of one request: the client assertion and the DPoP proof. Empty where not needed."""

    assertion: str = field(default="", repr=False)
    proof: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Callback:
    """The authorization response (RFC 6749 §4.1.2), with the results of its ``state`` and ``iss`` checks."""

    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    received_at: datetime
    state_check: StateCheck
    pasted: bool
    issuer_check: IssuerCheck = IssuerCheck.NOT_SENT

    def get(self, name: str) -> str:
        """Return the first parameter of that name, or an empty string."""
        return next((value for key, value in self.parameters if key == name), "")

    @property
    def is_mixed_up(self) -> bool:
        """True if another server responded than the one asked: the code must not be used (RFC 9207 §2.4)."""
        return self.issuer_check is IssuerCheck.DIFFERS


@dataclass(frozen=True, slots=True)
class Pushed:
    """A pushed authorization request (RFC 9126 §2.2): its reference and its parameters."""

    request_uri: str = field(repr=False)
    pushed_at: datetime
    expires_at: datetime
    parameters: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A successful token response (RFC 6749 §5.1). ``expires_in`` is in seconds, ``None`` if the server sent none.

    ``id_token`` is that of OpenID Connect Core §3.1.3.3, or empty.
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
        """The time at which the access token expires, according to the server."""
        return None if self.expires_in is None else later(self.issued_at, self.expires_in)


@dataclass(frozen=True, slots=True)
class Flow:
    """One run from the authorization request to the tokens: the exchanges that share a ``state``.

    ``authorization`` holds the parameters of the authorization request, ``None`` until it was sent. ``verifier`` is for
    PKCE and ``nonce`` for OpenID Connect; ``signing_key`` is the client's for ``private_key_jwt``, and ``dpop_key`` the
    key that tokens are bound to.
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
    signing_key: "SigningKey | None" = field(default=None, repr=False)
    dpop_key: "SigningKey | None" = field(default=None, repr=False)
    dpop_nonces: Nonces = field(default=(), repr=False)
    pushed: Pushed | None = None
    device: Device | None = None

    def exchange(self, step: Step, request: Request, at: datetime, owner: str = "") -> Exchange:
        """Return an exchange of this flow that was not sent yet."""
        provider, client_id = self.provider.id, self.client.id
        return Exchange(
            step, request, at, flow=self.id, owner=owner, case=self.case, provider=provider, client_id=client_id
        )

    @property
    def id(self) -> str:
        """The flow's public id, derived from ``state`` without revealing it."""
        return hashlib.sha256(self.state.encode()).hexdigest()[:10]

    @property
    def code(self) -> str:
        """The authorization code of the callback if it may be used, or an empty string."""
        return self.callback.get("code") if self.callback and not self.callback.is_mixed_up else ""

    @property
    def code_expires_at(self) -> datetime | None:
        """The time at which the code expires, if the provider documents its lifetime; counted from its arrival."""
        lifetime = self.provider.lifetimes.code
        if self.callback is None or not self.code or lifetime is None:
            return None
        return later(self.callback.received_at, lifetime)

    def authorization_parameter(self, name: str) -> str:
        """Return a parameter of the authorization request as it was sent, or an empty string."""
        return dict(self.authorization or ()).get(name, "")
