"""The law of verdicts: proven is what nothing else explains, each cause being once the truth and once the other one."""

import pytest

from tests.diagnosis import monotony, scenarios_olxgroup
from tests.diagnosis.scenarios import Scenario, World, scenarios

SISTER = tuple(scenarios_olxgroup.scenarios())
SCENARIOS = (*scenarios(), *SISTER)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.cause)
def test_no_other_cause_is_proven(scenario: Scenario) -> None:
    for answer, diagnosis in scenario.diagnoses():
        proven = {cause.id for cause in diagnosis.causes if cause.verdict == "proven"}
        assert proven <= {scenario.cause} | scenario.also, answer


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.cause)
def test_truth_comes_first(scenario: Scenario) -> None:
    for answer, diagnosis in scenario.diagnoses():
        causes = [(cause.id, cause.verdict.value) for cause in diagnosis.causes if cause.verdict != "ruled out"]
        assert causes, answer
        assert causes[0][0] in {scenario.cause} | scenario.also, (answer, causes[:6])


@pytest.mark.parametrize("scenario", SISTER, ids=lambda scenario: scenario.cause)
def test_documented_error_of_the_sister_api_is_proven(scenario: Scenario) -> None:
    for answer, diagnosis in scenario.diagnoses():
        assert diagnosis.causes[0].verdict == "proven", answer
        assert diagnosis.causes[0].fix is not None


@pytest.mark.parametrize("scenario", SISTER, ids=lambda scenario: scenario.cause)
def test_sister_api_s_request_without_a_part_proves_no_more(scenario: Scenario) -> None:
    world = World()
    step, request = scenario.make(world)
    exchange = world.exchange(step, request, scenario.answers[0])
    assert list(monotony.additions(exchange, flow=None, past=world.past, vault=world.vault)) == []


def test_right_request_to_the_sister_api_proves_nothing() -> None:
    for make, answer in scenarios_olxgroup.right():
        world = World()
        diagnosis = world.diagnosed(*make(world), answer)
        assert [cause.id for cause in diagnosis.causes if cause.verdict == "proven"] == [], answer
