"""What a running console does for its history from time to time: it says that it lives, and tidies up.

A row without an answer belongs to the process that began it. Each process notes every few seconds that it is alive;
the rows of one that has not done so for a while are marked: their answer will not come. So consoles may share one
database, on different machines, and none takes another's waiting rows for lost ones.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Thread

from sqlalchemy import case, delete, insert, select, update

from oauth.catalogue import answers
from oauth.exchange import Step
from oauth.history.backfill import fill_entries
from oauth.history.database import HistoryError
from oauth.history.deletion import delete_older
from oauth.history.schema import consoles, exchanges
from oauth.history.store import IMPORTED, STOPPED, History

PERIOD = 10.0
"""Seconds between two rounds."""

GONE = timedelta(seconds=60)
"""How long a process is not heard of before it counts as gone."""

FILL_SECONDS = 5.0
"""How long one round fills old rows."""

DAY = timedelta(days=1)


class Upkeep:
    """The rounds of one process. ``retention_days`` is how long exchanges are kept, ``None`` for always."""

    def __init__(self, history: History, clock: Callable[[], datetime], retention_days: int | None = None) -> None:
        self._history = history
        self._clock = clock
        self._retention_days = retention_days
        self._tidied: datetime | None = None
        self._ended = Event()
        self._problem = ""
        self._is_filling = True

    def start(self) -> None:
        """Go round in a thread of its own until the process ends or ``stop`` is called."""
        Thread(target=self._run, name="history upkeep", daemon=True).start()

    def stop(self) -> None:
        """End after the round that is under way."""
        self._ended.set()

    def round(self) -> None:
        """Say that this process is alive, mark what was lost, delete what is too old. Raises ``HistoryError``."""
        now = self._clock()
        database, console = self._history.database, self._history.console
        with database.writing() as connection:
            seen = connection.execute(update(consoles).where(consoles.c.id == console).values(seen_at=now)).rowcount
            if not seen:
                connection.execute(insert(consoles).values(id=console, seen_at=now))
            connection.execute(delete(consoles).where(consoles.c.seen_at < now - GONE))
            connection.execute(
                update(exchanges)
                .where(
                    exchanges.c.outcome == "none",
                    exchanges.c.failure == "",
                    # A process that is just starting, or was asleep, is not noted yet.
                    exchanges.c.started_at < now - GONE,
                    exchanges.c.console.not_in(select(consoles.c.id)),
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
        if self._retention_days is not None and (self._tidied is None or now - self._tidied >= DAY):
            delete_older(self._history, now - self._retention_days * DAY, now)
            self._tidied = now

    def _fill(self) -> None:
        """Recognise errors in old rows for some seconds, with a pause as long as each batch took."""
        end = time.monotonic() + FILL_SECONDS
        while self._is_filling and time.monotonic() < end and not self._ended.is_set():
            start = time.monotonic()
            self._is_filling = fill_entries(self._history.database)
            self._ended.wait(time.monotonic() - start)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.round()
            except HistoryError as error:
                # Each exchange that is not kept says so on the page; the log says it once.
                if str(error) != self._problem:
                    logging.getLogger(__name__).warning("%s", error)
                self._problem = str(error)
            else:
                self._problem = ""
            self._ended.wait(PERIOD)
