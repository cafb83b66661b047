"""The sandbox's control as a drill uses it, and what else may answer in its place."""

from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oauth.drills import Setting
from oauth.drills.control import Control, ControlError
from oauth.drills.schema import ChangeClient, ChangeSettings, Fault, Revoke
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth_sandbox.app import application
from oauth_sandbox.clients import GrantType
from oauth_sandbox.clock import utc_now
from oauth_sandbox.control.access import ControlAccess
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.store import Kind
from oauth_sandbox.testing import RunningSandbox, serving
from tests.drills.conftest import now


@pytest.fixture
def control(setting: Setting) -> Control:
    return Control(setting.provider.control, now)


def test_undo_moves_the_clock_back_by_the_same_amount(control: Control, sandbox: RunningSandbox) -> None:
    undo = control.move_clock(601)
    sandbox.sandbox.clock.move(10)
    assert sandbox.sandbox.clock.offset == timedelta(seconds=611)
    undo()
    assert sandbox.sandbox.clock.offset == timedelta(seconds=10)


def test_undo_restores_only_the_changed_client_fields(control: Control, sandbox: RunningSandbox) -> None:
    before = sandbox.sandbox.client("demo-app")
    undo = control.change_client(ChangeClient(id="demo-app", active=False, grants=("refresh_token",)))
    changed = sandbox.sandbox.client("demo-app")
    assert (changed.active, changed.grants, changed.scopes) == (
        False,
        (GrantType.REFRESH_TOKEN,),
        before.scopes,
    )
    undo()
    assert sandbox.sandbox.client("demo-app") == before


def test_undo_restores_only_the_changed_settings(control: Control, sandbox: RunningSandbox) -> None:
    undo = control.change_settings(ChangeSettings(refresh_ends_access_tokens=True))
    assert sandbox.sandbox.refresh_ends_access_tokens is True
    sandbox.sandbox.fault_header = True
    undo()
    assert sandbox.sandbox.refresh_ends_access_tokens is False
    assert sandbox.sandbox.fault_header is True


def test_the_newest_code_of_the_client_is_revoked(control: Control, sandbox: RunningSandbox) -> None:
    for client in ("demo-app", "demo-app", "website-app"):
        sandbox.sandbox.issue_code(client, "http://localhost/", ("read",))
    control.revoke(Revoke(what="code"), "demo-app")
    assert [code.state for code in sandbox.sandbox.issued(Kind.CODE)] == ["live", "revoked", "live"]
    with pytest.raises(ControlError, match="did not revoke the refresh token: demo-app has none"):
        control.revoke(Revoke(what="refresh_token"), "demo-app")


def test_fault_strikes_the_client_and_is_removed(control: Control, sandbox: RunningSandbox) -> None:
    undo = control.add_fault(Fault(name="server-error", fields={"status": 502}), "machine-app")
    token = f"{sandbox.url}/api/open/oauth/token"
    asked = {"grant_type": "client_credentials"}
    others = asked | {"client_id": "demo-app", "client_secret": "demo-secret"}
    assert httpx.post(token, json=others).status_code == 200
    assert httpx.post(token, json=asked | {"client_id": "machine-app"}).status_code == 502
    undo()  # it is used up, which is as well
    undo = control.add_fault(Fault(name="server-error"), "machine-app")
    undo()
    assert sandbox.sandbox.faults.rules == ()


def test_control_calls_are_not_recorded(control: Control, history: History) -> None:
    control.change_client(ChangeClient(id="demo-app", active=True))
    assert history.page(Filters(), None, 10) == []


def test_a_refusal_is_quoted(control: Control) -> None:
    with pytest.raises(ControlError, match=r"did not show the client nobody: it responded 404\. There is no client"):
        control.change_client(ChangeClient(id="nobody", active=False))
    with pytest.raises(ControlError, match=r"did not provoke no-such-fault: it responded 400\. "):
        control.add_fault(Fault(name="no-such-fault"), "demo-app")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"<html>", "is not valid JSON"),
        (b"{}", "is not a sandbox's control: the response has no field active"),
        (b"[1]", "is not a sandbox's control"),
        (b"", "is not a sandbox's control"),
    ],
)
def test_response_that_is_not_a_control_is_refused(setting: Setting, answer: bytes, said: str) -> None:
    async def other(_: Request) -> Response:
        return Response(answer)

    with serving(Starlette(routes=[Route("/{path:path}", other, methods=["GET", "POST"])])) as url:
        control = Control(url, now)
        with pytest.raises(ControlError, match=said):
            control.change_client(ChangeClient(id="demo-app", active=False))
        with pytest.raises(ControlError):
            control.revoke(Revoke(what="code"), "demo-app")
        with pytest.raises(ControlError):
            control.add_fault(Fault(name="server-error"), "demo-app")


def test_invalid_address_is_refused(setting: Setting) -> None:
    with pytest.raises(ControlError, match="did not move its clock"):
        Control("sandbox/control", now).move_clock(1)


def test_token_of_a_published_console_opens_its_control_to_drills_only() -> None:
    sandbox = Sandbox(utc_now)
    with serving(application(sandbox, ControlAccess("token-of-the-console", open=False))) as url:
        with pytest.raises(ControlError, match="it responded 401"):
            Control(f"{url}/control", now).move_clock(60)
        Control(f"{url}/control", now, "token-of-the-console").move_clock(60)
    assert sandbox.clock.offset == timedelta(seconds=60)
