"""The tokens in responses, each read once: every failed exchange of a flow is compared with all that it issued."""

from oauth import parameters
from oauth.diagnosis.known import Known
from oauth.exchange import Exchange

TOKENS = ("access_token", "refresh_token")
"""Members of a token response with a token (RFC 6749 §5.1)."""

_MOST = 10_000
"""Rows that are remembered at a time."""


class Issued:
    """The tokens in the rows of one paste."""

    def __init__(self) -> None:
        # By identity, since comparing rows would cost more than reading them. The row is kept: its id is not reused.
        self._known: dict[int, tuple[Exchange, tuple[tuple[str, Known], ...]]] = {}

    def by(self, row: Exchange) -> tuple[tuple[str, Known], ...]:
        """Return kind and token of those that a response has."""
        known = self._known.get(id(row))
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[id(row)] = row, tuple(_tokens(row))
        return known[1]


def _tokens(row: Exchange) -> list[tuple[str, Known]]:
    members = parameters.members(row.response)
    values = [(kind, members.get(kind)) for kind in TOKENS]
    return [
        (kind, Known(value, "token response", row.id, row.started_at))
        for kind, value in values
        if value and isinstance(value, str)
    ]
