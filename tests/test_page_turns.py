import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from oauth.drills.sandbox_queue import Queue
from oauth.page_turns import PAGES, Turns


class Page:
    """A page that is drawn in a thread of its own, until it is told to end."""

    def __init__(self, turns: Turns, work: Callable[[], None] = lambda: None) -> None:
        self.is_drawn, self._may_end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._draw, args=(turns, work), daemon=True)
        self._thread.start()

    def _draw(self, turns: Turns, work: Callable[[], None]) -> None:
        with turns.turn():
            work()
            self.is_drawn.set()
            assert self._may_end.wait(30)

    def end(self) -> None:
        self._may_end.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


def until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(3000):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("the condition never held")


def test_two_pages_are_drawn_at_once_and_the_others_in_the_order_they_came() -> None:
    turns = Turns(2, 30)
    pages = []
    for number in range(5):
        pages.append(Page(turns))
        until(lambda number=number: (turns.running, turns.waiting) == (min(2, number + 1), max(0, number - 1)))  # type: ignore[misc]
    for number, page in enumerate(pages):
        assert page.is_drawn.wait(30)
        drawn = [one.is_drawn.is_set() for one in pages]
        until(lambda number=number: turns.running == min(2, 5 - number))  # type: ignore[misc]
        assert drawn[number + 2 :] == [False] * len(drawn[number + 2 :])
        page.end()
    assert (turns.running, turns.waiting, turns.taken) == (0, 0, 5)
    assert turns.seconds_waited > 0


def test_page_in_a_page_needs_one_turn() -> None:
    turns = Turns(1, 30)
    with turns.turn(), turns.turn():
        assert turns.running == 1
    assert turns.running == 0


def test_run_that_is_stopped_in_the_middle_leaves_its_turn() -> None:
    class StopException(BaseException):
        pass

    turns = Turns(1, 30)
    for _ in range(3):
        with suppress(StopException), turns.turn(), turns.turn(), turns.paused():
            raise StopException
    assert (turns.running, turns.waiting) == (0, 0)
    with turns.turn():
        assert turns.running == 1


def test_page_that_waits_for_the_network_lets_another_be_drawn_and_goes_on_before_those_that_have_not_begun() -> None:
    turns = Turns(1, 30)
    sent, answered = threading.Event(), threading.Event()

    def send() -> None:
        with turns.paused():
            sent.set()
            answered.wait(30)

    sender = Page(turns, send)
    assert sent.wait(30)
    other = Page(turns)
    assert other.is_drawn.wait(30)
    last = Page(turns)
    until(lambda: turns.waiting == 1)
    answered.set()
    until(lambda: turns.waiting == 2)
    other.end()
    assert sender.is_drawn.wait(30)
    assert not last.is_drawn.is_set()
    sender.end()
    assert last.is_drawn.wait(30)
    last.end()


def test_run_that_begins_anew_goes_on_before_those_that_have_not_begun() -> None:
    turns, order = Turns(1, 30), list[int]()
    may_begin_anew = threading.Event()

    def press() -> None:
        with suppress(KeyError), turns.turn():
            assert may_begin_anew.wait(30)
            raise KeyError  # as Streamlit's RerunException
        with turns.turn():
            order.append(0)

    pressing = threading.Thread(target=press, daemon=True)
    pressing.start()
    until(lambda: turns.running == 1)
    others = []
    for number in (1, 2):
        others.append(Page(turns, partial(order.append, number)))
        until(lambda number=number: turns.waiting == number)  # type: ignore[misc]
    may_begin_anew.set()
    until(lambda: order == [1] and turns.waiting == 2)  # the next in the order had the turn as it was given back
    for page in others:
        page.end()
    pressing.join(30)
    assert not pressing.is_alive()
    assert order == [1, 0, 2]


def test_pages_that_take_long_hold_up_the_others_for_a_moment_only() -> None:
    turns = Turns(2, 0.05)
    slow = [Page(turns) for _ in range(3)]
    for page in slow:
        assert page.is_drawn.wait(30)
    quick = Page(turns)
    assert quick.is_drawn.wait(30)
    assert (turns.running, turns.waiting) == (4, 0)
    for page in (quick, *slow):
        page.end()
    assert (turns.running, turns.waiting) == (0, 0)


def test_pages_that_wait_for_the_sandbox_keep_nobody_from_being_drawn() -> None:
    queue = Queue()
    with queue.turn("a drill") as drill:
        assert not drill.wait(0)

        def wait() -> None:
            with queue.exclusive("a request"):
                pass

        waiting = [Page(PAGES, wait) for _ in range(2)]
        until(lambda: len(queue._turns) == 3)
        other = Page(PAGES)
        assert other.is_drawn.wait(10)
        other.end()
    for page in waiting:
        assert page.is_drawn.wait(30)
        page.end()
    assert (PAGES.running, PAGES.waiting) == (0, 0)


def test_many_threads_never_exceed_the_number_and_all_come_to_an_end() -> None:
    turns = Turns(2, 30)
    lock, now, most = threading.Lock(), 0, 0

    def draw() -> None:
        nonlocal now, most
        for number in range(200):
            with turns.turn():
                with lock:
                    now += 1
                    most = max(most, now)
                with lock:
                    now -= 1
                if number % 3 == 0:
                    with turns.paused():
                        pass

    threads = [threading.Thread(target=draw, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert most <= 2
    assert (turns.running, turns.waiting) == (0, 0)
