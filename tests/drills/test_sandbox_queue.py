"""Turns at the sandbox: nobody meets a clock that another one's drill has moved."""

import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from oauth.drills import Setting, drills, run
from oauth.drills.sandbox_queue import SANDBOX, Queue, queue_for
from oauth_sandbox.testing import RunningSandbox

ALL = {drill.id: drill for drill in drills()}


def test_turns_are_first_come_first_served() -> None:
    queue = Queue()
    with queue.turn("the first") as first, queue.turn("the third") as third:
        assert queue.holder == "the first"
        assert first.wait(0) == ""
        assert third.wait(0) == "the first"
    with pytest.raises(ValueError, match="gone wrong"), queue.turn("one that fails"):
        raise ValueError("gone wrong")
    assert queue.holder == ""
    with queue.turn("the next") as following:
        assert following.wait(0) == ""


def test_a_turn_comes_when_the_one_before_ends() -> None:
    queue, came = Queue(), threading.Event()

    def other() -> None:
        with queue.exclusive("the other"):
            came.set()

    with queue.exclusive("the first"):
        thread = threading.Thread(target=other)
        thread.start()
        assert not came.is_set()
    thread.join(10)
    assert came.is_set()


def test_provider_without_control_has_no_queue(setting: Setting) -> None:
    assert queue_for("http://localhost:8501/sandbox/control") is queue_for("http://127.0.0.1:8501/sandbox/control")
    with SANDBOX.exclusive("a drill"), queue_for("").turn("a request to a provider") as turn:
        assert turn.wait(0) == ""


def test_a_second_drill_says_what_it_waits_for_and_never_meets_the_moved_clock(
    setting: Setting, sandbox: RunningSandbox
) -> None:
    with closing(run(ALL["2-expired"], setting)) as first, closing(run(ALL["2-used"], setting)) as second:
        for _ in range(2):
            next(first)
        assert sandbox.sandbox.clock.offset == timedelta(seconds=601)
        told = next(second)
        assert told.is_waiting
        assert told.text == f"Waiting for the sandbox, which is used by: {ALL['2-expired'].title}"
        *_, last = first
        assert last.outcome is not None
        assert last.outcome.passed
        went_on = next(second)
        assert not went_on.is_waiting
        assert sandbox.sandbox.clock.offset == timedelta()
        *_, last = second
        assert last.outcome is not None
        assert last.outcome.passed


def test_concurrent_drills_pass_and_restore_the_clock(setting: Setting, sandbox: RunningSandbox) -> None:
    ids = ["2-expired", "7-expired", "5-deactivated", "11-expired", "10-taken-away"]
    failed: list[str] = []

    def person(owner: str) -> None:
        for id in ids:
            *_, last = run(ALL[id], replace(setting, owner=owner))
            if last.outcome is None or not last.outcome.passed:
                failed.append(f"{owner}, {id}: {last.text}")

    people = [threading.Thread(target=person, args=(owner,)) for owner in ("one", "two")]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join(60)
    assert failed == []
    assert sandbox.sandbox.clock.offset == timedelta()


def test_abandoned_drill_releases_its_turn(setting: Setting) -> None:
    with closing(run(ALL["2-expired"], setting)) as running:
        next(running)
    with SANDBOX.turn("another") as turn:
        assert turn.wait(0) == ""
