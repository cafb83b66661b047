"""Queries of a diagnosis to the history.

Every query is bounded: by a flow, or by a client within the newest rows. Older rows are not searched, and the evidence
says so with ``reach``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from oauth.exchange import Exchange, Step

OF_THE_BROWSER = (Step.AUTHORIZE, Step.CALLBACK, Step.PAGE)
"""Steps made by the browser, from another IP address than this console's."""


MOST_TOKENS = 1_000
"""Maximum number of a client's token requests that a history returns, the newest ones."""


class Past(Protocol):
    """Earlier exchanges, redacted. Rows are returned oldest first."""

    @property
    def reach(self) -> int:
        """Number of the newest rows that are searched."""

    def flow(self, flow: str, /) -> Sequence[Exchange]:
        """Return the exchanges of one flow."""

    def sightings(self, placeholders: Sequence[str], /) -> Sequence[Exchange]:
        """Return the exchanges that contain one of these fingerprinted placeholders, in request or response."""

    def token_requests(self, client_id: str, /) -> Sequence[Exchange]:
        """Return the successful token and refresh requests of a client, at any provider.

        Redundant rows may be left out; a history returns the newest ``MOST_TOKENS``.
        """

    def sent_to(self, host: str, since: datetime, until: datetime, /) -> int:
        """Return the number of requests to a host from ``since`` to ``until``, both included, except the browser's."""


@dataclass(frozen=True, slots=True)
class NoPast:
    """An empty past, for pasted exchanges without a history."""

    reach: int = 0

    def flow(self, _flow: str, /) -> Sequence[Exchange]:
        """Return no rows."""
        return ()

    def sightings(self, _placeholders: Sequence[str], /) -> Sequence[Exchange]:
        """Return no rows."""
        return ()

    def token_requests(self, _client_id: str, /) -> Sequence[Exchange]:
        """Return no rows."""
        return ()

    def sent_to(self, _host: str, _since: datetime, _until: datetime, /) -> int:
        """Return 0."""
        return 0
