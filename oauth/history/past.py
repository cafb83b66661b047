"""``Past`` backed by the console's history.

Only the newest ``reach`` rows are searched, which are selected by id.
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
    """The exchanges that a history shows (``History.seen_by``). Every method raises ``HistoryError``."""

    def __init__(self, history: History, reach: int = REACH) -> None:
        self.history = history
        self.reach = reach
        """Number of newest rows that are searched."""

    def flow(self, flow: str) -> Sequence[Exchange]:
        """Return the newest exchanges of one flow, oldest first."""
        if not flow:
            return ()
        rows = self.history.page(Filters(flow=flow), None, LIMIT)
        return tuple(row.exchange for row in reversed(rows))

    def sightings(self, placeholders: Sequence[str]) -> Sequence[Exchange]:
        """Return the exchanges that contain the fingerprint of one of the placeholders."""
        marks = {
            placeholder.fingerprint for text in placeholders if (placeholder := parse(text)) and placeholder.fingerprint
        }
        if not marks:
            return ()
        # The fingerprint alone: around it, the writing differs between a header, an address and a body.
        conditions = [exchanges.c[name].contains(mark, autoescape=True) for name in MARKED for mark in sorted(marks)]
        return self._newest(LIMIT, or_(*conditions))

    def token_requests(self, client_id: str) -> Sequence[Exchange]:
        """Return the client's successful token requests."""
        if not client_id:
            return ()
        return self._newest(
            MOST_TOKENS,
            exchanges.c.client_id == client_id,
            exchanges.c.outcome == "2xx",
            exchanges.c.step.in_([Step.TOKEN.value, Step.REFRESH.value]),
        )

    def sent_to(self, host: str, since: datetime, until: datetime) -> int:
        """Count the requests to a host between two times, of all owners: they share one IP address."""
        query = select(func.count()).where(
            self._within_reach(),
            exchanges.c.step.not_in([step.value for step in OF_THE_BROWSER]),
            exchanges.c.host == host.lower(),
            exchanges.c.started_at.between(since, until),
        )
        with self.history.database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def _newest(self, most: int, *conditions: ColumnElement[bool]) -> Sequence[Exchange]:
        recent = self._within_reach(), *self.history.own()
        query = select(exchanges).where(*recent, *conditions).order_by(exchanges.c.id.desc()).limit(most)
        with self.history.database.reading() as connection:
            rows = [to_row(row) for row in connection.execute(query).mappings()]
        return tuple(row.exchange for row in reversed(rows))

    def _within_reach(self) -> ColumnElement[bool]:
        newest = select(func.coalesce(func.max(exchanges.c.id), 0)).scalar_subquery()
        return exchanges.c.id > newest - self.reach
