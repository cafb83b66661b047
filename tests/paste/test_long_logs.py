"""Long logs: read a portion at a time, with progress, and as far as the time allows."""

import itertools
import time

import pytest

from oauth import paste
from oauth.paste import ParseError, Pasted

RECORD = "2026-11-23 10:15:{:02} INFO [worker-3] Processed order id={} in 12 ms\n"
FAILURE = (
    '2026-11-23 10:16:{0:02} ERROR Token refresh failed: 400 Bad Request {{"error":"invalid_grant",\n'
    '  "error_description":"Invalid refresh token of job {0}"}}\n'
)


@pytest.fixture(autouse=True)
def portion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paste, "PORTION", 10_000)
    monkeypatch.setattr(paste, "_FAR", 1_000)


def log(failures: int) -> str:
    records = "".join(RECORD.format(number % 60, number) for number in range(120))
    return "".join(records + FAILURE.format(number) for number in range(failures))


def bodies(items: list[Pasted]) -> list[bytes]:
    return [item.response.body for item in items if item.response]


def test_portions_hold_what_the_whole_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    text = log(9)
    items = paste.read(text)
    monkeypatch.setattr(paste, "PORTION", len(text))
    assert items == (whole := paste.read(text))
    assert [item.spans for item in items] == [item.spans for item in whole]
    assert len(bodies(items)) == 9


def test_progress_says_how_much_is_read_and_found() -> None:
    reports: list[str] = []
    paste.read(log(9), reports.append)
    assert reports[0] == "looking for requests and answers: 0 % read, 0 found"
    shares = [int(report.split()[5]) for report in reports[:-1]]
    assert shares == sorted(set(shares))
    assert len(shares) > 5


def test_what_was_read_in_time_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: float(next(ticks)))
    text = log(9)
    items, end = paste.read_within(text, 2.5)
    assert 0 < len(bodies(items)) < 9
    assert all(place[1] <= end for item in items for place in item.spans)
    assert text[end:].startswith("2026-11-23 10:15:"), "the rest begins with a record"
    rest, _ = paste.read_within(text[end:], None)
    assert len(bodies(items)) + len(bodies(rest)) == 9


def test_a_log_with_nothing_in_it_says_so() -> None:
    with pytest.raises(ParseError, match="was found"):
        paste.read(log(1).partition("ERROR")[0] * 9)


def test_the_exchanges_of_all_portions_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oauth.paste.result.MOST_EXCHANGES", 5)
    with pytest.raises(ParseError, match="more than 5 exchanges"):
        paste.read(log(9))
