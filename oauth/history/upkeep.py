"""Periodic maintenance of the history: heartbeat, lost exchanges, retention and backfill.

A row without a response belongs to the process that began it. Each process stores a heartbeat every few seconds; the
rows of a process without one are marked as stopped. So consoles on different machines may share one database, and none
takes another's waiting rows for lost ones.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Thread

from sqlalchemy import Connection, case, delete, or_, select, text, update

from oauth.catalogue import answers
from oauth.exchange import Step
from oauth.history.backfill import fill_entries
from oauth.history.database import HistoryError
from oauth.history.deletion import Announcement, announce_older, delete_older
from oauth.history.schema import consoles, exchanges, utc_text
from oauth.history.store import IMPORTED, STOPPED, History

PERIOD = 10.0
"""Seconds between two rounds."""

GONE = timedelta(seconds=60)
"""Time without a heartbeat after which a process counts as gone."""

LONGEST = timedelta(hours=1)
"""Time after which nothing waits for a response any more, but for that of a browser."""

FILL_SECONDS = 5.0
"""Time limit of the backfill in one round."""

DAY = timedelta(days=1)

_BEAT = text(
    "INSERT INTO consoles (id, seen_at) VALUES (:id, :seen) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at"
)


class Upkeep:
    """The maintenance of one process. ``retention_days`` is when exchanges are deleted, ``None`` for never.

    ``before_deletion`` is called with what is about to be deleted, and ``daily`` once a day with the time.
    """

    def __init__(
        self,
        history: History,
        clock: Callable[[], datetime],
        retention_days: int | None = None,
        *,
        before_deletion: Callable[[str], None] = lambda _: None,
        daily: Callable[[datetime], None] = lambda _: None,
    ) -> None:
        self._history = history
        self._clock = clock
        self._retention_days = retention_days
        self._before_deletion = before_deletion
        self._daily = daily
        self._last_round: datetime | None = None
        self._last_day: datetime | None = None
        self._tidied: datetime | None = None
        self._announced: Announcement | None = None
        self._ended = Event()
        self._is_filling = True

    def start(self) -> None:
        """Run rounds in a background thread until the process ends or ``stop`` is called.

        The heartbeat has a thread of its own: a round that deletes much takes longer than a process may be silent.
        """
        for work, name in ((self.round, "upkeep"), (self.beat, "heartbeat")):
            Thread(target=self._run, args=(work,), name=f"history {name}", daemon=True).start()

    def stop(self) -> None:
        """Stop after the current round."""
        self._ended.set()

    def beat(self) -> None:
        """Store the heartbeat. Raises ``HistoryError``."""
        with self._history.database.writing() as connection:
            self._beat(connection, self._clock())

    def _beat(self, connection: Connection, now: datetime) -> None:
        values = {"id": self._history.console, "seen": utc_text(now)}
        connection.execute(_BEAT, values)

    def round(self) -> None:
        """Store the heartbeat, mark lost exchanges, delete old ones, fill old rows. Raises ``HistoryError``."""
        now = self._clock()
        database, console = self._history.database, self._history.console
        with database.writing() as connection:
            self._beat(connection, now)
            connection.execute(delete(consoles).where(consoles.c.seen_at < now - GONE))
            connection.execute(
                update(exchanges)
                .where(
                    exchanges.c.outcome == "none",
                    exchanges.c.failure == "",
                    # A process that is just starting, or was asleep, is not noted yet.
                    exchanges.c.started_at < now - GONE,
                    or_(
                        exchanges.c.console.not_in(select(consoles.c.id)),
                        # One of ours that was stored although its server had not answered in time.
                        (exchanges.c.console == console)
                        & (exchanges.c.step != Step.AUTHORIZE)
                        & (exchanges.c.started_at < now - LONGEST),
                    ),
                    exchanges.c.marks.not_like(f"%{IMPORTED}%"),  # nobody waits for those
                )
                # A callback is explained by its address alone, which is there.
                .values(
                    failure=STOPPED,
                    entry=case((exchanges.c.step == Step.CALLBACK, exchanges.c.entry), else_=answers()[STOPPED].entry),
                )
            )
        with database.reading():
            pass  # brings the search index up to date, so that no reader has to wait for it
        database.checkpoint()
        self._fill()
        if self._retention_days is not None and (self._tidied is None or abs(now - self._tidied) >= DAY):
            self._tidy(now - self._retention_days * DAY, now)
        if self._last_round is not None and (self._last_day is None or abs(now - self._last_day) >= DAY):
            # Of two rounds the earlier: a clock that is wrong in one of them then makes nothing too old.
            self._daily(min(now, self._last_round))
            self._last_day = now
        self._last_round = now

    def _tidy(self, limit: datetime, now: datetime) -> None:
        """Announce what is too old, and delete it in the next round, as far as that round agrees.

        A clock that is wrong in one of the two then deletes nothing that is not too old by the other.
        """
        if self._announced is None:
            self._announced = announce_older(self._history, limit, now)
            if self._announced.count:
                logging.getLogger(__name__).info(
                    "%d exchanges from before %s will be deleted in the next round", self._announced.count, limit
                )
            return
        announced, self._announced = self._announced, None
        if announced.count:
            self._before_deletion(f"{announced.count:,} from before {min(limit, announced.limit):%Y-%m-%d %H:%M} UTC")
        delete_older(self._history, announced, limit, now)
        self._tidied = now

    def _fill(self) -> None:
        """Fill old rows for some seconds, with a pause after each batch as long as the batch took."""
        end = time.monotonic() + FILL_SECONDS
        while self._is_filling and time.monotonic() < end and not self._ended.is_set():
            start = time.monotonic()
            self._is_filling = fill_entries(self._history.database)
            self._ended.wait(time.monotonic() - start)

    def _run(self, work: Callable[[], None]) -> None:
        problem = ""
        while not self._ended.is_set():
            try:
                work()
            except HistoryError as error:
                # The page reports each exchange that is not stored; the log says it once.
                if str(error) != problem:
                    logging.getLogger(__name__).warning("%s", error)
                problem = str(error)
            else:
                problem = ""
            self._ended.wait(PERIOD)
