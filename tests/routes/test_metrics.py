from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from starlette.applications import Starlette

from oauth import client
from oauth.access import LOCAL
from oauth.access.audit import Audit
from oauth.access.tokens import create, revoke
from oauth.exchange import Exchange, Request, Response, Step
from oauth.history.store import History, HistoryError
from oauth.measures import Measures
from oauth.recorder import Recorder
from oauth.redaction import Vault
from oauth.routes import routes
from oauth.settings import Settings
from tests.hostile.servers import response, serving
from tests.routes.conftest import serving as serving_app

SECRET = "canary-41d07b9f2a41d07b"
TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@pytest.fixture(autouse=True)
def measures(monkeypatch: pytest.MonkeyPatch) -> Measures:
    """Numbers that begin at zero."""
    fresh = Measures()
    for module in ("oauth.recorder", "oauth.history.deletion", "oauth.routes.metrics"):
        monkeypatch.setattr(f"{module}.MEASURES", fresh)
    return fresh


@pytest.fixture
def audit(history: History) -> Audit:
    return Audit(history, Vault(b"k" * 32), False, None)


@pytest.fixture
def http(settings: Settings, history: History, clock: Callable[[], datetime]) -> Iterator[httpx.Client]:
    app = Starlette(routes=routes(settings, lambda: Recorder(history, Vault(b"k" * 32)), clock, sessions=lambda: 3))
    with serving_app(app) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as opened:
        yield opened


@pytest.fixture
def scrape(http: httpx.Client, audit: Audit) -> Callable[[], dict[str, float]]:
    token = create(audit, LOCAL, "prometheus", ["metrics"], 1)

    def scraped() -> dict[str, float]:
        """Return the samples by name with their labels, as an OpenMetrics parser reads them."""
        answer = http.get("/metrics", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.headers["content-type"]) == (200, TYPE)
        assert SECRET not in answer.text
        return {
            " ".join([sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))]): sample.value
            for family in text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
            for sample in family.samples
        }

    return scraped


def test_metrics_need_a_token_of_their_scope(http: httpx.Client, audit: Audit) -> None:
    assert http.get("/metrics").status_code == 401
    other = create(audit, LOCAL, "reader", ["history:read"], 1)
    refused = http.get("/metrics", headers={"Authorization": f"Bearer {other}"})
    assert refused.status_code == 403
    assert 'scope="metrics"' in refused.headers["www-authenticate"]


def test_metrics_go_on_while_the_database_is_away_for_a_token_that_was_accepted_before(
    http: httpx.Client, audit: Audit, history: History, times: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise HistoryError("the database is away")

    tokens = [create(audit, LOCAL, name, ["metrics"], 1) for name in ("before", "unused", "revoked")]
    before, unused, revoked = ({"Authorization": f"Bearer {token}"} for token in tokens)
    assert [http.get("/metrics", headers=headers).status_code for headers in (before, revoked)] == [200, 200]
    revoke(audit, LOCAL, "revoked")
    assert http.get("/metrics", headers=revoked).status_code == 401
    monkeypatch.setattr(history.database, "prepare", fails)
    statuses = [http.get("/metrics", headers=headers).status_code for headers in (before, unused, revoked, {})]
    assert statuses == [200, 503, 503, 401]
    times.append(times[-1] + timedelta(days=2))
    assert http.get("/metrics", headers=before).status_code == 503, "it has expired"


def test_exchanges_are_counted_by_step_class_and_entry_without_host_client_or_secret(
    history: History, clock: Callable[[], datetime], scrape: Callable[[], dict[str, float]]
) -> None:
    body = b'{"error": "invalid_grant", "error_description": "%b"}' % SECRET.encode()
    refused = response("400 Bad Request", body, Content_Type="application/json")
    with serving(refused) as server:
        request = Request("POST", f"{server.url}?client_id={SECRET}")
        for _ in range(2):
            client.send(Exchange(Step.TOKEN, request, clock(), client_id=SECRET), Recorder(history, Vault(b"k" * 32)))
    client.send(Exchange(Step.API, Request("GET", "ftp://x"), clock()), Recorder(history, Vault(b"k" * 32)))
    samples = scrape()
    counted = {name: value for name, value in samples.items() if name.startswith("oauth_console_exchanges_total")}
    assert sorted(counted.values()) == [1, 2]
    (twice,) = (name for name, value in counted.items() if value == 2)
    assert "step=token" in twice
    assert "outcome=4xx" in twice
    assert "entry=rfc6749/invalid_grant" in twice
    assert samples["oauth_console_recording_seconds_count part=request"] == 3
    assert samples["oauth_console_recording_seconds_bucket le=+Inf part=response"] == 3
    assert samples["oauth_console_unrecorded_total"] == 0


def test_entries_of_own_catalogues_are_one_label(measures: Measures, scrape: Callable[[], dict[str, float]]) -> None:
    for number in range(50):
        measures.count_exchange("token", "4xx", f"acme-{SECRET}/{number}")
    assert scrape()["oauth_console_exchanges_total entry=own outcome=4xx step=token"] == 50


def test_state_of_the_process_is_shown(
    scrape: Callable[[], dict[str, float]],
) -> None:
    samples = scrape()
    assert samples["oauth_console_sessions"] == 3
    assert samples["process_cpu_seconds_total"] > 0
    for name in (
        "page_turns state=drawn", "page_turns state=waiting", "requests_in_flight", "sandbox_turns",
        "exports state=running", "exports state=waiting", "database_connections state=used", "retention_deleted_total",
        "page_turns_taken_total", "page_turns_waited_seconds_total",
    ):  # fmt: skip
        assert f"oauth_console_{name}" in samples
    assert samples["oauth_console_database_connections state=idle"] > 0


def test_failures_to_record_are_counted(
    history: History, clock: Callable[[], datetime], measures: Measures, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise HistoryError("the disk is full")

    recorder = Recorder(history, Vault(b"k" * 32))
    begun = recorder.begin(Exchange(Step.API, Request("GET", "https://p.example/"), clock()))
    monkeypatch.setattr(history, "complete", fails)
    recorder.complete(begun, replace(begun.live, response=Response(200)))
    assert measures.unrecorded == 1
    assert recorder.problem == "the disk is full"
