"""The past of one exchange: the rows of its flow and of the history that came before it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from oauth import parameters
from oauth.addresses import host_of
from oauth.diagnosis.known import Origin
from oauth.diagnosis.past import MOST_TOKENS, Past
from oauth.exchange import Exchange, Step
from oauth.flow import Grant

OF_A_USER = (Grant.AUTHORIZATION_CODE.value, Grant.REFRESH_TOKEN.value, Grant.DEVICE_CODE.value)
"""Grants whose tokens stand for a user. The application's own permissions are another matter."""

Rows = Sequence[Exchange]


@dataclass(frozen=True)
class Before:
    """The rows before ``exchange``, which belongs to ``flow``; each list has the oldest first.

    With ``is_everywhere`` every row counts as one of this exchange's site. Query results are cached, because most rules
    need the same ones.
    """

    exchange: Exchange
    flow: str
    past: Past
    is_everywhere: bool = False
    _results: dict[tuple[str, ...], Rows] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def rows(self) -> Rows:
        """The earlier exchanges of this flow."""
        return self.of_flow(self.flow)

    def of_flow(self, flow: str) -> Rows:
        """Return the earlier exchanges of a flow."""
        return self._cached(("flow", flow), lambda: self.past.flow(flow)) if flow else ()

    def sightings(self, placeholders: tuple[str, ...]) -> Rows:
        """Return the earlier exchanges that contain one of these fingerprinted placeholders."""
        return self._cached(("sightings", *placeholders), lambda: self.past.sightings(placeholders))

    def token_requests(self, client_id: str) -> Rows:
        """Return the earlier token requests of a client that succeeded, at any provider."""
        return self._cached(("tokens", client_id), lambda: self.past.token_requests(client_id))

    def extent(self, client_id: str) -> str:
        """Describe how far back ``token_requests`` looked, for evidence about something that is not among them."""
        tokens = self.past.token_requests(client_id)
        if len(tokens) >= MOST_TOKENS:
            return f"among its newest {len(tokens):,} tokens"
        return f"in the newest {self.past.reach:,} rows"

    def later_elsewhere(self, origin: Origin) -> Exchange | None:
        """Return the newest user token issued after ``origin`` to the same client here, in another flow."""
        later = [
            row
            for row in self.token_requests(origin.client_id)
            if row.flow != self.flow
            and self.is_here(row)
            and row.started_at >= origin.issued_at
            and parameters.client_of(row) == origin.client_id
            and parameters.grant_of(row) in OF_A_USER
        ]
        return later[-1] if later else None

    @cached_property
    def code_is_spent(self) -> bool:
        """True when a code of this flow was exchanged successfully."""
        return any(
            row.step is Step.TOKEN
            and parameters.succeeded(row)
            and parameters.grant_of(row) == Grant.AUTHORIZATION_CODE
            for row in self.rows
        )

    def is_here(self, row: Exchange) -> bool:
        """Return whether a row went to the provider, or else the host, of this exchange."""
        return self.is_same_site(row.provider, host_of(row.request.url))

    def is_same_site(self, provider: str, host: str) -> bool:
        """Return whether provider, or else host, are those of this exchange."""
        if self.is_everywhere:
            return True
        if self.exchange.provider and provider:
            return provider == self.exchange.provider
        return host == host_of(self.exchange.request.url)

    def _cached(self, key: tuple[str, ...], query: Callable[[], Iterable[Exchange]]) -> Rows:
        if key not in self._results:
            self._results[key] = tuple(filter(self._is_earlier, query()))
        return self._results[key]

    def _is_earlier(self, row: Exchange) -> bool:
        if self.exchange.id is None or row.id is None:
            return row.started_at <= self.exchange.started_at
        return row.id < self.exchange.id
