"""The drills of the sister API over real HTTP: each of its four errors, recognised and its cause proven."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from oauth import providers
from oauth.catalogue import catalogues
from oauth.drills import Drill, Setting, drills, run, unavailable
from oauth.flow import Client
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.recorder import Recorder
from oauth_sandbox.clock import utc_now
from oauth_sandbox.configuration import Api, ready_made
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.testing import RunningSandbox, running
from tests.drills.conftest import CALLBACK, now

SISTER = [drill for drill in drills() if drill.catalogue == "olxgroup"]
SECRETS = [value for ready in ready_made(Api.OLXGROUP).clients.values() for value in (ready.secret, ready.api_key)]


@pytest.fixture(scope="module")
def sister() -> Iterator[RunningSandbox]:
    with running(Sandbox(utc_now, configuration=ready_made(Api.OLXGROUP))) as found:
        yield found


@pytest.fixture
def setting(sister: RunningSandbox, new_recorder: Callable[[], Recorder]) -> Setting:
    sister.sandbox.reset()
    profile = providers.load("http://localhost:8501")["sandbox-olxgroup"]
    here = {
        name: getattr(profile, name).replace("http://localhost:8501/sandbox/olxgroup", sister.url)
        for name in ("authorization_endpoint", "token_endpoint", "api", "control")
    }
    return Setting(replace(profile, **here), Client("", ""), CALLBACK, new_recorder, now, "local")


@pytest.mark.parametrize("drill", SISTER, ids=lambda drill: drill.id)
def test_every_drill_produces_its_error_and_proves_its_cause(drill: Drill, setting: Setting, history: History) -> None:
    *_, last = run(drill, setting)
    assert last.outcome is not None
    assert last.outcome.passed, (last.outcome.expected, last.outcome.actual, last.outcome.trouble)
    explanation, diagnosis = last.outcome.explanation, last.outcome.diagnosis
    assert explanation is not None
    assert explanation.number is None, "the numbers are the partner API's"
    assert explanation.status_as_documented
    assert diagnosis is not None
    proven = [cause for cause in diagnosis.causes if cause.verdict == "proven"]
    assert [cause.id for cause in proven] == list(drill.proven)
    assert proven[0].fix is not None
    kept = repr([row.exchange for row in history.page(Filters(), None, 1000)])
    assert "api_key" in kept or "white" in drill.id
    assert not [secret for secret in SECRETS if secret in repr(last.outcome) + kept]


def test_each_of_the_four_has_a_drill() -> None:
    found = catalogues.catalogue("olxgroup")
    assert found is not None
    assert {drill.entry for drill in SISTER} == {error.entry for error in found.errors}


def test_drills_belong_to_one_api(setting: Setting) -> None:
    partner = providers.load("http://localhost:8501")["sandbox"]
    for drill in drills():
        here, there = unavailable(drill, setting), unavailable(drill, replace(setting, provider=partner))
        assert bool(here) != bool(there), drill.id
    assert "OLX Group API" in unavailable(SISTER[0], replace(setting, provider=partner))
