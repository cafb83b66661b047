"""The deletion of exchanges that are too old, by one console at a time, in short rounds."""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Event

from sqlalchemy import Connection, delete, insert, select

from oauth.history.database import RETENTION_LOCK
from oauth.history.deletion import Announcement, announce_older, delete_older
from oauth.history.schema import installation, read_time, utc_text
from oauth.history.store import History

ROUND_SECONDS = 5.0
"""Time in which one round deletes; the next round goes on."""

DAY = timedelta(days=1)

_NAME = "retention"
"""The row of ``installation`` with the time before which everything was deleted."""


def done_until(connection: Connection) -> datetime | None:
    """Return the time before which everything was deleted, ``None`` when no retention was done."""
    query = select(installation.c.value).where(installation.c.name == _NAME)
    return read_time(connection.execute(query).scalar_one_or_none())


class Retention:
    """The deletion of what is older than ``days``, once a day for all consoles that share the database.

    ``deleted`` and ``announced`` are the progress of this console's deletion. ``before_deletion`` is called with what
    is about to be deleted, and ``ended`` stops it after the current batch.
    """

    def __init__(self, history: History, days: int, before_deletion: Callable[[str], None], ended: Event) -> None:
        self._history = history
        self._span = days * DAY
        self._before_deletion = before_deletion
        self._ended = ended
        self._announcement: Announcement | None = None
        self._batches: Iterator[int | None] | None = None
        self._limit = datetime.max
        self.deleted = self.announced = 0

    def round(self, now: datetime) -> None:
        """Announce what is too old, or delete some of what an earlier round announced. Raises ``HistoryError``.

        The limit is the earlier of two rounds: a clock that is wrong in one of them deletes nothing that is not too old
        by the other.
        """
        try:
            if not self._is_due(now) or not self._history.database.hold(RETENTION_LOCK):
                return
            if self._announcement is None:
                self._announcement = self._announce(now)
            elif self._delete(self._announcement, now):
                self._finish()
        except BaseException:
            self._stop()
            raise
        if self._ended.is_set():
            self._stop()

    def _is_due(self, now: datetime) -> bool:
        if self._announcement is not None:
            return True
        with self._history.database.reading() as connection:
            end = done_until(connection)
        # Consoles may keep exchanges for different times: what the strictest deleted is done for all. What was done by
        # a clock that is far ahead is not.
        return end is None or end > now or now - self._span - end >= DAY

    def _announce(self, now: datetime) -> Announcement:
        announcement = announce_older(self._history, now - self._span, now)
        self.deleted, self.announced = 0, announcement.count
        if announcement.count:
            logging.getLogger(__name__).info(
                "%d exchanges from before %s will be deleted, from the next round on",
                announcement.count,
                announcement.limit,
            )
        return announcement

    def _delete(self, announcement: Announcement, now: datetime) -> bool:
        """Delete for some seconds, with pauses as long as the work; return whether all is done."""
        if self._batches is None:
            self._limit = min(now - self._span, announcement.limit)
            if announcement.count:
                self._before_deletion(f"{announcement.count:,} from before {self._limit:%Y-%m-%d %H:%M} UTC")
            self._batches = delete_older(self._history, announcement, self._limit, now)
        start = time.monotonic()
        end = start + ROUND_SECONDS
        for deleted in self._batches:
            if deleted is None:
                # Whoever records waits behind each try, so there is one in a round.
                logging.getLogger(__name__).info("Old months are dropped when the table is not in use, as by an export")
                return False
            self.deleted = deleted
            if time.monotonic() > end or self._ended.wait(time.monotonic() - start):
                logging.getLogger(__name__).info("%d of %d old exchanges are deleted", deleted, announcement.count)
                return False
            start = time.monotonic()
        return True

    def _finish(self) -> None:
        if self.deleted:
            self._history.database.wipe()
            logging.getLogger(__name__).info("%d old exchanges were deleted", self.deleted)
        with self._history.database.writing() as connection:
            connection.execute(delete(installation).where(installation.c.name == _NAME))
            connection.execute(insert(installation).values(name=_NAME, value=utc_text(self._limit)))
        self._stop()

    def _stop(self) -> None:
        self._announcement = self._batches = None
        self._history.database.let_go(RETENTION_LOCK)
