"""Permanent deletion of exchanges, in batches that block nobody."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select

from oauth.history import listing
from oauth.history.filters import Filters, where
from oauth.history.schema import callbacks, exchanges
from oauth.history.store import History

PIECE = 500
"""Rows of one transaction; exchanges can be recorded between two of them."""


def last_id(history: History) -> int:
    """Return the id of the newest row, 0 when there is none. Raises ``HistoryError``."""
    with history.database.reading() as connection:
        return int(connection.execute(select(func.coalesce(func.max(exchanges.c.id), 0))).scalar_one())


def delete_shown(history: History, filters: Filters, up_to: int) -> Iterator[int]:
    """Delete the exchanges that match the filters, with ids up to ``up_to``.

    ``up_to`` is ``last_id`` from when they were counted: later ones were not confirmed. Yields the number deleted after
    every batch; at the end, no trace of them is left in the files (``Database.wipe``). Raises ``HistoryError``; earlier
    batches stay deleted.
    """
    gone = 0
    for branch in filters.branches():
        for number in _pieces(history, [*where(branch), exchanges.c.id <= up_to]):
            gone += number
            yield gone
    if gone:
        history.database.wipe()


def delete_row(history: History, id: int) -> None:
    """Delete one exchange without a trace. Raises ``HistoryError``."""
    with history.database.writing() as connection:
        connection.execute(delete(exchanges).where(exchanges.c.id == id))
    history.database.wipe()


def delete_older(history: History, limit: datetime, now: datetime) -> int:
    """Delete the exchanges that began before ``limit``, except those of a running flow; return their number.

    A flow is running when one of its exchanges is newer, or when it waits for its callback at ``now``. Raises
    ``HistoryError``.
    """
    other = exchanges.alias()
    younger = select(other.c.id).where(other.c.flow == exchanges.c.flow, other.c.started_at >= limit)
    waited_for = select(callbacks.c.flow).where(
        callbacks.c.flow == exchanges.c.flow, callbacks.c.expires_at > now, callbacks.c.taken_at.is_(None)
    )
    has_ended = or_(exchanges.c.flow == "", ~younger.exists() & ~waited_for.exists())
    gone = sum(_pieces(history, [exchanges.c.started_at < limit, has_ended]))
    if gone:
        history.database.wipe()
    return gone


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
