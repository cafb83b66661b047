"""``Past`` over exchanges in memory: what stood earlier in the same paste, or came earlier in the same drill."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from oauth.diagnosis import reading
from oauth.diagnosis.past import OF_THE_BROWSER, NoPast, Past
from oauth.diagnosis.secrets import PLACEHOLDER
from oauth.diagnosis.subject import host_of
from oauth.exchange import Exchange, Step

_ASKED = (Step.TOKEN, Step.REFRESH)


@dataclass
class Earlier:
    """Exchanges that came before one that is judged, and behind them ``further``, such as the history.

    Rows are redacted and added in order; each answer has those that were added before the question.
    """

    further: Past = field(default_factory=NoPast)
    _flows: dict[str, list[Exchange]] = field(default_factory=lambda: defaultdict(list), init=False)
    _seen: dict[str, list[Exchange]] = field(default_factory=lambda: defaultdict(list), init=False)
    _tokens: dict[str, list[Exchange]] = field(default_factory=lambda: defaultdict(list), init=False)
    _sent: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list), init=False)
    _rows: int = field(default=0, init=False)

    def add(self, row: Exchange) -> None:
        """Take in one more exchange, redacted, after it was diagnosed itself."""
        self._flows[row.flow].append(row)
        for mark in _marks(row):
            self._seen[mark].append(row)
        if row.step in _ASKED and reading.succeeded(row):
            self._tokens[reading.client_of(row)].append(row)
        if row.step not in OF_THE_BROWSER:
            self._sent[host_of(row)].append(row.started_at)
        self._rows += 1

    def add_all(self, rows: Iterable[Exchange]) -> "Earlier":
        """Take in several, the oldest first."""
        for row in rows:
            self.add(row)
        return self

    @property
    def reach(self) -> int:
        """How many rows are looked at in all."""
        return self.further.reach + self._rows

    def flow(self, flow: str) -> Sequence[Exchange]:
        """The exchanges of one flow."""
        return (*self.further.flow(flow), *self._flows.get(flow, ())) if flow else ()

    def sightings(self, placeholders: Sequence[str]) -> Sequence[Exchange]:
        """The exchanges in which one of these fingerprinted placeholders stands."""
        marks = {found[2] for text in placeholders if (found := PLACEHOLDER.fullmatch(text)) and found[2]}
        own = {id(row): row for mark in marks for row in self._seen.get(mark, ())}
        return (*self.further.sightings(placeholders), *sorted(own.values(), key=lambda row: row.started_at))

    def token_requests(self, client_id: str) -> Sequence[Exchange]:
        """The token and refresh requests of a client that were answered with success."""
        return (*self.further.token_requests(client_id), *self._tokens.get(client_id, ()))

    def sent_to(self, host: str, since: datetime, until: datetime) -> int:
        """How many requests went to a host, but for the browser's, counting both ends of the time."""
        own = sum(since <= at <= until for at in self._sent.get(host, ()))
        return own + self.further.sent_to(host, since, until)


def _marks(row: Exchange) -> Iterable[str]:
    """The fingerprints that stand in an exchange."""
    texts = [row.request.url, row.request.body.decode("utf-8", "replace"), *(value for _, value in row.request.headers)]
    if row.response is not None:
        texts += [row.response.body.decode("utf-8", "replace"), *(value for _, value in row.response.headers)]
    return {found[2] for text in texts if "«" in text for found in PLACEHOLDER.finditer(text) if found[2]}
