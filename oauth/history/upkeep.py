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
from oauth.history import counts
from oauth.history.backfill import fill_entries
from oauth.history.database import Database, HistoryError
from oauth.history.partitions import Months
from oauth.history.retention import DAY, Retention
from oauth.history.schema import consoles, exchanges, utc_text
from oauth.history.store import IMPORTED, STOPPED, History

PERIOD = 10.0
"""Seconds between two rounds."""

GONE = timedelta(seconds=60)
"""Time without a heartbeat after which a process counts as gone."""

LONGEST = timedelta(hours=1)
"""Time after which nothing waits for a response any more, but for that of a browser."""

FILL_SECONDS = 5.0
"""Time limit of each backfill in one round."""

_BEAT = text(
    "INSERT INTO consoles (id, seen_at) VALUES (:id, :seen) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at"
)


class Upkeep:
    """The maintenance of one process. ``retention_days`` is when exchanges are deleted, ``None`` for never.

    ``retention`` has the progress of the deletion. ``before_deletion`` is called with what is about to be deleted, and
    ``daily`` once a day with the time.
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
        self._daily = daily
        self._last_round: datetime | None = None
        self._last_day: datetime | None = None
        self._ended = Event()
        self.retention = (
            None if retention_days is None else Retention(history, retention_days, before_deletion, self._ended)
        )
        self._months = Months(history.database)
        self._fills: dict[Callable[[Database], bool], bool] = {fill_entries: True, counts.fill: True}

    def start(self) -> None:
        """Run rounds in a background thread until the process ends or ``stop`` is called.

        The heartbeat has a thread of its own: a round that deletes much takes longer than a process may be silent.
        """
        for work, name in ((self.round, "upkeep"), (self.beat, "heartbeat")):
            Thread(target=self._run, args=(work,), name=f"history {name}", daemon=True).start()

    def stop(self) -> None:
        """Stop after the current round."""
        self._ended.set()

    def leave(self) -> None:
        """Stop, and let the others know at once that this process is gone. Raises ``HistoryError``."""
        self.stop()
        with self._history.database.writing() as connection:
            connection.execute(delete(consoles).where(consoles.c.id == self._history.console))

    def beat(self) -> None:
        """Store the heartbeat, if the process has not left. Raises ``HistoryError``."""
        with self._history.database.writing() as connection:
            self._beat(connection, self._clock())

    def _beat(self, connection: Connection, now: datetime) -> None:
        if not self._ended.is_set():
            connection.execute(_BEAT, {"id": self._history.console, "seen": utc_text(now)})

    def round(self) -> None:
        """Store the heartbeat, mark lost exchanges, delete old ones, fill old rows, make room for new ones.

        Raises ``HistoryError``.
        """
        now = self._clock()
        database, console = self._history.database, self._history.console
        with database.writing() as connection:
            self._beat(connection, now)
            connection.execute(delete(consoles).where(consoles.c.seen_at < now - GONE))
            connection.execute(
                update(exchanges)
                .where(
                    text("outcome = 'none' AND failure = ''"),  # as PostgreSQL's index of them says it
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
        for fill in self._fills:
            self._fill(fill)
        database.merge_counts(now, FILL_SECONDS)
        if self.retention is not None:
            self.retention.round(now)
        if self._last_round is not None:
            # Of two rounds the earlier: a clock that is wrong in one of them then makes nothing too old.
            earlier = min(now, self._last_round)
            self._months.make(earlier)
            if self._last_day is None or abs(now - self._last_day) >= DAY:
                self._daily(earlier)
                self._last_day = now
        self._last_round = now

    def _fill(self, fill: Callable[[Database], bool]) -> None:
        """Fill old rows for some seconds, with a pause after each batch as long as the batch took."""
        end = time.monotonic() + FILL_SECONDS
        while self._fills[fill] and time.monotonic() < end and not self._ended.is_set():
            start = time.monotonic()
            self._fills[fill] = fill(self._history.database)
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
