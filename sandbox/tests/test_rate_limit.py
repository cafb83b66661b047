"""The request limit: so many requests from one address, on the sandbox's own clock, and then a page for a while."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from oauth_sandbox.configuration import ready_made
from oauth_sandbox.control_client import Control, SteeringError
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.rate_limit import MOST_ADDRESSES, Limiter, RequestLimit
from oauth_sandbox.store import Kind
from oauth_sandbox.testing import SteeredSandbox

Send = Callable[..., httpx.Response]
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DOCUMENTED = RequestLimit(requests=4500, seconds=300, pause=1800)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def admitted(limiter: Limiter, count: int, at: datetime, address: str = "192.0.2.1") -> int:
    return sum(limiter.admits(address, at) for _ in range(count))


def test_the_documented_limit_to_the_request_and_the_second() -> None:
    limiter = Limiter(DOCUMENTED)
    assert admitted(limiter, 4500, START) == 4500
    assert not limiter.admits("192.0.2.1", after(299))
    assert not limiter.admits("192.0.2.1", after(299 + 1799))
    assert limiter.admits("192.0.2.1", after(299 + 1800))


def test_requests_are_counted_for_five_minutes() -> None:
    limiter = Limiter(DOCUMENTED)
    assert admitted(limiter, 4499, START) == 4499
    assert admitted(limiter, 1, after(1)) == 1
    assert admitted(limiter, 5000, after(300)) == 4499


def test_each_address_is_counted_for_itself_and_the_oldest_is_forgotten() -> None:
    limiter = Limiter(RequestLimit(1, 300, 1800))
    assert admitted(limiter, 2, START) == 1
    assert admitted(limiter, 1, START, "192.0.2.2") == 1
    assert admitted(limiter, 2, START, "") == 2
    for number in range(MOST_ADDRESSES):
        limiter.admits(f"2001:db8::{number:x}", START)
    assert admitted(limiter, 1, START) == 1


def test_moving_the_clock_back_ends_refusals() -> None:
    limiter = Limiter(RequestLimit(2, 300, 1800))
    assert admitted(limiter, 1, after(600)) == 1
    assert admitted(limiter, 3, START) == 2
    assert admitted(limiter, 1, after(-1)) == 1


def test_it_is_off_unless_it_is_set() -> None:
    assert ready_made().request_limit == RequestLimit(0, 300, 1800)
    assert admitted(Limiter(ready_made().request_limit), 5000, START) == 5000


def test_past_the_limit_every_path_returns_the_page_without_effect(
    steered_sandbox: SteeredSandbox, sandbox: Sandbox, http: httpx.Client, ask: Send, call: Send
) -> None:
    control = steered_sandbox.control
    assert control.settings(request_limit={"requests": 2})["request_limit"] == {
        "requests": 2,
        "seconds": 300,
        "pause": 1800,
    }
    control.fault("server-error", endpoint="cities")
    token = ask(grant_type="client_credentials").json()["access_token"]
    assert http.get("/api/partner/nowhere").status_code == 404
    control.clear_lint()
    for refused in (ask(grant_type="client_credentials"), call("cities", token), http.get("/api/partner/nowhere")):
        assert refused.status_code == 403
        assert refused.headers["Content-Type"].startswith("text/html")
        assert "Request ID: " in refused.text
    assert len(sandbox.issued(Kind.ACCESS_TOKEN)) == 1
    assert [rule["provoked"] for rule in control.faults()] == [0]
    assert control.lint() == []
    assert [(entry["status"], entry["fault"]) for entry in control.requests(3)] == [
        (403, None),
        (403, "request-limit"),
        (403, "request-limit"),
    ]
    steered_sandbox.clock.move(1800)
    assert call("cities", token).status_code == 503


def test_a_changed_limit_a_reset_and_a_restored_state_count_anew(control: Control, ask: Send) -> None:
    def status() -> int:
        return ask(grant_type="client_credentials").status_code

    control.settings(request_limit={"requests": 1})
    snapshot = control.snapshot()
    assert [status(), status()] == [200, 403]
    control.settings(request_limit={"requests": 1})
    assert status() == 403, "nothing was changed"
    control.restore(snapshot)
    assert [status(), status()] == [200, 403]
    control.settings(request_limit={"pause": 60})
    assert [status(), status()] == [200, 403]
    control.reset()
    assert [status(), status()] == [200, 200]


def test_the_control_and_the_health_are_not_counted(control: Control, http: httpx.Client) -> None:
    control.settings(request_limit={"requests": 1})
    for _ in range(3):
        assert http.get("/health").status_code == 200
    assert http.get("/api/partner/nowhere").status_code == 404
    assert control.settings()["request_limit"]["requests"] == 1


@pytest.mark.parametrize("wrong", [{"requests": -1}, {"seconds": 0}, {"pause": "long"}, {"each": 1}])
def test_invalid_limit_is_refused(control: Control, wrong: dict[str, object]) -> None:
    with pytest.raises(SteeringError, match=r"400 .*request_limit"):
        control.settings(request_limit=wrong)
