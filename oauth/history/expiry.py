"""The deletion of whole months of PostgreSQL's exchanges, by dropping their partitions.

As with other deletions by age, the exchanges of running flows stay, and what was added since it was announced: they
move to the first partition. Nothing else is read or written, so that it takes a moment, in which nobody records.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, text

from oauth.history import counts
from oauth.history.database import unlimited
from oauth.history.partitions import Partition, make_first, partitions, replace_first
from oauth.history.schema import callbacks, exchanges, utc_text
from oauth.history.store import History

FEW = 10_000
"""Exchanges of the first partition that are deleted one by one, when no month is dropped."""

UNDER_WAY = 10_000
"""Numbers of rows that transactions may have taken while others with larger ones are seen already."""

_SPARED = "flow = ANY(%(flows)s::text[])", "id > %(up_to)s AND NOT flow = ANY(%(flows)s::text[])"


class _OneByOneError(Exception):
    """Nothing is dropped, such as when there is more than was announced; what is left is deleted one by one."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The first partitions, all of which are too old: ``count`` exchanges of ended flows, with ids to ``up_to``."""

    partitions: tuple[Partition, ...] = ()
    count: int = 0
    up_to: int = 0

    @property
    def upper(self) -> str:
        """The time at which the last of them ends, empty without any."""
        return self.partitions[-1].upper if self.partitions else ""


def find(history: History, limit: datetime, now: datetime) -> Expired:
    """Return what ``drop`` would delete of what began before ``limit``. Raises ``HistoryError``."""
    if not history.database.is_shared:
        return Expired()
    with history.database.reading() as connection, unlimited(connection):
        old = tuple(each for each in partitions(connection) if each.upper and each.upper <= utc_text(limit))
        if not old or not counts.are_complete(connection):
            return Expired()
        count = counts.number_before(connection, old[-1].upper)
        if len(old) == 1 and count <= FEW:
            return Expired()
        flows, _ = _running(connection, old, limit, now)
        up_to, spared = 0, 0
        for each in old:
            up_to = max(up_to, connection.scalar(text(f"SELECT max(id) FROM {each.name}")) or 0)  # noqa: S608
            query = f"SELECT count(*) FROM {each.name} WHERE {_SPARED[0]}"  # noqa: S608
            spared += connection.exec_driver_sql(query, {"flows": sorted(flows)}).scalar_one()
        return Expired(old, count - spared, up_to)


def drop(history: History, expired: Expired, limit: datetime, now: datetime) -> int | None:
    """Drop the partitions that are too old by ``limit`` too; return the number of exchanges deleted.

    ``None`` when the table is in use, and nothing was done. Raises ``HistoryError``.
    """
    old = tuple(each for each in expired.partitions if each.upper <= utc_text(limit))
    if not old:
        return 0
    with history.database.reading() as connection, unlimited(connection):
        flows, newest = _running(connection, old, limit, now)
    upper, count = old[-1].upper, 0

    def change(connection: Connection) -> None:
        nonlocal count
        counts.lock(connection)
        # All that takes long is done before the lock: whoever records waits for less than a second, or goes without.
        before = counts.forget(connection, upper)
        make_first(connection)
        connection.exec_driver_sql("LOCK TABLE exchanges IN ACCESS EXCLUSIVE MODE")
        if partitions(connection)[: len(old)] != [*old]:
            raise _OneByOneError  # another console dropped them
        before += counts.forget(connection, upper)
        going_on = flows | _flows(connection, exchanges.c.id > newest - UNDER_WAY, exchanges.c.started_at >= limit)
        values = {"flows": sorted(going_on | _waiting(connection, now)), "up_to": expired.up_to}
        replace_first(connection, old, _SPARED, values)
        count = before - counts.count_again(connection, upper)
        if count > expired.count:
            raise _OneByOneError

    try:
        return count if history.database.change_tables(change) else None
    except _OneByOneError:
        return 0


def _running(
    connection: Connection, old: tuple[Partition, ...], limit: datetime, now: datetime
) -> tuple[set[str], int]:
    """Return the flows of some partitions that go on, and the newest row that was seen."""
    newest = connection.scalar(select(func.max(exchanges.c.id))) or 0
    flows = _waiting(connection, now)
    for each in old:
        query = (
            f"SELECT flow FROM (SELECT DISTINCT flow FROM {each.name} WHERE flow <> '') AS old "  # noqa: S608
            "WHERE EXISTS (SELECT FROM exchanges WHERE exchanges.flow = old.flow AND started_at >= %(limit)s)"
        )
        flows.update(connection.exec_driver_sql(query, {"limit": utc_text(limit)}).scalars())
    return flows, newest


def _waiting(connection: Connection, now: datetime) -> set[str]:
    waiting = select(callbacks.c.flow).where(callbacks.c.expires_at > now, callbacks.c.taken_at.is_(None))
    return {flow for flow in connection.execute(waiting).scalars() if flow}


def _flows(connection: Connection, *conditions: Any) -> set[str]:
    query = select(exchanges.c.flow).where(exchanges.c.flow != "", *conditions)
    return set(connection.execute(query.distinct()).scalars())
