from collections.abc import Callable

import pytest

from oauth.exchange import Exchange
from oauth.history import deletion
from oauth.history.deletion import delete_shown, last_id
from oauth.history.filters import Filters
from oauth.history.store import History


def test_what_the_filters_show_is_deleted_piece_by_piece_and_nothing_else(
    history: History, exchange: Callable[..., Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "PIECE", 2)
    kept = [history.begin(exchange(case="T-2" if number % 2 else "T-1")) for number in range(10)]
    counted = last_id(history)
    later = history.begin(exchange(case="T-1"))
    assert list(delete_shown(history, Filters(case="T-1"), counted)) == [2, 4, 5]
    left = [row.exchange.id for row in history.rows(Filters())]
    assert left == [later, *kept[:0:-2]]
    assert history.count(Filters(text="T-1")) == 1, "the search forgets them too"


def test_an_abandoned_deletion_keeps_the_rest(
    history: History, exchange: Callable[..., Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "PIECE", 2)
    for _ in range(5):
        history.begin(exchange())
    assert next(delete_shown(history, Filters(), last_id(history))) == 2
    assert history.count(Filters()) == 3


def test_an_owner_deletes_only_what_is_theirs(history: History, exchange: Callable[..., Exchange]) -> None:
    history.begin(exchange(owner="ada"))
    history.begin(exchange(owner="bob"))
    assert list(delete_shown(history.seen_by("ada"), Filters(), last_id(history))) == [1]
    assert [row.exchange.owner for row in history.rows(Filters())] == ["bob"]


def test_an_empty_history_has_no_last_row(history: History) -> None:
    assert last_id(history) == 0
    assert list(delete_shown(history, Filters(), 0)) == []


def test_nothing_of_what_was_deleted_is_left_in_the_files(
    history: History, exchange: Callable[..., Exchange], stored: Callable[[], bytes]
) -> None:
    for number in range(200):
        history.begin(exchange(case="unforgettable" if number % 10 == 0 else "ordinary"))
        history.count(Filters())  # each in a part of the search index of its own
    history.set_note(history.begin(exchange(case="unforgettable")), "unforgettable too")
    assert history.count(Filters(text="unforgettable")) == 21
    assert stored().count(b"unforgettable") > 0
    list(delete_shown(history, Filters(case="unforgettable"), last_id(history)))
    left = stored()
    assert b"unforgettable" not in left
    assert b"ordinary" in left
    assert history.count(Filters(text="ordinary")) == 180
