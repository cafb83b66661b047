"""Flows that outlive the browser session that shows them: a reload, a lost connection, a stopped console.

A flow is kept under the value of the browser's cookie, which only the browser has: the name of the row and the key that
encrypts it are derived from it. In PostgreSQL any console goes on with a flow. With SQLite what is kept stays in this
process's memory, and the row says only which flow the browser had, so that a restart can say which one was lost.

Each save has a number, the generation. It is refused when another tab or console saved a later one, so that a save
before a request also claims the right to send it.
"""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import delete, select

from oauth.history.database import Database
from oauth.history.schema import kept_flows, utc_text

MOST_IN_MEMORY = 500
"""Flows that a process keeps in its memory; the one that was saved longest ago is forgotten first."""

NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Name:
    """The name of one kept flow. ``id`` and ``browser`` are hashes; ``key`` encrypts what is kept."""

    id: str
    browser: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Labels:
    """Facts about a kept flow that are no secret, to say after its loss which one it was."""

    flow: str
    provider: str = ""
    client: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept flow. ``payload`` is ``None`` when it was lost; ``console`` names the process that saved it."""

    generation: int
    saved_at: datetime
    labels: Labels
    console: str = ""
    payload: bytes | None = field(default=None, repr=False)


@dataclass(slots=True)
class _Entry:
    name: Name
    kept: Kept = field(repr=False)
    expires_at: datetime
    row_expires_at: datetime | None = None


_memory: dict[str, _Entry] = {}
"""What this process keeps, encrypted; where PostgreSQL has the payloads, only the generations."""

_lock = Lock()


class KeptFlows:
    """The kept flows of all browsers. Methods raise ``HistoryError`` when the database cannot be used."""

    def __init__(self, database: Database, lifetime: timedelta) -> None:
        """Keep flows for ``lifetime`` after they were saved last."""
        self._database = database
        self._lifetime = lifetime
        self._is_shared = database.is_shared

    def name(self, cookie: str, person: str, place: str = "", origin: str = "") -> Name:
        """Return the name of the flow of a browser, by its cookie, and of a person, by their id.

        ``place`` distinguishes the flows of one browser. ``origin`` is the console's own address: consoles at other
        ports of a host have the same cookie, and not the same memory.
        """
        shared = () if self._is_shared else (origin,)
        browser = _derive(cookie, "browser", person).hex()
        parts = person, place, *shared
        return Name(_derive(cookie, "id", *parts).hex(), browser, _derive(cookie, "key", *parts))

    def load(self, name: Name) -> Kept | None:
        """Return the flow of this name, without its payload if that was lost; ``None`` without a flow."""
        now = self._database.clock()
        with _lock:
            _forget(lambda entry: entry.expires_at <= now)
            entry = _memory.get(name.id)
        if entry is not None and not self._is_shared:
            return _opened(name, entry.kept)
        query = select(kept_flows).where(kept_flows.c.id == name.id, kept_flows.c.expires_at > now)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        labels = Labels(row.flow, row.provider, row.client)
        return _opened(name, Kept(row.generation, row.saved_at, labels, row.console, row.payload))

    def generation(self, name: Name) -> int:
        """Return the generation of the flow of this name, 0 without one."""
        if self._is_shared:
            query = select(kept_flows.c.generation).where(kept_flows.c.id == name.id)
            with self._database.reading() as connection:
                return int(connection.execute(query).scalar_one_or_none() or 0)
        with _lock:
            return _memory[name.id].kept.generation if name.id in _memory else 0

    def save(self, name: Name, kept: Kept) -> bool:
        """Save a flow as the generation it has; return False when there is one as late as that already.

        With a database that cannot be used the claim holds in this process, and ``HistoryError`` is raised.
        """
        expires_at = kept.saved_at + self._lifetime
        sealed = _sealed(name, kept)
        with _lock:
            before = _memory.get(name.id)
            if before is not None and before.kept.generation >= kept.generation and before.expires_at > kept.saved_at:
                return False
            _memory.pop(name.id, None)  # the one that was saved last is the last
            in_memory = replace(kept, payload=None if self._is_shared else sealed)
            row_expires_at = before.row_expires_at if before is not None else None
            entry = _memory[name.id] = _Entry(name, in_memory, expires_at, row_expires_at)
            _forget(lambda entry: entry.expires_at <= kept.saved_at)
            while len(_memory) > MOST_IN_MEMORY:
                del _memory[next(iter(_memory))]
        if self._is_shared:
            return self._write(name, replace(kept, payload=sealed), expires_at)
        if self._needs_row(before, entry):
            self._write(name, replace(kept, payload=None), expires_at)
            entry.row_expires_at = expires_at
        return True

    def _needs_row(self, before: _Entry | None, entry: _Entry) -> bool:
        """Return whether the row of a flow in memory is missing, names another flow, or would expire first."""
        if before is None or before.kept.labels != entry.kept.labels:
            return True
        until = entry.row_expires_at
        return until is None or until < entry.expires_at - self._lifetime / 2

    def has(self, flow: str) -> bool | None:
        """Return whether a flow with this id can go on: False when it was lost here, ``None`` when it is not known."""
        now = self._database.clock()
        with _lock:
            if not self._is_shared and any(
                entry.kept.labels.flow == flow and entry.expires_at > now for entry in _memory.values()
            ):
                return True
        is_live = kept_flows.c.flow == flow, kept_flows.c.expires_at > now
        with self._database.reading() as connection:
            payloads = connection.execute(select(kept_flows.c.payload.is_not(None)).where(*is_live)).scalars().all()
        return any(payloads) if payloads else None

    def _write(self, name: Name, kept: Kept, expires_at: datetime) -> bool:
        """Write the row in one statement; return False when it has a generation as late as this one.

        A generation in memory begins anew with each process, so such a row is replaced by any.
        """
        values: dict[str, object] = {
            "id": name.id,
            "browser": name.browser,
            **asdict(kept.labels),
            "console": kept.console,
            "generation": kept.generation,
            "saved_at": utc_text(kept.saved_at),
            "expires_at": utc_text(expires_at),
            "payload": kept.payload,
        }
        marks = ", ".join(("%s" if self._is_shared else "?") for _ in values)
        statement = (
            f"INSERT INTO kept_flows ({', '.join(values)}) VALUES ({marks}) ON CONFLICT (id) "  # noqa: S608
            f"DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in values)}"
        )
        if self._is_shared:
            statement += " WHERE kept_flows.generation < excluded.generation"
            statement += " OR kept_flows.expires_at <= excluded.saved_at"
        if kept.generation == 1:
            with self._database.writing() as connection:
                connection.execute(delete(kept_flows).where(kept_flows.c.expires_at <= kept.saved_at))
        return self._database.at_once(statement, list(values.values())).rows > 0


def forget(database: Database, cookie: str, person: str) -> None:
    """Forget every flow of a browser and a person. Raises ``HistoryError``."""
    browser = _derive(cookie, "browser", person).hex()
    with _lock:
        _forget(lambda entry: entry.name.browser == browser)
    with database.writing() as connection:
        connection.execute(delete(kept_flows).where(kept_flows.c.browser == browser))


def _forget(is_gone: Callable[[_Entry], bool]) -> None:
    for id in [id for id, entry in _memory.items() if is_gone(entry)]:
        del _memory[id]


def _derive(cookie: str, purpose: str, *parts: str) -> bytes:
    info = "\0".join(("kept flow", purpose, *parts)).encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(cookie.encode())


def _bound(name: Name, kept: Kept) -> bytes:
    """Return what the encryption binds a payload to: a row in the place of another is refused."""
    return f"{name.id} {kept.generation} {kept.labels.flow}".encode()


def _sealed(name: Name, kept: Kept) -> bytes | None:
    if kept.payload is None:
        return None
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(name.key).encrypt(nonce, kept.payload, _bound(name, kept))


def _opened(name: Name, kept: Kept) -> Kept:
    """Return a kept flow with its payload decrypted, without one that does not belong to this row and name."""
    payload = None
    if kept.payload is not None:
        try:
            nonce, text = kept.payload[:NONCE_BYTES], kept.payload[NONCE_BYTES:]
            payload = AESGCM(name.key).decrypt(nonce, text, _bound(name, kept))
        except (InvalidTag, ValueError):
            payload = None
    return replace(kept, payload=payload)
