"""``Past`` over exchanges in memory: the earlier ones of the same paste or drill.

A paste can have a hundred thousand exchanges, and each failed one queries all those before it. So a result has a
bounded number of rows: of many that say the same, the first and the newest.
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
"""Rows of one kind kept for a long flow, besides the first: each may have brought another token."""

NEWEST_SEEN = 20
"""Rows of one kind kept for a secret that they contain, besides the first: they all say the same about it."""

MOST_WAYS = 100
"""Ways of requesting tokens kept for a client, the newest ones."""

_TOKEN_STEPS = (Step.TOKEN, Step.REFRESH)
_NOT_OF_TOKENS = (Step.API, Step.USERINFO, Step.PAGE)


@dataclass
class InMemoryPast:
    """Exchanges before the one under diagnosis, and a ``further`` past behind them, such as the history.

    Rows are redacted and added in order; a result has those that were added before the query. Of many that say the
    same, it has the first and the newest.
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
        """Add one redacted exchange, after its own diagnosis."""
        if row.flow and row.step not in _NOT_OF_TOKENS:
            _append(self._flows.setdefault(row.flow, []), row, _tokens_kind, NEWEST_OF_FLOW)
        for mark in _marks(row):
            _append(self._seen.setdefault(mark, []), row, _outcome_kind, NEWEST_SEEN)
        if row.step in _TOKEN_STEPS and parameters.succeeded(row):
            self._add_success(row)
        if row.step not in OF_THE_BROWSER:
            insort(self._sent[host_of(row.request.url)], row.started_at)
        self._rows += 1

    @property
    def reach(self) -> int:
        """Number of rows that are searched in all."""
        return self.further.reach + self._rows

    def flow(self, flow: str) -> Sequence[Exchange]:
        """Return the exchanges of one flow, without its API calls and pages, which say nothing of its tokens."""
        return (*self.further.flow(flow), *self._flows.get(flow, ())) if flow else ()

    def sightings(self, placeholders: Sequence[str]) -> Sequence[Exchange]:
        """Return the exchanges that contain one of these fingerprinted placeholders."""
        marks = {match[2] for text in placeholders if (match := PLACEHOLDER.fullmatch(text)) and match[2]}
        own = {id(row): row for mark in marks for row in self._seen.get(mark, ())}
        return (*self.further.sightings(placeholders), *sorted(own.values(), key=lambda row: row.started_at))

    def token_requests(self, client_id: str) -> Sequence[Exchange]:
        """Return the successful token and refresh requests of a client."""
        own = sorted(chain.from_iterable(self._tokens.get(client_id, {}).values()), key=lambda numbered: numbered[0])
        return (*self.further.token_requests(client_id), *(row for _, row in own))

    def sent_to(self, host: str, since: datetime, until: datetime) -> int:
        """Return the number of requests to a host from ``since`` to ``until``, both included, except the browser's."""
        times = self._sent.get(host, ())
        own = max(0, bisect_right(times, until) - bisect_left(times, since))
        return own + self.further.sent_to(host, since, until)

    def _add_success(self, row: Exchange) -> None:
        """Add a success to those that were requested in the same way: keep the first, and the newest of three flows."""
        request = parameters.read(row.request)
        credentials = parameters.basic(row.request)
        ways = self._tokens[parameters.client_of(row, request)]
        way = (
            row.provider or host_of(row.request.url),
            *map(request.value, ("grant_type", "scope", "redirect_uri", "client_secret")),
            credentials and credentials.secret,
            parameters.member(row.response, "scope"),
        )
        same_way = ways.pop(way, [])
        ways[way] = same_way  # last in the dict: it is the newest now
        if len(same_way) > 1 and same_way[-1][1].flow == row.flow:
            same_way.pop()
        same_way.append((self._rows, row))
        del same_way[1:-3]
        if len(ways) > MOST_WAYS:
            del ways[next(iter(ways))]


def _append(rows: list[Exchange], row: Exchange, kind: Callable[[Exchange], Hashable], most: int) -> None:
    """Append a row to a list. Shorten a long one to the first and the ``most`` newest rows of each kind."""
    rows.append(row)
    if len(rows) % (4 * most):
        return
    places: dict[Hashable, list[int]] = defaultdict(list)
    for place, one in enumerate(rows):
        places[kind(one)].append(place)
    remaining = sorted({place for same in places.values() for place in (same[0], *same[-most:])})
    rows[:] = [rows[place] for place in remaining]


def _tokens_kind(row: Exchange) -> Hashable:
    return row.step, parameters.succeeded(row), parameters.member(row.response, "scope")


def _outcome_kind(row: Exchange) -> Hashable:
    return row.step, parameters.succeeded(row), parameters.unanswered(row)


def _marks(row: Exchange) -> Iterable[str]:
    """Return the fingerprints in an exchange."""
    texts = [row.request.url, row.request.body.decode("utf-8", "replace"), *(value for _, value in row.request.headers)]
    if row.response is not None:
        texts += [row.response.body.decode("utf-8", "replace"), *(value for _, value in row.response.headers)]
    return {match[2] for text in texts if "«" in text for match in PLACEHOLDER.finditer(text) if match[2]}
