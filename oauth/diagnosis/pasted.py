"""Diagnose the exchanges of a paste: each is explained, diagnosed from the paste, and redacted."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any, Protocol, TypeVar

from oauth import parameters
from oauth.catalogue.explain import Explanation, explain, explain_response, not_shown
from oauth.diagnosis import Cause, Diagnosis, InMemoryPast, NoPast, Past, diagnose, preflight
from oauth.diagnosis.masks import without_masks
from oauth.diagnosis.rank import likelihood
from oauth.diagnosis.readings import Readings
from oauth.exchange import Exchange, Part, Request, Response, Step, header
from oauth.lenient_json import CUT, loads
from oauth.paste.flows import redirect_of
from oauth.paste.result import Pasted
from oauth.paste.step_guess import is_callback
from oauth.paste.step_guess import parameters as parameters_of
from oauth.providers.terms import is_of_another_provider
from oauth.redaction import Vault
from oauth.redaction.by_name import ERROR_CODE

LOOK_BACK = 5_000
"""Exchanges before a window of a paste that count as evidence for it: a paste can have a hundred thousand."""

_COOKIES = ("cookie", "set-cookie", "authorization", "proxy-authorization")
_NESTED = 3
"""Levels of a response body in which secrets are learned by name."""

T = TypeVar("T")


class Progress(Protocol):
    """Report the progress of some work while its items are taken."""

    def __call__(self, work: str, items: Sequence[T], /) -> Iterable[T]:
        """Return the same items; ``work`` describes the work, for the user."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One pasted exchange, redacted, and why it failed.

    ``explanation`` and ``diagnosis`` are ``None`` for a success, and when unknown. ``preflight`` has the
    causes for which a request without a response would fail if it were sent now; it is ``None`` where the exchange is
    not a whole request without a response.
    """

    position: int
    exchange: Exchange
    explanation: Explanation | None = None
    diagnosis: Diagnosis | None = None
    preflight: tuple[Cause, ...] | None = None


def _silent(_work: str, items: Sequence[T], /) -> Sequence[T]:
    return items


class Paste:
    """The exchanges of one paste. ``exchanges`` have their secrets; everything that methods return is redacted."""

    def __init__(self, items: Sequence[Pasted], vault: Vault, now: datetime, progress: Progress = _silent) -> None:
        """Teach ``vault`` the secrets of all exchanges. ``now`` is when the paste is read."""
        self.items = tuple(items)
        self.exchanges = tuple(item.to_exchange(now) for item in items)
        self.vault = vault
        self.now = now
        self._redacted: dict[int, Exchange] = {}
        self._passed_on = _passed_on(self.items)
        self._readings = Readings()
        for exchange in progress("Looking for secrets", self.exchanges):
            learn_secrets(exchange, vault)

    def findings(
        self,
        first: int = 0,
        count: int | None = None,
        *,
        only: Container[int] | None = None,
        further: Past | None = None,
        zone: tzinfo = UTC,
        progress: Progress = _silent,
    ) -> Iterator[Finding]:
        """Diagnose ``count`` exchanges from ``first`` on, or all of them, in their order; of them ``only`` some.

        Evidence comes from the exchanges before each, up to ``LOOK_BACK`` before the first, and from ``further``, for
        example the history. Times are quoted in ``zone``.
        """
        window = range(len(self.items))[first:][:count]
        before = range(max(0, window.start - LOOK_BACK), window.start)
        self._redacted = {at: row for at, row in self._redacted.items() if before.start <= at < window.stop}
        further = further or NoPast()
        earlier = InMemoryPast(further)
        for position in progress("Reading earlier exchanges", before):
            self._add_to(earlier, position)
        for position in window:
            if only is None or position in only:
                # Without a time of its own an exchange has no before and after: only what it says itself counts.
                yield self._finding(position, earlier if self.items[position].started_at else further, zone)
            self._add_to(earlier, position)
            self._redacted.pop(position - LOOK_BACK, None)

    def redacted(self, position: int) -> Exchange:
        """Return one exchange with placeholders in the place of its secrets."""
        if position not in self._redacted:
            self._redacted[position] = self.vault.redact(self.exchanges[position])
        return self._redacted[position]

    def explanation(self, position: int) -> Explanation | None:
        """Return the reason why an exchange failed; ``None`` for a success, and when the paste does not tell."""
        explanation = self._live_explanation(position)
        return None if explanation is None else _without_secrets(explanation, self.vault)

    def likelihoods(self, progress: Progress = _silent) -> list[tuple[int, ...]]:
        """Return the key of each exchange by which the likeliest error comes first, and a healthy exchange last."""
        positions = progress("Looking for errors", range(len(self.items)))
        return [likelihood(self.items[position], self._live_explanation(position)) for position in positions]

    def _finding(self, position: int, past: Past, zone: tzinfo) -> Finding:
        item, exchange, vault = self.items[position], self.exchanges[position], self.vault
        explanation = self._live_explanation(position)
        if explanation is None and not _is_whole_request(item):
            return Finding(position, self.redacted(position))
        request, masked = without_masks(exchange.request)
        exchange = replace(exchange, request=request)
        if explanation is not None:
            unknown = item.unknown | masked if item.started_at else item.unknown | masked | {Part.TIME}
            diagnosis = diagnose(
                exchange,
                explanation,
                past=past,
                vault=vault,
                now=self.now,
                zone=zone,
                unknown=unknown,
                readings=self._readings,
            )
            return Finding(position, self.redacted(position), _without_secrets(explanation, vault), diagnosis)
        causes = preflight(
            exchange.request,
            exchange.step,
            flow=None,
            past=past,
            vault=vault,
            now=self.now,
            zone=zone,
            unknown=item.unknown | masked,
        )
        return Finding(position, self.redacted(position), preflight=causes)

    def _live_explanation(self, position: int) -> Explanation | None:
        item, response = self.items[position], self.items[position].response
        if item.step is Step.CALLBACK or item.failure is not None:
            return explain(self.exchanges[position])
        if response is None or position in self._passed_on:
            return None
        if not response.body and 300 <= response.status < 400 and Part.RESPONSE_HEADERS in item.unknown:
            return None  # where it leads to would say what it means
        explanation = explain_response(
            item.status,
            response.headers,
            response.body,
            step=item.step,
            request=item.request,
            elsewhere=item.request is not None and is_of_another_provider(item.request.url),
            abridged=CUT in item.repairs,
        )
        if (
            explanation is not None
            and explanation.answer == "empty"
            and header(response.headers, "content-length") != "0"
        ):
            return not_shown(response.status) if response.status >= 400 else None
        return explanation

    def _add_to(self, earlier: InMemoryPast, position: int) -> None:
        item, row = self.items[position], self.redacted(position)
        if not item.started_at:
            return
        earlier.add(row)
        address = redirect_of(item) if item.step in (Step.AUTHORIZE, Step.PAGE) else ""
        if address and position not in self._passed_on and is_callback(parameters_of(address)):
            # The browser left with the code for an address that was not recorded, such as that of an app.
            landed = Exchange(Step.CALLBACK, Request("GET", address), row.started_at, flow=item.flow)
            earlier.add(self.vault.redact(landed))


def _passed_on(items: Sequence[Pasted]) -> frozenset[int]:
    """Return the positions of redirects to a callback that comes later: what they carry is told there."""
    callbacks: set[str] = set()
    passed_on = []
    for position in range(len(items) - 1, -1, -1):
        item = items[position]
        if item.step in (Step.AUTHORIZE, Step.CALLBACK, Step.PAGE) and redirect_of(item) in callbacks:
            passed_on.append(position)
        if item.step is Step.CALLBACK and item.request is not None:
            callbacks.add(item.request.url)
    return frozenset(passed_on)


def _is_whole_request(item: Pasted) -> bool:
    request = item.request
    is_alone = request is not None and item.response is None and item.step not in (Step.CALLBACK, Step.PAGE)
    return is_alone and request is not None and bool(request.url) and Part.REQUEST_BODY not in item.unknown


def learn_secrets(exchange: Exchange, vault: Vault) -> None:
    """Add the secrets that a live exchange names to the vault, which then redacts them wherever else they stand."""
    for name, value in (*_request_values(exchange.request), *_response_values(exchange.response)):
        kind = vault.kind_named(name)
        if kind is None or not value:
            continue
        if name.lower() in _COOKIES:
            vault.learn(name, value)
        else:
            vault.add(kind, value)


def _request_values(request: Request) -> Iterator[tuple[str, str]]:
    reading = parameters.read(request)
    for parameter in (*reading.query, *reading.meant):
        yield parameter.name, parameter.value
    yield from request.headers


def _response_values(response: Response | None) -> Iterator[tuple[str, str]]:
    if response is None:
        return
    yield from response.headers
    if location := header(response.headers, "location"):
        yield from parameters.query_of(location)
    if response.body[:1] == b"{":
        try:
            yield from _members(loads(response.body), 0)
        except (ValueError, RecursionError):
            return  # a body that is not JSON: redaction finds what has a name in it


def _members(value: Any, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the texts in a JSON object by name. A ``code`` that looks like an error code is no secret."""
    for name, inner in value.items() if isinstance(value, dict) and depth < _NESTED else ():
        if not isinstance(inner, str):
            yield from _members(inner, depth + 1)
        elif not (name == "code" and ERROR_CODE.fullmatch(inner)):
            yield name, inner


def _without_secrets(explanation: Explanation, vault: Vault) -> Explanation:
    return replace(
        explanation,
        error=vault.redact_text(explanation.error),
        error_description=vault.redact_text(explanation.error_description),
        matched_text=vault.redact_text(explanation.matched_text),
        request_id=vault.redact_text(explanation.request_id),
    )
