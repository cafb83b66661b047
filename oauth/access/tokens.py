"""Tokens for programs: named, with scopes, and with an end. The token itself is shown once, and never stored."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import RowMapping, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from oauth.access.audit import Audit, Event
from oauth.access.person import Person
from oauth.access.roles import Role
from oauth.history.database import Database
from oauth.history.schema import people, tokens

PREFIX = "oc_"
"""Beginning of every token, by which it is recognised as a secret (``redaction/by_name/prefixes.toml``)."""

OCTETS = 32
"""Random octets of a token."""

MOST_DAYS = 365
LONGEST_NAME = 60

NOTED_AGAIN = timedelta(minutes=1)
"""Time after which another use of a token is noted."""


class Scope(StrEnum):
    """A permission of a token."""

    HISTORY = "history:read"
    DIAGNOSE = "diagnose"
    SANDBOX = "sandbox"
    METRICS = "metrics"


_ROLES = {
    Scope.HISTORY: Role.SUPPORT,
    Scope.DIAGNOSE: Role.READER,
    Scope.SANDBOX: Role.OPERATOR,
    Scope.METRICS: Role.NONE,
}
"""The roles that have the permissions, as the audit names them."""


class TokenError(ValueError):
    """A token cannot be created; the message says what to correct."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without the token itself. ``created_by`` is the id of a person.

    ``role_of_creator`` is the one that they had at their last sign-in; ``None`` for somebody who never signed in, such
    as the command line, and where it was not asked for.
    """

    name: str
    scopes: tuple[Scope, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    role_of_creator: Role | None = None

    @property
    def person(self) -> Person:
        """The person who created the token, by the name of the token and with the role of its scopes."""
        role = max((_ROLES[scope] for scope in self.scopes), default=Role.NONE)
        return Person(self.created_by, f"{self.name} (token)", role)

    def fault(self, scope: Scope) -> str:
        """Return why the token may not be used for a scope, empty when it may."""
        if scope not in self.scopes:
            return f"the token lacks the scope {scope}"
        needed = _ROLES[scope]
        if self.role_of_creator is not None and self.role_of_creator < needed:
            return f"who created the token no longer has the role {needed.label}, which the scope {scope} needs"
        return ""


def create(audit: Audit, person: Person, name: str, scopes: Collection[str], days: int, address: str = "") -> str:
    """Create a token and return it. Raises ``TokenError``, and ``HistoryError``."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise TokenError(f"The name of a token must have 1 to {LONGEST_NAME} printable characters.")
    if not scopes or not set(scopes) <= set(Scope):
        raise TokenError(f"A token needs at least one scope of {', '.join(Scope)}.")
    if not 0 < days <= MOST_DAYS:
        raise TokenError(f"A token must expire in 1 to {MOST_DAYS} days.")
    database, secret = audit.history.database, PREFIX + secrets.token_urlsafe(OCTETS)
    if any(token.name == name for token in all_tokens(database)):
        raise _taken(name)
    in_order = tuple(scope for scope in Scope if scope in scopes)
    now = database.clock()
    audit.record(person, Event.TOKEN, name, detail=f"created for {days} days: {' '.join(in_order)}", address=address)
    row = {
        "name": name,
        "hash": _hash(secret),
        "scopes": " ".join(in_order),
        "created_by": person.id,
        "created_at": now,
        "expires_at": now + timedelta(days=days),
    }
    with database.writing() as connection:
        try:
            connection.execute(insert(tokens).values(row))
        except IntegrityError as error:  # another console was faster
            raise _taken(name) from error
    return secret


def revoke(audit: Audit, person: Person, name: str, address: str = "") -> bool:
    """Revoke a token; return whether there was one. Raises ``HistoryError``."""
    database = audit.history.database
    if all(token.name != name for token in all_tokens(database)):
        return False
    audit.record(person, Event.TOKEN, name, detail="revoked", address=address)
    with database.writing() as connection:
        return bool(connection.execute(delete(tokens).where(tokens.c.name == name)).rowcount)


def all_tokens(database: Database) -> list[Token]:
    """Return all tokens by name, those that have expired too. Raises ``HistoryError``."""
    with database.reading() as connection:
        rows = connection.execute(select(tokens).order_by(tokens.c.name)).mappings().all()
    return [_token(row) for row in rows]


def find(database: Database, secret: str) -> Token | None:
    """Return the token that a program sent and note its use; ``None`` for one that is unknown, revoked or expired.

    Raises ``HistoryError``.
    """
    now = database.clock()
    query = (
        select(tokens, people.c.role)
        .outerjoin(people, people.c.id == tokens.c.created_by)
        .where(tokens.c.hash == _hash(secret), tokens.c.expires_at > now)
    )
    with database.reading() as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        return None
    token = replace(_token(row), role_of_creator=row["role"] and Role.by_label(row["role"]))
    if token.used_at is None or now - token.used_at >= NOTED_AGAIN:
        is_due = or_(tokens.c.used_at.is_(None), tokens.c.used_at <= now - NOTED_AGAIN)
        with database.writing() as connection:
            connection.execute(update(tokens).where(tokens.c.hash == row["hash"], is_due).values(used_at=now))
    return token


def _token(row: RowMapping) -> Token:
    scopes = tuple(scope for scope in Scope if scope in row["scopes"].split())
    return Token(row["name"], scopes, row["created_by"], row["created_at"], row["expires_at"], row["used_at"])


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _taken(name: str) -> TokenError:
    return TokenError(f"The token {name} already exists. Choose another name, or revoke that token first.")
