"""Every kind of failure, caused over sockets, with its explanation, its row and the number of requests."""

from collections.abc import Mapping

import pytest

from oauth.catalogue import answers
from oauth.catalogue.explain import explain
from oauth.client import send
from oauth.exchange import Exchange
from oauth.installation import Installation
from oauth.recorder import Recorder
from oauth.redaction import Vault
from tests.exchanges import token_exchange
from tests.failures import ANSWERS, FAILURES, PROXY_PASSWORD, Case, Scenario


def cases(kinds: Mapping[str, Mapping[str, Scenario]]) -> list[object]:
    named = [(kind, how, scenario) for kind, ways in kinds.items() for how, scenario in ways.items()]
    return [pytest.param(kind, scenario, id=f"{kind}-{how}") for kind, how, scenario in named]


def send_case(case: Case, console: Installation, vault: Vault) -> Exchange:
    return send(
        token_exchange(case.url), Recorder(console.history, vault, case.policy), connection=case.connection
    ).live


def test_every_kind_of_failure_is_covered() -> None:
    # The others are shown for rows of a console that stops, was stopped, was an older version, or failed itself.
    others = {"no_answer", "stopped", "stopping", "failed", "console_error"}
    kinds = {entry.kind for entry in answers().values() if entry.sent and not entry.kind.startswith("program_")}
    assert kinds - others == FAILURES.keys()


@pytest.mark.parametrize(("kind", "scenario"), cases(FAILURES))
def test_failure_is_explained_after_one_request(kind: str, scenario: Scenario, console: Installation) -> None:
    vault = console.vault()
    with scenario() as case:
        failed = send_case(case, console, vault)
    explanation = explain(failed)
    assert explanation is not None
    assert (explanation.answer, explanation.title) == (kind, answers()[kind].title), failed.failure
    if case.server is not None:
        assert len(case.server.requests) == case.requests, "sent the expected number of times, and never again"
        assert case.server.connections <= 1
    assert failed.id is not None
    row = console.history.get(failed.id)
    assert row is not None
    from_history = explain(row.exchange)
    assert from_history is not None
    assert from_history.answer == kind, "the row in the history says the same"
    for text in (repr(failed.failure), repr(row.exchange)):
        assert PROXY_PASSWORD not in text


@pytest.mark.parametrize(("kind", "scenario"), cases(ANSWERS))
def test_response_without_an_oauth_result_is_explained(kind: str, scenario: Scenario, console: Installation) -> None:
    with scenario() as case:
        answered = send_case(case, console, console.vault())
    assert answered.failure is None
    assert answered.response is not None
    explanation = explain(answered)
    assert explanation is not None
    assert explanation.answer == kind
    assert case.server is not None
    assert len(case.server.requests) == 1
