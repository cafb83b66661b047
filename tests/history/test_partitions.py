"""Months of PostgreSQL's exchanges: made ahead, beside what was there, and dropped when all in them is too old."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread, Timer

import pytest
from sqlalchemy import create_engine, event, text

from oauth.exchange import Exchange, Response
from oauth.handover import Handover, Labels
from oauth.history import backup, migrations, partitions
from oauth.history.deletion import announce_older, delete_older
from oauth.history.filters import Filters
from oauth.history.listing import WALK_SECONDS
from oauth.history.partitions import LATER, PAST, Months, Partition, month_of
from oauth.history.schema import PlainText, exchanges, utc_text
from oauth.history.store import History
from oauth.history.upkeep import Upkeep
from tests.history.test_counts import compare
from tests.servers.postgresql import Server

NOW = datetime(2026, 11, 23, 10, 16, 19, 42, tzinfo=UTC)


@pytest.fixture
def database_url(postgresql_server: Server) -> str:
    return postgresql_server.url(postgresql_server.new_database())


@pytest.fixture
def add(history: History, exchange: Callable[..., Exchange]) -> Callable[..., int]:
    """Record an exchange of a time."""

    def one(at: datetime, **values: str) -> int:
        begun = replace(exchange(**values), started_at=at)
        id = history.begin(begun)
        ended = replace(begun, response=Response(200))
        history.complete(id, ended, documented_error=None, error="", error_description="", begun=begun)
        return id

    return one


def tables(history: History) -> dict[str, list[int]]:
    """The ids of the exchanges in each partition."""
    with history.database.reading() as connection:
        return {
            each.name: list(connection.exec_driver_sql(f"SELECT id FROM {each.name} ORDER BY id").scalars())
            for each in partitions.partitions(connection)
        }


def lay_out(history: History, oldest: datetime) -> None:
    with history.database.writing() as connection:
        partitions.lay_out(connection, oldest, NOW)


def test_months_are_made_ahead_and_every_time_has_a_place(history: History, add: Callable[..., int]) -> None:
    old, now = add(NOW - timedelta(days=40)), add(NOW)
    assert tables(history) == {PAST: [old, now]}
    upkeep = Upkeep(history, lambda: NOW)
    upkeep.round()
    assert tables(history) == {PAST: [old, now]}, "the clock may be wrong in one round"
    upkeep.round()
    assert tables(history) == {PAST: [old, now], "exchanges_2026_12": [], "exchanges_2027_01": [], LATER: []}
    far, ancient = add(datetime(2027, 3, 5, tzinfo=UTC)), add(datetime(1999, 1, 1, tzinfo=UTC))
    begin = add(datetime(2026, 12, 1, tzinfo=UTC))
    end = add(datetime(2026, 12, 1, tzinfo=UTC) - timedelta(microseconds=1))
    assert tables(history) == {
        PAST: [old, now, ancient, end],
        "exchanges_2026_12": [begin],
        "exchanges_2027_01": [],
        LATER: [far],
    }
    Months(history.database).make(NOW + timedelta(days=45))
    assert tables(history)["exchanges_2027_03"] == [far], "it has moved to its month"
    assert tables(history)[LATER] == []
    assert [row.exchange.id for row in history.rows(Filters())] == [far, begin, end, now, old, ancient]
    compare(history)


def test_row_is_labelled_completed_and_deleted_in_every_partition(history: History, add: Callable[..., int]) -> None:
    lay_out(history, NOW - timedelta(days=60))
    ids = [add(NOW - timedelta(days=days), flow="f") for days in (0, 30, 60, 90, -90)]
    history.set_case("f", "T-1")
    for id in ids:
        history.set_note(id, "a note")
        row = history.get(id)
        assert row is not None
        assert (row.note, row.exchange.case, row.exchange.response) == ("a note", "T-1", Response(200))
    assert history.count(Filters.parse("case:T-1 note:note")) == 5
    assert len(history.flow("f")) == 5


def test_large_table_gets_its_end_beside_the_traffic(
    postgresql_server: Server,
    open_history: Callable[..., History],
    exchange: Callable[..., Exchange],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = postgresql_server.url(postgresql_server.new_database())
    engine = create_engine(url)
    with engine.begin() as connection:
        migrations.upgrade(connection, "0014")
        fixed = {"case": "T-1", "step": "token", "method": "POST", "url": "https://p.example/", "outcome": "2xx"}
        texts = [
            column.name
            for column in exchanges.c
            if isinstance(column.type, PlainText) and column.name not in ("entry", "marks", "console", "cause", "flow")
        ]
        names = ", ".join(f'"{name}"' for name in texts)
        values = ", ".join(f"'{fixed.get(name, '')}'" for name in texts)
        connection.execute(
            text(
                f"INSERT INTO exchanges (started_at, flow, response_cut, status, {names}) "
                "SELECT '2026-11-0' || 1 + mod(n, 9) || 'T10:00:00.000000Z', 'flow' || n / 3, false, 200, "
                f"{values} FROM generate_series(1, 3000) AS n"
            )
        )
    engine.dispose()
    monkeypatch.setattr(partitions, "SMALL", -1)
    history = open_history(url)
    ended, waits = Event(), list[float]()

    def record() -> None:
        while not ended.is_set():
            start = time.monotonic()
            begun = replace(exchange(owner="ada"), started_at=NOW)
            id = history.begin(begun)
            answered = replace(begun, response=Response(200))
            history.complete(id, answered, documented_error=None, error="", error_description="", begun=begun)
            waits.append(time.monotonic() - start)

    history.count(Filters())
    recording = Thread(target=record)
    recording.start()
    try:
        until = time.monotonic() + 60
        while LATER not in tables(history) and time.monotonic() < until:
            Months(history.database).make(NOW)
    finally:
        ended.set()
        recording.join()
    found = tables(history)
    assert list(found) == [PAST, "exchanges_2027_01", LATER], "the end is a month ahead at the least"
    assert history.count(Filters()) == 3000 + len(waits)
    assert max(waits) < 5
    compare(history)
    with history.database.reading() as connection:
        checks = "SELECT conname FROM pg_constraint WHERE conname = 'exchanges_past_end'"
        assert connection.exec_driver_sql(checks).all() == []


def test_exchange_that_is_dated_far_ahead_leaves_the_table_as_it_is(
    history: History, add: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    far = add(NOW + timedelta(days=400))
    months = Months(history.database)
    for _ in range(3):
        months.make(NOW)
    assert tables(history) == {PAST: [far]}
    (message,) = caplog.messages
    assert "not divided into months: its newest exchange says that it began at 2027-12-28T10" in message
    add(NOW)
    assert history.count(Filters()) == 2


def test_two_consoles_make_the_months_once(open_history: Callable[..., History], add: Callable[..., int]) -> None:
    add(NOW)
    making = [Thread(target=Months(open_history().database).make, args=(NOW,)) for _ in range(3)]
    for thread in making:
        thread.start()
    for thread in making:
        thread.join()
    history = open_history()
    Months(history.database).make(NOW)
    assert list(tables(history)) == [PAST, "exchanges_2026_12", "exchanges_2027_01", LATER]


def retention(history: History, days: int, clock: Callable[[], datetime] = lambda: NOW) -> Upkeep:
    """Announce, and delete what was announced."""
    upkeep = Upkeep(history, clock, days)
    for _ in range(2):
        upkeep.round()
    return upkeep


def test_months_that_are_too_old_are_dropped_without_what_is_going_on(
    history: History, add: Callable[..., int]
) -> None:
    lay_out(history, NOW - timedelta(days=120))
    old = NOW - timedelta(days=100)  # in August
    gone = [add(old, flow="ended"), add(old), add(old - timedelta(days=300))]
    going_on = [add(old, flow="on"), add(old, flow="waiting")]
    recent = add(NOW - timedelta(days=60), flow="ended too")  # in September, as the limit is
    young = [add(NOW - timedelta(days=40), flow="on")]
    Handover(history.database).expect("a-state", Labels(flow="waiting"))
    upkeep = retention(history, 58)
    assert tables(history) == {
        PAST: going_on,
        "exchanges_2026_09": [],
        "exchanges_2026_10": young,
        "exchanges_2026_11": [],
        "exchanges_2026_12": [],
        "exchanges_2027_01": [],
        LATER: [],
    }
    assert all(history.get(id) is None for id in (*gone, recent))
    assert upkeep.retention is not None
    assert upkeep.retention.announced == upkeep.retention.deleted == 4
    compare(history)
    late = add(old, flow="imported")
    assert tables(history)[PAST] == [*going_on, late], "there is a place for what is older"


def test_what_came_after_the_announcement_is_not_dropped(history: History, add: Callable[..., int]) -> None:
    lay_out(history, NOW - timedelta(days=120))
    old, limit = NOW - timedelta(days=100), NOW - timedelta(days=58)
    gone = add(old), add(old, flow="f")
    goes_on = add(old, flow="g")
    announced = announce_older(history, limit, NOW)
    assert (announced.count, announced.expired.upper) == (3, "2026-09-01")
    imported, again = add(old), add(NOW, flow="g")
    assert list(delete_older(history, announced, limit, NOW)) == [2]
    assert [row.exchange.id for row in history.rows(Filters())] == [again, imported, goes_on]
    assert all(history.get(id) is None for id in gone)
    compare(history)


def test_earlier_limit_in_the_round_of_the_deletion_spares_the_month(history: History, add: Callable[..., int]) -> None:
    lay_out(history, NOW - timedelta(days=120))
    kept = add(NOW - timedelta(days=100))
    announced = announce_older(history, NOW - timedelta(days=58), NOW)
    assert announced.count == 1
    assert list(delete_older(history, announced, NOW - timedelta(days=110), NOW)) == []
    assert history.get(kept) is not None


def test_months_are_dropped_when_the_table_is_not_in_use(
    history: History, add: Callable[..., int], database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    lay_out(history, NOW - timedelta(days=120))
    old = add(NOW - timedelta(days=100))
    caplog.set_level("INFO")
    with create_engine(database_url).connect() as export:
        export.exec_driver_sql("SELECT count(*) FROM exchanges")
        start = time.monotonic()
        upkeep = retention(history, 58)
        assert time.monotonic() - start < 10
        assert history.get(old) is not None
        assert "Old months are dropped when the table is not in use, as by an export" in caplog.messages
        export.rollback()
        upkeep.round()
        export.invalidate()
    assert history.get(old) is None
    assert "1 old exchanges were deleted" in caplog.messages


def test_few_of_the_first_partition_are_deleted_one_by_one(history: History, add: Callable[..., int]) -> None:
    lay_out(history, NOW - timedelta(days=20))
    old = add(NOW - timedelta(days=100))
    before = list(tables(history))
    retention(history, 58)
    assert (history.get(old), list(tables(history))) == (None, before)


def test_restored_history_has_its_months(
    history: History, add: Callable[..., int], open_history: Callable[..., History], tmp_path: Path
) -> None:
    ids = [add(NOW - timedelta(days=days), owner="ada", case="T-1") for days in (0, 30, 65)]
    backup.back_up(history.database, tmp_path / "file", "proof")
    other = open_history()
    other.database.clock = lambda: NOW + timedelta(minutes=5)
    backup.restore(other.database, tmp_path / "file", "proof", replace=True)
    assert tables(other) == {
        PAST: [],
        "exchanges_2026_09": [ids[2]],
        "exchanges_2026_10": [ids[1]],
        "exchanges_2026_11": [ids[0]],
        "exchanges_2026_12": [],
        "exchanges_2027_01": [],
        LATER: [],
    }
    compare(other)
    assert add(NOW) > ids[-1]
    compare(other)
    with other.database.reading() as connection:
        assert not connection.exec_driver_sql("SELECT 1 FROM pg_index WHERE NOT indisvalid").all()
        indexed = "SELECT count(*) FROM pg_indexes WHERE tablename = 'exchanges_2026_11'"
        assert connection.exec_driver_sql(indexed).scalar_one() == 17


def test_list_and_search_stop_at_the_newest_partitions(history: History, add: Callable[..., int]) -> None:
    lay_out(history, NOW - timedelta(days=120))
    for days in range(0, 120, 3):
        add(NOW - timedelta(days=days))
    with history.database.reading() as connection:
        # Of few rows all is read and sorted.
        connection.exec_driver_sql("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off")
        query = "SELECT id FROM exchanges {} ORDER BY started_at DESC, id DESC LIMIT 5"
        for where in ("", "WHERE search @@ to_tsquery('simple', 'provider')"):
            plan = connection.exec_driver_sql(f"EXPLAIN ANALYZE {query.format(where)}").scalars().all()
            assert "Merge Append" not in " ".join(plan), "the partitions are in the order of the list"
            assert "never executed" in " ".join(plan)
        of_month = f"SELECT id FROM exchanges WHERE started_at >= '{utc_text(NOW - timedelta(days=20))}'"
        plan = connection.exec_driver_sql(f"EXPLAIN {of_month}").scalars().all()
        assert "exchanges_2026_10" not in " ".join(plan)


@pytest.mark.parametrize(
    ("more", "first"),
    [(0, "2026-11-01"), (1, "2026-12-01"), (2, "2027-01-01"), (-11, "2025-12-01"), (14, "2028-01-01")],
)
def test_months_are_counted_over_years(more: int, first: str) -> None:
    assert month_of(NOW, more) == first


def test_bounds_are_read_as_postgresql_writes_them(history: History) -> None:
    history.count(Filters())
    with history.database.reading() as connection:
        assert partitions.partitions(connection) == [Partition(PAST, "", "")]


def test_lost_exchanges_are_looked_for_in_an_index_of_those_that_wait(
    history: History, add: Callable[..., int], exchange: Callable[..., Exchange]
) -> None:
    add(NOW)
    with history.database.reading() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        waiting = "SELECT id FROM exchanges WHERE outcome = 'none' AND failure = '' AND started_at < '2026-12-01'"
        plan = " ".join(connection.exec_driver_sql(f"EXPLAIN {waiting}").scalars())
    assert "exchanges_past_waiting" in plan
    lost = history.begin(replace(exchange(), started_at=NOW - timedelta(hours=2)))
    Upkeep(history, lambda: NOW).round()
    row = history.get(lost)
    assert row is not None
    assert row.exchange.failure is not None


def test_word_that_is_looked_for_too_long_is_found_by_the_index_of_words(
    history: History, add: Callable[..., int], database_url: str
) -> None:
    id = add(NOW, case="seldom")
    for _ in range(3):
        add(NOW)
    run: list[str] = []
    event.listen(history.database.engine, "before_cursor_execute", lambda *values: run.append(values[2]))
    assert [row.exchange.id for row in history.page(Filters.parse("seldom"), None, 10)] == [id]
    by_words = [statement for statement in run if "enable_indexscan = off" in statement]
    assert by_words == [], "it was found at once"
    with create_engine(database_url).connect() as other:
        other.exec_driver_sql("LOCK TABLE exchanges")
        unlocking = Timer(2 * WALK_SECONDS, other.rollback)  # the first try waits for longer than it may
        unlocking.start()
        assert [row.exchange.id for row in history.page(Filters.parse("seldom token,x"), None, 10)] == []
        unlocking.join()
        other.exec_driver_sql("LOCK TABLE exchanges")
        unlocking = Timer(2 * WALK_SECONDS, other.rollback)
        unlocking.start()
        assert [row.exchange.id for row in history.page(Filters.parse("seldom"), None, 10)] == [id]
        unlocking.join()
        other.invalidate()
    assert sum("enable_indexscan = off" in statement for statement in run) == 2
    with history.database.reading() as connection:
        assert connection.exec_driver_sql("SHOW enable_indexscan").scalar_one() == "on"
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "1min"
