"""Which requests a fault strikes: the next ones, a share, those of a client or an endpoint."""

from collections.abc import Callable

import httpx
import pytest

from oauth_sandbox.control_client import Control, SteeringError
from oauth_sandbox.faults.kinds import fault_from
from oauth_sandbox.faults.rules import MOST_RULES, Faults

Send = Callable[..., httpx.Response]
MACHINE = {"client_id": "machine-app", "client_secret": "machine-secret"}


def statuses(ask: Send, count: int) -> list[int]:
    return [ask(grant_type="client_credentials").status_code for _ in range(count)]


def test_the_next_request_and_the_next_ones(control: Control, ask: Send) -> None:
    control.fault("server-error")
    assert statuses(ask, 2) == [503, 200]
    control.fault("server-error", times=2)
    control.fault("too-many-requests")
    assert statuses(ask, 4) == [503, 503, 429, 200]
    assert control.faults() == []


@pytest.mark.parametrize(
    ("share", "expected"), [(0.25, [4, 8]), (0.5, [2, 4, 6, 8]), (1, list(range(1, 9))), (0.1, [])]
)
def test_a_share_of_the_requests(control: Control, ask: Send, share: float, expected: list[int]) -> None:
    control.fault("server-error", share=share)
    struck = [number for number, status in enumerate(statuses(ask, 8), start=1) if status == 503]
    assert struck == expected
    assert (control.faults()[0]["met"], control.faults()[0]["provoked"]) == (8, len(expected))


def test_a_third_is_a_third() -> None:
    faults = Faults()
    rule = faults.add(fault_from("latency", {}), times=None, share=1 / 3)
    assert [rule.strikes() for _ in range(9)] == [False, False, True] * 3


def test_a_share_for_a_number_of_times(control: Control, ask: Send) -> None:
    control.fault("server-error", share=0.5, times=2)
    assert statuses(ask, 6) == [200, 503, 200, 503, 200, 200]


def test_unlimited_fault_strikes_until_removed(control: Control, ask: Send) -> None:
    added = control.fault("server-error", times=None)
    assert statuses(ask, 3) == [503] * 3
    control.request("DELETE", f"faults/{added['id']}")
    assert statuses(ask, 1) == [200]
    with pytest.raises(SteeringError, match="404"):
        control.request("DELETE", f"faults/{added['id']}")
    control.fault("server-error", times=None)
    control.clear_faults()
    assert statuses(ask, 1) == [200]


def test_of_one_client_and_one_endpoint(control: Control, ask: Send, call: Send, http: httpx.Client) -> None:
    control.fault("server-error", client_id="machine-app", endpoint="token", times=2)
    assert statuses(ask, 1) == [200]
    token = ask(grant_type="client_credentials").json()["access_token"]
    assert ask(grant_type="client_credentials", **MACHINE).status_code == 503
    assert call("cities", token).status_code == 200
    basic = http.post(
        "/api/open/oauth/token", data={"grant_type": "client_credentials"}, auth=("machine-app", "machine-secret")
    )
    assert basic.status_code == 503
    control.fault("server-error", client_id="demo-app", endpoint="cities")
    assert call("cities", "unknown").status_code == 401
    assert call("cities", token).status_code == 503
    with pytest.raises(SteeringError, match=r"409 .*nobody"):
        control.fault("latency", client_id="nobody")


def test_number_of_rules_is_limited() -> None:
    faults = Faults()
    for _ in range(MOST_RULES):
        faults.add(fault_from("latency", {}))
    with pytest.raises(ValueError, match="Remove some"):
        faults.add(fault_from("latency", {}))
