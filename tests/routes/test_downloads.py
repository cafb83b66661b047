import csv
import io
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from oauth.exchange import Exchange, Request, Response, Step
from oauth.history import store
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.routes.downloads import signed_link
from oauth.settings import Settings


@pytest.fixture
def filled(history: History, clock: Callable[[], datetime]) -> History:
    for number in range(20):
        sent = Exchange(
            Step.API if number % 2 else Step.TOKEN,
            Request("GET", f"https://p.example/{number}"),
            clock(),
            owner="ada" if number % 4 else "bob",
        )
        id = history.begin(sent)
        answer = replace(sent, response=Response(200, body=b"{}"))
        history.complete(id, answer, documented_error=None, error="", error_description="")
    return history


def ids(answer: httpx.Response) -> list[int]:
    return [int(row["id"]) for row in csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))]


def test_the_file_has_what_the_filters_show(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    everything = http.get(signed_link(settings, Filters(), clock()))
    assert everything.status_code == 200
    assert ids(everything) == list(range(20, 0, -1))
    some = http.get(signed_link(settings, Filters(step="api", text="p.example/1", owner="ada"), clock()))
    assert ids(some) == [row.exchange.id for row in filled.rows(Filters(step="api", text="p.example/1", owner="ada"))]
    assert len(ids(some)) == 6
    assert ids(http.get(signed_link(settings, Filters(owner="bob"), clock()))) == [17, 13, 9, 5, 1]
    assert ids(http.get(signed_link(settings, Filters(text="nothing"), clock()))) == []


def test_the_answer_is_a_file_that_nobody_keeps_or_compresses(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    answer = http.get(signed_link(settings, Filters(), clock()), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="oauth-history-20261123-101619.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Encoding"] == "identity"
    assert answer.content.startswith(b"\xef\xbb\xbfid,started_at,")


def test_a_large_file_is_complete(
    filled: History,
    http: httpx.Client,
    settings: Settings,
    clock: Callable[[], datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "BATCH", 3)
    body = b"x" * 100_000
    big = filled.begin(Exchange(Step.API, Request("POST", "https://p.example/big", (), body), clock()))
    answer = http.get(signed_link(settings, Filters(), clock()))
    assert ids(answer) == [big, *range(20, 0, -1)]
    assert body in answer.content


def test_a_link_works_for_a_minute(
    filled: History, http: httpx.Client, settings: Settings, times: list[datetime]
) -> None:
    link = signed_link(settings, Filters(), times[0])
    times.append(times[0] + timedelta(seconds=60))
    assert http.get(link).status_code == 200
    times.append(times[0] + timedelta(seconds=61))
    answer = http.get(link)
    assert answer.status_code == 403
    assert "This link has expired" in answer.text
    assert 'href="/history"' in answer.text
    assert "p.example" not in answer.text


def test_a_link_that_was_not_signed_here_is_refused(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    path, token = signed_link(settings, Filters(owner="ada"), clock()).split("?link=")
    foreign = signed_link(replace(settings, key=b"another key of the same length.."), Filters(), clock())
    content, signature = token.split(".")
    everybody = signed_link(settings, Filters(), clock()).split("?link=")[1].split(".")[0]
    for wrong in (path, f"{path}?link=", f"{path}?link={content}", f"{path}?link={everybody}.{signature}", foreign):
        answer = http.get(wrong)
        assert answer.status_code == 403
        assert "This link has expired" in answer.text


def test_a_history_that_cannot_be_read_is_a_page_and_no_file(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime], tmp_path: Path
) -> None:
    filled.database.engine.dispose()
    (tmp_path / "history.db").write_bytes(b"\xff" * 8192)
    answer = http.get(signed_link(settings, Filters(), clock()))
    assert answer.status_code == 503
    assert "is damaged" in answer.text
    assert "Content-Disposition" not in answer.headers


def test_a_file_that_breaks_off_does_not_look_whole(
    filled: History,
    http: httpx.Client,
    settings: Settings,
    clock: Callable[[], datetime],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(store, "BATCH", 1)
    with sqlite3.connect(tmp_path / "history.db") as connection:
        connection.execute("UPDATE exchanges SET started_at = 'yesterday' WHERE id = 10")
    connection.close()
    with pytest.raises(httpx.RemoteProtocolError):
        http.get(signed_link(settings, Filters(), clock()))


def test_only_get_is_answered(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    assert http.head(signed_link(settings, Filters(), clock())).status_code == 405
