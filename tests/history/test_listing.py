import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from oauth.exchange import Exchange
from oauth.history import listing
from oauth.history.filters import Filters
from oauth.history.store import History, Row

CASES = ("common rare", "common", "common odd", "odd", "common", "common odd", "rare odd", "common", "common", "odd")


@pytest.fixture
def late(history: History, exchange: Callable[..., Exchange]) -> History:
    """Rows whose times are in another order than their numbers, as an import leaves them; some at the same time."""
    for number, case in enumerate(CASES):
        at = exchange().started_at + timedelta(minutes=number * 7 % 5)
        history.begin(replace(exchange(case=case), started_at=at))
    return history


def pages(history: History, filters: Filters, limit: int) -> list[int]:
    found: list[int] = []
    while page := history.page(filters, found[-1] if found else None, limit):
        found += [row.exchange.id or 0 for row in page]
    return found


def expected(line: str) -> list[int]:
    wanted = [word for word in line.split() if not word.startswith("-")]
    unwanted = [word[1:] for word in line.split() if word.startswith("-")]
    fits = [
        (number * 7 % 5, number + 1)
        for number, case in enumerate(CASES)
        if all(word in case for word in wanted) and not any(word in case for word in unwanted)
    ]
    return [id for _, id in sorted(fits, reverse=True)]


@pytest.mark.parametrize(("rare", "window"), [(2000, 500), (2, 1), (2, 3), (0, 2)])
@pytest.mark.parametrize("limit", [1, 3, 50])
@pytest.mark.parametrize(
    "line", ["", "common", "rare", "odd common", "-common", "-odd -rare", "odd -common", "missing"]
)
def test_pages_are_the_whole_list_in_order_however_words_are_looked_up(
    late: History, monkeypatch: pytest.MonkeyPatch, line: str, limit: int, rare: int, window: int
) -> None:
    monkeypatch.setattr(listing, "RARE", rare)
    monkeypatch.setattr(listing, "WINDOW", window)
    monkeypatch.setattr(listing, "LONGEST_WINDOW", window * 4)
    assert pages(late, Filters.parse(line), limit) == expected(line)
    assert late.count(Filters.parse(line)) == len(expected(line))


@pytest.mark.parametrize("disorder", [0, 3, 400])
@pytest.mark.parametrize("line", ["often", "often by:ada", "seldom -often", "seldom by:ada", "often seldom"])
def test_pages_with_words_are_in_the_order_of_time_however_far_that_is_from_the_order_of_numbers(
    history: History, exchange: Callable[..., Exchange], line: str, disorder: int
) -> None:
    chance = random.Random(disorder)
    rows: list[Row] = []
    for number in range(400):
        at = exchange().started_at + timedelta(seconds=number + chance.randint(-disorder, disorder))
        case = " ".join(word for word, share in (("often", 0.5), ("seldom", 0.05)) if chance.random() < share)
        owner = chance.choice(("", "ada"))
        rows.append(Row(replace(exchange(case=case, owner=owner), started_at=at)))
    history.add(rows)
    everything = [row.exchange for row in history.rows(Filters())]
    for word in line.split():
        if word == "by:ada":
            everything = [shown for shown in everything if shown.owner == "ada"]
        else:
            is_wanted = not word.startswith("-")
            everything = [shown for shown in everything if (word.lstrip("-") in shown.case) == is_wanted]
    assert pages(history, Filters.parse(line), 7) == [shown.id for shown in everything]


def test_alternatives_are_merged_and_shown_once(late: History) -> None:
    both = Filters.parse('case:"common rare","odd","rare odd" status:none')
    assert pages(late, both, 2) == [id for id in expected("") if CASES[id - 1] in ("common rare", "odd", "rare odd")]


def test_a_page_goes_on_where_a_removed_row_was(history: History, exchange: Callable[..., Exchange]) -> None:
    ids = [history.begin(exchange()) for _ in range(5)]
    with history.database.writing() as connection:
        connection.exec_driver_sql(f"DELETE FROM exchanges WHERE id = {ids[2]}")
    assert [row.exchange.id for row in history.page(Filters(), ids[2], 10)] == [ids[1], ids[0]]
    assert history.page(Filters(), 0, 10) == []


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("9f2a41d07b", True),
        ("9F2A41D07B", True),
        ("code", True),
        ('"code 9f2a41d07b"', True),
        ('"9f2a41d07b code"', False),
        ("9f2a", False),
        ("9f2a*", True),
        ('"code 9f2*"', True),
        ("access_token", True),
        ("token_access", False),
        ("f2a41d07b*", False),
    ],
)
def test_words_phrases_and_beginnings(
    history: History, exchange: Callable[..., Exchange], line: str, is_found: bool
) -> None:
    history.begin(exchange(case="«code #9f2a41d07b 40ch» access_token"))
    assert history.count(Filters.parse(line)) == is_found


def test_a_search_follows_what_happens_to_a_row(history: History, exchange: Callable[..., Exchange]) -> None:
    def found(word: str) -> int:
        return history.count(Filters(text=word))

    sent = exchange(flow="f", case="before")
    id = history.begin(sent)
    assert (found("before"), found("answered")) == (1, 0)
    history.complete(id, sent, documented_error=None, error="answered", error_description="")
    history.set_note(id, "noted")
    assert [found(word) for word in ("before", "answered", "noted")] == [1, 1, 1]
    history.set_case("f", "after")
    history.set_note(id, "")
    assert [found(word) for word in ("before", "after", "noted", "answered")] == [0, 1, 0, 1]
    with history.database.writing() as connection:
        connection.exec_driver_sql(f"DELETE FROM exchanges WHERE id = {id}")
    assert [found(word) for word in ("after", "answered", "provider")] == [0, 0, 0]


def test_the_search_knows_every_row_once_whatever_happens_to_it_before_and_after_it_is_indexed(
    history: History, exchange: Callable[..., Exchange]
) -> None:
    chance = random.Random(1)
    words: dict[int, str] = {}
    for number in range(300):
        lot, id = chance.random(), chance.choice([*words]) if words else 0
        if lot < 0.5 or not words:
            words[history.begin(exchange(case=f"word{number}"))] = f"word{number}"
        elif lot < 0.7:
            # Often the newest: its number is the largest in the index.
            id = max(words) if chance.random() < 0.5 else id
            history.set_row_case(id, f"word{number}")
            words[id] = f"word{number}"
        elif lot < 0.85:
            id = max(words) if chance.random() < 0.5 else id
            del words[id]
            with history.database.writing() as connection:
                connection.exec_driver_sql(f"DELETE FROM exchanges WHERE id = {id}")
        else:
            history.count(Filters())  # brings the index up to date
    found = {id: [row.exchange.id for row in history.rows(Filters(text=word))] for id, word in words.items()}
    assert found == {id: [id] for id in words}
    with history.database.writing() as connection:
        if connection.dialect.name == "sqlite":
            check = "INSERT INTO exchanges_search (exchanges_search, rank) VALUES ('integrity-check', 1)"
            connection.exec_driver_sql(check)
