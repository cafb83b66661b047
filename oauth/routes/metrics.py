"""``/metrics``: the numbers of this process as OpenMetrics, for a bearer token with the scope ``metrics``."""

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from oauth.access.audit import Audit
from oauth.access.tokens import Scope
from oauth.catalogue.catalogues import reserved
from oauth.drills.sandbox_queue import SANDBOX
from oauth.exports.turns import Turns
from oauth.history.database import Database
from oauth.history.store import HistoryError
from oauth.measures import BOUNDS, MEASURES
from oauth.page_turns import PAGES
from oauth.routes.bearer import authorized, refusal
from oauth.shutdown import SHUTDOWN
from oauth.version import version

if TYPE_CHECKING:
    from prometheus_client.core import Metric

PREFIX = "oauth_console_"

OWN = "own"
"""The label of every entry of a catalogue of the operator's own: their number and their names are anybody's choice."""

Sessions = Callable[[], int]
"""Returns the number of browser tabs that are connected."""


def openmetrics(
    new_audit: Callable[[], Audit], exports: Turns, sessions: Sessions
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint.

    While the database is away, which the metrics are to show, a token goes on that was accepted before.
    """
    accepted: dict[str, datetime] = {}
    """When each token expires, by its hash."""

    async def endpoint(request: Request) -> Response:
        audit = new_audit()
        key = hashlib.sha256(request.headers.get("authorization", "").encode()).hexdigest()
        try:
            token = await run_in_threadpool(authorized, request, Scope.METRICS, audit)
        except HistoryError as error:
            if accepted.get(key, audit.history.database.clock()) <= audit.history.database.clock():
                return refusal(503, str(error))
        else:
            if isinstance(token, Response):
                if token.status_code != 429:
                    accepted.pop(key, None)
                return token
            accepted[key] = token.expires_at
        return await run_in_threadpool(_answer, audit.history.database, exports, sessions)

    return endpoint


def _answer(database: Database, exports: Turns, sessions: Sessions) -> Response:
    # Imported late: nobody asks most consoles for their metrics.
    from prometheus_client import CollectorRegistry, ProcessCollector
    from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

    class Collector:
        def collect(self) -> Iterator["Metric"]:
            return families(database, exports, sessions)

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(Collector())
    text = generate_latest(registry)  # type: ignore[no-untyped-call]  # that module of the library has no types
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


def families(database: Database, exports: Turns, sessions: Sessions) -> Iterator["Metric"]:
    """Yield the metrics. No label names a host, a client or a person, and the number of their values is bounded."""
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, InfoMetricFamily

    yield InfoMetricFamily(f"{PREFIX}build", "The console's version.", {"version": version()})

    exchanges = CounterMetricFamily(f"{PREFIX}exchanges", "Finished exchanges.", labels=("step", "outcome", "entry"))
    for (step, outcome, entry), number in _bounded(MEASURES.exchanges.copy()).items():
        exchanges.add_metric((step, outcome, entry), number)
    yield exchanges

    recording = HistogramMetricFamily(
        f"{PREFIX}recording_seconds", "Time to store an exchange, before it is sent and after.", labels=("part",)
    )
    for part, distribution in MEASURES.recording.items():
        counts = list(distribution.counts)
        totals = [sum(counts[: end + 1]) for end in range(len(counts))]
        bounds = [*map(str, BOUNDS), "+Inf"]
        recording.add_metric((part,), list(zip(bounds, totals, strict=True)), distribution.sum)
    yield recording

    yield _counter("unrecorded", "Times that the history could not store an exchange.", MEASURES.unrecorded)
    yield _gauge("requests_in_flight", "Requests whose response is waited for or recorded.", {"": SHUTDOWN.sending})
    yield _gauge("page_turns", "Runs of pages.", {"drawn": PAGES.running, "waiting": PAGES.waiting})
    yield _counter("page_turns_taken", "Turns that runs of pages took.", PAGES.taken)
    yield _counter("page_turns_waited_seconds", "Time that runs of pages waited for a turn.", PAGES.seconds_waited)
    yield _gauge("sandbox_turns", "Requests and drills at the embedded sandbox, or waiting.", {"": SANDBOX.length})
    pool = database.engine.pool
    yield _gauge(
        "database_connections",
        "Connections to the database.",
        {"used": getattr(pool, "checkedout", int)(), "idle": getattr(pool, "checkedin", int)()},
    )
    yield _gauge("sessions", "Browser tabs that are connected.", {"": sessions()})
    yield _gauge("exports", "Downloads of the history.", {"running": exports.running, "waiting": exports.waiting})
    yield _counter("retention_deleted", "Exchanges that were deleted because of their age.", MEASURES.deleted)


def _bounded(counts: dict[tuple[str, str, str], int]) -> dict[tuple[str, str, str], int]:
    bounded: dict[tuple[str, str, str], int] = {}
    for (step, outcome, entry), number in counts.items():
        label = entry if not entry or entry.partition("/")[0] in reserved() else OWN
        bounded[step, outcome, label] = bounded.get((step, outcome, label), 0) + number
    return bounded


def _counter(name: str, text: str, value: float) -> "Metric":
    from prometheus_client.core import CounterMetricFamily

    return CounterMetricFamily(PREFIX + name, text, value)


def _gauge(name: str, text: str, values: dict[str, int]) -> "Metric":
    """Return a gauge with a value for each state, or with one alone for the state without a name."""
    from prometheus_client.core import GaugeMetricFamily

    if "" in values:
        return GaugeMetricFamily(PREFIX + name, text, values[""])
    gauge = GaugeMetricFamily(PREFIX + name, text, labels=("state",))
    for state, value in values.items():
        gauge.add_metric((state,), value)
    return gauge
