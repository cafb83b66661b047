import threading

from oauth.shutdown import Shutdown


def test_what_was_sent_is_waited_for_and_nothing_new_is_sent() -> None:
    shutdown = Shutdown()
    entered, answered = threading.Event(), threading.Event()

    def send() -> None:
        with shutdown.send() as may_send:
            assert may_send
            entered.set()
            answered.wait(30)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    assert entered.wait(30)
    assert not shutdown.has_begun
    shutdown.begin()
    assert (shutdown.has_begun, shutdown.sending) == (True, 1)
    with shutdown.send() as may_send:
        assert not may_send
    answered.set()
    thread.join(30)
    assert shutdown.sending == 0


def test_an_error_while_sending_is_an_end_too() -> None:
    shutdown = Shutdown()
    try:
        with shutdown.send():
            raise KeyError
    except KeyError:
        pass
    assert shutdown.sending == 0


def test_what_nobody_can_wait_for_is_broken_off() -> None:
    shutdown, ended = Shutdown(), []
    shutdown.on_break_off.add(lambda: ended.append(1))
    assert shutdown.break_off() == 1
    assert ended == [1]
