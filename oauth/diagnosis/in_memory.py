"""``Past`` over exchanges in memory: what stood earlier in the same paste, or came earlier in the same drill.

A paste can have a hundred thousand exchanges, and each that failed asks of all before it. So an answer has a bounded
number of rows: of many that say the same, the first and the newest.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from oauth import parameters
from oauth.addresses import host_of
from oauth.diagnosis.past import OF_THE_BROWSER, NoPast, Past
from oauth.exchange import Exchange, Step
from oauth.redaction.placeholders import PLACEHOLDER

NEWEST_OF_FLOW = 50
"""Rows of one sort that are kept of a long flow, besides the first: each may have brought another token."""

NEWEST_SEEN = 20
"""The same of the rows that one secret stands in: those of one sort say the same of it."""

MOST_WAYS = 100
"""Ways in which a client asked for tokens that are kept, the newest of them."""

_ASKED = (Step.TOKEN, Step.REFRESH)
_CALLS = (Step.API, Step.USERINFO)


@dataclass
class InMemoryPast:
    """Exchanges that came before one that is judged, and behind them ``further``, such as the history.

    Rows are redacted and added in order; each answer has those that were added before the question. Where there are
    many that say the same, it has the first and the newest of them.
    """

    further: Past = field(default_factory=NoPast)
    _flows: dict[str, list[Exchange]] = field(default_factory=dict, init=False)
    _seen: dict[str, list[Exchange]] = field(default_factory=dict, init=False)
    _tokens: dict[str, dict[Hashable, list[tuple[int, Exchange]]]] = field(
        default_factory=lambda: defaultdict(dict), init=False
    )
    _sent: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list), init=False)
    _rows: int = field(default=0, init=False)

    def add(self, row: Exchange) -> None:
        """Take in one more exchange, redacted, after it was diagnosed itself."""
        if row.flow and row.step not in _CALLS:
            _take(self._flows.setdefault(row.flow, []), row, _given, NEWEST_OF_FLOW)
        for mark in _marks(row):
            _take(self._seen.setdefault(mark, []), row, _outcome, NEWEST_SEEN)
        if row.step in _ASKED and parameters.succeeded(row):
            self._add_success(row)
        if row.step not in OF_THE_BROWSER:
            insort(self._sent[host_of(row.request.url)], row.started_at)
        self._rows += 1

    def add_all(self, rows: Iterable[Exchange]) -> "InMemoryPast":
        """Take in several, the oldest first."""
        for row in rows:
            self.add(row)
        return self

    @property
    def reach(self) -> int:
        """How many rows are looked at in all."""
        return self.further.reach + self._rows

    def flow(self, flow: str) -> Sequence[Exchange]:
        """The exchanges of one flow that say something of its codes and tokens: not its calls of the API."""
        return (*self.further.flow(flow), *self._flows.get(flow, ())) if flow else ()

    def sightings(self, placeholders: Sequence[str]) -> Sequence[Exchange]:
        """The exchanges in which one of these fingerprinted placeholders stands."""
        marks = {found[2] for text in placeholders if (found := PLACEHOLDER.fullmatch(text)) and found[2]}
        own = {id(row): row for mark in marks for row in self._seen.get(mark, ())}
        return (*self.further.sightings(placeholders), *sorted(own.values(), key=lambda row: row.started_at))

    def token_requests(self, client_id: str) -> Sequence[Exchange]:
        """The token and refresh requests of a client that were answered with success."""
        own = sorted(chain.from_iterable(self._tokens.get(client_id, {}).values()), key=lambda numbered: numbered[0])
        return (*self.further.token_requests(client_id), *(row for _, row in own))

    def sent_to(self, host: str, since: datetime, until: datetime) -> int:
        """How many requests went to a host, but for the browser's, counting both ends of the time."""
        times = self._sent.get(host, ())
        own = max(0, bisect_right(times, until) - bisect_left(times, since))
        return own + self.further.sent_to(host, since, until)

    def _add_success(self, row: Exchange) -> None:
        """Beside those that asked in the same way: the first of them, and the newest of the newest flows."""
        asked = parameters.read(row.request)
        credentials = parameters.basic(row.request)
        ways = self._tokens[parameters.client_of(row)]
        way = (
            row.provider or host_of(row.request.url),
            *map(asked.value, ("grant_type", "scope", "redirect_uri", "client_secret")),
            credentials and credentials.secret,
            parameters.member(row.response, "scope"),
        )
        alike = ways.pop(way, [])
        ways[way] = alike  # behind the others: it is the newest now
        if len(alike) > 1 and alike[-1][1].flow == row.flow:
            alike.pop()
        alike.append((self._rows, row))
        del alike[1:-3]
        if len(ways) > MOST_WAYS:
            del ways[next(iter(ways))]


def _take(rows: list[Exchange], row: Exchange, sort: Callable[[Exchange], Hashable], most: int) -> None:
    """Append a row to a list. Of one that grows long each sort keeps the first, and the ``most`` newest."""
    rows.append(row)
    if len(rows) % (4 * most):
        return
    places: dict[Hashable, list[int]] = defaultdict(list)
    for place, one in enumerate(rows):
        places[sort(one)].append(place)
    kept = sorted({place for alike in places.values() for place in (alike[0], *alike[-most:])})
    rows[:] = [rows[place] for place in kept]


def _given(row: Exchange) -> Hashable:
    return row.step, parameters.succeeded(row), parameters.member(row.response, "scope")


def _outcome(row: Exchange) -> Hashable:
    return row.step, parameters.succeeded(row), parameters.unanswered(row)


def _marks(row: Exchange) -> Iterable[str]:
    """The fingerprints that stand in an exchange."""
    texts = [row.request.url, row.request.body.decode("utf-8", "replace"), *(value for _, value in row.request.headers)]
    if row.response is not None:
        texts += [row.response.body.decode("utf-8", "replace"), *(value for _, value in row.response.headers)]
    return {found[2] for text in texts if "«" in text for found in PLACEHOLDER.finditer(text) if found[2]}
