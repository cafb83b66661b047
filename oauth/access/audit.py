"""The audit: who did what, when and from where. It is append only, and empty on a console without sign-in.

The triggers of the table (``r0012_people.py``) keep other programs and faults of this one from changing it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Row, delete, func, insert, literal, select, tuple_

from oauth.access.person import Person
from oauth.access.roles import Role
from oauth.history.schema import audit, audit_retention
from oauth.history.store import History
from oauth.history.typed_text import redacted
from oauth.redaction import Vault

LONGEST = 1000
"""Characters of a text in the audit; the rest is cut off."""

BATCH = 1000
"""Rows of the audit that are read at once."""


def place(peer: str, forwarded: Iterable[str]) -> str:
    """Return where somebody came from: the address of the connection, and what a proxy says; nothing is believed."""
    addresses = ", ".join(forwarded)[:200]
    return f"{peer} (forwarded for {addresses})" if addresses else peer


class Event(StrEnum):
    """The kind of an action in the audit."""

    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    REFUSAL = "refusal"
    ROLE = "role"
    REVEAL = "reveal"
    EXPORT = "export"
    IMPORT = "import"
    DELETION = "deletion"
    PROFILE = "profile"
    CATALOGUE = "catalogue"
    TOKEN = "token"
    SANDBOX = "sandbox"
    ANNOTATION = "annotation"
    KEY = "key"


NOBODY = Person("", "", Role.NONE)
"""Somebody who could not show who they are."""

CONSOLE = Person("console", "console", Role.NONE)
"""The console itself, which deletes what is too old."""

COMMAND_LINE = Person("command line", "command line", Role.ADMIN)
"""Whoever has the files and settings of the console."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the audit. ``role`` is the label of the role at that time, ``event`` the value of an ``Event``."""

    id: int
    at: datetime
    person: str
    name: str
    role: str
    address: str
    event: str
    object: str
    detail: str
    allowed: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice of rows: those of a person, of an event, from a time on and before another."""

    person: str = ""
    event: str = ""
    since: datetime | None = None
    before: datetime | None = None

    def __str__(self) -> str:
        since, before = (moment and f"{moment:%Y-%m-%dT%H:%MZ}" for moment in (self.since, self.before))
        values = {"person": self.person, "event": self.event, "since": since, "before": before}
        return " ".join(f"{name}:{value}" for name, value in values.items() if value)

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on ``schema.audit``."""
        conditions = []
        if self.person:
            conditions.append(audit.c.person == self.person)
        if self.event:
            conditions.append(audit.c.event == self.event)
        if self.since is not None:
            conditions.append(audit.c.at >= self.since)
        if self.before is not None:
            conditions.append(audit.c.at < self.before)
        return conditions


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit in the database of a history. Every method raises ``HistoryError``.

    ``is_on`` is false on a console without sign-in, which records nothing. ``days`` is how long a row is kept, ``None``
    for ever. ``vault`` has the key of the installation.
    """

    history: History
    vault: Vault
    is_on: bool
    days: int | None = None

    def record(
        self,
        person: Person,
        event: Event,
        object: str = "",
        *,
        detail: str = "",
        address: str = "",
        allowed: bool = True,
    ) -> None:
        """Record an action before it is done: where that fails, the action must not be done.

        ``object`` is what the action concerns, such as filters, a row or a name; ``address`` is the client's.
        """
        if not self.is_on:
            return
        values = {
            "at": self.history.database.clock(),
            "person": person.id,
            "role": person.role.label,
            "event": event.value,
            "allowed": allowed,
            "name": self.vault.redact_text(person.name[:LONGEST]),
            "address": self.vault.redact_text(address[:LONGEST]),
            "object": self._redacted(object),
            "detail": self._redacted(detail),
        }
        with self.history.database.writing() as connection:
            connection.execute(insert(audit).values(values))

    def page(self, selection: Selection, before: Entry | None, limit: int) -> list[Entry]:
        """Return at most ``limit`` rows, newest first, from the newest or from the one after ``before``."""
        conditions = selection.conditions()
        if before is not None:
            conditions.append(tuple_(audit.c.at, audit.c.id) < tuple_(literal(before.at, audit.c.at.type), before.id))
        query = select(audit).where(*conditions).order_by(audit.c.at.desc(), audit.c.id.desc()).limit(limit)
        with self.history.database.reading() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def entries(self, selection: Selection) -> Iterator[list[Entry]]:
        """Yield all rows of a selection in batches, newest first."""
        last: Entry | None = None
        while batch := self.page(selection, last, BATCH):
            yield batch
            last = batch[-1]

    def count(self, selection: Selection) -> int:
        """Return the number of rows of a selection."""
        query = select(func.count()).select_from(audit).where(*selection.conditions())
        with self.history.database.reading() as connection:
            return connection.execute(query).scalar_one()

    def record_deletion(self, detail: str, object: str = "exchanges") -> None:
        """Record that the console itself deletes what is too old."""
        self.record(CONSOLE, Event.DELETION, object, detail=detail)

    def delete_older(self, now: datetime) -> int:
        """Delete the rows that are older than ``days``, now and by the clock of the database; return their number.

        The deletion has a row of its own.
        """
        with self.history.database.writing() as connection:
            if connection.execute(select(audit_retention.c.days)).scalar_one_or_none() != self.days:
                connection.execute(delete(audit_retention))
                if self.days is not None:
                    connection.execute(insert(audit_retention).values(days=self.days))
            theirs = connection.execute(select(func.current_timestamp())).scalar_one()
        if self.days is None:
            return 0
        # SQLite's has no zone, and is in UTC.
        limit = min(now, theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)) - timedelta(days=self.days)
        if not (number := self.count(Selection(before=limit))):
            return 0
        self.record_deletion(f"{number:,} rows from before {limit:%Y-%m-%d %H:%M} UTC", "audit")
        with self.history.database.writing() as connection:
            return connection.execute(delete(audit).where(audit.c.at < limit)).rowcount

    def _redacted(self, text: str) -> str:
        safe = redacted(text, self.history, self.vault)
        return safe if len(safe) <= LONGEST else f"{safe[: LONGEST - 1]}…"


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    return Entry(**{field.name: getattr(row, field.name) for field in fields(Entry)})
