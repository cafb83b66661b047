"""The issued codes, access tokens and refresh tokens, in memory by their secret."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from oauth_sandbox.behaviour import NEW_SECRET, TokenShape
from oauth_sandbox.scope import Scope


class Kind(StrEnum):
    """The kind of an issued secret."""

    CODE = "code"
    ACCESS_TOKEN = "access token"
    REFRESH_TOKEN = "refresh token"


class State(StrEnum):
    """The state of a code or token. Use ends a code and may replace a refresh token."""

    LIVE = "live"
    USED = "used"
    REPLACED = "replaced"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Issued(Struct, frozen=True, gc=False):  # made for each request: a frozen dataclass takes eight times as long
    """A code or token without its secret, identified by ``serial`` within its kind.

    ``user_id`` is ``None`` for the application's own token. ``redirect_uri`` is where a code went;
    ``redirect_uri_sent`` is true when the authorization request had it, so that the token request needs it (RFC 6749
    §4.1.3). ``code_challenge`` is that of PKCE with its method, ``S256 CHALLENGE``. ``family`` numbers the consent that
    it comes from, 0 without one. ``ended_at`` is when it was used, replaced or revoked, ``ended_by`` the
    request that replaced it.
    """

    serial: int
    kind: Kind
    client_id: str
    scope: Scope
    user_id: int | None
    issued_at: datetime
    expires_at: datetime
    state: State = State.LIVE
    redirect_uri: str = ""
    redirect_uri_sent: bool = False
    code_challenge: str = ""
    family: int = 0
    ended_at: datetime | None = None
    ended_by: str = ""

    @property
    def label(self) -> str:
        """The text that replaces the secret, for example ``code 3``."""
        return f"{self.kind} {self.serial}"

    @property
    def is_live(self) -> bool:
        """True while it can be used."""
        return self.state is State.LIVE

    def as_of(self, now: datetime) -> "Issued":
        """Return it as of ``now``: expired when it was live and its lifetime is over."""
        return replace(self, state=State.EXPIRED) if self.is_live and self.expires_at <= now else self


class Store:
    """The codes or tokens of one kind, oldest first. Not locked: ``Sandbox`` does that.

    Issuing drops what has expired and, past ``capacity``, the oldest, so that memory is bounded.
    ``last_serial`` is that of the newest one ever issued.
    """

    def __init__(self, kind: Kind, lifetime: timedelta, capacity: int) -> None:
        self.kind = kind
        self.lifetime = lifetime
        self._capacity = capacity
        self.last_serial = 0
        self.new_secret = NEW_SECRET[TokenShape.HEX]
        # A plain dict scans past deleted entries to find its first one.
        self._by_secret: OrderedDict[str, Issued] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_secret)

    def __iter__(self) -> Iterator[tuple[str, Issued]]:
        """Iterate over pairs of secret and issued item, oldest first."""
        return iter(self._by_secret.items())

    def issue(
        self,
        now: datetime,
        client_id: str,
        scope: Scope,
        user_id: int | None,
        **more: Any,
    ) -> str:
        """Issue a new one and return its secret; ``more`` are other fields of ``Issued``."""
        self._purge(now)
        self.last_serial += 1
        secret = self.new_secret()
        self._by_secret[secret] = Issued(
            self.last_serial, self.kind, client_id, scope, user_id, now, now + self.lifetime, **more
        )
        return secret

    def find(self, secret: str, now: datetime) -> Issued | None:
        """Return the one with this secret as it is now, ``None`` when it is unknown."""
        issued = self._by_secret.get(secret)
        return None if issued is None else issued.as_of(now)

    def live(self, secret: str, now: datetime) -> Issued | None:
        """Return the one with this secret, ``None`` when it is unknown or not live."""
        issued = self.find(secret, now)
        return issued if issued is not None and issued.is_live else None

    def end(self, secret: str, state: State, now: datetime, request_id: str = "") -> None:
        """Mark it as used, replaced or revoked."""
        issued = self._by_secret[secret]
        self._by_secret[secret] = replace(issued, state=state, ended_at=now, ended_by=request_id)

    def revoke(self, serial: int, now: datetime) -> None:
        """Revoke it if it is live. Raises ``LookupError`` when it is unknown."""
        secret, issued = self._numbered(serial)
        if issued.is_live:
            self.end(secret, State.REVOKED, now)

    def numbered(self, serial: int, now: datetime) -> Issued:
        """Return the one with this serial as it is now. Raises ``LookupError`` when it is unknown."""
        return self._numbered(serial)[1].as_of(now)

    def newest(self, now: datetime, limit: int) -> tuple[Issued, ...]:
        """Return the newest, newest first, as they are now."""
        return tuple(issued.as_of(now) for issued in islice(reversed(self._by_secret.values()), limit))

    def secrets(self, limit: int) -> Iterator[tuple[int, str]]:
        """Iterate over pairs of serial and secret of the newest, newest first."""
        return ((issued.serial, secret) for secret, issued in islice(reversed(self._by_secret.items()), limit))

    def forget(self, unwanted: Callable[[Issued], bool]) -> None:
        """Drop those for which ``unwanted`` is true."""
        for secret in [secret for secret, issued in self if unwanted(issued)]:
            del self._by_secret[secret]

    def refill(self, last_serial: int, content: Iterable[tuple[str, Issued]]) -> None:
        """Replace the content, given oldest first, and continue after ``last_serial``."""
        self._by_secret = OrderedDict(content)
        self.last_serial = last_serial

    def clear(self) -> None:
        """Drop everything and count from one again."""
        self.refill(0, ())

    def _numbered(self, serial: int) -> tuple[str, Issued]:
        for secret, issued in reversed(self._by_secret.items()):
            if issued.serial == serial:
                return secret, issued
        raise LookupError(f"There is no {self.kind} {serial}. It may have been dropped after it expired.")

    def _purge(self, now: datetime) -> None:
        # With one lifetime and a clock that mostly goes forward, the first entry expires first.
        while self._by_secret:
            oldest = next(iter(self._by_secret.values()))
            if oldest.expires_at > now and len(self._by_secret) < self._capacity:
                return
            self._by_secret.popitem(last=False)
