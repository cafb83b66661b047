"""Rows of the past, each read once: every failed exchange of a flow is compared with what all before it said."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from oauth import parameters
from oauth.diagnosis.known import Known
from oauth.exchange import Exchange, Step
from oauth.parameters import Reading

TOKENS = ("access_token", "refresh_token")
"""Members of a token response with a token (RFC 6749 §5.1)."""

_MOST = 2_000
"""Rows that are remembered at a time."""


class RowReading:
    """The reading of one row, each part of it made when it is asked for."""

    def __init__(self, row: Exchange) -> None:
        self.row = row

    @cached_property
    def sent(self) -> Reading:
        """The parameters of the request."""
        return parameters.read(self.row.request)

    @cached_property
    def received(self) -> dict[str, Any]:
        """The members of the response; empty when it is not a JSON object."""
        return parameters.members(self.row.response)

    @cached_property
    def client_id(self) -> str:
        """The client id in the request, or else the row's."""
        return parameters.client_of(self.row, self.sent)

    @cached_property
    def tokens(self) -> tuple[tuple[str, Known], ...]:
        """Kind and token of those that a token response has."""
        row = self.row
        values = [(kind, self.text(kind)) for kind in TOKENS if row.step in (Step.TOKEN, Step.REFRESH)]
        return tuple((kind, Known(value, "token response", row.id, row.started_at)) for kind, value in values if value)

    def text(self, name: str) -> str:
        """Return one string member of the response, or an empty string."""
        value = self.received.get(name)
        return value if isinstance(value, str) else ""


class Readings:
    """The readings of the rows of one paste."""

    def __init__(self) -> None:
        # By identity, since comparing rows would cost more than reading them. A row is kept: its id is not reused.
        self._known: dict[int, RowReading] = {}

    def of(self, row: Exchange) -> RowReading:
        """Return the reading of a row."""
        return self._known.get(id(row)) or self._new(row)

    def tokens(self, rows: Iterable[Exchange]) -> dict[str, tuple[Known, ...]]:
        """Return the tokens that the token responses among these rows have, by kind and in their order."""
        tokens: dict[str, list[Known]] = {kind: [] for kind in TOKENS}
        known = self._known
        for row in rows:
            for kind, token in (known.get(id(row)) or self._new(row)).tokens:
                tokens[kind].append(token)
        return {kind: tuple(found) for kind, found in tokens.items()}

    def _new(self, row: Exchange) -> RowReading:
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[id(row)] = RowReading(row)
        return self._known[id(row)]
