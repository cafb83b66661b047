"""Turns of two consoles on one PostgreSQL database."""

import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from oauth.drills.sandbox_queue import Queue
from oauth.history.database import Database
from oauth.history.elsewhere_lock import ElsewhereLock
from oauth.installation import now
from tests.servers import postgresql

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(postgresql_server: postgresql.Server) -> str:
    return postgresql_server.url(postgresql_server.new_database())


@pytest.fixture
def one(url: str) -> Iterator[Queue]:
    yield from queue(url)


@pytest.fixture
def two(url: str) -> Iterator[Queue]:
    yield from queue(url)


def queue(url: str) -> Iterator[Queue]:
    """A console's queue, with the database's connections closed at the end."""
    turns, lock = Queue(), ElsewhereLock(Database(url, now))
    turns.share(lock)
    yield turns
    lock.close()


def test_two_consoles_take_turns_and_say_whose_it_is(one: Queue, two: Queue) -> None:
    with two.turn("the second") as second:
        with one.exclusive("a drill that expires a code"):
            assert second.wait(0.05) == "a drill that expires a code of another console"
            assert two.holder == "the second"
        with one.exclusive("a drill that expires a code"):
            pass
        assert second.wait(1) == ""


def test_turns_alternate_while_both_consoles_have_many(one: Queue, two: Queue) -> None:
    order: list[str] = []
    both_began = threading.Barrier(2)

    def run(name: str, turns: Queue) -> None:
        both_began.wait()
        for _ in range(20):
            with turns.exclusive(name):
                order.append(name)
                threading.Event().wait(0.005)

    threads = [threading.Thread(target=run, args=pair) for pair in (("one", one), ("two", two))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(order) == 40
    changes = sum(before != after for before, after in itertools.pairwise(order))
    assert changes > 10, order


@pytest.mark.process
def test_a_killed_console_loses_its_turn(url: str) -> None:
    script = f"""
from oauth.history.database import Database
from oauth.history.elsewhere_lock import ElsewhereLock
from oauth.installation import now
print(ElsewhereLock(Database({url!r}, now)).take("a drill", 1), flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "\n"
        lock = ElsewhereLock(Database(url, now))
        assert lock.take("another", 0.05) == "a drill of another console"
        holder.kill()
        assert lock.take("another", 10) == ""
        lock.close()


def test_without_a_database_nothing_is_waited_for(postgresql_server: postgresql.Server) -> None:
    for turns in queue(postgresql_server.url("there_is_none")):
        with turns.turn("a drill") as turn:
            assert turn.wait(5) == ""


def test_a_lost_connection_is_made_again(one: Queue, two: Queue, postgresql_server: postgresql.Server) -> None:
    for turns in (one, two):
        with turns.exclusive("a drill"):
            pass
    postgresql_server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'a drill'"
    )
    with one.exclusive("the first"):
        pass  # notices that its connection is gone
    with one.exclusive("the first"), two.turn("the second") as second:
        second.wait(0)
        assert second.wait(0.05) == "the first of another console"
