"""Limits of requests, in the database, so that all consoles share them.

The generic cell rate algorithm: one number per client, the time at which its whole rate is free again.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, text

from oauth.history.database import Database
from oauth.history.schema import limits
from oauth.redaction.placeholders import storable

_TAKE = text(
    "INSERT INTO limits (id, until) VALUES (:id, :now + :cost) ON CONFLICT (id) DO UPDATE "
    "SET until = CASE WHEN limits.until > :now THEN limits.until ELSE :now END + :cost "
    "WHERE limits.until + :cost <= :now + :span"
)


@dataclass(frozen=True, slots=True)
class Rate:
    """A number of requests in a number of seconds, which may come at once."""

    requests: int
    seconds: float

    def take(self, database: Database, id: str, cost: int = 1) -> float:
        """Count a request of ``id``, as ``cost`` of them.

        Returns 0, or the seconds to wait when there were too many; it is not counted then. Raises ``HistoryError``.
        """
        now, id, step = database.clock().timestamp(), storable(id), cost * self.seconds / self.requests
        values = {"id": id, "now": now, "cost": step, "span": self.seconds}
        with database.writing() as connection:
            if connection.execute(_TAKE, values).rowcount:
                return 0.0
            until: float = connection.execute(select(limits.c.until).where(limits.c.id == id)).scalar_one()
        return max(0.001, until + step - self.seconds - now)


def forget_past(database: Database, now: datetime) -> None:
    """Forget those whose whole rate is free again. Raises ``HistoryError``."""
    with database.writing() as connection:
        connection.execute(delete(limits).where(limits.c.until <= now.timestamp()))
