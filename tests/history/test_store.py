import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.history import store
from oauth.history.filters import Filters
from oauth.history.store import History, HistoryError, Row

KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from oauth.exchange import Exchange, Request, Step
from oauth.history.store import History
history = History(sys.argv[1], lambda: datetime.now(UTC))
print(history.begin(Exchange(Step.TOKEN, Request("POST", "https://provider.example/token"), datetime.now(UTC))))
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_exchange_comes_back_as_it_was_kept(history: History, exchange: Callable[..., Exchange]) -> None:
    sent = exchange(flow="9f2a41d07b", owner="ada", case="T-1", provider="sandbox", client_id="demo-app")
    sent = replace(sent, id=history.begin(sent))
    assert history.get(sent.id or 0) == Row(sent, entry="answer/no_answer")
    answered = replace(
        sent,
        response=Response(
            400,
            "Bad Request",
            (("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Request-Id", "r")),
            '{"error": "invalid_grant", "error_description": "Няма"}'.encode(),
            cut=True,
        ),
        duration_ms=84,
    )
    history.complete(sent.id or 0, answered, documented_error=2, error="invalid_grant", error_description="Няма")
    assert history.get(sent.id or 0) == Row(answered, 2, "invalid_grant", "Няма", entry="partner/2")


def test_a_failure_comes_back_as_it_was_kept(history: History, exchange: Callable[..., Exchange]) -> None:
    id = history.begin(exchange())
    failed = exchange(id=id, failure=Failure("timeout", "The read operation timed out"), duration_ms=10_000)
    history.complete(id, failed, documented_error=None, error="", error_description="")
    row = history.get(id)
    assert row == Row(failed, entry="answer/failed")
    assert row is not None
    assert not row.unanswered


def test_a_time_of_another_zone_is_kept_in_utc(history: History, exchange: Callable[..., Exchange]) -> None:
    zone = timezone(timedelta(hours=2))
    id = history.begin(replace(exchange(), started_at=datetime(2026, 11, 23, 12, 0, tzinfo=zone)))
    row = history.get(id)
    assert row is not None
    assert row.exchange.started_at.isoformat() == "2026-11-23T10:00:00+00:00"


def test_completing_leaves_the_case_that_was_set_meanwhile(history: History, exchange: Callable[..., Exchange]) -> None:
    sent = exchange(flow="f")
    id = history.begin(sent)
    history.set_case("f", "T-2")
    history.complete(id, replace(sent, response=Response(200)), documented_error=None, error="", error_description="")
    row = history.get(id)
    assert row is not None
    assert (row.exchange.case, row.unanswered) == ("T-2", False)


def test_completing_a_row_that_is_gone_says_so(history: History, exchange: Callable[..., Exchange]) -> None:
    with pytest.raises(HistoryError, match="Exchange 7 is no longer in the history"):
        history.complete(7, exchange(), documented_error=None, error="", error_description="")


@pytest.mark.parametrize("id", [0, -1, 2, 10**30])
def test_an_id_that_is_not_there_gives_nothing(history: History, exchange: Callable[..., Exchange], id: int) -> None:
    history.begin(exchange())
    assert history.get(id) is None


def test_a_killed_process_leaves_its_row(database_url: str, open_history: Callable[..., History]) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, database_url], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    row = open_history().get(int(killed.stdout))
    assert row is not None
    assert row.unanswered
    assert row.exchange.request.url == "https://provider.example/token"


def test_many_threads_and_a_second_console_lose_nothing(
    history: History, open_history: Callable[..., History], exchange: Callable[..., Exchange]
) -> None:
    consoles = [history, open_history()]

    def record(number: int) -> int:
        console = consoles[number % 2]
        sent = exchange(case=f"T-{number}")
        id = console.begin(sent)
        answer = replace(sent, response=Response(200, body=f"{number}".encode()))
        console.complete(id, answer, documented_error=None, error="", error_description="")
        return id

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(record, range(80)))
    assert len(set(ids)) == 80
    rows = list(history.rows(Filters()))
    assert {row.exchange.id for row in rows} == set(ids)
    assert all(
        row.exchange.response and row.exchange.case == f"T-{row.exchange.response.body.decode()}" for row in rows
    )


def test_a_number_is_never_given_twice(history: History, exchange: Callable[..., Exchange]) -> None:
    last = [history.begin(exchange()) for _ in range(3)][-1]
    with history.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM exchanges")
    assert history.begin(exchange()) == last + 1


def test_pages_follow_each_other_without_gaps(history: History, exchange: Callable[..., Exchange]) -> None:
    ids = [history.begin(exchange(case="odd" if number % 2 else "even")) for number in range(7)]
    first = history.page(Filters(), None, 3)
    assert [row.exchange.id for row in first] == ids[:3:-1]
    history.begin(exchange())  # a new row does not shift the pages behind
    assert [row.exchange.id for row in history.page(Filters(), first[-1].exchange.id, 3)] == ids[3:0:-1]
    assert [row.exchange.id for row in history.page(Filters(text="odd"), 10**30, 3)] == [6, 4, 2]
    assert history.page(Filters(), ids[0], 3) == []


def test_page_without_content_has_everything_else(history: History, exchange: Callable[..., Exchange]) -> None:
    request = Request("POST", "https://p.example/token?a=b", (("Host", "p.example"),), b"grant_type=x")
    begun = exchange(request=request, case="T-1", flow="f")
    response = Response(400, "Bad Request", (("Date", "today"),), b'{"error": "invalid_grant"}')
    id = history.begin(begun)
    completed = replace(begun, response=response)
    history.complete(id, completed, documented_error=11, error="invalid_grant", error_description="expired")
    [whole] = history.page(Filters(), None, 1)
    [row] = history.page(Filters(text="T-1"), None, 1, with_content=False)
    assert whole.exchange.request == request
    assert whole.exchange.response is not None
    bare = replace(
        whole.exchange,
        request=replace(whole.exchange.request, headers=(), body=b""),
        response=replace(whole.exchange.response, headers=(), body=b""),
    )
    assert row == replace(whole, exchange=bare)


def test_all_rows_are_read_across_batches(
    history: History, exchange: Callable[..., Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BATCH", 2)
    ids = [history.begin(exchange(case=case)) for case in ("a", "b", "a", "a", "b", "a", "a")]
    assert [row.exchange.id for row in history.rows(Filters())] == ids[::-1]
    assert [row.exchange.case for row in history.rows(Filters(text="a"))] == list("aaaaa")
    assert [row.exchange.case for row in history.rows(Filters(status="none"))] == list("aabaaba")
    assert history.count(Filters()) == 7


def test_an_abandoned_export_holds_no_connection(history: History, exchange: Callable[..., Exchange]) -> None:
    history.begin(exchange())
    abandoned = history.rows(Filters())
    next(abandoned)
    assert "Connections in pool: 1" in history.database.engine.pool.status()
    assert "Checked out connections: 0" in history.database.engine.pool.status()


def test_a_flow_is_read_in_order_and_labelled_together(history: History, exchange: Callable[..., Exchange]) -> None:
    for step, flow in ((Step.AUTHORIZE, "f"), (Step.TOKEN, "other"), (Step.TOKEN, "f")):
        history.begin(exchange(step, flow=flow))
    history.set_case("f", "T-1234")
    assert [(row.exchange.step, row.exchange.case) for row in history.flow("f")] == [
        (Step.AUTHORIZE, "T-1234"),
        (Step.TOKEN, "T-1234"),
    ]
    assert [row.exchange.case for row in history.flow("other")] == [""]
    with pytest.raises(ValueError, match="flow is empty"):
        history.set_case("", "T-1234")


def test_what_text_cannot_hold_is_kept_readable(history: History, exchange: Callable[..., Exchange]) -> None:
    sent = exchange(case="half \ud83d", request=Request("POST", "https://p.example/", (), b"a\xff\0"))
    id = history.begin(sent)
    answer = replace(sent, response=Response(400))
    history.complete(id, answer, documented_error=None, error="\ud800", error_description="nul \0")
    row = history.get(id)
    assert row is not None
    assert row.exchange.case == "half \ufffd"
    assert row.exchange.request.body == "a\\xff␀".encode()
    assert (row.error, row.error_description) == ("\ufffd", "nul ␀")


names = st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", fullmatch=True)
values = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(headers=st.lists(st.tuples(names, values)).map(tuple), body=values.map(str.encode))
def test_any_headers_and_text_come_back_unchanged(
    history: History, headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    sent = Exchange(Step.API, Request("GET", "https://p.example/", headers, body), datetime(2026, 1, 1, tzinfo=UTC))
    sent = replace(sent, id=history.begin(sent), response=Response(200, "OK", headers, body))
    history.complete(sent.id or 0, sent, documented_error=None, error="", error_description="")
    row = history.get(sent.id or 0)
    assert row is not None
    assert row.exchange == sent


def test_two_consoles_on_one_database_show_each_others_exchanges(
    database_url: str, open_history: Callable[..., History], exchange: Callable[..., Exchange]
) -> None:
    script = """
import sys
from datetime import UTC, datetime
from oauth.exchange import Exchange, Request, Step
from oauth.history.filters import Filters
from oauth.history.store import History
history = History(sys.argv[1], lambda: datetime.now(UTC))
for line in sys.stdin:
    print(sorted(row.exchange.case for row in history.page(Filters(text="shared"), None, 10)), flush=True)
    history.begin(Exchange(Step.TOKEN, Request("POST", "https://p.example/"), datetime.now(UTC), case="shared theirs"))
    print("begun", flush=True)
history.database.engine.dispose()
"""
    ours = open_history()
    with subprocess.Popen(
        [sys.executable, "-c", script, database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        for number in range(2):
            ours.begin(exchange(case=f"shared {number}"))
            other.stdin.write("\n")
            other.stdin.flush()
            seen = [f"shared {found}" for found in range(number + 1)] + ["shared theirs"] * number
            assert other.stdout.readline().strip() == str(seen)
            assert other.stdout.readline() == "begun\n"
            assert ours.count(Filters(text="theirs")) == number + 1
        other.communicate()
