"""Background filling of the column ``entry`` in rows from before there was one."""

from sqlalchemy import bindparam, delete, select, update

from oauth.history.database import Database
from oauth.history.recognition import entry_of
from oauth.history.schema import backfills, exchanges
from oauth.history.store import to_row

BATCH = 200
"""Rows of one transaction. An exchange that is recorded meanwhile waits for it, some milliseconds."""


def fill_entries(database: Database) -> bool:
    """Fill ``entry`` in the newest ``BATCH`` old rows without one; return whether any rows are left.

    The progress is stored in the database, so that any process can go on at any time. Raises ``HistoryError``.
    """
    progress = backfills.c.name == "entry"
    with database.reading() as connection:
        below = connection.execute(select(backfills.c.below).where(progress)).scalar_one_or_none()
        if below is None:
            return False
        query = select(exchanges).where(exchanges.c.id < below).order_by(exchanges.c.id.desc()).limit(BATCH)
        rows = [to_row(row) for row in connection.execute(query).mappings()]
    # Recognised between the two transactions, so that no exchange waits for it.
    entries = [
        {"row": row.exchange.id, "recognised": entry_of(row.exchange, row.documented_error)}
        for row in rows
        if row.entry is None
    ]
    is_last = len(rows) < BATCH
    fill = update(exchanges).where(exchanges.c.id == bindparam("row"), exchanges.c.entry.is_(None))
    with database.writing() as connection:
        if entries:
            connection.execute(fill.values(entry=bindparam("recognised")), entries)
        if is_last:
            connection.execute(delete(backfills).where(progress))
        else:
            connection.execute(update(backfills).where(progress).values(below=rows[-1].exchange.id))
    return not is_last
