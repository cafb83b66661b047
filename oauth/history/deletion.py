"""Deleting what the filters show, for good, in pieces that keep nobody waiting."""

from collections.abc import Iterator

from sqlalchemy import delete, func, select

from oauth.history.filters import Filters, where
from oauth.history.schema import exchanges
from oauth.history.store import History

PIECE = 2_000
"""Rows of one transaction: exchanges are recorded between two of them."""


def last_id(history: History) -> int:
    """The number of the row that was written last; 0 when there is none. Raises ``HistoryError``."""
    with history.database.reading() as connection:
        return int(connection.execute(select(func.coalesce(func.max(exchanges.c.id), 0))).scalar_one())


def delete_shown(history: History, filters: Filters, up_to: int) -> Iterator[int]:
    """Delete the exchanges that the filters show and whose number is at most ``up_to``.

    ``up_to`` is ``last_id`` from when they were counted: what came later was not agreed to. Yields how many are gone,
    after every piece. Raises ``HistoryError``; what was deleted until then stays so.
    """
    gone = last = 0
    while True:
        # By number, so that every row is looked at once, also those that stay.
        piece = (
            select(exchanges.c.id)
            .where(*where(filters), exchanges.c.id > last, exchanges.c.id <= up_to)
            .order_by(exchanges.c.id)
            .limit(PIECE)
        )
        with history.database.writing() as connection:
            ids = list(connection.execute(piece).scalars())
            connection.execute(delete(exchanges).where(exchanges.c.id.in_(ids)))
        if not ids:
            return
        gone, last = gone + len(ids), ids[-1]
        yield gone
