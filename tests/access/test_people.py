from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from oauth.access import people, sign_outs
from oauth.access.person import Person
from oauth.access.roles import Role
from oauth.history.schema import people as table
from oauth.history.store import History

ADA = Person("7@login.example", "Ada", Role.READER)
MORNING = datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_sign_in_returns_the_former_role(history: History) -> None:
    assert people.seen(history.database, ADA, "ada@c.example", MORNING) is None
    assert people.seen(history.database, ADA, "ada@c.example", MORNING) is Role.READER
    admin = replace(ADA, name="Ada L.", role=Role.ADMIN)
    assert people.seen(history.database, admin, "", MORNING + timedelta(hours=1)) is Role.READER
    assert people.seen(history.database, admin, "", MORNING + timedelta(hours=2)) is Role.ADMIN
    with history.database.reading() as connection:
        assert connection.execute(select(table)).all() == [
            (ADA.id, "Ada L.", "", "admin", MORNING, MORNING + timedelta(hours=2))
        ]


def test_person_without_a_role_had_the_role_none(history: History) -> None:
    people.seen(history.database, replace(ADA, role=Role.NONE), "", MORNING)
    assert people.seen(history.database, ADA, "", MORNING) is Role.NONE


def test_of_sign_ins_at_once_one_sees_the_former_role(history: History, open_history: Callable[..., History]) -> None:
    databases = [history.database, open_history().database] * 4
    history.database.prepare()
    with ThreadPoolExecutor(len(databases)) as threads:
        new = list(threads.map(lambda database: people.seen(database, ADA, "", MORNING), databases))
        changed = replace(ADA, role=Role.SUPPORT)
        former = list(threads.map(lambda database: people.seen(database, changed, "", MORNING), databases))
    assert new.count(None) == 1
    assert former.count(Role.READER) == 1


def test_names_are_those_of_the_last_sign_in(history: History) -> None:
    people.seen(history.database, ADA, "", MORNING)
    people.seen(history.database, replace(ADA, name="Ada L."), "", MORNING)
    assert people.names(history.database, {ADA.id, "local"}) == {ADA.id: "Ada L."}


def test_session_that_was_ended_is_known_to_the_other_console_and_not_stored(
    history: History, open_history: Callable[..., History], stored: Callable[[], bytes]
) -> None:
    assert not sign_outs.has_ended(history.database, "a session's name")
    for _ in range(2):
        sign_outs.end(history.database, "a session's name", MORNING)
    other = open_history().database
    assert sign_outs.has_ended(other, "a session's name")
    assert not sign_outs.has_ended(other, "another session's name")
    assert b"session's name" not in stored()
    sign_outs.forget_past(history.database, MORNING - timedelta(seconds=1))
    assert sign_outs.has_ended(other, "a session's name")
    sign_outs.forget_past(history.database, MORNING)
    assert not sign_outs.has_ended(other, "a session's name")
