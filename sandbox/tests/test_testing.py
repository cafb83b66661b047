"""The fixture for other test suites, as they use it."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

import oauth_sandbox
from oauth_sandbox.testing import SteeredSandbox, running

pytestmark = pytest.mark.process

SOURCE = Path(oauth_sandbox.__file__).parents[1]
CONFTEST = 'pytest_plugins = ["oauth_sandbox.fixtures"]\n'
SUITE = """
import httpx

BODY = {"grant_type": "client_credentials", "client_id": "demo-app", "client_secret": "demo-secret"}


def ask(sandbox):
    return httpx.post(f"{sandbox.url}/api/open/oauth/token", json=BODY, trust_env=False)


def test_one(oauth_sandbox):
    assert ask(oauth_sandbox).status_code == 200
    assert len(oauth_sandbox.control.requests()) == 1
    oauth_sandbox.clients.change("demo-app", active=False)
    oauth_sandbox.clock.move(60)


def test_two(oauth_sandbox):
    assert oauth_sandbox.control.requests() == [], "each test has the sandbox for itself"
    assert ask(oauth_sandbox).status_code == 200
    oauth_sandbox.control.fault("server-error")
    assert ask(oauth_sandbox).status_code == 503
"""


@pytest.mark.parametrize("where", ["of its own", "running"])
def test_the_plugin_in_a_suite_elsewhere(tmp_path: Path, where: str) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_suite.py").write_text(SUITE, encoding="utf-8")
    with running() as other:
        environ = {"PYTHONPATH": str(SOURCE)} | ({"OAUTH_SANDBOX_URL": f"{other.url}/"} if where == "running" else {})
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "2 passed" in done.stdout
        assert bool(other.sandbox.log.entries()) is (where == "running")


def test_fixture_provides_clock_clients_and_control(steered_sandbox: SteeredSandbox) -> None:
    assert httpx.get(f"{steered_sandbox.url}/health", trust_env=False).status_code == 200
    assert steered_sandbox.clients["demo-app"]["secret"] == "demo-secret"
    before = steered_sandbox.clock.now()
    steered_sandbox.clock.move(timedelta(hours=1))
    assert steered_sandbox.clock.now() - before == timedelta(hours=1)
