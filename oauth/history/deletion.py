"""Permanent deletion of exchanges, in batches that block nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select

from oauth.history import listing
from oauth.history.filters import Filters
from oauth.history.schema import callbacks, exchanges
from oauth.history.store import History
from oauth.measures import MEASURES

PIECE = 500
"""Rows of one transaction; exchanges can be recorded between two of them."""


def last_id(history: History) -> int:
    """Return the id of the newest row, 0 when there is none. Raises ``HistoryError``."""
    newest = select(func.coalesce(func.max(exchanges.c.id), 0)).where(*history.own())
    with history.database.reading() as connection:
        return int(connection.execute(newest).scalar_one())


def delete_shown(history: History, filters: Filters, up_to: int) -> Iterator[int]:
    """Delete the exchanges that match the filters, with ids up to ``up_to``.

    ``up_to`` is ``last_id`` from when they were counted: later ones were not confirmed. Yields the number deleted after
    every batch; at the end, no trace of them is left in the files (``Database.wipe``). Raises ``HistoryError``; earlier
    batches stay deleted.
    """
    gone = 0
    for branch in filters.branches():
        for number in _pieces(history, [*history.where(branch), exchanges.c.id <= up_to]):
            gone += number
            yield gone
    if gone:
        history.database.wipe()


def delete_row(history: History, id: int) -> None:
    """Delete one exchange without a trace. Raises ``HistoryError``."""
    with history.database.writing() as connection:
        connection.execute(delete(exchanges).where(exchanges.c.id == id, *history.own()))
    history.database.wipe()


@dataclass(frozen=True, slots=True)
class Announcement:
    """An announced deletion: the exchanges that began before ``limit``, with ids up to ``up_to``, ``count`` of them."""

    limit: datetime
    up_to: int
    count: int


def announce_older(history: History, limit: datetime, now: datetime) -> Announcement:
    """Count what ``delete_older`` would delete. Raises ``HistoryError``."""
    query = select(func.count(), func.max(exchanges.c.id)).where(*_older(limit, now))
    with history.database.reading() as connection:
        count, up_to = connection.execute(query).one()
    return Announcement(limit, up_to or 0, count)


def delete_older(history: History, announced: Announcement, limit: datetime, now: datetime) -> int:
    """Delete the exchanges that were announced and began before ``limit`` too; return their number.

    Those of a running flow stay: when one of its exchanges is newer, or when it waits for its callback at ``now``. No
    more are deleted than were announced. Raises ``HistoryError``.
    """
    conditions = [*_older(min(limit, announced.limit), now), exchanges.c.id <= announced.up_to]
    gone = sum(_pieces(history, conditions, announced.count))
    MEASURES.count_deleted(gone)
    if gone:
        history.database.wipe()
    return gone


def _older(limit: datetime, now: datetime) -> list[ColumnElement[bool]]:
    other = exchanges.alias()
    younger = select(other.c.id).where(other.c.flow == exchanges.c.flow, other.c.started_at >= limit)
    waited_for = select(callbacks.c.flow).where(
        callbacks.c.flow == exchanges.c.flow, callbacks.c.expires_at > now, callbacks.c.taken_at.is_(None)
    )
    has_ended = or_(exchanges.c.flow == "", ~younger.exists() & ~waited_for.exists())
    return [exchanges.c.started_at < limit, has_ended]


def _pieces(history: History, conditions: list[ColumnElement[bool]], most: int | None = None) -> Iterator[int]:
    """Delete the rows that meet the conditions, newest first, or ``most`` of them. Yields the size of each batch."""
    while most is None or most > 0:
        with history.database.reading() as connection:
            piece = PIECE if most is None else min(PIECE, most)
            ids = [id for _, id in listing.newest(connection, conditions, piece)]
        if not ids:
            return
        with history.database.writing() as connection:
            connection.execute(delete(exchanges).where(exchanges.c.id.in_(ids)))
        most = None if most is None else most - len(ids)
        yield len(ids)
