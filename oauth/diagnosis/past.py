"""What a diagnosis asks of the history, and the history's answers.

Every question is bounded: by a flow, or by a client within the newest rows. What lies further back is not looked at,
and ``reach`` says so in the evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from oauth.exchange import Exchange, Step

OF_THE_BROWSER = (Step.AUTHORIZE, Step.CALLBACK)
"""Steps that a browser takes, from another address than this console's."""


MOST_TOKENS = 1_000
"""Token requests of a client that a history gives at most, the newest of them."""


class Past(Protocol):
    """The exchanges of before, redacted. Rows come oldest first."""

    @property
    def reach(self) -> int:
        """How many of the newest rows are looked at."""

    def flow(self, flow: str, /) -> Sequence[Exchange]:
        """The exchanges of one flow."""

    def sightings(self, placeholders: Sequence[str], /) -> Sequence[Exchange]:
        """The exchanges in which one of these fingerprinted placeholders stands, in request or response."""

    def token_requests(self, client_id: str, /) -> Sequence[Exchange]:
        """The token and refresh requests of a client, at any provider, that were answered with success.

        Of many that say the same some may be left out; a history gives the newest ``MOST_TOKENS``.
        """

    def sent_to(self, host: str, since: datetime, until: datetime, /) -> int:
        """How many requests went to a host, but for the browser's, counting both ends of the time."""


@dataclass(frozen=True, slots=True)
class NoPast:
    """For what was pasted: there is no history to ask."""

    reach: int = 0

    def flow(self, _flow: str, /) -> Sequence[Exchange]:
        """Nothing."""
        return ()

    def sightings(self, _placeholders: Sequence[str], /) -> Sequence[Exchange]:
        """Nothing."""
        return ()

    def token_requests(self, _client_id: str, /) -> Sequence[Exchange]:
        """Nothing."""
        return ()

    def sent_to(self, _host: str, _since: datetime, _until: datetime, /) -> int:
        """None."""
        return 0
