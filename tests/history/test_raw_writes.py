from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from oauth.exchange import Exchange
from oauth.history import raw_writes
from oauth.history.filters import Filters
from oauth.history.store import History, HistoryError


@pytest.fixture
def opened(history: History, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The connections that were opened, in order."""
    found: list[Any] = []
    take = raw_writes.RawWrites._take

    def noting(self: raw_writes.RawWrites, idle: list[Any]) -> Any:
        connection = take(self, idle)
        if connection not in found:
            found.append(connection)
        return connection

    monkeypatch.setattr(raw_writes.RawWrites, "_take", noting)
    return found


def test_a_connection_is_used_again_and_none_is_kept_when_all_are_closed(
    history: History, exchange: Callable[..., Exchange], opened: list[Any]
) -> None:
    assert [history.begin(exchange()) for _ in range(3)] == [1, 2, 3]
    assert len(opened) == 1
    # Another thread finds the file changed meanwhile, and closes what is open.
    closing = Thread(target=history.database.engine.dispose)
    closing.start()
    closing.join()
    assert history.begin(exchange()) == 4
    assert len(opened) == 2


def test_a_connection_on_which_a_statement_failed_is_not_used_again(
    history: History, exchange: Callable[..., Exchange], opened: list[Any]
) -> None:
    history.begin(exchange())
    with pytest.raises(HistoryError):
        history.database.at_once("SELECT nothing")
    history.begin(exchange())
    assert len(opened) == 2
    assert history.count(Filters()) == 2


def test_more_exchanges_at_once_than_there_are_connections_wait_and_are_told(
    history: History, exchange: Callable[..., Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    history.begin(exchange())
    few = raw_writes.RawWrites(history.database.engine, lambda _: None, 0.01)
    monkeypatch.setattr(history.database, "_raw_writes", few)
    for _ in range(raw_writes.MOST):
        few._room.acquire()  # as a statement does that takes its time
    with pytest.raises(HistoryError, match="connections are in use"):
        history.begin(exchange())
    few._room.release()
    assert history.begin(exchange()) == 2
