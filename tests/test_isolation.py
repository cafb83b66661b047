"""Calls in a process of their own: results, exceptions, limits, and an end at any time."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from oauth import isolation, paste
from oauth.isolation import IsolationError, call

pytestmark = pytest.mark.process


class StoppedError(Exception):
    pass


def patient(_seconds: float, _last: str) -> None:
    pass


def reverse(text: str, report: Callable[[str], None]) -> str:
    report("reversing it")
    return text[::-1]


def sleep(report: Callable[[str], None]) -> None:
    report(f"sleeping as {os.getpid()}")
    time.sleep(600)


def fill_memory(report: Callable[[str], None]) -> None:
    report("filling the memory")
    bytearray(isolation.MEMORY)


def leave(report: Callable[[str], None]) -> None:
    report("leaving")
    os._exit(3)


def priority(report: Callable[[str], None]) -> int:
    report("looking at the clock")
    return os.getpriority(os.PRIO_PROCESS, 0)


def numbers(most: int, report: Callable[[str], None]) -> list[int]:
    report("counting")
    return list(range(most))


def numbers_and_most(most: int, report: Callable[[str], None]) -> tuple[list[int], int]:
    report("counting")
    return list(range(most)), most


def secrets_around(report: Callable[[str], None]) -> list[str]:
    report("looking around")
    return [name for name in os.environ if name.startswith("CONSOLE_")]


def test_result_of_the_call_comes_back() -> None:
    text = "я" * 3_000_000 + "a"
    assert call(reverse, text, waiting=patient) == text[::-1]


def test_process_gives_way_to_the_server() -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert call(priority, waiting=patient) == min(19, own + isolation.NICE)


@pytest.mark.parametrize("count", [0, isolation.PART, isolation.PART + 1, 3 * isolation.PART])
def test_long_list_comes_back_whole(count: int) -> None:
    assert call(numbers, count, waiting=patient) == list(range(count))
    assert call(numbers_and_most, count, waiting=patient) == (list(range(count)), count)


def test_exception_of_the_call_is_raised_here() -> None:
    with pytest.raises(paste.ParseError, match="the text is empty"):
        call(paste.read, "  ", waiting=patient)


def test_place_of_a_problem_comes_back() -> None:
    text = '{"log": {"entries": [}'
    with pytest.raises(paste.ParseError) as here:
        paste.read(text)
    with pytest.raises(paste.ParseError) as there:
        call(paste.read, text, waiting=patient)
    assert str(there.value) == str(here.value)


def test_call_ends_at_its_time_limit_and_says_how_far_it_was() -> None:
    with pytest.raises(IsolationError, match=r"more than 3 seconds; the last step was: sleeping as \d+"):
        call(sleep, waiting=patient, seconds=3)


def test_call_ends_when_nobody_waits_any_more() -> None:
    processes: list[int] = []

    def stop_when_it_runs(_seconds: float, last: str) -> None:
        if last:
            processes.append(int(last.split()[-1]))
            raise StoppedError

    with pytest.raises(StoppedError):
        call(sleep, waiting=stop_when_it_runs)
    with pytest.raises(ProcessLookupError):
        os.kill(processes[0], 0)


def test_call_that_needs_too_much_memory_is_refused() -> None:
    with pytest.raises(IsolationError, match=r"more than 3,072 MiB of memory; the last step was: filling the memory"):
        call(fill_memory, waiting=patient)


def test_process_that_ends_without_a_result_is_reported() -> None:
    with pytest.raises(IsolationError, match=r"ended without a result \(exit status 3\); the last step was: leaving"):
        call(leave, waiting=patient)


def test_process_knows_no_settings_of_the_console(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONSOLE_KEY", "canary")
    monkeypatch.chdir(tmp_path)
    assert call(secrets_around, waiting=patient) == []
