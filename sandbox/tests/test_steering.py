"""The embedded sandbox and a served one, read and changed alike."""

from collections.abc import Iterator

import httpx
import pytest

from oauth_sandbox import fault_from
from oauth_sandbox.app import application, together
from oauth_sandbox.clock import utc_now
from oauth_sandbox.configuration import Api, ready_made
from oauth_sandbox.control.access import ControlAccess
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint
from oauth_sandbox.steering import AWAY_SECONDS, FRESH_SECONDS, Embedded, Served, Steering, SteeringProblem
from oauth_sandbox.store import Kind
from oauth_sandbox.testing import serving

TOKEN = "the-control-token"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(utc_now)


@pytest.fixture
def times() -> list[float]:
    """The clock of a served sandbox's copy reads the last of these."""
    return [0.0]


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with serving(application(sandbox, ControlAccess(TOKEN, open=False))) as address:
        yield address


@pytest.fixture(params=["embedded", "served"])
def steering(request: pytest.FixtureRequest, sandbox: Sandbox, url: str, times: list[float]) -> Steering:
    return Embedded(sandbox) if request.param == "embedded" else Served(Api.PARTNER, url, TOKEN, lambda: times[-1])


def test_clients_clock_and_faults_are_changed_and_read(steering: Steering, sandbox: Sandbox) -> None:
    steering.move_clock(601)
    steering.change_client("demo-app", active=False)
    steering.add_fault(fault_from("latency", {"seconds": 2}), None, 0.5, "demo-app", Endpoint.TOKEN)
    steering.add_fault(fault_from("empty-body", {}), 1, 1.0, None, None)
    for seen in (sandbox, steering.state()):
        assert seen.clock.offset.total_seconds() == 601
        assert not seen.client("demo-app").active
        assert [(it.number, it.fault.kind, it.remaining, it.client_id) for it in seen.faults.rules] == [
            (1, "latency", None, "demo-app"),
            (2, "empty-body", 1, None),
        ]
    steering.remove_fault(1)
    steering.reset_clock()
    assert [it.number for it in steering.state().faults.rules] == [2]
    assert steering.state().clock.offset.total_seconds() == 0
    steering.reset()
    assert steering.state().client("demo-app").active
    assert sandbox.faults.rules == ()


def test_codes_and_tokens_are_read_with_their_marks_and_revoked(steering: Steering, sandbox: Sandbox) -> None:
    codes = [sandbox.issue_code("demo-app", "http://localhost/callback", ("read", "write")) for _ in range(3)]
    sandbox.issue_tokens("machine-app", ("read",), None)
    steering.revoke(Kind.CODE, 2)
    seen = steering.state()
    assert seen.issued(Kind.CODE) == sandbox.issued(Kind.CODE)
    assert [(it.serial, it.state.value) for it in seen.issued(Kind.CODE)] == [
        (3, "live"),
        (2, "revoked"),
        (1, "live"),
    ]
    assert seen.marks(Kind.CODE, lambda secret: secret) == {number: codes[number - 1] for number in (1, 2, 3)}
    assert [it.user_id for it in seen.issued(Kind.ACCESS_TOKEN)] == [None]
    assert seen.issued(Kind.REFRESH_TOKEN) == ()


def test_findings_requests_and_refusals_are_read(steering: Steering, sandbox: Sandbox, url: str) -> None:
    httpx.get(f"{url}/oauth/authorize/", params={"client_id": "demo-app", "scope": "read"}, trust_env=False)
    httpx.get(f"{url}/oauth/authorize/", params={"client_id": "nobody"}, trust_env=False)
    seen = steering.state()
    assert len(seen.log.entries()) == 2
    assert seen.log.entries() == sandbox.log.entries()
    assert seen.lint.findings()
    assert seen.lint.findings() == sandbox.lint.findings()
    assert list(seen.refused) == list(sandbox.refused)
    assert any(query == "client_id=nobody" for query, _ in seen.refused)
    steering.clear_findings()
    assert steering.state().lint.findings() == ()


@pytest.mark.parametrize("steering", ["served"], indirect=True)
def test_what_a_server_said_is_shown_for_a_moment(steering: Steering, sandbox: Sandbox, times: list[float]) -> None:
    assert steering.state() is steering.state()
    sandbox.clock.move(600)
    assert steering.state().clock.offset.total_seconds() == 0
    times.append(FRESH_SECONDS)
    assert steering.state().clock.offset.total_seconds() == 600


def test_what_cannot_be_changed_is_said(steering: Steering) -> None:
    with pytest.raises((ValueError, LookupError), match="There is no code 7"):
        steering.revoke(Kind.CODE, 7)
    for _ in range(3):
        steering.move_clock(1e9)
    with pytest.raises(ValueError, match="100 years"):
        steering.move_clock(1e9)


def test_a_server_without_an_answer_is_asked_again_later(times: list[float]) -> None:
    served = Served(Api.PARTNER, "http://127.0.0.1:1", TOKEN, lambda: times[-1])
    with pytest.raises(SteeringProblem, match=r"The sandbox at http://127\.0\.0\.1:1 did not respond") as first:
        served.state()
    with pytest.raises(SteeringProblem) as second:
        served.state()
    assert second.value is first.value
    times.append(AWAY_SECONDS)
    with pytest.raises(SteeringProblem) as third:
        served.state()
    assert third.value is not first.value


def test_another_token_is_named_without_its_value(url: str) -> None:
    with pytest.raises(SteeringProblem, match="CONSOLE_SANDBOX_TOKEN") as caught:
        Served(Api.PARTNER, url, "another-token", lambda: 0.0).state()
    assert "another-token" not in str(caught.value)


def test_both_apis_are_served_side_by_side() -> None:
    partner, sister = Sandbox(utc_now), Sandbox(utc_now, configuration=ready_made(Api.OLXGROUP))
    with serving(together(ControlAccess(TOKEN, open=False), {"/olxgroup": sister, "": partner})) as url:
        for api, place, owned in ((Api.PARTNER, "", "demo-app"), (Api.OLXGROUP, "/olxgroup", "crm-app")):
            steering = Served(api, f"{url}{place}", TOKEN, lambda: 0.0)
            assert owned in [it.client_id for it in steering.state().clients()]
            steering.move_clock(60)
        assert httpx.post(f"{url}/oauth/v1/token", trust_env=False).status_code == 404
        assert httpx.post(f"{url}/olxgroup/oauth/v1/token", trust_env=False).status_code == 403
    assert [it.clock.offset.total_seconds() for it in (partner, sister)] == [60, 60]
