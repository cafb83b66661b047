import json
from datetime import UTC, datetime, timedelta

import pytest

from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.flow import device
from oauth.flow.device import Device, DeviceStatus

NOW = datetime(2026, 3, 1, 10, 2, 7, tzinfo=UTC)
ANSWER = {
    "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://as.example/device",
    "verification_uri_complete": "https://as.example/device?user_code=WDJB-MJHT",
    "expires_in": 1800,
    "interval": 7,
}


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def answer(body: object, status: int = 200, at: float = 0, ms: int = 500) -> Exchange:
    response = Response(status, body=json.dumps(body).encode())
    return Exchange(Step.DEVICE, Request("POST", "https://as.example/x"), later(at), response=response, duration_ms=ms)


def begun(**changes: object) -> Device:
    found = device.read(answer(ANSWER | changes))
    assert found is not None
    return found


def test_the_answer_says_what_to_type_where_and_how_often_to_ask() -> None:
    found = begun()
    assert (found.user_code, found.verification_uri) == ("WDJB-MJHT", "https://as.example/device")
    assert found.verification_uri_complete.endswith("user_code=WDJB-MJHT")
    assert (found.interval, found.expires_at) == (7, later(1800.5))
    assert "GmRh" not in repr(found)
    assert "WDJB" not in repr(found)


@pytest.mark.parametrize(("interval", "seconds"), [(None, 5), ("soon", 5), (0, 1), (-3, 1), ("9", 9)])
def test_an_interval_that_is_none_is_five_seconds(interval: object, seconds: int) -> None:
    assert begun(interval=interval).interval == seconds


def test_the_older_name_of_the_address_is_read() -> None:
    assert begun(verification_uri=None, verification_url="https://as.example/d").verification_uri.endswith("/d")


@pytest.mark.parametrize(("body", "status"), [({}, 200), ([], 200), ({"error": "invalid_client"}, 401), (ANSWER, 400)])
def test_what_is_no_device_answer_is_none(body: object, status: int) -> None:
    assert device.read(answer(body, status)) is None


def test_the_server_is_never_asked_before_its_interval_is_over() -> None:
    found = begun()
    assert not found.may_poll(later(7.4))
    assert found.may_poll(later(7.5))
    asked = device.after_poll(found, answer({"error": "authorization_pending"}, 400, at=8, ms=2000))
    assert (asked.status, asked.polls) == (DeviceStatus.PENDING, 1)
    assert not asked.may_poll(later(16.9))
    assert asked.may_poll(later(17))


def test_slow_down_adds_five_seconds_each_time_and_for_good() -> None:
    found = begun()
    for polls in (1, 2):
        found = device.after_poll(found, answer({"error": "slow_down"}, 400, at=10 * polls, ms=0))
        assert found.interval == 7 + 5 * polls
    found = device.after_poll(found, answer({"error": "authorization_pending"}, 400, at=40, ms=0))
    assert found.interval == 17
    assert not found.may_poll(later(56.9))
    assert found.may_poll(later(57))


def test_a_poll_without_an_answer_doubles_the_interval() -> None:
    failed = Exchange(Step.TOKEN, Request("POST", "https://as.example/x"), NOW, failure=Failure("timeout"))
    found = device.after_poll(begun(), failed)
    assert (found.interval, found.status) == (14, DeviceStatus.PENDING)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("access_denied", DeviceStatus.DENIED),
        ("expired_token", DeviceStatus.EXPIRED),
        ("invalid_client", DeviceStatus.FAILED),
        ("use_dpop_nonce", DeviceStatus.PENDING),
        (None, DeviceStatus.FAILED),
    ],
)
def test_an_error_ends_the_polling_unless_it_says_to_go_on(error: str | None, status: DeviceStatus) -> None:
    found = device.after_poll(begun(), answer({"error": error}, 400))
    assert found.status is status
    assert found.may_poll(later(100)) is (status is DeviceStatus.PENDING)


def test_the_tokens_end_it_too() -> None:
    found = device.after_poll(begun(), answer({"access_token": "a"}))
    assert found.status is DeviceStatus.DONE
    assert not found.may_poll(later(100))


def test_after_its_time_the_code_is_not_sent_any_more() -> None:
    found = begun(expires_in=60)
    assert not found.has_expired(later(60))
    assert found.has_expired(later(60.5))
    assert not found.may_poll(later(60.5))
