"""Sandboxes of their own on one server: apart from each other, configured, forgotten; and the users."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import oauth_sandbox
from oauth_sandbox import sandboxes
from oauth_sandbox.behaviour import Preset
from oauth_sandbox.clock import utc_now
from oauth_sandbox.configuration import Api, load, ready_made
from oauth_sandbox.control_client import Control, SteeringError
from oauth_sandbox.log import Entry
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.sandboxes import IDLE, Sandboxes
from oauth_sandbox.testing import SteeredSandbox, running, steered

SOURCE = Path(oauth_sandbox.__file__).parents[1]
MACHINE = {"grant_type": "client_credentials", "client_id": "demo-app", "client_secret": "demo-secret"}


def ask(sandbox: SteeredSandbox, **more: str) -> httpx.Response:
    return httpx.post(f"{sandbox.url}/api/open/oauth/token", json={**MACHINE, **more}, trust_env=False)


def test_they_share_nothing(steered_sandbox: SteeredSandbox) -> None:
    with steered(steered_sandbox.control.make()) as one, steered(steered_sandbox.control.make()) as other:
        assert one.url != other.url
        assert one.url.startswith(f"{steered_sandbox.url}/sandboxes/")
        one.clock.move(timedelta(days=1))
        one.clients.change("demo-app", active=False)
        one.control.fault("server-error", endpoint="user")
        assert ask(one).status_code == 401
        for apart in (other, steered_sandbox):
            assert apart.clients["demo-app"]["active"]
            assert apart.control.faults() == []
            assert one.clock.now() - apart.clock.now() > timedelta(hours=23)
            assert ask(apart).status_code == 200
            assert len(apart.control.requests()) == 1
        one.control.reset()
        assert len(other.control.requests()) == 1


def test_a_whole_flow_and_its_consent_page(steered_sandbox: SteeredSandbox) -> None:
    with steered(steered_sandbox.control.make()) as own:
        query = "client_id=demo-app&response_type=code&redirect_uri=http://localhost:1/cb&state=" + "f" * 32
        url = f"{own.url}/oauth/authorize/?{query}&scope=read"
        assert httpx.get(url, trust_env=False).status_code == 200
        code = own.control.approve(url).split("code=")[1].split("&")[0]
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://localhost:1/cb"}
        assert ask(own, **grant).json()["refresh_token"]
        assert own.control.lint() == []


def test_it_is_configured(steered_sandbox: SteeredSandbox) -> None:
    url = steered_sandbox.control.make(
        preset="strict",
        behaviour={"challenges": True},
        lifetimes={"access_token": 2},
        users=[{"id": 7, "name": "Seven", "phone": "+48"}],
        clients=[{"client_id": "mine", "secret": "my-secret"}],
        redirect_uris=["https://app.example/callback"],
    )
    with steered(url) as own:
        settings = own.control.settings()
        assert (settings["behaviour"]["pkce"], settings["behaviour"]["challenges"]) == ("enforced", True)
        assert settings["lifetimes"] == {"code": 600, "access_token": 2, "refresh_token": 2_592_000}
        assert own.control.request("GET", "users") == [{"id": 7, "name": "Seven", "phone": "+48"}]
        (client,) = own.clients.all()
        assert (client["client_id"], client["redirect_uris"]) == ("mine", ["https://app.example/callback"])


def test_what_is_left_out_is_as_at_the_server(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'refresh_token_replaced = "daily"\nseed = 5\n[lifetimes]\naccess_token = 60\n[scopes]\nread = "See"\n'
        '[[users]]\nid = 7\nname = "Seven"\n[[clients]]\nclient_id = "mine"\nsecret = "my-secret"\n'
    )
    server = Sandbox(utc_now, configuration=load(file, preset=Preset.STRICT), fault_header=True)
    server.register("https://app.example/callback")
    logged: list[Entry] = []
    server.log.listener = logged.append
    with running(server) as served:
        served.control.settings(lifetimes={"code": 5})
        with steered(served.control.make(lifetimes={"code": 30})) as own:
            (client,) = own.clients.all()
            assert (client["client_id"], client["redirect_uris"]) == ("mine", ["https://app.example/callback"])
            assert [user["name"] for user in own.control.request("GET", "users")] == ["Seven"]
            settings = own.control.settings()
            assert settings["lifetimes"] == {"code": 30, "access_token": 60, "refresh_token": 2_592_000}
            assert (settings["refresh_token_replaced"], settings["behaviour"]["pkce"]) == ("daily", "enforced")
            assert (settings["seed"], settings["fault_header"]) == (5, True)
            assert ask(own, client_id="mine", client_secret="my-secret").json()["scope"] == "read"
            assert [entry.client_id for entry in logged] == ["mine"]
        with steered(served.control.make(preset="usual", behaviour={"expires_in": "text"})) as own:
            settings = own.control.settings()
            assert (settings["refresh_token_replaced"], settings["behaviour"]["pkce"]) == ("always", "ignored")
            assert settings["behaviour"]["expires_in"] == "text"
            assert settings["lifetimes"]["code"] == 600, "what was changed at the server since is not its configuration"
            assert own.clients["mine"]
        with steered(served.control.make(api="olxgroup")) as own:
            assert own.clients["crm-app"]
            assert own.control.settings()["behaviour"]["pkce"] == "ignored"


def test_one_has_the_api_of_its_server() -> None:
    with running(Sandbox(utc_now, configuration=ready_made(Api.OLXGROUP))) as served:
        with steered(served.control.make()) as own:
            assert own.clients["crm-app"]
        with steered(served.control.make(api="partner")) as own:
            assert own.clients["demo-app"]


def test_the_sister_api(steered_sandbox: SteeredSandbox) -> None:
    with steered(steered_sandbox.control.make(api="olxgroup")) as own:
        assert {client["client_id"] for client in own.clients.all()} == {"crm-app", "parts-app"}


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"clients": [{"client_id": "a", "secret": "s", "scopes": ["other"]}]}, 'field scopes: Unknown scope "other"'),
        ({"users": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}, "field id: 1 is used already"),
        ({"preset": "hard"}, "Allowed: strict, usual"),
        ({"lifetime": {}}, "unknown field `lifetime`"),
    ],
)
def test_an_invalid_configuration_is_refused(control: Control, configuration: dict[str, Any], reason: str) -> None:
    before = len(control.request("GET", "sandboxes"))
    with pytest.raises(SteeringError, match=reason):
        control.make(**configuration)
    assert len(control.request("GET", "sandboxes")) == before


def test_one_that_is_removed_or_unknown_is_not_found(steered_sandbox: SteeredSandbox) -> None:
    control = steered_sandbox.control
    url = control.make()
    control.request("DELETE", f"sandboxes/{url.rpartition('/')[2]}")
    for gone in (url, f"{steered_sandbox.url}/sandboxes/0123456789abcdef"):
        answer = httpx.get(f"{gone}/health", trust_env=False)
        assert answer.status_code == 404
        assert "There is no sandbox" in answer.text
        assert "idle for an hour is removed" in answer.text
    with pytest.raises(SteeringError, match=r"404 .*There is no sandbox"):
        control.request("DELETE", "sandboxes/0123456789abcdef")


@pytest.mark.parametrize(
    "given", [{"users": [{"name": "x"}]}, {"users": [{"id": 1}]}, {"scopes": {}}, {"scopes": {"a": ""}}]
)
def test_configuration_of_another_form_is_no_conflict(steered_sandbox: SteeredSandbox, given: dict[str, Any]) -> None:
    with pytest.raises(SteeringError, match="400 "):
        steered_sandbox.control.make(**given)


def test_removal_of_an_unknown_one_names_its_id(steered_sandbox: SteeredSandbox) -> None:
    with pytest.raises(SteeringError, match=r'404 There is no sandbox "nope". One that is idle'):
        steered_sandbox.control.request("DELETE", "sandboxes/nope")


def test_one_of_its_own_has_none_below_it(steered_sandbox: SteeredSandbox) -> None:
    with steered(steered_sandbox.control.make()) as own, pytest.raises(SteeringError, match=r"409 .*of the server"):
        own.control.make()


def test_idle_ones_go_and_there_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = utc_now()

    def clock() -> datetime:
        return now

    async def app(*_: object) -> None:
        """Serve nothing."""

    monkeypatch.setattr(sandboxes, "MOST", 2)
    kept = Sandboxes(lambda _: app, clock)
    first, second = kept.make(ready_made()), kept.make(ready_made())
    with pytest.raises(ValueError, match="There are 2 sandboxes already"):
        kept.make(ready_made())
    now += IDLE - timedelta(seconds=1)
    assert kept.use(second.id) is second
    now += timedelta(seconds=1)
    assert kept.use(first.id) is None
    third = kept.make(ready_made())
    assert kept.all() == (second, third)


# Users


def test_users_are_added_and_changed_and_gone_after_a_reset(steered_sandbox: SteeredSandbox) -> None:
    control = steered_sandbox.control
    control.request("POST", "users", {"id": 5, "name": "Five", "email": "five@example.com"})
    assert control.request("PATCH", "users/5", {"name": "V"}) == {"id": 5, "name": "V", "email": "five@example.com"}
    query = "client_id=demo-app&response_type=code&redirect_uri=http://localhost:1/cb"
    code = control.approve(f"?{query}", user_id=5).split("code=")[1]
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://localhost:1/cb"}
    token = ask(steered_sandbox, **grant).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Version": "2.0"}
    me = httpx.get(f"{steered_sandbox.url}/api/partner/users/me", headers=headers, trust_env=False).json()
    assert me["data"]["email"] == "five@example.com"
    snapshot = control.snapshot()
    control.reset()
    assert [user["id"] for user in control.request("GET", "users")] == [402215]
    control.restore(snapshot)
    assert [user["id"] for user in control.request("GET", "users")] == [402215, 5]


@pytest.mark.parametrize(
    ("method", "path", "body", "reason"),
    [
        ("POST", "users", {"id": 402215, "name": "again"}, "409 .*There is a user 402215 already"),
        ("POST", "users", {"id": 5}, "400 .*name"),
        ("PATCH", "users/402215", {"id": 6}, "400 .*The id of a user stays"),
        ("PATCH", "users/402215", {"name": ""}, "400 .*name"),
        ("PATCH", "users/402215", {"sub": ""}, "400 .*sub"),
        ("POST", "users", {"id": 5, "name": "a", "sub": 8}, "400 .*sub"),
        ("POST", "users", {"id": 5, "name": "a", "sub": "402215"}, "409 .*The user 402215 has the sub"),
        ("POST", "sandboxes", {"users": [{"id": id, "name": "a", "sub": "s"} for id in (1, 2)]}, "409 .*field sub"),
        ("PATCH", "users/6", {"name": "x"}, "404 .*There is no user 6"),
    ],
)
def test_an_invalid_user_is_refused(control: Control, method: str, path: str, body: Any, reason: str) -> None:
    with pytest.raises(SteeringError, match=reason):
        control.request(method, path, body)


def test_a_snapshot_with_tokens_of_nobody_changes_nothing(control: Control) -> None:
    snapshot = control.snapshot()
    snapshot["users"] = [{"id": 9, "name": "Nine"}]
    control.request("POST", "access-tokens", {"client_id": "demo-app"})
    with_token = control.snapshot() | {"users": snapshot["users"]}
    with pytest.raises(SteeringError, match=r"409 .*There is no user 402215"):
        control.restore(with_token)
    assert [user["id"] for user in control.request("GET", "users")] == [402215]


# The fixtures

SUITE = """
import httpx
import pytest

BODY = {"grant_type": "client_credentials", "client_id": "demo-app", "client_secret": "demo-secret"}


@pytest.mark.parametrize("number", range(15))
def test_alone(oauth_sandbox, number):
    for _ in range(4):
        httpx.post(f"{oauth_sandbox.url}/api/open/oauth/token", json=BODY, trust_env=False)
    assert len(oauth_sandbox.control.requests()) == 4, "another worker reset it, or used it too"


def test_new(oauth_sandbox, oauth_sandbox_new):
    mine = oauth_sandbox_new(preset="strict", clients=[{"client_id": "mine", "secret": "s"}])
    assert [client["client_id"] for client in mine.clients.all()] == ["mine"]
    assert oauth_sandbox.clients["demo-app"]
"""


@pytest.mark.process
def test_workers_of_a_suite_share_a_server(tmp_path: Path, steered_sandbox: SteeredSandbox) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["oauth_sandbox.fixtures"]\n', encoding="utf-8")
    (tmp_path / "test_suite.py").write_text(SUITE, encoding="utf-8")
    with running() as server:
        environ = {"PYTHONPATH": str(SOURCE), "OAUTH_SANDBOX_URL": server.url}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", str(tmp_path)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120, check=False
        )
        assert "16 passed" in done.stdout, done.stdout + done.stderr
        assert server.control.request("GET", "sandboxes") == [], "each is removed at the end"
