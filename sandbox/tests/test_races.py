"""Requests that are held, released in the order of the test, and races."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from oauth_sandbox import testing
from oauth_sandbox.control_client import Control, SteeringError
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.store import Kind, State
from oauth_sandbox.testing import SteeredSandbox, running

Tokens = Callable[..., dict[str, Any]]
Send = Callable[..., httpx.Response]


def refresh(sandbox: SteeredSandbox, token: str) -> dict[str, Any]:
    """Refresh on a connection of its own, as another worker does. Raises ``PermissionError``."""
    body = {
        "grant_type": "refresh_token",
        "refresh_token": token,
        "client_id": "demo-app",
        "client_secret": "demo-secret",
    }
    answer = httpx.post(f"{sandbox.url}/api/open/oauth/token", json=body, trust_env=False, verify=False)
    if answer.is_error:
        raise PermissionError(answer.json()["error_description"])
    members: dict[str, Any] = answer.json()
    return members


@pytest.mark.parametrize(("when", "state"), [("before", State.LIVE), ("after", State.REPLACED)])
def test_a_held_request_waits_before_or_after_it_takes_effect(
    steered_sandbox: SteeredSandbox, sandbox: Sandbox, tokens: Tokens, when: str, state: State
) -> None:
    control, old = steered_sandbox.control, tokens()["refresh_token"]
    control.fault("hold", when=when, endpoint="token", client_id="demo-app")
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(refresh, steered_sandbox, old)
        (held,) = control.held()
        assert (held["endpoint"], held["client_id"], held["when"]) == ("token", "demo-app", when)
        presented = sandbox.find(Kind.REFRESH_TOKEN, old)
        assert presented is not None
        assert presented.state is state
        assert not answer.done()
        assert control.release(held["number"]) == 1
        assert answer.result(10)["access_token"]
    assert control.request("GET", "holds") == []
    assert control.requests()[0]["fault"] == "hold"


def test_a_hold_ends_by_itself_and_with_a_reset(steered_sandbox: SteeredSandbox, tokens: Tokens) -> None:
    control, old = steered_sandbox.control, tokens()["refresh_token"]
    control.fault("hold", seconds=0.05, endpoint="token")
    assert refresh(steered_sandbox, old)["access_token"]
    control.fault("hold", seconds=300, when="before", endpoint="token")
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(refresh, steered_sandbox, old)
        control.held()
        control.reset()
        with pytest.raises(PermissionError, match="Invalid refresh token"):
            answer.result(10)


def test_a_number_that_is_not_held_is_refused(control: Control) -> None:
    with pytest.raises(SteeringError, match=r"409 .*There is no held request 7"):
        control.release(7)
    assert control.release() == 0


def test_the_wait_for_held_requests_ends(control: Control) -> None:
    with pytest.raises(TimeoutError, match="0 of 2 requests were held"):
        control.held(2, timeout=0.02)


def test_of_equal_refreshes_one_wins_and_the_lint_names_both(steered_sandbox: SteeredSandbox, tokens: Tokens) -> None:
    old = tokens()["refresh_token"]
    race = steered_sandbox.race(4, lambda: refresh(steered_sandbox, old))
    assert len(race.won) == 1
    assert [str(error) for error in race.lost] == ["Invalid refresh token"] * 3
    (finding,) = steered_sandbox.control.findings()
    requests = {entry["request_id"] for entry in steered_sandbox.control.requests()}
    named = [word.strip(",") for word in finding["detail"].split() if word.strip(",") in requests]
    assert (finding["rule"], finding["count"], len(set(named))) == ("refresh-raced", 3, 2)
    assert finding["detail"].endswith(" ms later.")


def test_in_a_grace_every_worker_wins(steered_sandbox: SteeredSandbox, tokens: Tokens) -> None:
    steered_sandbox.control.settings(behaviour={"refresh_grace_seconds": 10})
    old = tokens()["refresh_token"]
    race = steered_sandbox.race(2, lambda: refresh(steered_sandbox, old))
    assert (len(race.won), race.lost) == (2, [])
    assert steered_sandbox.control.lint() == []


def fail() -> None:
    raise ValueError("of the caller")


async def wait() -> None:
    """Do nothing, without a thread."""


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: None, RuntimeError, "0 of 2 requests to token"),
        (fail, ValueError, "of the caller"),
        (wait, TypeError, "asyncio.run"),
    ],
)
def test_a_call_that_sends_nothing_ends_the_race(
    steered_sandbox: SteeredSandbox, call: Callable[[], Any], error: type[Exception], message: str
) -> None:
    started = time.monotonic()
    with pytest.raises(error, match=message):
        steered_sandbox.race(2, call)
    assert time.monotonic() - started < 5
    assert steered_sandbox.control.faults() == []


def test_a_race_of_calls_that_wait_for_each_other_ends(
    steered_sandbox: SteeredSandbox, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testing, "TIMEOUT", 0.5)
    lock, old = threading.Lock(), tokens()["refresh_token"]

    def one_at_a_time() -> None:
        with lock:
            refresh(steered_sandbox, old)

    with pytest.raises(TimeoutError, match=r"1 of 2 requests to token .* a lock"):
        steered_sandbox.race(2, one_at_a_time)
    assert steered_sandbox.control.faults() == []
    assert steered_sandbox.control.request("GET", "holds") == []


def test_others_are_served_while_requests_are_held() -> None:
    with running() as sandbox:
        sandbox.control.fault("hold", when="before", endpoint="cities")
        thread = threading.Thread(target=httpx.get, args=(f"{sandbox.url}/api/partner/cities",), daemon=True)
        thread.start()
        sandbox.control.held()
        started = time.monotonic()
        assert httpx.get(f"{sandbox.url}/health", trust_env=False).is_success
        assert time.monotonic() - started < 10
        sandbox.control.release()
        thread.join(10)
        assert not thread.is_alive()
