"""Who is signed in at the sandbox, what was consented to, and the login behind each token."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

from oauth_sandbox.openid.device import Device
from oauth_sandbox.openid.pushed import Pushed
from oauth_sandbox.scope import Scope

MOST = 50_000

K = TypeVar("K")
V = TypeVar("V")


class Session(Struct, frozen=True):
    """The user who is signed in, since the last login."""

    user_id: int
    since: Annotated[datetime, Meta(tz=True)]


class Login(Struct, frozen=True):
    """The login behind the tokens of one consent, which ``family`` numbers, and the ``nonce`` of its request."""

    family: int
    at: Annotated[datetime, Meta(tz=True)]
    nonce: str = ""


class Consent(Struct, frozen=True):
    """The scopes that a user has let a client have."""

    client_id: str
    user_id: int
    scope: tuple[str, ...]


class Logins:
    """The one browser that the sandbox knows: it has no cookie, so that a test need not keep one. Bounded.

    ``pushed`` has the authorization requests that wait for it, ``devices`` the devices, and ``registrations`` the
    token that manages each client that registered itself; no snapshot has them.
    """

    def __init__(self) -> None:
        self.session: Session | None = None
        self.pushed: dict[str, Pushed] = {}
        self.devices: dict[str, Device] = {}
        self.registrations: dict[str, str] = {}
        self._logins: dict[int, Login] = {}
        self._consents: dict[tuple[str, int], Consent] = {}

    def sign_in(self, user_id: int, now: datetime, max_age: int | None) -> Session:
        """Return the session of a user; a login is due for another user, and when the last one is too old."""
        session = self.session
        if session is None or session.user_id != user_id or is_older(session, now, max_age):
            session = self.session = Session(user_id, now)
        return session

    def consent(self, client_id: str, user_id: int, scope: Scope) -> None:
        """Remember what a user let a client have."""
        scope = tuple(dict.fromkeys((*self.consented(client_id, user_id), *scope)))
        _put(self._consents, (client_id, user_id), Consent(client_id, user_id, scope))

    def consented(self, client_id: str, user_id: int) -> Scope:
        """Return the scopes that a user has let a client have."""
        consent = self._consents.get((client_id, user_id))
        return () if consent is None else consent.scope

    def put(self, login: Login) -> None:
        """Remember a login."""
        _put(self._logins, login.family, login)

    def of(self, family: int) -> Login | None:
        """Return the login of a consent, ``None`` for a token that was issued over the control."""
        return self._logins.get(family)

    def content(self) -> tuple[list[Login], list[Consent]]:
        """Return the logins and the consents, oldest first."""
        return list(self._logins.values()), list(self._consents.values())

    def refill(
        self, session: Session | None = None, logins: Iterable[Login] = (), consents: Iterable[Consent] = ()
    ) -> None:
        """Replace the content."""
        self.session = session
        self.pushed, self.devices, self.registrations = {}, {}, {}
        self._logins = {login.family: login for login in logins}
        self._consents = {(it.client_id, it.user_id): it for it in consents}


def is_older(session: Session, now: datetime, max_age: int | None) -> bool:
    """Return true if the login is more than ``max_age`` seconds ago (OpenID Connect Core §3.1.2.1).

    Of 0 seconds no login is recent enough: it is the same as ``prompt=login``.
    """
    return max_age is not None and (max_age == 0 or now - session.since > timedelta(seconds=max_age))


def _put(values: dict[K, V], key: K, value: V) -> None:
    values[key] = value
    if len(values) > MOST:
        del values[next(iter(values))]
