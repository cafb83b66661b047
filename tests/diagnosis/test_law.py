"""The law of verdicts: proven is what nothing else explains, each cause being once the truth and once the other one."""

import pytest

from tests.diagnosis.scenarios import Scenario, scenarios

SCENARIOS = tuple(scenarios())


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
