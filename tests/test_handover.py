from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from oauth.exchange import Exchange
from oauth.handover import Handover, Labels, Outcome, Receipt
from oauth.history.schema import callbacks
from oauth.history.store import History, HistoryError

STATE = "a-state-that-nobody-can-guess-4711"
CODE = "the-secret-code-of-this-callback-0815"
PARAMETERS = (("code", CODE), ("state", STATE))
LABELS = Labels(flow="f", owner="ada", case="T-1", provider="sandbox", client_id="demo-app")
ACCEPTED = Receipt(Outcome.ACCEPTED, LABELS)


def expect(handover: Handover, state: str) -> None:
    handover.expect(state, LABELS)


@pytest.fixture
def handover(history: History) -> Handover:
    handover = Handover(history.database)
    expect(handover, STATE)
    return handover


def test_the_session_gets_what_arrived_once(handover: Handover, times: list[datetime]) -> None:
    assert handover.take(STATE) is None
    times.append(times[-1] + timedelta(seconds=5))
    assert handover.receive(STATE, PARAMETERS) == ACCEPTED
    received = handover.take(STATE)
    assert received is not None
    assert (received.parameters, received.received_at) == (PARAMETERS, times[-1])
    assert CODE not in repr(received)
    assert handover.take(STATE) is None


def test_a_second_console_on_the_same_database_may_receive_it(
    handover: Handover, open_history: Callable[..., History]
) -> None:
    second = Handover(open_history().database)
    assert second.receive(STATE, PARAMETERS) == ACCEPTED
    received = handover.take(STATE)
    assert received is not None
    assert received.parameters == PARAMETERS


def test_a_state_is_good_for_one_callback(handover: Handover) -> None:
    handover.receive(STATE, PARAMETERS)
    assert handover.receive(STATE, [("code", "another")]).outcome is Outcome.USED
    received = handover.take(STATE)
    assert received is not None
    assert received.parameters == PARAMETERS
    assert handover.receive(STATE, PARAMETERS).outcome is Outcome.USED
    assert handover.take(STATE) is None


def test_of_many_callbacks_at_once_one_is_accepted_and_taken_once(handover: Handover) -> None:
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda number: handover.receive(STATE, [("code", f"{number}")]), range(8)))
        taken = list(pool.map(lambda _: handover.take(STATE), range(8)))
    accepted = [number for number, receipt in enumerate(receipts) if receipt.outcome is Outcome.ACCEPTED]
    assert [receipt.outcome for receipt in receipts].count(Outcome.USED) == 7
    assert [received.parameters for received in taken if received] == [(("code", f"{accepted[0]}"),)]


def test_an_unknown_state_changes_nothing(handover: Handover) -> None:
    assert handover.receive("another", PARAMETERS) == Receipt(Outcome.UNKNOWN)
    assert handover.take("another") is None
    assert handover.take(STATE) is None


def test_a_state_ends_with_its_lifetime(handover: Handover, times: list[datetime]) -> None:
    times.append(times[0] + timedelta(seconds=3600))
    assert handover.receive(STATE, PARAMETERS).outcome is Outcome.EXPIRED
    assert handover.use(STATE).outcome is Outcome.EXPIRED
    assert handover.take(STATE) is None


def test_what_was_received_cannot_be_taken_after_the_end(handover: Handover, times: list[datetime]) -> None:
    handover.receive(STATE, PARAMETERS)
    times.append(times[0] + timedelta(seconds=3600))
    assert handover.take(STATE) is None


def test_what_ended_is_removed(history: History, handover: Handover, times: list[datetime]) -> None:
    def kept() -> list[bool]:
        with history.database.reading() as connection:
            return [row.payload is not None for row in connection.execute(callbacks.select())]

    handover.receive(STATE, PARAMETERS)
    assert kept() == [True]
    times.append(times[0] + timedelta(hours=2))
    expect(handover, "second")
    assert kept() == [False, False]
    assert handover.receive(STATE, PARAMETERS).outcome is Outcome.USED
    times.append(times[0] + timedelta(hours=26))
    expect(handover, "third")
    assert len(kept()) == 2
    assert handover.receive(STATE, PARAMETERS).outcome is Outcome.UNKNOWN


def test_a_pasted_answer_uses_the_state_up(handover: Handover) -> None:
    assert handover.use(STATE) == ACCEPTED
    assert handover.use(STATE).outcome is Outcome.USED
    assert handover.receive(STATE, PARAMETERS).outcome is Outcome.USED
    assert handover.take(STATE) is None


def test_waiting_again_keeps_what_arrived_and_opens_no_used_state(handover: Handover) -> None:
    handover.receive(STATE, PARAMETERS)
    expect(handover, STATE)
    assert handover.take(STATE) is not None
    expect(handover, STATE)
    assert handover.receive(STATE, PARAMETERS).outcome is Outcome.USED


def test_the_case_of_a_flow_reaches_its_callback(history: History, handover: Handover) -> None:
    history.set_case("f", "T-2")
    assert handover.receive(STATE, PARAMETERS).labels.case == "T-2"


def test_neither_the_state_nor_what_arrived_is_in_the_files(
    history: History, handover: Handover, exchange: Callable[..., Exchange], stored: Callable[[], bytes]
) -> None:
    history.begin(exchange(case="a-canary-that-must-be-found"))
    handover.receive(STATE, PARAMETERS)
    waiting = stored()
    handover.take(STATE)
    for content in (waiting, stored()):
        assert b"a-canary-that-must-be-found" in content
        for secret in (STATE, CODE):
            assert secret.encode() not in content


def test_a_payload_that_was_changed_is_not_handed_over(history: History, handover: Handover) -> None:
    handover.receive(STATE, PARAMETERS)
    with history.database.writing() as connection:
        connection.execute(update(callbacks).values(payload=b"\0" * 60))
    with pytest.raises(HistoryError, match=r"cannot be decrypted\. Paste the address"):
        handover.take(STATE)


def test_a_page_that_is_opened_late_has_the_whole_lifetime(history: History, times: list[datetime]) -> None:
    handover = Handover(history.database, timedelta(minutes=10))
    expect(handover, STATE)
    times.append(times[-1] + timedelta(minutes=8))
    expect(handover, STATE)
    times.append(times[-1] + timedelta(minutes=8))
    assert handover.receive(STATE, PARAMETERS) == ACCEPTED
    times.append(times[-1] + timedelta(minutes=8))
    expect(handover, STATE)  # what arrived is not kept any longer for that
    assert handover.take(STATE) is None


def test_what_was_taken_by_the_wrong_session_is_there_for_the_right_one(handover: Handover) -> None:
    handover.receive(STATE, PARAMETERS)
    received = handover.take(STATE)
    assert received is not None
    handover.give_back(STATE, received)
    assert handover.take(STATE) == received
    assert handover.take(STATE) is None
