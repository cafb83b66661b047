"""What the sandbox gave out: codes, access tokens and refresh tokens, kept in memory by their secret."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from oauth.sandbox.scope import Scope


class Kind(StrEnum):
    """What was given out."""

    CODE = "code"
    ACCESS_TOKEN = "access token"
    REFRESH_TOKEN = "refresh token"


class State(StrEnum):
    """Whether it can be used. A code is used once, a refresh token is replaced when it is used."""

    LIVE = "live"
    USED = "used"
    REPLACED = "replaced"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Issued:
    """A code or token without its secret: ``serial``, which counts within its kind, stands for it.

    ``user_id`` is ``None`` when the token is the application's own. ``redirect_uri`` is where a code went, and
    ``redirect_uri_sent`` whether the authorization request had it, so that the token request must have it too
    (RFC 6749 §4.1.3).
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

    @property
    def label(self) -> str:
        """What stands in the secret's place, for example ``code 3``."""
        return f"{self.kind} {self.serial}"

    @property
    def is_live(self) -> bool:
        """Whether it can be used, as it was seen."""
        return self.state is State.LIVE

    def seen_at(self, now: datetime) -> "Issued":
        """The same, expired when its time is over and it was live until then."""
        return replace(self, state=State.EXPIRED) if self.is_live and self.expires_at <= now else self


class Store:
    """Everything of one kind, oldest first. Not locked: ``Sandbox`` sees to that.

    Issuing drops what has expired and, past ``capacity``, the oldest, so that memory does not grow without end.
    """

    def __init__(self, kind: Kind, lifetime: timedelta, capacity: int) -> None:
        self.kind = kind
        self.lifetime = lifetime
        self._capacity = capacity
        self._serial = 0
        # A plain dict would look for its first entry past all that were deleted before it.
        self._by_secret: OrderedDict[str, Issued] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_secret)

    def __iter__(self) -> Iterator[tuple[str, Issued]]:
        """Secret and what it stands for, oldest first."""
        return iter(self._by_secret.items())

    def issue(
        self,
        now: datetime,
        client_id: str,
        scope: Scope,
        user_id: int | None,
        redirect_uri: str = "",
        redirect_uri_sent: bool = False,
    ) -> str:
        """Make a new one and give its secret: 40 random hex digits."""
        self._purge(now)
        self._serial += 1
        secret = secrets.token_hex(20)
        self._by_secret[secret] = Issued(
            serial=self._serial,
            kind=self.kind,
            client_id=client_id,
            scope=scope,
            user_id=user_id,
            issued_at=now,
            expires_at=now + self.lifetime,
            redirect_uri=redirect_uri,
            redirect_uri_sent=redirect_uri_sent,
        )
        return secret

    def seen(self, secret: str, now: datetime) -> Issued | None:
        """The one with this secret as it is now, ``None`` when it is unknown."""
        issued = self._by_secret.get(secret)
        return None if issued is None else issued.seen_at(now)

    def live(self, secret: str, now: datetime) -> Issued | None:
        """The one with this secret, ``None`` when it is unknown or cannot be used any more."""
        issued = self.seen(secret, now)
        return issued if issued is not None and issued.is_live else None

    def end(self, secret: str, state: State) -> None:
        """Mark it as used, replaced or revoked."""
        self._by_secret[secret] = replace(self._by_secret[secret], state=state)

    def revoke(self, serial: int) -> None:
        """Revoke it if it is live; what has ended keeps its state. Raises ``LookupError`` when there is none."""
        secret, issued = self._numbered(serial)
        if issued.is_live:
            self.end(secret, State.REVOKED)

    def numbered(self, serial: int, now: datetime) -> Issued:
        """The one with this serial, as it is now. Raises ``LookupError`` when there is none."""
        return self._numbered(serial)[1].seen_at(now)

    def newest(self, now: datetime, limit: int) -> tuple[Issued, ...]:
        """The newest first, as they are now."""
        return tuple(issued.seen_at(now) for issued in islice(reversed(self._by_secret.values()), limit))

    def forget(self, unwanted: Callable[[Issued], bool]) -> None:
        """Drop some."""
        for secret in [secret for secret, issued in self if unwanted(issued)]:
            del self._by_secret[secret]

    def refill(self, last_serial: int, content: Iterable[tuple[str, Issued]]) -> None:
        """Hold this instead, oldest first, and count on from ``last_serial``."""
        self._by_secret = OrderedDict(content)
        self._serial = last_serial

    @property
    def last_serial(self) -> int:
        """The serial of the newest one that there was."""
        return self._serial

    def clear(self) -> None:
        """Forget everything and count from one again."""
        self.refill(0, ())

    def _numbered(self, serial: int) -> tuple[str, Issued]:
        for secret, issued in reversed(self._by_secret.items()):
            if issued.serial == serial:
                return secret, issued
        raise LookupError(f"There is no {self.kind} {serial}, or it was dropped after it expired.")

    def _purge(self, now: datetime) -> None:
        # One lifetime and a clock that mostly goes forward: what expires first stands first.
        while self._by_secret:
            oldest = next(iter(self._by_secret.values()))
            if oldest.expires_at > now and len(self._by_secret) < self._capacity:
                return
            self._by_secret.popitem(last=False)
