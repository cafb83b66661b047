import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import delete, insert, select, update

from oauth.catalogue.explain import explain
from oauth.exchange import Exchange, Failure, Response, Step
from oauth.handover import Handover, Labels
from oauth.history.backfill import fill_entries
from oauth.history.deletion import announce_older, delete_older
from oauth.history.elsewhere_lock import ElsewhereLock
from oauth.history.filters import Filters
from oauth.history.recognition import entry_of
from oauth.history.retention import done_until
from oauth.history.schema import backfills, consoles, exchanges
from oauth.history.store import History, HistoryError, Row
from oauth.history.upkeep import GONE, Upkeep


@pytest.fixture
def later(times: list[datetime]) -> Callable[[timedelta], None]:
    """Moves the clock on."""
    return lambda span: times.append(times[-1] + span)


def row(history: History, id: int) -> Row:
    found = history.get(id)
    assert found is not None
    return found


def test_the_rows_of_a_process_that_is_gone_are_marked_at_a_start(
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    clock: Callable[[], datetime],
    later: Callable[[timedelta], None],
) -> None:
    gone = open_history()
    Upkeep(gone, clock).round()
    lost = gone.begin(exchange(case="lost"))
    answered = gone.begin(exchange())
    gone.complete(answered, exchange(response=Response(200)), documented_error=None, error="", error_description="")
    later(GONE + timedelta(seconds=1))
    started = open_history()
    Upkeep(started, clock).round()
    marked = row(started, lost)
    assert marked.unanswered
    assert marked.exchange.failure == Failure("stopped")
    explanation = explain(marked.exchange)
    assert explanation is not None
    assert explanation.title == "No response recorded"
    assert row(started, answered).exchange.failure is None
    assert [found.exchange.id for found in started.rows(Filters(status="none"))] == [lost]


def test_a_process_that_leaves_is_gone_at_once_and_beats_no_more(
    open_history: Callable[..., History], clock: Callable[[], datetime]
) -> None:
    leaving, staying = open_history(), open_history()
    upkeep = Upkeep(leaving, clock)
    upkeep.beat()
    Upkeep(staying, clock).beat()
    assert len(alive(staying)) == 2
    upkeep.leave()
    upkeep.beat()
    assert alive(staying) == [staying.console]


def alive(history: History) -> list[str]:
    with history.database.reading() as connection:
        return list(connection.scalars(select(consoles.c.id)))


def test_the_rows_of_a_living_process_are_left_alone(
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    clock: Callable[[], datetime],
    later: Callable[[timedelta], None],
) -> None:
    living, other = open_history(), open_history()
    waiting = living.begin(exchange())
    for _ in range(4):
        later(GONE / 2)
        Upkeep(living, clock).round()
        Upkeep(other, clock).round()
    assert row(other, waiting).exchange.failure is None


def test_a_process_that_has_only_started_is_not_taken_for_gone(
    open_history: Callable[..., History], exchange: Callable[..., Exchange], clock: Callable[[], datetime]
) -> None:
    starting, other = open_history(), open_history()
    waiting = starting.begin(exchange())
    Upkeep(other, clock).round()
    assert row(other, waiting).exchange.failure is None


def test_an_answer_that_comes_after_all_takes_the_marks_place(
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    clock: Callable[[], datetime],
    later: Callable[[timedelta], None],
) -> None:
    asleep, other = open_history(), open_history()
    id = asleep.begin(exchange())
    later(GONE + timedelta(seconds=1))
    Upkeep(other, clock).round()
    assert row(other, id).exchange.failure is not None
    asleep.complete(id, exchange(response=Response(200)), documented_error=None, error="", error_description="")
    assert row(other, id).exchange.failure is None


def test_what_is_too_old_is_deleted_at_the_start_and_once_a_day(
    history: History,
    exchange: Callable[..., Exchange],
    clock: Callable[[], datetime],
    later: Callable[[timedelta], None],
) -> None:
    def begun(days: float, **values: str) -> int:
        return history.begin(replace(exchange(**values), started_at=clock() - timedelta(days=days)))

    upkeep = Upkeep(history, clock, retention_days=7)
    begun(8)
    begun(7.1, flow="ended")
    young, running, of_running = begun(6.9), begun(0.1, flow="running"), begun(9, flow="running")
    Handover(history.database).expect("s" * 32, Labels(flow="waits"))
    waiting = begun(30, flow="waits")
    upkeep.round()
    assert history.count(Filters()) == 6, "the first round announces"
    upkeep.round()
    assert {found.exchange.id for found in history.rows(Filters())} == {young, running, of_running, waiting}
    later(timedelta(hours=23))
    upkeep.round()
    upkeep.round()
    assert history.get(young) is not None
    later(timedelta(hours=1))
    upkeep.round()
    upkeep.round()
    assert {found.exchange.id for found in history.rows(Filters())} == {running, of_running}
    assert history.count(Filters(text="provider")) == 2


@pytest.mark.parametrize("wrong", [0, 1])
@pytest.mark.parametrize("jump", [timedelta(days=3650), timedelta(days=8)])
def test_clock_that_jumps_ahead_for_one_round_deletes_nothing_that_is_young(
    history: History,
    exchange: Callable[..., Exchange],
    clock: Callable[[], datetime],
    times: list[datetime],
    wrong: int,
    jump: timedelta,
) -> None:
    right = clock()
    history.begin(replace(exchange(), started_at=right - timedelta(days=8)))
    young = [history.begin(replace(exchange(), started_at=right - timedelta(days=days))) for days in (0, 1, 6)]
    upkeep = Upkeep(history, clock, retention_days=7)
    for number in range(4):
        times.append(right + timedelta(seconds=10 * number) + (jump if number == wrong else timedelta()))
        upkeep.round()
    assert {row.exchange.id for row in history.rows(Filters())} == set(young)


def test_no_more_is_deleted_than_was_announced(
    history: History, exchange: Callable[..., Exchange], clock: Callable[[], datetime]
) -> None:
    old = clock() - timedelta(days=30)
    for _ in range(3):
        history.begin(replace(exchange(), started_at=old))
    upkeep = Upkeep(history, clock, retention_days=7)
    upkeep.round()
    late = [history.begin(replace(exchange(), started_at=old)) for _ in range(4)]
    upkeep.round()
    assert {row.exchange.id for row in history.rows(Filters())} == set(late)
    limit = clock() - timedelta(days=7)
    announced = replace(announce_older(history, limit, clock()), count=1)
    assert [*delete_older(history, announced, limit, clock())] == [1]
    assert history.count(Filters()) == 3


def test_long_deletion_goes_on_in_the_next_round_and_others_leave_it_to_one(
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    clock: Callable[[], datetime],
    later: Callable[[timedelta], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oauth.history.deletion.PIECE", 2)
    monkeypatch.setattr("oauth.history.retention.ROUND_SECONDS", 0.0)
    histories = open_history(), open_history()
    for _ in range(5):
        histories[0].begin(replace(exchange(), started_at=clock() - timedelta(days=30)))
    said: list[str] = []
    consoles = [Upkeep(one, clock, retention_days=7, before_deletion=said.append) for one in histories]
    first, second = consoles
    assert first.retention is not None
    first.round()
    if histories[0].database.engine.dialect.name == "postgresql":
        second.round()
        second.round()
        assert (histories[0].count(Filters()), said) == (5, []), "it is the first one's"
    progress = []
    for _ in range(4):
        first.round()
        progress.append((first.retention.deleted, first.retention.announced, histories[0].count(Filters())))
    assert progress == [(2, 5, 3), (4, 5, 1), (5, 5, 0), (5, 5, 0)]
    for upkeep in consoles:
        for _ in range(3):
            upkeep.round()
    assert said == ["5 from before 2026-11-16 10:16 UTC"]
    # Another console does it on the next day.
    histories[0].begin(replace(exchange(), started_at=clock() - timedelta(days=30)))
    later(timedelta(days=1))
    for _ in range(3):
        second.round()
    assert histories[0].count(Filters()) == 0
    assert len(said) == 2


def test_retention_and_the_sandbox_have_different_locks(
    open_history: Callable[..., History], clock: Callable[[], datetime], exchange: Callable[..., Exchange]
) -> None:
    histories = open_history(), open_history()
    if not histories[0].database.is_shared:
        return
    histories[0].begin(replace(exchange(), started_at=clock() - timedelta(days=30)))
    turn = ElsewhereLock(histories[1].database)
    assert turn.take("a drill", 1) == ""
    upkeep = Upkeep(histories[0], clock, retention_days=7)
    for _ in range(2):
        upkeep.round()
    turn.close()
    assert histories[0].count(Filters()) == 0


def test_deletion_that_was_stopped_is_taken_over(
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    clock: Callable[[], datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oauth.history.deletion.PIECE", 2)
    histories = open_history(), open_history()
    for _ in range(5):
        histories[0].begin(replace(exchange(), started_at=clock() - timedelta(days=30)))
    stopped, other = (Upkeep(one, clock, retention_days=7) for one in histories)
    stopped.round()
    stopped.stop()
    stopped.round()
    assert histories[0].count(Filters()) == 3, "it ends after the batch that it is in"
    for _ in range(2):
        other.round()
    assert histories[0].count(Filters()) == 0


def test_shorter_retention_counts_at_once_and_a_longer_one_has_nothing_to_do(
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    clock: Callable[[], datetime],
    later: Callable[[timedelta], None],
) -> None:
    history = open_history()
    history.begin(replace(exchange(), started_at=clock() - timedelta(days=5)))
    announced = []
    for days, left in ((7, 1), (9, 1), (3, 0), (7, 0)):
        upkeep = Upkeep(open_history(), clock, retention_days=days)
        for _ in range(2):
            upkeep.round()
        announced.append(retention_done(history))
        assert history.count(Filters()) == left
    three, seven = clock() - timedelta(days=3), clock() - timedelta(days=7)
    assert announced == [seven, seven, three, three], "two consoles with different days do not take turns all the time"


def test_retention_of_a_clock_that_was_far_ahead_is_done_again(
    history: History, exchange: Callable[..., Exchange], clock: Callable[[], datetime], times: list[datetime]
) -> None:
    right = clock()
    times.append(right + timedelta(days=365))
    upkeep = Upkeep(history, clock, retention_days=7)
    for _ in range(2):
        upkeep.round()
    times.append(right)
    history.begin(replace(exchange(), started_at=right - timedelta(days=8)))
    for _ in range(2):
        upkeep.round()
    assert history.count(Filters()) == 0


def retention_done(history: History) -> datetime | None:
    with history.database.reading() as connection:
        return done_until(connection)


def test_row_of_a_living_process_that_nobody_waits_for_gets_an_end(
    history: History,
    exchange: Callable[..., Exchange],
    clock: Callable[[], datetime],
    later: Callable[[timedelta], None],
) -> None:
    upkeep = Upkeep(history, clock)
    forgotten, browser = history.begin(exchange()), history.begin(exchange(Step.AUTHORIZE))
    for span in (timedelta(minutes=59), timedelta(minutes=2)):
        assert row(history, forgotten).exchange.failure is None
        later(span)
        upkeep.round()
    assert row(history, forgotten).exchange.failure == Failure("stopped")
    assert row(history, browser).exchange.failure is None


def test_without_days_nothing_is_deleted(
    history: History, exchange: Callable[..., Exchange], clock: Callable[[], datetime]
) -> None:
    id = history.begin(replace(exchange(), started_at=clock() - timedelta(days=10_000)))
    Upkeep(history, clock).round()
    assert history.get(id) is not None


def test_old_rows_get_their_entries_in_small_resumable_batches(
    history: History,
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    clock: Callable[[], datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oauth.history.backfill.BATCH", 2)
    for status in (200, 500, 404, 400, 302):
        id = history.begin(exchange())
        history.complete(
            id,
            replace(exchange(), response=Response(status)),
            documented_error=2 if status == 400 else None,
            error="",
            error_description="",
        )
    rows = list(history.rows(Filters()))
    with history.database.writing() as connection:
        connection.execute(update(exchanges).values(entry=None))
        connection.execute(delete(backfills))
        connection.execute(insert(backfills).values(name="entry", below=(rows[0].exchange.id or 0) + 1))
    assert fill_entries(history.database)
    assert [row.entry for row in history.rows(Filters())] == [rows[0].entry, "partner/2", None, None, None]
    # A new row is not touched, and another process goes on where this one stopped.
    history.begin(exchange(case="new"))
    Upkeep(open_history(), clock).round()
    assert [row.entry for row in history.rows(Filters())][1:] == [row.entry for row in rows]
    assert rows[-1].entry == "answer/empty"
    assert not fill_entries(history.database)


def test_stopped_exchange_is_explained_by_its_entry(
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    clock: Callable[[], datetime],
    later: Callable[[timedelta], None],
) -> None:
    gone = open_history()
    sent = [exchange(), exchange(Step.AUTHORIZE), exchange(Step.CALLBACK)]
    ids = [gone.begin(one) for one in sent]
    assert [row(gone, id).entry for id in ids] == ["answer/no_answer", "", "answer/no_code"]
    later(GONE + timedelta(seconds=1))
    Upkeep(open_history(), clock).round()
    rows = [row(gone, id) for id in ids]
    assert [one.entry for one in rows] == [entry_of(one.exchange) for one in rows]
    assert rows[0].entry == "answer/stopped"


def test_a_process_is_alive_while_a_round_takes_long(
    exchange: Callable[..., Exchange], history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retention that deletes for minutes must not make another console take this one's rows for lost ones."""
    monkeypatch.setattr("oauth.history.upkeep.PERIOD", 0.01)
    began, may_end = Event(), Event()

    def delete_for_long(_: str) -> None:
        began.set()
        may_end.wait(60)

    history.begin(replace(exchange(), started_at=datetime.now(UTC) - timedelta(days=9)))
    upkeep = Upkeep(history, lambda: datetime.now(UTC), retention_days=7, before_deletion=delete_for_long)
    upkeep.start()
    try:
        assert began.wait(60)
        seen = {seen_at(history)}
        until = time.monotonic() + 60
        while len(seen) < 4 and time.monotonic() < until:
            seen.add(seen_at(history))
        assert len(seen) == 4
    finally:
        upkeep.stop()
        may_end.set()
        for thread in threading.enumerate():
            if thread.name in ("history upkeep", "history heartbeat"):
                thread.join()


def seen_at(history: History) -> datetime:
    with history.database.reading() as connection:
        found: datetime = connection.execute(select(consoles.c.seen_at)).scalar_one()
    return found


def test_a_history_that_cannot_be_used_is_logged_once_and_the_rounds_go_on(
    history: History, clock: Callable[[], datetime], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[None] = []
    upkeep = Upkeep(history, clock)

    def failing() -> None:
        rounds.append(None)
        if len(rounds) == 3:
            upkeep.stop()
        raise HistoryError("The history is locked.")

    monkeypatch.setattr(upkeep, "round", failing)
    monkeypatch.setattr("oauth.history.upkeep.PERIOD", 0)
    upkeep._run(upkeep.round)
    assert caplog.messages == ["The history is locked."]
    assert len(rounds) == 3


def test_no_exchange_waits_for_the_wal_to_be_copied(
    exchange: Callable[..., Exchange], clock: Callable[[], datetime], tmp_path: Path
) -> None:
    path = tmp_path / "history.db"
    history = History(f"sqlite:///{path}", clock)
    upkeep = Upkeep(history, clock)
    upkeep.round()
    history.begin(exchange(case="a case in the WAL"))
    assert b"a case in the WAL" not in path.read_bytes()
    upkeep.round()
    assert b"a case in the WAL" in path.read_bytes()
    history.database.engine.dispose()
