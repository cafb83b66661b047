"""The sandbox's state: clients, codes, tokens and a clock, in memory.

The pages read and change it in their own threads while an event loop serves requests from it: ``Sandbox.lock`` is
held by every method, and by whoever checks and then changes.
"""

import dataclasses
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec.structs import astuple, replace

from oauth.sandbox.clients import Client, GrantType, checked_scopes
from oauth.sandbox.clock import Clock
from oauth.sandbox.configuration import Configuration, Lifetimes, Replacement, User, ready_made
from oauth.sandbox.faults.rules import Faults
from oauth.sandbox.lint.findings import Lint
from oauth.sandbox.log import RequestLog
from oauth.sandbox.rate_limit import Limiter, RequestLimit
from oauth.sandbox.scope import Scope
from oauth.sandbox.store import Issued, Kind, State, Store

CAPACITY = 50_000
DAY = timedelta(days=1)

StoredIssued = tuple[int, list[tuple[str, Issued]]]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a grant gives: an access token and, where a user gave consent, the refresh token that goes with it."""

    scope: Scope
    expires_in: int
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)

    @property
    def members(self) -> dict[str, str | int]:
        """The token response (RFC 6749 §5.1). ``expires_in`` is in seconds."""
        refresh = {} if self.refresh_token is None else {"refresh_token": self.refresh_token}
        return {
            "access_token": self.access_token,
            "expires_in": self.expires_in,
            "token_type": "bearer",
            "scope": " ".join(self.scope),
            **refresh,
        }


class Sandbox:
    """One provider. ``base`` is real time; ``clock`` can be moved. ``configuration`` is what it starts with, the
    ready-made one if none is given; the users and scopes in it do not change.

    ``capacity`` bounds how many codes, access tokens and refresh tokens are kept, each for itself. ``faults``,
    ``lint``, ``log`` and ``limiter`` are used under the lock too.
    """

    def __init__(
        self,
        base: Callable[[], datetime],
        capacity: int = CAPACITY,
        configuration: Configuration | None = None,
        fault_header: bool = False,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = Clock(base)
        self.configuration = configuration or ready_made()
        self.fault_header = fault_header
        self._starts_with_fault_header = fault_header
        self._clients = dict(self.configuration.clients)
        self._stores = {kind: Store(kind, timedelta(), capacity) for kind in Kind}
        self.faults = Faults()
        self.lint = Lint()
        self.log = RequestLog()
        self.set_lifetimes(self.configuration.lifetimes)
        self.refresh_token_replaced = self.configuration.refresh_token_replaced
        self.refresh_ends_access_tokens = self.configuration.refresh_ends_access_tokens
        self.limiter = Limiter(self.configuration.request_limit)

    def register(self, redirect_uri: str) -> None:
        """Register a redirect URI for every client it starts with; it stays registered after a reset."""
        with self.lock:
            clients = {
                name: replace(client, redirect_uris=tuple(dict.fromkeys((*client.redirect_uris, redirect_uri))))
                for name, client in self.configuration.clients.items()
            }
            self.configuration = dataclasses.replace(self.configuration, clients=clients)
            self._clients |= clients

    # What there is.

    @property
    def users(self) -> Mapping[int, User]:
        """Every user by number; the first is signed in on the consent page."""
        return self.configuration.users

    def clients(self) -> tuple[Client, ...]:
        """Every client, as it is now."""
        with self.lock:
            return tuple(self._clients.values())

    def client(self, client_id: str) -> Client:
        """Raises ``LookupError`` when there is no such client."""
        with self.lock:
            if client_id not in self._clients:
                raise LookupError(f"There is no client {client_id!r}.")
            return self._clients[client_id]

    def has_client(self, client_id: str) -> bool:
        """Whether there is such a client."""
        return client_id in self._clients

    def issued(self, kind: Kind, limit: int = 100) -> tuple[Issued, ...]:
        """The newest of a kind, newest first. Expired ones are dropped when the next one is issued."""
        with self.lock:
            return self._stores[kind].newest(self.clock.now(), limit)

    def issued_one(self, kind: Kind, serial: int) -> Issued:
        """The one with this serial. Raises ``LookupError`` when there is none."""
        with self.lock:
            return self._stores[kind].numbered(serial, self.clock.now())

    def seen(self, kind: Kind, secret: str) -> Issued | None:
        """What a secret stands for, in whatever state; ``None`` when it is unknown."""
        with self.lock:
            return self._stores[kind].seen(secret, self.clock.now())

    def codes(self, limit: int = 100) -> tuple[Issued, ...]:
        """``issued`` for codes."""
        return self.issued(Kind.CODE, limit)

    def access_tokens(self, limit: int = 100) -> tuple[Issued, ...]:
        """``issued`` for access tokens."""
        return self.issued(Kind.ACCESS_TOKEN, limit)

    def refresh_tokens(self, limit: int = 100) -> tuple[Issued, ...]:
        """``issued`` for refresh tokens."""
        return self.issued(Kind.REFRESH_TOKEN, limit)

    def scope_in_words(self, scope: Scope) -> tuple[tuple[str, str], ...]:
        """Each scope with what it allows, for people."""
        return tuple((name, self.configuration.scopes[name]) for name in scope)

    def checked_scopes(self, scopes: Iterable[str]) -> Scope:
        """The scopes, when there are such. Raises ``ValueError`` that names the first one there is not."""
        return checked_scopes(scopes, self.configuration.scopes)

    @property
    def lifetimes(self) -> Lifetimes:
        """How long what is issued from now on lives."""
        with self.lock:
            return Lifetimes(*(int(self._stores[kind].lifetime.total_seconds()) for kind in Kind))

    # What can be changed.

    def put_client(self, client: Client) -> None:
        """Add a client, or have this one in place of the one with its id.

        Raises ``ValueError`` when it has a scope that there is not.
        """
        self.checked_scopes(client.scopes)
        with self.lock:
            self._clients[client.client_id] = client

    def remove_client(self, client_id: str) -> None:
        """Remove a client with all that it was given. Raises ``LookupError`` when there is no such client."""
        with self.lock:
            del self._clients[self.client(client_id).client_id]
            for store in self._stores.values():
                store.forget(lambda issued: issued.client_id == client_id)

    def set_active(self, client_id: str, active: bool) -> None:
        """Deactivate a client, or activate it again. Tokens it already has keep working.

        Raises ``LookupError`` when there is no such client.
        """
        with self.lock:
            self._clients[client_id] = replace(self.client(client_id), active=active)

    def set_grants(self, client_id: str, grants: Iterable[str]) -> None:
        """Say which grants a client may use.

        Raises ``LookupError`` when there is no such client, ``ValueError`` when there is no such grant.
        """
        allowed = tuple(GrantType(grant) for grant in grants)
        with self.lock:
            self._clients[client_id] = replace(self.client(client_id), grants=allowed)

    def set_scopes(self, client_id: str, scopes: Iterable[str]) -> None:
        """Say which scopes a client may have.

        Raises ``LookupError`` when there is no such client, ``ValueError`` when there is no such scope.
        """
        allowed = self.checked_scopes(scopes)
        with self.lock:
            self._clients[client_id] = replace(self.client(client_id), scopes=allowed)

    def set_lifetimes(self, lifetimes: Lifetimes) -> None:
        """Say how long what is issued from now on lives."""
        with self.lock:
            for kind, seconds in zip(Kind, astuple(lifetimes), strict=True):
                self._stores[kind].lifetime = timedelta(seconds=seconds)

    def set_request_limit(self, limit: RequestLimit) -> None:
        """Have another request limit; what was counted before is forgotten."""
        with self.lock:
            if limit != self.limiter.limit:
                self.limiter = Limiter(limit)

    def revoke(self, kind: Kind, serial: int) -> None:
        """Make a code or token useless; what was issued with it stays. Raises ``LookupError`` when there is none."""
        with self.lock:
            self._stores[kind].revoke(serial)

    def revoke_code(self, serial: int) -> None:
        """``revoke`` for a code."""
        self.revoke(Kind.CODE, serial)

    def revoke_access_token(self, serial: int) -> None:
        """``revoke`` for an access token."""
        self.revoke(Kind.ACCESS_TOKEN, serial)

    def revoke_refresh_token(self, serial: int) -> None:
        """``revoke`` for a refresh token."""
        self.revoke(Kind.REFRESH_TOKEN, serial)

    def reset(self) -> None:
        """As it was at the start: its first clients and settings, no codes, tokens, faults or findings, an empty log,
        real time."""
        with self.lock:
            self._clients = dict(self.configuration.clients)
            for store in self._stores.values():
                store.clear()
            self.set_lifetimes(self.configuration.lifetimes)
            self.refresh_token_replaced = self.configuration.refresh_token_replaced
            self.refresh_ends_access_tokens = self.configuration.refresh_ends_access_tokens
            self.limiter = Limiter(self.configuration.request_limit)
            self.fault_header = self._starts_with_fault_header
            self.faults.clear()
            self.lint.clear()
            self.log.clear()
            self.clock.reset()

    def replace_state(self, clients: Iterable[Client], stores: Mapping[Kind, StoredIssued]) -> None:
        """Have these clients, codes and tokens instead, each kind as its last serial and its content."""
        with self.lock:
            self._clients = {client.client_id: client for client in clients}
            for kind, (last_serial, content) in stores.items():
                self._stores[kind].refill(last_serial, content)

    def stored(self, kind: Kind) -> StoredIssued:
        """The last serial of a kind, and its content with the secrets, oldest first."""
        with self.lock:
            return self._stores[kind].last_serial, list(self._stores[kind])

    # What the endpoints do.

    def issue_code(
        self,
        client_id: str,
        redirect_uri: str,
        scope: Scope,
        redirect_uri_sent: bool = True,
        user_id: int | None = None,
    ) -> str:
        """A code for a user's consent (RFC 6749 §4.1.2), the first user's if none is given, with nothing checked."""
        with self.lock:
            user_id = next(iter(self.users)) if user_id is None else user_id
            return self.issue(Kind.CODE, client_id, scope, user_id, redirect_uri, redirect_uri_sent)

    def issue_tokens(
        self,
        client_id: str,
        scope: Scope,
        user_id: int | None,
        refresh_scope: Scope = (),
        refresh_token: str | None = None,
    ) -> Tokens:
        """Tokens with nothing checked. A refresh token goes with a user's token only (RFC 6749 §4.4.3).

        ``refresh_scope`` is what the refresh token stands for where the access token has less of it (RFC 6749 §6);
        ``refresh_token`` is one that is not replaced.
        """
        with self.lock:
            access_token = self.issue(Kind.ACCESS_TOKEN, client_id, scope, user_id)
            if user_id is not None and refresh_token is None:
                refresh_token = self.issue(Kind.REFRESH_TOKEN, client_id, refresh_scope or scope, user_id)
            expires_in = int(self._stores[Kind.ACCESS_TOKEN].lifetime.total_seconds())
            return Tokens(scope, expires_in, access_token, refresh_token)

    def issue(
        self,
        kind: Kind,
        client_id: str,
        scope: Scope,
        user_id: int | None,
        redirect_uri: str = "",
        redirect_uri_sent: bool = False,
    ) -> str:
        """One code or token with nothing checked; gives its secret."""
        with self.lock:
            now = self.clock.now()
            return self._stores[kind].issue(now, client_id, scope, user_id, redirect_uri, redirect_uri_sent)

    def live_code(self, secret: str) -> Issued | None:
        """The code, ``None`` when it is unknown or cannot be used."""
        return self._live(Kind.CODE, secret)

    def live_access_token(self, secret: str) -> Issued | None:
        """The access token, ``None`` when it is unknown or cannot be used."""
        return self._live(Kind.ACCESS_TOKEN, secret)

    def live_refresh_token(self, secret: str) -> Issued | None:
        """The refresh token, ``None`` when it is unknown or cannot be used."""
        return self._live(Kind.REFRESH_TOKEN, secret)

    def use_code(self, secret: str) -> None:
        """A code is used once (RFC 6749 §4.1.2)."""
        with self.lock:
            self._stores[Kind.CODE].end(secret, State.USED)

    def replace_refresh_token(self, secret: str) -> None:
        """A refresh token is replaced by the one that its use gives (RFC 6749 §6)."""
        with self.lock:
            self._stores[Kind.REFRESH_TOKEN].end(secret, State.REPLACED)

    def replace_access_tokens(self, client_id: str, user_id: int | None) -> None:
        """End the access tokens that a client has for a user, as a refresh does where it is set to."""
        with self.lock:
            now = self.clock.now()
            for secret, issued in list(self._stores[Kind.ACCESS_TOKEN]):
                if (issued.client_id, issued.user_id) == (client_id, user_id) and issued.seen_at(now).is_live:
                    self._stores[Kind.ACCESS_TOKEN].end(secret, State.REPLACED)

    def must_be_replaced(self, refresh_token: Issued) -> bool:
        """Whether the use of this refresh token replaces it."""
        age = self.clock.now() - refresh_token.issued_at
        return self.refresh_token_replaced is Replacement.ALWAYS or age >= DAY

    def _live(self, kind: Kind, secret: str) -> Issued | None:
        with self.lock:
            return self._stores[kind].live(secret, self.clock.now())
