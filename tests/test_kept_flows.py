from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from oauth import kept_flows
from oauth.history.schema import kept_flows as table
from oauth.history.store import History
from oauth.kept_flows import Kept, KeptFlows, Labels, forget

COOKIE = "a-cookie-that-only-one-browser-has"
SECRET = b"the-refresh-token-of-somebody-4711"
LIFETIME = timedelta(minutes=60)
ADDRESS = "http://localhost:8501"


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A process's memory, and a function that ends the process."""

    def end() -> None:
        monkeypatch.setattr(kept_flows, "_memory", {})

    end()
    return end


@pytest.fixture
def flows(history: History) -> KeptFlows:
    return KeptFlows(history.database, LIFETIME)


def is_shared(history: History) -> bool:
    return history.database.engine.dialect.name == "postgresql"


def kept(at: datetime, generation: int = 1, flow: str = "f1") -> Kept:
    return Kept(generation, at, Labels(flow, "sandbox", "demo-app"), "a console", SECRET)


def test_a_browser_gets_back_what_it_kept(flows: KeptFlows, times: list[datetime]) -> None:
    name = flows.name(COOKIE, "ada")
    assert flows.load(name) is None
    assert flows.save(name, kept(times[-1]))
    assert flows.load(name) == kept(times[-1])
    assert SECRET.decode() not in repr(flows.load(name))


@pytest.mark.parametrize(
    ("cookie", "person", "place"), [("b" * 32, "ada", ""), (COOKIE, "bob", ""), (COOKIE, "ada", "2")]
)
def test_another_browser_person_or_tab_finds_nothing(
    flows: KeptFlows, times: list[datetime], cookie: str, person: str, place: str
) -> None:
    flows.save(flows.name(COOKIE, "ada"), kept(times[-1]))
    assert flows.load(flows.name(cookie, person, place)) is None


def test_a_flow_is_gone_after_its_lifetime(flows: KeptFlows, times: list[datetime]) -> None:
    name = flows.name(COOKIE, "ada")
    flows.save(name, kept(times[-1]))
    times.append(times[-1] + LIFETIME - timedelta(seconds=1))
    assert flows.load(name) is not None
    times.append(times[-1] + timedelta(seconds=1))
    assert flows.load(name) is None
    assert flows.has("f1") is None
    assert flows.save(name, kept(times[-1], flow="f2"))  # from its first generation on
    assert flows.load(name) == kept(times[-1], flow="f2")


def test_what_expired_is_removed_when_another_browser_begins(
    flows: KeptFlows, history: History, times: list[datetime], stored: Callable[[], bytes]
) -> None:
    name = flows.name(COOKIE, "ada")
    flows.save(name, kept(times[-1]))
    assert name.id.encode() in stored()
    times.append(times[-1] + LIFETIME)
    flows.save(flows.name("b" * 32, "ada"), kept(times[-1]))
    assert [row.id for row in rows(history)] != [name.id]
    assert name.id not in kept_flows._memory


def rows(history: History) -> list[Any]:
    with history.database.reading() as connection:
        return list(connection.execute(table.select()))


def test_a_generation_is_saved_once(flows: KeptFlows, times: list[datetime]) -> None:
    name = flows.name(COOKIE, "ada")
    flows.save(name, kept(times[-1]))
    assert flows.save(name, kept(times[-1], 2))
    assert not flows.save(name, kept(times[-1], 2, "other"))
    assert not flows.save(name, kept(times[-1], 1, "other"))
    assert flows.load(name) == kept(times[-1], 2)
    assert flows.generation(name) == 2


def test_of_many_tabs_that_claim_at_once_one_may_send(flows: KeptFlows, times: list[datetime]) -> None:
    name = flows.name(COOKIE, "ada")
    flows.save(name, kept(times[-1]))
    with ThreadPoolExecutor(8) as threads:
        claims = list(threads.map(lambda _: flows.save(name, kept(times[-1], 2)), range(8)))
    assert sum(claims) == 1


def test_two_consoles_with_one_database_are_one(
    flows: KeptFlows,
    history: History,
    open_history: Callable[..., History],
    times: list[datetime],
    memory: Callable[[], None],
) -> None:
    if not is_shared(history):
        pytest.skip("with SQLite a flow is one process's")
    name = flows.name(COOKIE, "ada", origin=ADDRESS)
    flows.save(name, kept(times[-1]))
    memory()
    other = KeptFlows(open_history().database, LIFETIME)
    there = other.name(COOKIE, "ada", origin="http://localhost:8502")
    assert other.load(there) == kept(times[-1])
    assert other.has("f1")
    assert other.save(there, kept(times[-1], 2))
    assert flows.generation(name) == 2
    memory()
    assert not flows.save(name, kept(times[-1], 2))


def test_with_sqlite_a_restart_says_which_flow_was_lost(
    flows: KeptFlows, history: History, times: list[datetime], memory: Callable[[], None]
) -> None:
    if is_shared(history):
        pytest.skip("with PostgreSQL nothing is lost")
    name = flows.name(COOKIE, "ada", origin=ADDRESS)
    flows.save(name, kept(times[-1]))
    assert flows.has("f1") is True
    memory()
    assert flows.load(name) == replace(kept(times[-1]), payload=None)
    assert flows.has("f1") is False
    assert flows.load(flows.name(COOKIE, "ada", origin="http://localhost:8502")) is None  # which still has its own


def test_the_row_of_a_flow_in_memory_lives_as_long_as_the_flow(
    flows: KeptFlows, history: History, times: list[datetime], memory: Callable[[], None]
) -> None:
    name = flows.name(COOKIE, "ada")
    for generation in range(1, 8):
        assert flows.save(name, kept(times[-1], generation))
        times.append(times[-1] + LIFETIME / 3)
    memory()
    assert flows.load(name) is not None


def test_nothing_in_the_database_tells_what_is_kept(
    flows: KeptFlows, times: list[datetime], stored: Callable[[], bytes]
) -> None:
    flows.save(flows.name(COOKIE, "ada@somewhere.example"), kept(times[-1]))
    written = stored()
    for secret in (SECRET, COOKIE.encode(), SECRET.hex().encode(), b"ada@somewhere.example"):
        assert secret not in written


def test_a_payload_in_the_row_of_another_is_not_read(flows: KeptFlows, history: History, times: list[datetime]) -> None:
    if not is_shared(history):
        pytest.skip("with SQLite no payload is in the database")
    name = flows.name(COOKIE, "ada")
    flows.save(name, kept(times[-1]))
    with history.database.writing() as connection:
        connection.execute(update(table).values(generation=7))
    assert flows.load(name) == replace(kept(times[-1], 7), payload=None)


def test_signing_out_forgets_all_flows_of_the_person_in_that_browser(
    flows: KeptFlows, history: History, times: list[datetime], memory: Callable[[], None]
) -> None:
    mine, second, other = flows.name(COOKIE, "ada"), flows.name(COOKIE, "ada", "2"), flows.name(COOKIE, "bob")
    for name in (mine, second, other):
        flows.save(name, kept(times[-1]))
    forget(history.database, COOKIE, "ada")
    assert [flows.load(name) is None for name in (mine, second, other)] == [True, True, False]
    memory()
    assert [flows.load(name) is None for name in (mine, second, other)] == [True, True, False]


def test_memory_has_room_for_the_flows_that_were_saved_last(
    flows: KeptFlows, times: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_flows, "MOST_IN_MEMORY", 2)
    first, second, third = (flows.name(letter * 32, "ada") for letter in "abc")
    flows.save(first, kept(times[-1]))
    flows.save(second, kept(times[-1]))
    flows.save(first, kept(times[-1], 2))
    flows.save(third, kept(times[-1]))
    assert set(kept_flows._memory) == {first.id, third.id}
