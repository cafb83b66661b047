"""Facets, repeats, charts and counts: what is told of many exchanges at once."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from oauth.exchange import Exchange, Failure, Response, Step
from oauth.history import time_limits
from oauth.history.charts import durations, errors
from oauth.history.database import HistoryTimeout
from oauth.history.facets import FACETS, facets
from oauth.history.filters import Filters
from oauth.history.repeats import repeats
from oauth.history.store import History

SECONDS = 10.0
START = datetime(2026, 11, 23, 10, 16, 19, tzinfo=UTC)

Keep = Callable[..., int]


@pytest.fixture
def keep(history: History, exchange: Callable[..., Exchange]) -> Keep:
    """Keeps an answered exchange."""

    def one(status: int | None = 200, step: Step = Step.TOKEN, at: timedelta = timedelta(), **values: Any) -> int:
        number, error, description = (values.pop(name, "") for name in ("number", "error", "description"))
        failure, took = values.pop("failure", ""), values.pop("took", None)
        sent = replace(exchange(step, **values), started_at=START + at)
        id = history.begin(sent)
        answered = replace(
            sent,
            response=None if status is None else Response(status),
            failure=Failure(failure) if failure else None,
            duration_ms=took,
        )
        history.complete(id, answered, documented_error=number or None, error=error, error_description=description)
        return id

    return one


def counted(history: History, line: str = "", seconds: float = SECONDS) -> dict[str, dict[str, int]]:
    return {facet.name: dict(facet.values) for facet in facets(history, Filters.parse(line), seconds)}


def test_facets_count_every_value_within_the_other_filters(history: History, keep: Keep) -> None:
    keep(client_id="app", case="T-1")
    keep(400, number=2, error="invalid_grant", client_id="app")
    keep(400, step=Step.REFRESH, error="odd", client_id="other")
    keep(None, failure="timeout")
    everything = counted(history)
    assert list(everything) == list(FACETS)
    assert everything["step"] == {"token": 3, "refresh": 1}
    assert everything["status"] == {"4xx": 2, "2xx": 1, "failed": 1}, "a status that is all of its class says nothing"
    assert everything["error"] == {"2": 1, "odd": 1}, "nor does the code of a documented error"
    assert everything["client"] == {"app": 2, "other": 1}
    assert everything["case"] == {"T-1": 1}
    narrowed = counted(history, "step:token status:4xx")
    assert narrowed["step"] == {"refresh": 1, "token": 1}, "the step's own filter does not narrow the steps"
    assert narrowed["status"] == {"2xx": 1, "4xx": 1, "failed": 1}
    assert narrowed["client"] == {"app": 1}


def test_a_status_and_a_code_are_listed_where_they_say_more(history: History, keep: Keep) -> None:
    keep(400, number=2, error="invalid_grant")
    keep(401, error="invalid_grant")
    everything = counted(history)
    assert everything["status"] == {"4xx": 2, "400": 1, "401": 1}
    assert everything["error"] == {"2": 1, "invalid_grant": 2}
    assert counted(history, "status:400 error:invalid_grant")["status"] == {"4xx": 2, "400": 1, "401": 1}


def test_every_status_that_is_listed_is_a_filter_also_an_unknown_one(history: History, keep: Keep) -> None:
    """An answer that was pasted without its status has none."""
    for status in (0, 0, 400, 404, 200):
        keep(status=status)
    (statuses,) = (facet for facet in facets(history, Filters(), 5) if facet.name == "status")
    assert dict(statuses.values)["unknown"] == 2
    for value, number in statuses.values:
        assert len(list(history.rows(Filters().put("status", value)))) == number


def test_a_chosen_value_is_always_listed(history: History, keep: Keep) -> None:
    for number in range(20):
        keep(client_id=f"app-{number:02}")
        keep(client_id=f"app-{number:02}")
    keep(client_id="rare")
    found = counted(history, "client:rare,absent")["client"]
    assert (found["rare"], found["absent"]) == (1, 0)
    assert len(found) == 10


def test_what_takes_too_long_is_counted_in_the_newest_and_says_so(
    history: History, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minute in range(5):
        keep(at=timedelta(minutes=minute), client_id="old" if minute < 3 else "new", took=minute)
    monkeypatch.setattr(time_limits, "NEWEST", 2)
    found = {facet.name: facet for facet in facets(history, Filters(), 0)}
    assert found["client"].values == (("new", 2),)
    assert found["client"].newest == 2
    assert str(time_limits.count(history, Filters(), 0)) == "more than 2"
    assert str(time_limits.count(history, Filters(client="nobody"), 0)) == "0"
    assert str(time_limits.count(history, Filters(), SECONDS)) == "5"
    assert repeats(history, Filters(), 0).groups[0].count == 2
    assert durations(history, Filters(), 0).steps[0][2] == (3, 4, 4)


def test_a_count_that_takes_far_too_long_is_many(history: History, keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    keep()

    def never(*_: object, **__: object) -> time_limits.Result:
        raise HistoryTimeout("This takes too long.")

    monkeypatch.setattr(time_limits, "ask", never)
    assert str(time_limits.count(history, Filters(), SECONDS)) == "many"


def test_a_statement_is_ended_when_its_time_is_over(history: History, keep: Keep) -> None:
    keep()
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(HistoryTimeout, match="takes too long"), history.database.reading(0.05) as connection:
        connection.exec_driver_sql(endless)
    assert history.count(Filters()) == 1, "the connection goes on, without the limit"


def test_repeats_are_counted_with_the_first_and_the_last(history: History, keep: Keep) -> None:
    refused = {"number": 2, "error": "invalid_grant", "description": "Code is invalid"}
    for minute in (3, 1, 2):
        keep(400, at=timedelta(minutes=minute), **refused)
    keep(400, at=timedelta(minutes=9), **(refused | {"description": 'another, "quoted"'}))
    keep(None, failure="timeout")
    keep(None, failure="tls")
    keep(200)
    found = repeats(history, Filters(), SECONDS)
    assert found.newest is None
    first = found.groups[0]
    assert (first.count, first.first, first.last) == (3, START + timedelta(minutes=1), START + timedelta(minutes=3))
    assert (first.step, first.status, first.documented_error, first.description) == ("token", 400, 2, "Code is invalid")
    assert sum(group.count for group in found.groups) == 7


def test_a_group_opens_as_the_filter_that_shows_it(history: History, keep: Keep) -> None:
    keep(400, number=2, error="invalid_grant", description='say "no", then')
    keep(400, error="invalid_grant")
    keep(400)
    keep(None, failure="timeout")
    keep(None)
    keep(200, step=Step.API)
    groups = repeats(history, Filters.parse("-step:callback"), SECONDS).groups
    assert len(groups) == 6
    for group in groups:
        within = group.within(Filters.parse("-step:callback"))
        assert history.count(within) == group.count == 1
        assert Filters.parse(within.line) == within


@pytest.mark.parametrize(
    ("apart", "width", "starts"),
    [
        (timedelta(minutes=90), timedelta(minutes=1), ["2026-11-23T11:16", "2026-11-23T12:46"]),
        (timedelta(hours=30), timedelta(hours=1), ["2026-11-23T11:00", "2026-11-24T17:00"]),
        (timedelta(days=10, hours=13), timedelta(days=1), ["2026-11-23T00:00", "2026-12-04T00:00"]),
    ],
)
def test_errors_are_counted_by_time_in_the_readers_zone(
    history: History, keep: Keep, apart: timedelta, width: timedelta, starts: list[str]
) -> None:
    keep(400, number=2, error="x")
    keep(400, number=2, error="x", at=timedelta(seconds=1))
    keep(401, number=5, error="y", at=apart)
    keep(400, error="undocumented", at=apart)
    found = errors(history, Filters(), SECONDS, ZoneInfo("Europe/Warsaw"))
    assert found.width == width
    assert [(f"{start:%Y-%m-%dT%H:%M}", number, count) for start, number, count in found.bars] == [
        (starts[0], 2, 2),
        (starts[1], 5, 1),
    ]


def test_errors_come_by_days_when_it_takes_too_long_to_find_the_first_and_the_last(
    history: History, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(400, number=2, error="x")
    limits = []
    reading = history.database.reading

    def slow_at_first(seconds: float | None = None) -> AbstractContextManager[Connection]:
        limits.append(seconds)
        if len(limits) == 1:
            raise HistoryTimeout("This takes too long.")
        return reading(seconds)

    monkeypatch.setattr(history.database, "reading", slow_at_first)
    found = errors(history, Filters(), SECONDS, ZoneInfo("UTC"))
    assert (found.width, [count for *_, count in found.bars]) == (timedelta(days=1), [1])
    assert None not in limits, "each question has a limit"


def test_percentiles_are_those_of_the_nearest_rank(history: History, keep: Keep) -> None:
    for took in range(1, 101):
        keep(took=took)
    keep(step=Step.API, took=7)
    keep(step=Step.REFRESH)
    found = durations(history, Filters(), SECONDS)
    assert found.steps == (("token", 100, (50, 95, 99)), ("api", 1, (7, 7, 7)))


def test_an_empty_history_has_nothing_to_tell(history: History) -> None:
    assert errors(history, Filters(), SECONDS, UTC).bars == ()
    assert durations(history, Filters(), SECONDS).steps == ()
    assert repeats(history, Filters(), SECONDS).groups == ()
    assert set(map(len, counted(history).values())) == {0}
