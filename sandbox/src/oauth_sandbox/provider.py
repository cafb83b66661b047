"""The sandbox's state: clients, codes, tokens and a clock, in memory.

Pages read and change it in their threads while an event loop serves requests. Every method holds ``Sandbox.lock``; hold
it too where a check and a change belong together.
"""

import dataclasses
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import asdict, astuple

from oauth_sandbox.behaviour import NEW_SECRET, Behaviour
from oauth_sandbox.clients import Client, checked_scopes, client_from
from oauth_sandbox.clock import Clock
from oauth_sandbox.configuration import Configuration, Lifetimes, Replacement, User, ready_made
from oauth_sandbox.faults.hold import Holds
from oauth_sandbox.faults.rules import Faults
from oauth_sandbox.lint.findings import Lint
from oauth_sandbox.log import RequestLog
from oauth_sandbox.openid.logins import Logins
from oauth_sandbox.partner.state import PartnerData
from oauth_sandbox.rate_limit import Limiter, RequestLimit
from oauth_sandbox.scope import Scope
from oauth_sandbox.store import Issued, Kind, State, Store
from oauth_sandbox.validation import quoted

CAPACITY = 50_000
"""Number of codes, of access tokens and of refresh tokens that are kept."""
REFUSED = 100
"""Number of refused authorization requests that are remembered."""
DAY = timedelta(days=1)

StoredIssued = tuple[int, list[tuple[str, Issued]]]


@dataclass(slots=True)  # not frozen, as Response is not
class Tokens:
    """The result of a grant: an access token and, after a user's consent, a refresh token."""

    scope: Scope
    expires_in: int
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)

    @property
    def members(self) -> dict[str, str | int]:
        """The token response (RFC 6749 §5.1), with ``expires_in`` in seconds."""
        refresh = {} if self.refresh_token is None else {"refresh_token": self.refresh_token}
        return {
            "access_token": self.access_token,
            "expires_in": self.expires_in,
            "token_type": "bearer",
            "scope": " ".join(self.scope),
            **refresh,
        }


class Sandbox:
    """One provider, with a movable ``clock`` over the real time of ``base``.

    ``configuration`` is the initial state, by default ``sandbox.toml``; its scopes never change. ``partner`` has the
    data of the partner API, generated from ``seed``. ``faults``, ``lint``, ``log`` and ``limiter`` are used under the
    lock too. ``refused`` has the query of the last authorization requests that were answered with an error page, and
    its words: their application is told nothing (RFC 6749 §4.1.2.1). ``holds`` has the requests that a test has
    stopped, ``request_id`` is that of the request that is being answered. ``logins`` are those of the OpenID provider.
    """

    def __init__(
        self,
        base: Callable[[], datetime],
        configuration: Configuration | None = None,
        fault_header: bool = False,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = Clock(base)
        self.configuration = configuration or ready_made()
        self._starts_with_fault_header = fault_header
        self._clients = dict(self.configuration.clients)
        self._users = dict(self.configuration.users)
        self._stores = {kind: Store(kind, timedelta(), CAPACITY) for kind in Kind}
        self._last_family = 0
        self.partner = PartnerData()
        self.faults = Faults()
        self.holds = Holds(self.clock.now)
        self.request_id = ""
        self.logins = Logins()
        self.lint = Lint()
        self.log = RequestLog()
        self.refused: deque[tuple[str, str]] = deque(maxlen=REFUSED)
        self._apply_initial_settings()

    def _apply_initial_settings(self) -> None:
        self.set_lifetimes(self.configuration.lifetimes)
        self.set_behaviour(self.configuration.behaviour)
        self.openid = self.configuration.openid
        self.refresh_token_replaced = self.configuration.refresh_token_replaced
        self.refresh_ends_access_tokens = self.configuration.refresh_ends_access_tokens
        self.limiter = Limiter(self.configuration.request_limit)
        self.seed = self.configuration.seed
        self.fault_header = self._starts_with_fault_header
        self.lint.drill = False

    def register(self, redirect_uri: str) -> None:
        """Register a redirect URI for every initial client, in place of theirs on loopback hosts; a reset keeps it.

        A ready-made client names an address of this machine, where something else may listen; it is allowed unnamed.
        """
        with self.lock:
            initial = self.configuration.clients
            clients = {name: it.registered(redirect_uri) for name, it in initial.items()}
            self.configuration = dataclasses.replace(self.configuration, clients=clients)
            current = {name: it.registered(redirect_uri) for name, it in self._clients.items() if name in initial}
            self._clients |= current

    def publish(self, issuer: str) -> None:
        """Set the issuer of the OpenID provider, which another address than the one that is called leads to; a reset
        keeps it.
        """
        with self.lock:
            self.openid = msgspec.structs.replace(self.openid, issuer=issuer)
            openid = msgspec.structs.replace(self.configuration.openid, issuer=issuer)
            self.configuration = dataclasses.replace(self.configuration, openid=openid)

    def issuer_at(self, origin: str) -> str:
        """Return the issuer for a request that called ``origin``."""
        return self.openid.issuer or origin

    # Queries and administration.

    @property
    def users(self) -> Mapping[int, User]:
        """The users by id; the first is signed in on the consent page."""
        return self._users

    def clients(self) -> tuple[Client, ...]:
        """Return every client."""
        with self.lock:
            return tuple(self._clients.values())

    def client(self, client_id: str) -> Client:
        """Return a client. Raises ``LookupError`` when it is unknown."""
        with self.lock:
            if client_id not in self._clients:
                raise LookupError(f"There is no client {quoted(client_id)}.")
            return self._clients[client_id]

    def has_client(self, client_id: str) -> bool:
        """Return true for a known client."""
        return client_id in self._clients

    def issued(self, kind: Kind, limit: int = 100) -> tuple[Issued, ...]:
        """Return the newest of a kind, newest first. Expired ones are dropped when the next one is issued."""
        with self.lock:
            return self._stores[kind].newest(self.clock.now(), limit)

    def marks(self, kind: Kind, mark: Callable[[str], str], limit: int = 100) -> dict[int, str]:
        """Return by serial what ``mark`` makes of the secrets of the newest of a kind."""
        with self.lock:
            return {serial: mark(secret) for serial, secret in self._stores[kind].secrets(limit)}

    def issued_one(self, kind: Kind, serial: int) -> Issued:
        """Return the one with this serial. Raises ``LookupError`` when it is unknown."""
        with self.lock:
            return self._stores[kind].numbered(serial, self.clock.now())

    def find(self, kind: Kind, secret: str) -> Issued | None:
        """Return what a secret stands for, in any state; ``None`` when it is unknown."""
        with self.lock:
            return self._stores[kind].find(secret, self.clock.now())

    def scope_in_words(self, scope: Scope) -> tuple[tuple[str, str], ...]:
        """Return each scope with its description."""
        return tuple((name, self.configuration.scopes[name]) for name in scope)

    def checked_scopes(self, scopes: Iterable[str]) -> Scope:
        """Return the scopes. Raises ``ValueError`` naming the first unknown one."""
        return checked_scopes(scopes, self.configuration.scopes)

    @property
    def lifetimes(self) -> Lifetimes:
        """The lifetimes of what is issued from now on."""
        with self.lock:
            return Lifetimes(*(int(self._stores[kind].lifetime.total_seconds()) for kind in Kind))

    # Changes.

    def put_client(self, client: Client) -> None:
        """Add a client, or replace the one with its id.

        Raises ``ValueError`` for an unknown scope.
        """
        self.checked_scopes(client.scopes)
        with self.lock:
            self._clients[client.client_id] = client

    def put_user(self, user: User) -> None:
        """Add a user, or replace the one with its id."""
        with self.lock:
            self._users[user["id"]] = user

    def replace_users(self, users: Iterable[User]) -> None:
        """Replace the users, of which there is at least one."""
        with self.lock:
            self._users = {user["id"]: user for user in users}

    def remove_client(self, client_id: str) -> None:
        """Remove a client with its codes and tokens. Raises ``LookupError`` when it is unknown."""
        with self.lock:
            del self._clients[self.client(client_id).client_id]
            for store in self._stores.values():
                store.forget(lambda issued: issued.client_id == client_id)

    def change_client(self, client_id: str, **changes: Any) -> Client:
        """Change fields of a client and return it; its tokens keep working.

        Raises ``LookupError`` for an unknown client, ``ValueError`` for an unknown grant or scope.
        """
        with self.lock:
            client = client_from(asdict(self.client(client_id)) | changes, self.configuration.scopes)
            self._clients[client_id] = client
            return client

    def set_lifetimes(self, lifetimes: Lifetimes) -> None:
        """Set the lifetimes of what is issued from now on."""
        with self.lock:
            for kind, seconds in zip(Kind, astuple(lifetimes), strict=True):
                self._stores[kind].lifetime = timedelta(seconds=seconds)

    def set_behaviour(self, behaviour: Behaviour) -> None:
        """Set what is assumed of the provider. The shape of tokens applies to what is issued from now on."""
        with self.lock:
            self.behaviour = behaviour
            for kind in (Kind.ACCESS_TOKEN, Kind.REFRESH_TOKEN):
                self._stores[kind].new_secret = NEW_SECRET[behaviour.token_shape]

    def set_request_limit(self, limit: RequestLimit) -> None:
        """Set the request limit and reset its counts."""
        with self.lock:
            if limit != self.limiter.limit:
                self.limiter = Limiter(limit)

    def set_seed(self, seed: int) -> None:
        """Set the seed; another one begins the data of the partner API anew."""
        with self.lock:
            if seed != self.seed:
                self.seed = seed
                self.partner.clear()

    def revoke(self, kind: Kind, serial: int) -> None:
        """Revoke a code or token, but nothing issued with it. Raises ``LookupError`` when it is unknown."""
        with self.lock:
            self._stores[kind].revoke(serial, self.clock.now())

    def reset(self) -> None:
        """Return to the initial clients and settings and to real time; remove codes, tokens, faults, findings and the
        log.
        """
        with self.lock:
            self._clients = dict(self.configuration.clients)
            self._users = dict(self.configuration.users)
            for store in self._stores.values():
                store.clear()
            self._apply_initial_settings()
            self.partner.clear()
            self.faults.clear()
            self.holds.release()
            self.lint.clear()
            self.lint.unknown_clients.clear()
            self.log.clear()
            self.refused.clear()
            self.logins.refill()
            self.clock.reset()

    def replace_state(self, clients: Iterable[Client], stores: Mapping[Kind, StoredIssued]) -> None:
        """Replace the clients, and the codes and tokens, given per kind as the last serial and the content."""
        with self.lock:
            self._clients = {client.client_id: client for client in clients}
            for kind, (last_serial, content) in stores.items():
                self._stores[kind].refill(last_serial, content)
            families = (issued.family for store in self._stores.values() for _, issued in store)
            self._last_family = max(families, default=0)

    def stored(self, kind: Kind) -> StoredIssued:
        """Return the last serial of a kind, and its content with the secrets, oldest first."""
        with self.lock:
            return self._stores[kind].last_serial, list(self._stores[kind])

    # The endpoints' operations.

    def issue_code(
        self,
        client_id: str,
        redirect_uri: str,
        scope: Scope,
        redirect_uri_sent: bool = True,
        user_id: int | None = None,
        code_challenge: str = "",
    ) -> str:
        """Issue a code for a user's consent (RFC 6749 §4.1.2) without checks; the first user's by default."""
        with self.lock:
            user_id = next(iter(self.users)) if user_id is None else user_id
            return self.issue(
                Kind.CODE,
                client_id,
                scope,
                user_id,
                redirect_uri=redirect_uri,
                redirect_uri_sent=redirect_uri_sent,
                code_challenge=code_challenge,
                family=self.new_family(),
            )

    def new_family(self) -> int:
        """Return the number of a new consent."""
        with self.lock:
            self._last_family += 1
            return self._last_family

    def issue_tokens(
        self,
        client_id: str,
        scope: Scope,
        user_id: int | None,
        refresh_scope: Scope = (),
        refresh_token: str | None = None,
        family: int = 0,
    ) -> Tokens:
        """Issue tokens without checks; a refresh token only with a user's token (RFC 6749 §4.4.3).

        ``refresh_scope`` is the refresh token's scope where the access token has less (RFC 6749 §6); ``refresh_token``
        is the existing one when it is not replaced, ``family`` the number of the consent.
        """
        with self.lock:
            now, store = self.clock.now(), self._stores[Kind.ACCESS_TOKEN]
            access_token = store.issue(now, client_id, scope, user_id, family=family)
            if user_id is not None and refresh_token is None:
                refresh_token = self._stores[Kind.REFRESH_TOKEN].issue(
                    now, client_id, refresh_scope or scope, user_id, family=family
                )
            return Tokens(scope, int(store.lifetime.total_seconds()), access_token, refresh_token)

    def issue(
        self,
        kind: Kind,
        client_id: str,
        scope: Scope,
        user_id: int | None,
        **more: Any,
    ) -> str:
        """Issue one code or token without checks and return its secret; ``more`` are other fields of ``Issued``."""
        with self.lock:
            return self._stores[kind].issue(self.clock.now(), client_id, scope, user_id, **more)

    def live(self, kind: Kind, secret: str) -> Issued | None:
        """Return the code or token, ``None`` when it is unknown or not live."""
        with self.lock:
            return self._stores[kind].live(secret, self.clock.now())

    def use_code(self, secret: str) -> None:
        """Mark a code as used (RFC 6749 §4.1.2)."""
        with self.lock:
            self._stores[Kind.CODE].end(secret, State.USED, self.clock.now())

    def replace_refresh_token(self, secret: str) -> None:
        """Mark a refresh token as replaced (RFC 6749 §6)."""
        with self.lock:
            self._stores[Kind.REFRESH_TOKEN].end(secret, State.REPLACED, self.clock.now(), self.request_id)

    def refreshable(self, secret: str) -> Issued | None:
        """Return a refresh token that is live, or was replaced within the grace; ``None`` otherwise."""
        with self.lock:
            token = self.find(Kind.REFRESH_TOKEN, secret)
            return token if token is not None and (token.is_live or self.in_grace(token)) else None

    def in_grace(self, token: Issued) -> bool:
        """Return true for a refresh token that was replaced a short time ago, as ``refresh_grace_seconds`` says."""
        grace = timedelta(seconds=self.behaviour.refresh_grace_seconds)
        if token.state is not State.REPLACED or token.ended_at is None:
            return False
        return self.clock.now() - token.ended_at < grace

    def revoke_family(self, family: int) -> None:
        """Revoke everything that comes from one consent (RFC 9700 §4.14.2); 0 is no consent."""
        with self.lock:
            now = self.clock.now()
            for kind in (Kind.ACCESS_TOKEN, Kind.REFRESH_TOKEN) if family else ():
                for secret, issued in list(self._stores[kind]):
                    if issued.family == family and issued.as_of(now).is_live:
                        self._stores[kind].end(secret, State.REVOKED, now)

    def replace_access_tokens(self, client_id: str, user_id: int | None) -> None:
        """End the access tokens that a client has for a user, as a refresh does in that setting."""
        with self.lock:
            now = self.clock.now()
            for secret, issued in list(self._stores[Kind.ACCESS_TOKEN]):
                if (issued.client_id, issued.user_id) == (client_id, user_id) and issued.as_of(now).is_live:
                    self._stores[Kind.ACCESS_TOKEN].end(secret, State.REPLACED, now)

    def must_be_replaced(self, refresh_token: Issued) -> bool:
        """Return true when use replaces this refresh token."""
        age = self.clock.now() - refresh_token.issued_at
        return self.refresh_token_replaced is Replacement.ALWAYS or age >= DAY
