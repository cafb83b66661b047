"""What the history answers, and that every question is bounded."""

from collections.abc import Callable
from datetime import timedelta
from unittest.mock import Mock

import pytest

from oauth.diagnosis.past import MOST_TOKENS
from oauth.exchange import Step
from oauth.history.past import HistoryPast
from tests.diagnosis.harness import Walk, cause, setting, text


def test_a_secret_is_found_wherever_its_placeholder_stands(walk: Walk) -> None:
    exchanged = walk.got_tokens()
    code = walk.vault.placeholder("code", walk.flow.code)
    seen = walk.past.sightings([code])
    assert [row.step for row in seen] == [Step.AUTHORIZE, Step.CALLBACK, Step.TOKEN]
    assert seen[-1].id == exchanged.id


def test_a_placeholder_without_a_fingerprint_is_not_looked_for(walk: Walk) -> None:
    walk.got_tokens()
    assert walk.past.sightings(["«client_secret 11ch»"]) == ()


def test_token_requests_are_the_clients_own_that_worked(new_walk: Callable[..., Walk]) -> None:
    walk, other = new_walk(), new_walk("website-app")
    worked = walk.got_tokens()
    walk.token()
    other.got_tokens()
    refreshed = walk.refresh()
    assert [row.id for row in walk.past.token_requests("demo-app")] == [worked.id, refreshed.id]


def test_only_the_newest_rows_are_looked_at(walk: Walk) -> None:
    walk.got_tokens()
    code = walk.vault.placeholder("code", walk.flow.code)
    walk.application(setting(scope="nothing"))
    near = HistoryPast(walk.history, reach=1)
    assert near.sightings([code]) == ()
    assert near.token_requests("demo-app") == ()
    assert near.reach == 1


def test_an_owner_sees_no_rows_of_another(walk: Walk) -> None:
    walk.got_tokens()
    code = walk.vault.placeholder("code", walk.flow.code)
    stranger = HistoryPast(walk.history.seen_by("somebody else"))
    assert stranger.sightings([code]) == ()
    assert stranger.flow(walk.flow.id) == ()
    assert stranger.token_requests("demo-app") == ()


def test_requests_to_a_host_are_counted_within_the_time(walk: Walk) -> None:
    walk.got_tokens()
    host = walk.provider.token_endpoint.split("/")[2]
    minute = timedelta(minutes=1)
    assert walk.past.sent_to(host, walk.now - minute, walk.now + minute) == 1
    assert HistoryPast(walk.history.seen_by("somebody else")).sent_to(host, walk.now - minute, walk.now + minute) == 1
    assert walk.past.sent_to(host, walk.now - 2 * minute, walk.now - minute) == 0
    assert walk.past.sent_to("elsewhere.example", walk.now - minute, walk.now + minute) == 0


def test_a_question_is_one_read_of_the_database(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.got_tokens()
    walk.refresh()
    reading = Mock(wraps=walk.history.database.reading)
    monkeypatch.setattr(walk.history.database, "reading", reading)
    assert len(walk.past.token_requests("demo-app")) == 2
    assert reading.call_count == 1


def test_what_a_busy_client_was_not_granted_is_said_of_its_newest_tokens_only(walk: Walk) -> None:
    row = walk.history.get(walk.application(setting(scope="read")).id or 0)
    assert row is not None
    walk.history.add([row] * MOST_TOKENS)
    found = cause(walk.diagnosed(walk.application(setting(scope="read admin"))), "scope.never_granted")
    assert "Never granted to this client among its newest 1,000 tokens: admin" in text(found)
    assert len(walk.past.token_requests("demo-app")) == MOST_TOKENS
