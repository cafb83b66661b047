"""``Past`` over the console's history.

The newest ``reach`` rows are found by their number, which is an index of every database; only those are searched.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select

from oauth.diagnosis.past import MOST_TOKENS, OF_THE_BROWSER
from oauth.exchange import Exchange, Step
from oauth.history.filters import Filters
from oauth.history.schema import exchanges
from oauth.history.store import History, to_row
from oauth.redaction.placeholders import parse

REACH = 20_000
"""Rows that are searched, newest first."""

LIMIT = 100
"""Rows that a question for a flow or a secret gives at most, the newest of them."""

MARKED = ("url", "request_headers", "request_body", "response_headers", "response_body")
"""Columns that a placeholder can stand in."""


class HistoryPast:
    """What one owner's history knows, or everybody's when ``owner`` is ``None``.

    Every method raises ``HistoryError``.
    """

    def __init__(self, history: History, owner: str | None = None, reach: int = REACH) -> None:
        self.history = history
        self.owner = owner
        self._reach = reach

    @property
    def reach(self) -> int:
        """How many of the newest rows are looked at."""
        return self._reach

    def flow(self, flow: str) -> Sequence[Exchange]:
        """The newest exchanges of one flow, oldest first."""
        if not flow:
            return ()
        rows = self.history.page(Filters(flow=flow, owner=self.owner), None, LIMIT)
        return tuple(row.exchange for row in reversed(rows))

    def sightings(self, placeholders: Sequence[str]) -> Sequence[Exchange]:
        """The exchanges in which one of the placeholders' fingerprints stands."""
        marks = {found.fingerprint for text in placeholders if (found := parse(text)) and found.fingerprint}
        if not marks:
            return ()
        # The fingerprint alone: around it, the writing differs between a header, an address and a body.
        seen = [exchanges.c[name].contains(mark, autoescape=True) for name in MARKED for mark in sorted(marks)]
        return self._newest(LIMIT, or_(*seen))

    def token_requests(self, client_id: str) -> Sequence[Exchange]:
        """The client's token requests that were answered with success."""
        if not client_id:
            return ()
        return self._newest(
            MOST_TOKENS,
            exchanges.c.client_id == client_id,
            exchanges.c.outcome == "2xx",
            exchanges.c.step.in_([Step.TOKEN.value, Step.REFRESH.value]),
        )

    def sent_to(self, host: str, since: datetime, until: datetime) -> int:
        """How many requests went to a host between two times, whoever's: they come from one address all the same."""
        query = select(func.count()).where(
            self._within_reach(),
            exchanges.c.step.not_in([step.value for step in OF_THE_BROWSER]),
            exchanges.c.host == host.lower(),
            exchanges.c.started_at.between(since, until),
        )
        with self.history.database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def _newest(self, most: int, *conditions: ColumnElement[bool]) -> Sequence[Exchange]:
        query = select(exchanges).where(*self._recent(), *conditions).order_by(exchanges.c.id.desc()).limit(most)
        with self.history.database.reading() as connection:
            found = [to_row(row) for row in connection.execute(query).mappings()]
        return tuple(row.exchange for row in reversed(found))

    def _recent(self) -> list[ColumnElement[bool]]:
        own = [] if self.owner is None else [exchanges.c.owner == self.owner]
        return [self._within_reach(), *own]

    def _within_reach(self) -> ColumnElement[bool]:
        newest = select(func.coalesce(func.max(exchanges.c.id), 0)).scalar_subquery()
        return exchanges.c.id > newest - self._reach
