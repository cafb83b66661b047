"""Deleting exchanges for good, in pieces that keep nobody waiting."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select

from oauth.history import listing
from oauth.history.filters import Filters, where
from oauth.history.schema import callbacks, exchanges
from oauth.history.store import History

PIECE = 500
"""Rows of one transaction: exchanges are recorded between two of them."""


def last_id(history: History) -> int:
    """The number of the row that was written last; 0 when there is none. Raises ``HistoryError``."""
    with history.database.reading() as connection:
        return int(connection.execute(select(func.coalesce(func.max(exchanges.c.id), 0))).scalar_one())


def delete_shown(history: History, filters: Filters, up_to: int) -> Iterator[int]:
    """Delete the exchanges that the filters show and whose number is at most ``up_to``.

    ``up_to`` is ``last_id`` from when they were counted: what came later was not agreed to. Yields how many are gone,
    after every piece; when it ends, nothing of them is left in the files (``Database.wipe``). Raises ``HistoryError``;
    what was deleted until then stays so.
    """
    gone = 0
    for branch in filters.branches():
        for number in _pieces(history, [*where(branch), exchanges.c.id <= up_to]):
            gone += number
            yield gone
    if gone:
        history.database.wipe()


def delete_older(history: History, limit: datetime, now: datetime) -> int:
    """Delete the exchanges that began before ``limit``, apart from those of a flow that still runs.

    A flow runs when one of its exchanges is younger, or when it waits for its callback at ``now``. Returns how many are
    gone. Raises ``HistoryError``.
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
    """Delete what the conditions name, newest first. Yields how many each piece had."""
    while True:
        with history.database.reading() as connection:
            ids = [id for _, id in listing.newest(connection, conditions, PIECE)]
        if not ids:
            return
        with history.database.writing() as connection:
            connection.execute(delete(exchanges).where(exchanges.c.id.in_(ids)))
        yield len(ids)
