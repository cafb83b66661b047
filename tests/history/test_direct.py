from collections.abc import Callable
from threading import Thread

import pytest

from oauth.exchange import Exchange
from oauth.history import direct
from oauth.history.filters import Filters
from oauth.history.store import History, HistoryError


def test_a_connection_is_used_again_and_none_is_kept_when_all_are_closed(
    history: History, exchange: Callable[..., Exchange]
) -> None:
    with history.database.at_once() as cursor:
        first = cursor.connection
    with history.database.at_once() as cursor:
        assert cursor.connection is first
        # Another thread finds the file changed meanwhile, and closes what is open.
        closing = Thread(target=history.database.engine.dispose)
        closing.start()
        closing.join()
    with history.database.at_once() as cursor:
        assert cursor.connection is not first
    assert history.begin(exchange()) == 1


def test_a_connection_on_which_a_statement_failed_is_not_used_again(
    history: History, exchange: Callable[..., Exchange]
) -> None:
    with history.database.at_once() as cursor:
        failed = cursor.connection
    with pytest.raises(HistoryError), history.database.at_once() as cursor:
        cursor.execute("SELECT nothing")
    with history.database.at_once() as cursor:
        assert cursor.connection is not failed
    history.begin(exchange())
    assert history.count(Filters()) == 1


def test_more_exchanges_at_once_than_there_are_connections_wait_and_are_told(
    history: History, exchange: Callable[..., Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    history.begin(exchange())
    monkeypatch.setattr(history.database, "_direct", direct.Direct(history.database.engine, lambda _: None, 0.01))
    held = [history.database.at_once() for _ in range(direct.MOST)]
    for one in held:
        one.__enter__()
    with pytest.raises(HistoryError, match="connections are in use"):
        history.begin(exchange())
    held[0].__exit__(None, None, None)
    assert history.begin(exchange()) == 2
    for one in held[1:]:
        one.__exit__(None, None, None)
