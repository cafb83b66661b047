"""Counts by day, hour and month in PostgreSQL: always the same as counting the exchanges."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Select, func, select

from oauth.exchange import Exchange, Failure, Response, Step
from oauth.history import counts, time_limits
from oauth.history.charts import errors
from oauth.history.counts import Counted, number_of
from oauth.history.deletion import delete_row, delete_shown, last_id
from oauth.history.facets import facets
from oauth.history.filters import Filters
from oauth.history.schema import IMPORTED, backfills, exchange_counts, exchanges
from oauth.history.store import History, Row
from oauth.history.upkeep import Upkeep
from tests.servers.postgresql import Server

SECONDS = 30.0
START = datetime(2026, 11, 23, 10, 16, 19, 42, tzinfo=UTC)
AGES = (0, 1, 59, 3600, 86_400, 86_400 * 7, 86_400 * 23, 86_400 * 40, 86_400 * 300)
"""Seconds before ``START`` at which exchanges begin."""

VIEWERS = (None, "ada", "bob", "")
COLUMNS = ("step", "outcome", "status", "documented_error", "error", "client_id", "case")
LINES = (
    "",
    "-origin:drill,import",
    "origin:import",
    "origin:drill,import",
    "origin:*",
    "step:token -origin:drill",
    "-step:token,api",
    "status:4xx,404",
    "-status:4xx",
    "error:*",
    "error:2,odd",
    "-error:2",
    "entry:*",
    "-entry:*",
    "client:app by:ada",
    "-by:*",
    "provider:olx status:none",
    "since:2026-11-23T10:16:18Z",
    "since:2026-11-23",
    "since:2026-11-01",
    "since:2026-11-01T00:00:00.000001Z",
    "until:2026-11-22",
    "until:2026-11-23T10:16:18Z error:*",
    "since:2026-11-23T10:15:00Z until:2026-11-23T10:16:20Z",
    "since:2026-11-22T12:00Z until:2026-11-23T11:00Z",
    "since:2026-10-31T23:00Z until:2026-11-30 -origin:drill,import",
    "since:2026-11-23 until:2026-11-23",
    "since:2026-11-24 until:2026-11-20",
)


@pytest.fixture
def database_url(postgresql_server: Server) -> str:
    return postgresql_server.url(postgresql_server.new_database())


def stored(history: History, exchange: Callable[..., Exchange], number: int) -> int:
    """Record an exchange whose values depend on a number."""
    begun = replace(
        exchange(
            (Step.TOKEN, Step.API, Step.CALLBACK)[number % 3],
            owner=("", "ada", "bob")[number % 3],
            case=("", "T-1", "drill", "T-2")[number % 4],
            client_id=("app", "other")[number % 2],
            provider=("olx", "sandbox")[number % 2],
            flow=f"flow{number // 2}",
        ),
        started_at=START - timedelta(seconds=AGES[number % len(AGES)]),
    )
    id = history.begin(begun)
    if number % 5 == 4:
        return id
    status, error, code = ((200, None, ""), (404, 2, "invalid_grant"), (400, None, "odd"), (None, None, ""))[number % 4]
    ended = replace(
        begun,
        response=Response(status) if status else None,
        failure=None if status else Failure("timeout"),
    )
    history.complete(id, ended, documented_error=error, error=code, error_description="", begun=begun)
    return id


def question(column: str) -> Callable[[Any], Select[Any]]:
    def ask(source: Any) -> Select[Any]:
        if not column:
            return select(number_of(source)).select_from(source)
        value = source.c[column]
        some = value.is_not(None) if column in ("status", "documented_error") else value != ""
        return select(value, number_of(source)).where(some).group_by(value)

    return ask


def answers(history: History, line: str, column: str, counted: Counted | None) -> dict[Any, int]:
    filters = Filters.parse(line).resolved(START, UTC)
    rows = time_limits.ask_all(history, filters, SECONDS, question(column), counted)
    return {row[:-1]: row[-1] for row in rows if row[-1]}


def compare(
    history: History,
    viewers: Sequence[str | None] = (None, "ada"),
    columns: Sequence[str] = ("", "documented_error", "case"),
) -> None:
    """Compare the answers from counts with those from the exchanges, for each viewer."""
    for viewer in viewers:
        seen = history.seen_by(viewer)
        for line in LINES:
            for column in columns:
                plain = answers(seen, line, column, None)
                assert answers(seen, line, column, Counted(column)) == plain, (viewer, line, column)


@pytest.fixture
def filled(history: History, exchange: Callable[..., Exchange]) -> Iterator[History]:
    for number in range(60):
        stored(history, exchange, number)
    yield history
    compare(history)


def test_counts_are_those_of_the_exchanges(filled: History) -> None:
    compare(filled, VIEWERS, COLUMNS)
    filled.database.merge_counts()
    with filled.database.reading() as connection:
        kept = connection.execute(select(func.count(), func.min(exchange_counts.c.number)).select_from(exchange_counts))
        number, smallest = kept.one()
    assert smallest > 0, "what is none any more is not kept"
    assert number < 60 * 3


def test_counts_answer_the_default_filter_and_each_facet(
    filled: History, monkeypatch: pytest.MonkeyPatch, exchange: Callable[..., Exchange]
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the exchanges are read")

    filters = Filters.parse("-origin:drill,import").resolved(START, UTC)
    everything = Filters()
    plain = [list(facets(filled, everything, SECONDS)), errors(filled, everything, SECONDS, ZoneInfo("Asia/Kathmandu"))]
    with monkeypatch.context() as counted_only:
        counted_only.setattr(time_limits, "_shown", refuse)
        assert len(list(facets(filled, filters, SECONDS))) == 5
        assert time_limits.count(filled, filters, SECONDS).number > 0
        counts_alone = [
            list(facets(filled, everything, SECONDS)),
            errors(filled, everything, SECONDS, ZoneInfo("Asia/Kathmandu")),
        ]
    monkeypatch.setattr(counts, "source", lambda *_: None)
    assert (
        [
            list(facets(filled, everything, SECONDS)),
            errors(filled, everything, SECONDS, ZoneInfo("Asia/Kathmandu")),
        ]
        == plain
        == counts_alone
    )


def test_filters_that_counts_cannot_answer_are_left_to_the_exchanges(filled: History) -> None:
    for line in ("provider.example", "flow:flow1", "note:*", "host:provider.example", "method:POST", "case:T-1"):
        assert counts.source(filled, Filters.parse(line), Counted("step"), SECONDS) is None
    assert counts.source(filled, Filters.parse("case:T-1"), Counted("case"), SECONDS) is not None
    assert counts.source(filled, Filters.parse("step:token"), Counted("case"), SECONDS) is None


def test_changes_are_counted_at_once(filled: History, exchange: Callable[..., Exchange]) -> None:
    filled.set_case("flow3", "T-9")
    filled.set_case("flow4", "")
    filled.set_note(5, "a note")
    compare(filled)
    filled.database.merge_counts()
    filled.set_case("flow3", "drill")
    compare(filled)
    list(delete_shown(filled, Filters.parse("status:4xx"), last_id(filled)))
    compare(filled)
    delete_row(filled, 1)
    imported = replace(exchange(), marks=(IMPORTED,), response=Response(200), started_at=START - timedelta(days=90))
    filled.add([Row(imported), Row(replace(imported, owner="ada", case="T-1"), documented_error=2, error="odd")])
    compare(filled)
    Upkeep(filled, lambda: START).round()


def test_deletion_by_filter_of_everything_leaves_no_counts(history: History, exchange: Callable[..., Exchange]) -> None:
    for number in range(20):
        stored(history, exchange, number)
    list(delete_shown(history, Filters(), last_id(history)))
    with history.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(exchange_counts)) == 0


def test_counts_of_a_period_that_goes_on_are_merged_when_they_are_many(
    filled: History, exchange: Callable[..., Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unmerged() -> set[str]:
        with filled.database.reading() as connection:
            return set(connection.scalars(select(exchange_counts.c.period).where(~exchange_counts.c.merged)))

    upkeep = Upkeep(filled, lambda: START)
    upkeep.round()
    assert unmerged() <= {"2026-11", "2026-11-23", "2026-11-23T10"} != set()
    monkeypatch.setattr(counts, "FEW", 2)
    upkeep.round()
    assert unmerged() == set()
    stored(filled, exchange, 0)
    assert unmerged() != set()
    delete_row(filled, 60)
    assert unmerged() == set(), "nothing of what is deleted is left in them"
    with filled.database.engine.connect() as other:
        counts.lock(other)
        other.execute(select(func.count()).select_from(exchange_counts))
        delete_row(filled, 59)  # it waits for a moment, and is deleted all the same
    assert filled.get(59) is None
    delete_row(filled, 58)
    assert unmerged() == set()


def uncounted(history: History) -> None:
    """Make the history one that was large before there were counts."""
    with history.database.writing() as connection:
        connection.exec_driver_sql("TRUNCATE exchange_counts")
        connection.execute(backfills.insert().values(name=counts.NAME, below=999_999))


def test_large_history_is_counted_in_the_background_while_it_changes(
    filled: History, exchange: Callable[..., Exchange]
) -> None:
    uncounted(filled)
    assert counts.source(filled, Filters(), Counted(), SECONDS) is None
    compare(filled)
    number = 60
    while counts.fill(filled.database):
        for _ in range(9):
            stored(filled, exchange, number)
            number += 1
        filled.set_case(f"flow{number // 4}", "T-5")
        delete_row(filled, number - 20)
        filled.database.merge_counts()
        compare(filled)
    assert number > 75, "the months are counted one by one"
    assert counts.source(filled, Filters(), Counted(), SECONDS) is not None


def test_change_in_the_middle_of_counting_is_counted_once(
    filled: History,
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uncounted(filled)
    other, count = open_history(), counts._count
    numbers = iter(range(60, 1000))

    def slowly(connection: Connection, *bounds: Any) -> None:
        stored(other, exchange, next(numbers))
        other.set_case(f"flow{next(numbers) // 8}", "T-7")
        count(connection, *bounds)
        stored(other, exchange, next(numbers))
        assert not counts.merge(connection.engine.connect(), START) or pytest.fail("two replace counts at once")

    monkeypatch.setattr(counts, "_count", slowly)
    while counts.fill(filled.database):
        pass


def test_history_with_times_that_are_none_is_counted(history: History, exchange: Callable[..., Exchange]) -> None:
    stored(history, exchange, 1)
    with history.database.writing() as connection:
        # As an import of an early version stored it.
        connection.exec_driver_sql("ALTER TABLE exchanges DROP CONSTRAINT exchanges_started_at_check")
        for wrong in ("yesterday", "", "12:30 or so", "9999999"):
            copied = [column for column in exchanges.c if column.name not in ("id", "started_at")]
            names = ", ".join(f'"{column.name}"' for column in copied)
            connection.exec_driver_sql(
                f"INSERT INTO exchanges (started_at, {names}) SELECT %s, {names} FROM exchanges WHERE id = 1", (wrong,)
            )
    uncounted(history)
    while counts.fill(history.database):
        pass
    assert time_limits.count(history, Filters(), SECONDS).number == 5
    assert answers(history, "", "step", Counted("step")) == answers(history, "", "step", None)
