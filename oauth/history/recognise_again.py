"""Recognise the errors of kept exchanges again, after a catalogue was written or changed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import or_, select, update

from oauth.catalogue.explain import explain
from oauth.exchange import Step
from oauth.history.deletion import last_id
from oauth.history.recognition import Recognition, entry_of, recognition
from oauth.history.schema import exchanges
from oauth.history.store import History, Row, to_row

BATCH = 100
"""Rows of one transaction. An exchange that is recorded meanwhile waits for it, some milliseconds."""


@dataclass
class Progress:
    """The number of rows read so far, and of those changed by their old and new entry; no entry is empty."""

    read: int = 0
    changed: Counter[tuple[str, str]] = field(default_factory=Counter)


def recognise_again(history: History, *, is_trial: bool = False) -> Iterator[Progress]:
    """Recognise every kept exchange again, newest first, and store what is new; yield the progress after each batch.

    Each batch is committed, so it can be stopped and run again. Rows that were recorded since it began are left, and so
    are those that wait for a response: who records them recognises them. With ``is_trial`` nothing is stored. Raises
    ``HistoryError``.
    """
    progress, below = Progress(), last_id(history) + 1
    finished = or_(exchanges.c.outcome != "none", exchanges.c.step == Step.CALLBACK.value)
    while below:
        rows = select(exchanges).where(exchanges.c.id < below, finished, *history.own())
        query = rows.order_by(exchanges.c.id.desc()).limit(BATCH)
        with history.database.reading() as connection:
            batch = [(row["outcome"], to_row(row)) for row in connection.execute(query).mappings()]
        # Recognised between the two transactions, so that no exchange waits for it.
        changes = [(outcome, row, new) for outcome, row in batch if not row.damage and (new := _changed(row))]
        progress.read += len(batch)
        if is_trial:
            progress.changed.update((row.entry or "", new.entry) for _, row, new in changes)
        elif changes:
            progress.changed.update(_store(history, changes))
        yield progress
        below = batch[-1][1].exchange.id or 0 if len(batch) == BATCH else 0


def _changed(row: Row) -> Recognition | None:
    """Return what is recognised in a row now, ``None`` if that is what it has.

    A number stays unless a catalogue has the answer: of pasted and imported exchanges more was known than is kept.
    """
    explanation = explain(row.exchange)
    new = recognition(explanation)
    if row.documented_error is not None and (explanation is None or explanation.kind in ("registered", "answer")):
        entry = entry_of(row.exchange, row.documented_error)
        new = Recognition(row.documented_error, row.error, row.error_description, entry)
    return None if new.entry == row.entry else new


def _store(history: History, changes: list[tuple[str, Row, Recognition]]) -> Iterator[tuple[str, str]]:
    """Store what is new in rows that are still as they were read; yield the old and the new entry of each."""
    stored = []
    with history.database.writing() as connection:
        for outcome, row, new in changes:
            # A column that is set to its own value still costs its indexes.
            values = {name: value for name, value in new._asdict().items() if value != getattr(row, name)}
            same = exchanges.c.entry.is_(None) if row.entry is None else exchanges.c.entry == row.entry
            statement = update(exchanges).where(exchanges.c.id == row.exchange.id, exchanges.c.outcome == outcome, same)
            if connection.execute(statement.values(values)).rowcount:
                stored.append((row.entry or "", new.entry))
    yield from stored
