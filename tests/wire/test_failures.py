"""Each way in which an exchange fails, caused over sockets, with its card, its row and the number of requests."""

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


def sent(case: Case, console: Installation, vault: Vault) -> Exchange:
    return send(
        token_exchange(case.url), Recorder(console.history, vault, case.policy), connection=case.connection
    ).live


def test_every_kind_of_failure_is_caused_here() -> None:
    # The others are what is shown of a row whose console was stopped, or was an older one.
    others = {"no_answer", "stopped", "failed"}
    assert {entry.kind for entry in answers().values() if entry.sent} - others == FAILURES.keys()


@pytest.mark.parametrize(("kind", "scenario"), cases(FAILURES))
def test_a_failure_has_its_card_and_sends_one_request(kind: str, scenario: Scenario, console: Installation) -> None:
    vault = console.vault()
    with scenario() as case:
        failed = sent(case, console, vault)
    found = explain(failed)
    assert found is not None
    assert (found.answer, found.title) == (kind, answers()[kind].title), failed.failure
    if case.server is not None:
        assert len(case.server.requests) == case.requests, "sent as often as it should, and never again"
        assert case.server.connections <= 1
    assert failed.id is not None
    row = console.history.get(failed.id)
    assert row is not None
    kept = explain(row.exchange)
    assert kept is not None
    assert kept.answer == kind, "the row in the history says the same"
    for text in (repr(failed.failure), repr(row.exchange)):
        assert PROXY_PASSWORD not in text


@pytest.mark.parametrize(("kind", "scenario"), cases(ANSWERS))
def test_an_answer_that_is_none_has_its_card(kind: str, scenario: Scenario, console: Installation) -> None:
    with scenario() as case:
        answered = sent(case, console, console.vault())
    assert answered.failure is None
    assert answered.response is not None
    found = explain(answered)
    assert found is not None
    assert found.answer == kind
    assert case.server is not None
    assert len(case.server.requests) == 1
