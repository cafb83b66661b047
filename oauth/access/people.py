"""Everybody who signed in: their names, and the role that they had last."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, text, update

from oauth.access.person import Person
from oauth.access.roles import Role
from oauth.history.database import Database
from oauth.history.schema import people, utc_text
from oauth.redaction.placeholders import storable

_ADD = text(
    "INSERT INTO people (id, name, email, role, first_seen, last_seen) VALUES (:id, '', '', '', :at, :at) "
    "ON CONFLICT DO NOTHING"
)


def seen(database: Database, person: Person, email: str, at: datetime) -> Role | None:
    """Note that a person signed in; return the role that they had before, ``None`` for somebody new.

    Raises ``HistoryError``.
    """
    values = {"name": person.name, "email": email, "role": person.role.label, "last_seen": at}
    with database.writing() as connection:
        connection.execute(_ADD, {"id": storable(person.id), "at": utc_text(at)})
        # Locked, so that of two sign-ins at once only one sees the former role.
        former = connection.execute(
            select(people.c.role).where(people.c.id == person.id).with_for_update()
        ).scalar_one()
        connection.execute(update(people).where(people.c.id == person.id).values(values))
    return Role.by_label(former)


def names(database: Database, ids: Collection[str] | None = None) -> dict[str, str]:
    """Return the names of people, or of all, by their ids, in the order of the names. Raises ``HistoryError``.

    Those who never signed in are left out.
    """
    query = select(people.c.id, people.c.name).order_by(people.c.name, people.c.id)
    if ids is not None:
        query = query.where(people.c.id.in_(ids))
    with database.reading() as connection:
        return {row.id: row.name for row in connection.execute(query)}
