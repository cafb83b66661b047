from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from oauth.client import send
from oauth.exchange import Exchange
from oauth.handover import Handover, Labels
from oauth.history import deadlines
from oauth.history.filters import Filters
from oauth.history.store import History, HistoryError
from oauth.recorder import Recorder
from oauth.redaction import Vault
from tests.exchanges import token_exchange
from tests.history import pauses
from tests.hostile.servers import OK, answering, serving
from tests.servers.postgresql import Server
from tests.servers.running import free_port


@pytest.fixture
def name(postgresql_server: Server) -> str:
    """A database of this test's own, still empty."""
    return postgresql_server.new_database()


@pytest.fixture
def database_url(postgresql_server: Server, name: str) -> str:
    return postgresql_server.url(name)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_both_spellings_of_the_address_work(
    database_url: str, open_history: Callable[..., History], exchange: Callable[..., Exchange], scheme: str
) -> None:
    assert open_history(database_url.replace("postgresql", scheme, 1)).begin(exchange()) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"password": "a-wrong-password"}, "the server refuses the user or the password. Correct them in CONSOLE_DAT"),
        ({"user": "nobody-of-this-name"}, "the server refuses the user or the password"),
        ({"database": "missing"}, "is missing: the server has no such database. Create it with createdb"),
    ],
)
def test_an_address_that_is_wrong_is_named_without_the_password(
    postgresql_server: Server, open_history: Callable[..., History], change: dict[str, str], sentence: str
) -> None:
    url = postgresql_server.url(**change)
    with pytest.raises(HistoryError) as told:
        open_history(url).count(Filters())
    assert sentence in str(told.value)
    assert "127.0.0.1" in str(told.value)
    for password in ("a-wrong-password", postgresql_server.password):
        assert password not in str(told.value)


def test_a_server_that_does_not_answer_is_named(open_history: Callable[..., History]) -> None:
    for host in (f"127.0.0.1:{free_port()}", "nowhere.invalid"):
        with pytest.raises(HistoryError, match=r"cannot be reached: its server does not respond\. Check that Postg"):
            open_history(f"postgresql://u:secret-word@{host}/d").count(Filters())


def test_a_server_that_stops_in_the_middle_is_told_and_used_again_when_it_is_back(
    postgresql_server: Server, history: History, exchange: Callable[..., Exchange]
) -> None:
    kept = history.begin(exchange())
    postgresql_server.stop()
    try:
        with pytest.raises(HistoryError, match="its server does not respond"):
            history.begin(exchange())
    finally:
        postgresql_server.start()
    assert history.begin(exchange()) > kept
    assert history.count(Filters()) == 2


def test_a_connection_that_broke_while_nobody_used_it_is_replaced(
    postgresql_server: Server, history: History, exchange: Callable[..., Exchange], name: str
) -> None:
    history.begin(exchange())
    end_connections(postgresql_server, name)
    assert history.begin(exchange()) == 2


def test_a_connection_that_breaks_in_the_middle_is_told(
    postgresql_server: Server, history: History, exchange: Callable[..., Exchange], name: str
) -> None:
    def read() -> None:
        with history.database.reading() as connection:
            end_connections(postgresql_server, name)
            connection.exec_driver_sql("SELECT 1")

    history.begin(exchange())
    with pytest.raises(HistoryError, match="was cut off: the connection to its server broke"):
        read()
    assert history.count(Filters()) == 1


def end_connections(server: Server, name: str) -> None:
    server.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")


def test_a_read_only_database_can_be_read(
    postgresql_server: Server, open_history: Callable[..., History], exchange: Callable[..., Exchange], name: str
) -> None:
    open_history().begin(exchange())
    postgresql_server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    history = open_history()
    with pytest.raises(HistoryError, match=r"is read-only\. Name the primary server"):
        history.begin(exchange())
    assert history.count(Filters()) == 1


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("53100", r"is full: there is no room to write\. Free some space"),
        ("53300", "the server has too many connections"),
        ("42501", "may not be changed by this user"),
        ("22000", r"cannot be used: error 22000\."),
    ],
)
def test_what_the_server_refuses_is_told_and_nothing_of_the_exchange(
    postgresql_server: Server, history: History, exchange: Callable[..., Exchange], name: str, state: str, sentence: str
) -> None:
    kept = history.begin(exchange())
    postgresql_server.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'row %', NEW USING ERRCODE = '{state}'; END $$",
        name,
    )
    postgresql_server.execute("CREATE TRIGGER refuse BEFORE INSERT ON exchanges EXECUTE FUNCTION refuse()", name)
    with pytest.raises(HistoryError, match=sentence) as told:
        history.begin(exchange(case="not-to-be-told"))
    assert "not-to-be-told" not in str(told.value)
    assert history.get(kept) is not None


def test_too_many_connections_are_told(
    postgresql_server: Server, open_history: Callable[..., History], exchange: Callable[..., Exchange], name: str
) -> None:
    postgresql_server.execute("CREATE ROLE plain LOGIN PASSWORD 'plain' CONNECTION LIMIT 0")
    try:
        with pytest.raises(HistoryError, match="the server has too many connections"):
            open_history(postgresql_server.url(name, password="plain", user="plain")).begin(exchange())
    finally:
        postgresql_server.execute("DROP ROLE plain")


def test_a_table_that_is_locked_is_told(
    database_url: str, open_history: Callable[..., History], exchange: Callable[..., Exchange]
) -> None:
    history = open_history()
    history.begin(exchange())
    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE exchanges")
        with pytest.raises(HistoryError, match="is locked by another program"):
            history.begin(exchange())
        with pytest.raises(HistoryError, match="is locked by another program"):
            history.set_note(1, "at once, since another use has waited a moment ago")
    pauses.end(history.database)
    assert history.begin(exchange()) > 1


def test_frozen_server_costs_one_wait_and_the_walkthrough_goes_on(
    postgresql_server: Server, history: History, exchange: Callable[..., Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float | None] = []
    wait = psycopg.Connection.wait

    def counted(connection: Any, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return wait(connection, gen, interval, timeout)
        except psycopg.OperationalError:
            waits.append(timeout)
            raise

    before = history.begin(exchange())
    monkeypatch.setattr(psycopg.Connection, "wait", counted)
    recorder = Recorder(history, Vault(b"k" * 32))
    with postgresql_server.frozen():
        with serving(answering(OK)) as server:
            record = send(token_exchange(server.url), recorder)
        assert record.live.response is not None
        assert record.live.response.status == 200
        with pytest.raises(HistoryError, match="its server does not respond"):
            history.get(before)
        with pytest.raises(HistoryError, match="its server does not respond"):
            history.set_note(before, "x")
        with pytest.raises(HistoryError, match="its server does not respond"):
            Handover(history.database).expect("s" * 32, Labels(flow="f"))
        assert "its server does not respond" in recorder.problem
        assert waits == [deadlines.ANSWER_SECONDS]
        pauses.end(history.database)
        with pytest.raises(HistoryError, match="its server does not respond"):
            history.get(before)  # on a connection of the pool, or a new one
    pauses.end(history.database)
    assert history.get(before) is not None
    assert history.begin(exchange()) > before


def test_lock_that_is_given_up_is_free_at_once(postgresql_server: Server, open_history: Callable[..., History]) -> None:
    url = postgresql_server.url(postgresql_server.new_database())
    one, other = open_history(url).database, open_history(url).database
    for _ in range(200):
        assert one.hold(1)
        assert not other.hold(1)
        one.let_go(1)
        assert other.hold(1), "the server had not noticed the closed connection yet"
        other.let_go(1)
