"""Taking parts of an exchange away proves nothing: over every sample of a paste and every drill."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth import drills
from oauth.diagnosis import Diagnosis, diagnose
from oauth.diagnosis.pasted import Finding, Paste
from oauth.drills import engine
from oauth.exchange import Exchange, Part, Request
from oauth.flow import Client
from oauth.history.store import History
from oauth.paste import Pasted, read
from oauth.providers import Provider
from oauth.recorder import Recorder
from oauth.redaction import Vault
from oauth_sandbox.testing import RunningSandbox
from tests.diagnosis import monotony
from tests.diagnosis.harness import CALLBACK, KEY
from tests.diagnosis.monotony import REDUCTIONS
from tests.paste.samples import samples

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
MOST = 40
"""Exchanges of a sample that are judged."""


def proven(finding: Finding) -> set[str]:
    causes = finding.diagnosis.causes if finding.diagnosis else finding.preflight or ()
    return {cause.id for cause in causes if cause.verdict.value == "proven"}


def reduced(item: Pasted, names: tuple[str, ...]) -> Pasted:
    """The item without these parts."""
    exchange, unknown = item.to_exchange(NOW), item.unknown
    for name in names:
        exchange, unknown = REDUCTIONS[name](exchange, unknown)
    request = exchange.request if exchange.request != Request("", "") else None
    at = None if Part.TIME in unknown else item.started_at
    return replace(item, request=request, response=exchange.response, started_at=at, unknown=unknown - {Part.TIME})


def additions(items: list[Pasted], at: int, names: tuple[str, ...]) -> set[str]:
    """The causes of one exchange that are proven without these parts only."""

    def judged(item: Pasted) -> set[str]:
        paste = Paste([*items[:at], item, *items[at + 1 :]], Vault(b"key"), NOW)
        (finding,) = paste.findings(at, 1)
        return proven(finding)

    return judged(reduced(items[at], names)) - judged(items[at])


@pytest.mark.parametrize("name", REDUCTIONS)
def test_sample_without_a_part_proves_no_more(name: str) -> None:
    for text in samples():
        items = read(text)
        for at in range(min(len(items), MOST)):
            assert additions(items, at, (name,)) == set(), f"{items[at]} without {name}"


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(range(10_000)), st.lists(st.sampled_from(sorted(REDUCTIONS)), min_size=2, max_size=5))
def test_sample_without_several_parts_proves_no_more(number: int, names: list[str]) -> None:
    items = read(samples()[number % len(samples())])
    at = number % len(items) if items else 0
    assert not items or additions(items, at, tuple(names)) == set()


PARTNER = [drill for drill in drills.drills() if drill.catalogue == "partner"]
"""The drills of this sandbox. The sister API's causes have scenarios, of which ``test_law.py`` takes parts away."""


@pytest.mark.parametrize("drill", PARTNER, ids=lambda drill: drill.id)
def test_drill_without_a_part_proves_no_more(
    drill: drills.Drill,
    sandbox: RunningSandbox,
    provider: Provider,
    history: History,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged: list[tuple[Exchange, dict[str, Any]]] = []

    def judge(exchange: Exchange, *arguments: Any, **more: Any) -> Diagnosis:
        judged.append((exchange, {name: more[name] for name in ("flow", "past", "vault")}))
        return diagnose(exchange, *arguments, **more)

    monkeypatch.setattr(engine, "diagnose", judge)
    own = replace(provider, control=f"{sandbox.url}/control")
    client = Client("demo-app", "demo-secret")
    clock = lambda: datetime.now(UTC)  # noqa: E731
    setting = drills.Setting(own, client, CALLBACK, lambda: Recorder(history, Vault(KEY)), clock)
    *_, last = drills.run(drill, setting)
    assert last.outcome is not None
    for exchange, more in judged:
        assert list(monotony.additions(exchange, **more)) == []
