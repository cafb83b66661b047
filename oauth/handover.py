"""Handover of the authorization response from the callback route to the session that waits for it.

The two share nothing but the database, so that any process may receive the callback. A row is found by SHA-256 of
``state``, and what arrived is encrypted with a key derived from ``state``, which is never written: only the session
that made it can read the row (RFC 6749 §10.5, §10.12).
"""

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, Row, delete, insert, select, update

from oauth.history.database import Database, HistoryError
from oauth.history.schema import callbacks

REMEMBERED = timedelta(days=1)
"""Time after its end for which a state is remembered, without its response, to tell expired and used from unknown."""

LIFETIME = timedelta(hours=1)
"""Default of the time for which a callback is accepted, from the moment its state was made or last sent."""

NONCE_BYTES = 12

Parameters = tuple[tuple[str, str], ...]


class Outcome(StrEnum):
    """The outcome of a callback."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a flow's exchanges. Their names are those of ``Exchange`` and of the columns."""

    flow: str = ""
    owner: str = ""
    case: str = ""
    provider: str = ""
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of a callback and the flow it belongs to; no flow when the state is unknown."""

    outcome: Outcome
    labels: Labels = Labels()


@dataclass(frozen=True, slots=True)
class Received:
    """The parameters of a callback, in their order, and when they arrived."""

    parameters: Parameters = field(repr=False)
    received_at: datetime


class Handover:
    """The expected callbacks. Every method raises ``HistoryError``."""

    def __init__(self, database: Database, lifetime: timedelta = LIFETIME) -> None:
        self._database = database
        self._lifetime = lifetime

    def expect(self, state: str, labels: Labels) -> None:
        """Expect a callback with this ``state``; one that is already expected is accepted for another lifetime.

        Data of expired states is removed here.
        """
        now = self._database.clock()
        row = {"state_hash": _hash(state), **asdict(labels), "created_at": now, "expires_at": now + self._lifetime}
        with self._database.writing() as connection:
            ended = callbacks.c.expires_at <= now, callbacks.c.payload.is_not(None)
            connection.execute(update(callbacks).where(*ended).values(payload=None))
            connection.execute(delete(callbacks).where(callbacks.c.expires_at <= now - REMEMBERED))
            if _find(connection, state) is None:
                connection.execute(insert(callbacks).values(row))
            else:
                connection.execute(
                    update(callbacks)
                    .where(callbacks.c.state_hash == row["state_hash"], callbacks.c.received_at.is_(None))
                    .values(expires_at=row["expires_at"])
                )

    def receive(self, state: str, parameters: Iterable[tuple[str, str]]) -> Receipt:
        """Store the parameters of a callback if its ``state`` is expected and unused; all or nothing."""
        now = self._database.clock()
        return self._settle(state, now, received_at=now, payload=_encrypt(state, tuple(parameters)))

    def use(self, state: str) -> Receipt:
        """Mark a ``state`` as used because its response was pasted; later callbacks with it are refused."""
        now = self._database.clock()
        return self._settle(state, now, received_at=now, taken_at=now)

    def take(self, state: str) -> Received | None:
        """Return what arrived for ``state``, once; ``None`` before that, after it was taken, and after it expired."""
        now = self._database.clock()
        with self._database.reading() as connection:
            row = _find(connection, state)
        if row is None or row.payload is None or row.expires_at <= now:
            return None
        received = Received(_decrypt(state, row.payload), row.received_at)
        with self._database.writing() as connection:
            is_first = connection.execute(
                update(callbacks)
                .where(callbacks.c.state_hash == row.state_hash, callbacks.c.taken_at.is_(None))
                .values(taken_at=now, payload=None)
            ).rowcount
        return received if is_first else None

    def give_back(self, state: str, received: Received) -> None:
        """Store a callback again that was taken, for another session that goes on with the flow."""
        with self._database.writing() as connection:
            connection.execute(
                update(callbacks)
                .where(callbacks.c.state_hash == _hash(state))
                .values(taken_at=None, payload=_encrypt(state, received.parameters))
            )

    def _settle(self, state: str, now: datetime, **values: object) -> Receipt:
        with self._database.writing() as connection:
            row = _find(connection, state)
            if row is None:
                return Receipt(Outcome.UNKNOWN)
            is_accepted = connection.execute(
                update(callbacks)
                .where(
                    callbacks.c.state_hash == row.state_hash,
                    callbacks.c.received_at.is_(None),
                    callbacks.c.expires_at > now,
                )
                .values(values)
            ).rowcount
        # Another callback may have been accepted after the row was read.
        is_expired = row.received_at is None and row.expires_at <= now
        refusal = Outcome.EXPIRED if is_expired else Outcome.USED
        labels = Labels(row.flow, row.owner, row.case, row.provider, row.client_id)
        return Receipt(Outcome.ACCEPTED if is_accepted else refusal, labels)


def _find(connection: Connection, state: str) -> Row[Any] | None:
    return connection.execute(select(callbacks).where(callbacks.c.state_hash == _hash(state))).one_or_none()


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _cipher(state: str) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=b"callback").derive(state.encode()))


def _encrypt(state: str, parameters: Parameters) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _cipher(state).encrypt(nonce, json.dumps(parameters).encode(), None)


def _decrypt(state: str, payload: bytes) -> Parameters:
    try:
        text = _cipher(state).decrypt(payload[:NONCE_BYTES], payload[NONCE_BYTES:], None)
    except InvalidTag as error:
        raise HistoryError(
            "The stored callback was modified and cannot be decrypted. "
            "Paste the address that the browser landed on instead."
        ) from error
    return tuple((name, value) for name, value in json.loads(text))
