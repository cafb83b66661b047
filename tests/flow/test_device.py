import json
from datetime import UTC, datetime, timedelta

import pytest

from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.flow import device
from oauth.flow.device import Device, DeviceStatus

NOW = datetime(2026, 3, 1, 10, 2, 7, tzinfo=UTC)
BODY = {
    "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://as.example/device",
    "verification_uri_complete": "https://as.example/device?user_code=WDJB-MJHT",
    "expires_in": 1800,
    "interval": 7,
}


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def exchange(body: object, status: int = 200, at: float = 0, ms: int = 500) -> Exchange:
    response = Response(status, body=json.dumps(body).encode())
    return Exchange(Step.DEVICE, Request("POST", "https://as.example/x"), later(at), response=response, duration_ms=ms)


def begin(**changes: object) -> Device:
    authorization = device.read(exchange(BODY | changes))
    assert authorization is not None
    return authorization


def test_response_has_the_codes_the_address_and_the_interval() -> None:
    grant = begin()
    assert (grant.user_code, grant.verification_uri) == ("WDJB-MJHT", "https://as.example/device")
    assert grant.verification_uri_complete.endswith("user_code=WDJB-MJHT")
    assert (grant.interval, grant.expires_at) == (7, later(1800.5))
    assert "GmRh" not in repr(grant)
    assert "WDJB" not in repr(grant)


@pytest.mark.parametrize(("interval", "seconds"), [(None, 5), ("soon", 5), (0, 1), (-3, 1), ("9", 9)])
def test_invalid_interval_has_its_default(interval: object, seconds: int) -> None:
    assert begin(interval=interval).interval == seconds


def test_older_name_of_the_address_is_read() -> None:
    assert begin(verification_uri=None, verification_url="https://as.example/d").verification_uri.endswith("/d")


@pytest.mark.parametrize(("body", "status"), [({}, 200), ([], 200), ({"error": "invalid_client"}, 401), (BODY, 400)])
def test_response_without_a_device_authorization_is_none(body: object, status: int) -> None:
    assert device.read(exchange(body, status)) is None


def test_poll_waits_for_the_interval() -> None:
    grant = begin()
    assert not grant.may_poll(later(7.4))
    assert grant.may_poll(later(7.5))
    polled = device.after_poll(grant, exchange({"error": "authorization_pending"}, 400, at=8, ms=2000))
    assert (polled.status, polled.polls) == (DeviceStatus.PENDING, 1)
    assert not polled.may_poll(later(16.9))
    assert polled.may_poll(later(17))


def test_slow_down_permanently_adds_five_seconds() -> None:
    grant = begin()
    for polls in (1, 2):
        grant = device.after_poll(grant, exchange({"error": "slow_down"}, 400, at=10 * polls, ms=0))
        assert grant.interval == 7 + 5 * polls
    grant = device.after_poll(grant, exchange({"error": "authorization_pending"}, 400, at=40, ms=0))
    assert grant.interval == 17
    assert not grant.may_poll(later(56.9))
    assert grant.may_poll(later(57))


def test_poll_without_a_response_doubles_the_interval() -> None:
    failed = Exchange(Step.TOKEN, Request("POST", "https://as.example/x"), NOW, failure=Failure("timeout"))
    grant = device.after_poll(begin(), failed)
    assert (grant.interval, grant.status) == (14, DeviceStatus.PENDING)


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
def test_error_ends_the_polling_unless_it_allows_more(error: str | None, status: DeviceStatus) -> None:
    grant = device.after_poll(begin(), exchange({"error": error}, 400))
    assert grant.status is status
    assert grant.may_poll(later(100)) is (status is DeviceStatus.PENDING)


def test_tokens_end_the_polling() -> None:
    grant = device.after_poll(begin(), exchange({"access_token": "a"}))
    assert grant.status is DeviceStatus.DONE
    assert not grant.may_poll(later(100))


def test_success_without_tokens_is_a_failure() -> None:
    assert device.after_poll(begin(), exchange({})).status is DeviceStatus.FAILED
    early = exchange({"error": "authorization_pending"})  # GitHub answers so, with 200
    assert device.after_poll(begin(), early).status is DeviceStatus.PENDING


def test_expired_code_is_not_sent() -> None:
    grant = begin(expires_in=60)
    assert not grant.has_expired(later(60))
    assert grant.has_expired(later(60.5))
    assert not grant.may_poll(later(60.5))
