"""What a diagnosis asks of the history, and the history's answers.

Every question is bounded: by a flow, or by a client within the newest rows. What lies further back is not looked at,
and ``reach`` says so in the evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from oauth.diagnosis.secrets import parse
from oauth.exchange import Exchange, Request, Response, Step


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
        """The token and refresh requests of a client, at any provider, that were answered with success."""

    def sent_to(self, host: str, since: datetime, until: datetime, /) -> int:
        """How many requests went to a host, counting both ends of the time."""


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


@dataclass(frozen=True, slots=True)
class Earlier:
    """What stood before an exchange in the same paste, redacted."""

    exchanges: Sequence[Exchange]

    @property
    def reach(self) -> int:
        """All of them are looked at."""
        return len(self.exchanges)

    def flow(self, flow: str) -> Sequence[Exchange]:
        """The exchanges of one flow."""
        return tuple(item for item in self.exchanges if flow and item.flow == flow)

    def sightings(self, placeholders: Sequence[str]) -> Sequence[Exchange]:
        """The exchanges in which one of the placeholders' fingerprints stands."""
        marks = {found.fingerprint for text in placeholders if (found := parse(text)) and found.fingerprint}
        return tuple(item for item in self.exchanges if any(mark in _text(item) for mark in marks))

    def token_requests(self, client_id: str) -> Sequence[Exchange]:
        """The client's token and refresh requests that were answered with success."""
        asked = (item for item in self.exchanges if item.step in (Step.TOKEN, Step.REFRESH))
        return tuple(item for item in asked if _succeeded(item) and client_id in _text(item))

    def sent_to(self, host: str, since: datetime, until: datetime) -> int:
        """How many requests went to a host."""
        return sum(f"//{host}/" in item.request.url and since <= item.started_at <= until for item in self.exchanges)


@dataclass(frozen=True, slots=True)
class Both:
    """Two pasts as one, the older first."""

    first: Past
    second: Past

    @property
    def reach(self) -> int:
        """How many rows are looked at in all."""
        return self.first.reach + self.second.reach

    def flow(self, flow: str) -> Sequence[Exchange]:
        """The exchanges of one flow in either."""
        return (*self.first.flow(flow), *self.second.flow(flow))

    def sightings(self, placeholders: Sequence[str]) -> Sequence[Exchange]:
        """The exchanges in either in which one of the placeholders' fingerprints stands."""
        return (*self.first.sightings(placeholders), *self.second.sightings(placeholders))

    def token_requests(self, client_id: str) -> Sequence[Exchange]:
        """The client's successful token and refresh requests in either."""
        return (*self.first.token_requests(client_id), *self.second.token_requests(client_id))

    def sent_to(self, host: str, since: datetime, until: datetime) -> int:
        """How many requests went to a host in either."""
        return self.first.sent_to(host, since, until) + self.second.sent_to(host, since, until)


def _succeeded(exchange: Exchange) -> bool:
    return exchange.response is not None and 200 <= exchange.response.status < 300


def _text(exchange: Exchange) -> str:
    """All that was said in an exchange, in one text."""
    messages: list[Request | Response] = [exchange.request]
    if exchange.response is not None:
        messages.append(exchange.response)
    headers = [value for message in messages for _, value in message.headers]
    bodies = [message.body.decode("utf-8", "replace") for message in messages]
    return "\n".join([exchange.request.url, *headers, *bodies])
