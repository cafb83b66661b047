"""Permanent deletion of exchanges, in batches that block nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, Connection, Text, delete, func, literal, select, tuple_, type_coerce

from oauth.history import expiry, listing
from oauth.history.expiry import Expired
from oauth.history.filters import Filters
from oauth.history.schema import callbacks, exchanges
from oauth.history.store import History
from oauth.measures import MEASURES

PIECE = 500
"""Rows of one transaction; exchanges can be recorded between two of them."""

COUNTED = 2000
"""Rows that one query counts before they are deleted."""


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
    count = 0
    for branch in filters.branches():
        for number in _pieces(history, [*history.where(branch), exchanges.c.id <= up_to]):
            count += number
            yield count
    if count:
        history.database.wipe()


def delete_row(history: History, id: int) -> None:
    """Delete one exchange without a trace. Raises ``HistoryError``."""
    with history.database.writing() as connection:
        connection.execute(delete(exchanges).where(exchanges.c.id == id, *history.own()))
    history.database.wipe()


@dataclass(frozen=True, slots=True)
class Announcement:
    """An announced deletion: the exchanges that began before ``limit``, with ids up to ``up_to``, ``count`` of them.

    ``expired`` are the whole months among them.
    """

    limit: datetime
    up_to: int
    count: int
    expired: Expired


def announce_older(history: History, limit: datetime, now: datetime) -> Announcement:
    """Count what ``delete_older`` would delete. Raises ``HistoryError``."""
    expired = expiry.find(history, limit, now)
    count, up_to = expired.count, expired.up_to
    for ids in _older(history, limit, now, COUNTED, expired.upper):
        count, up_to = count + len(ids), max(up_to, *ids)
    return Announcement(limit, up_to, count, expired)


def delete_older(history: History, announced: Announcement, limit: datetime, now: datetime) -> Iterator[int | None]:
    """Delete the exchanges that were announced and began before ``limit`` too, oldest first, and whole months at once.

    Those of a running flow stay: when one of its exchanges is newer, or when it waits for its callback at ``now``. No
    more are deleted than were announced. Yields the number deleted after every batch, ``None`` while months cannot be
    dropped because the table is in use; the reader may stop between two, and calls ``Database.wipe`` at the end.
    Raises ``HistoryError``; earlier batches stay deleted.
    """
    count = 0
    while (dropped := expiry.drop(history, announced.expired, min(limit, announced.limit), now)) is None:
        yield None
    if dropped:
        MEASURES.count_deleted(dropped)
        count += dropped
        yield count
    for batch in _older(history, min(limit, announced.limit), now, PIECE):
        ids = [id for id in batch if id <= announced.up_to][: announced.count - count]
        if ids:
            with history.database.writing() as connection:
                connection.execute(delete(exchanges).where(exchanges.c.id.in_(ids)))
            MEASURES.count_deleted(len(ids))
            count += len(ids)
            yield count


def _older(history: History, limit: datetime, now: datetime, size: int, since: str = "") -> Iterator[list[int]]:
    """Yield the ids of the exchanges that began before ``limit``, without those of running flows, oldest first.

    With ``since``, those before are left out.

    Each batch is read by its place in one index, so that it takes as long in a long history as in a short one.
    """
    key = type_coerce(exchanges.c.started_at, Text), exchanges.c.id
    query = select(*key, exchanges.c.flow).where(exchanges.c.started_at < limit).order_by(*key).limit(size)
    following = query.where(key[0] >= since) if since else query
    while True:
        with history.database.reading() as connection:
            rows = connection.execute(following).all()
            running = _running(connection, {flow for *_, flow in rows if flow}, limit, now)
        if ids := [id for _, id, flow in rows if flow not in running]:
            yield ids
        if len(rows) < size:
            return
        place = tuple_(literal(rows[-1][0], Text), literal(rows[-1][1], BigInteger))
        following = query.where(tuple_(*key) > place)


def _running(connection: Connection, flows: set[str], limit: datetime, now: datetime) -> set[str]:
    """Return the flows that have an exchange from ``limit`` on, or wait for their callback."""
    younger = select(exchanges.c.flow).where(exchanges.c.flow.in_(flows), exchanges.c.started_at >= limit)
    waited_for = select(callbacks.c.flow).where(
        callbacks.c.flow.in_(flows), callbacks.c.expires_at > now, callbacks.c.taken_at.is_(None)
    )
    return {flow for query in (younger, waited_for) for flow in connection.execute(query.distinct()).scalars()}


def _pieces(history: History, conditions: list[ColumnElement[bool]]) -> Iterator[int]:
    """Delete the rows that meet the conditions, newest first. Yields the size of each batch."""
    while True:
        with history.database.reading() as connection:
            ids = [id for _, id in listing.newest(connection, conditions, PIECE)]
        if not ids:
            return
        with history.database.writing() as connection:
            connection.execute(delete(exchanges).where(exchanges.c.id.in_(ids)))
        yield len(ids)
