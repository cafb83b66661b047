"""The fixture for other test suites, as they use it."""

import contextlib
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

import oauth_sandbox
from oauth_sandbox.control_client import Control
from oauth_sandbox.testing import SteeredSandbox, running, serving

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


def run(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run ``SUITE`` in a folder of its own."""
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "test_suite.py").write_text(SUITE, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    environ = {"PYTHONPATH": str(SOURCE), "PYTHONUTF8": "1"} | environ
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("where", ["of its own", "running"])
def test_the_plugin_in_a_suite_elsewhere(tmp_path: Path, where: str) -> None:
    with running() as other:
        done = run(tmp_path, **({"OAUTH_SANDBOX_URL": f"{other.url}/"} if where == "running" else {}))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "2 passed" in done.stdout
        assert bool(other.sandbox.log.entries()) is (where == "running")


@pytest.mark.parametrize(
    ("url", "token", "reason"),
    [
        ("foo", "", "missing an 'http://' or 'https://' protocol"),
        ("http://127.0.0.1:9", "", "Connection refused"),
        ("http://[::1", "", "Invalid"),
        ("http://127.0.0.1:9", "żółw", "Use printable ASCII."),
    ],
)
def test_a_sandbox_that_cannot_be_used_is_one_line(tmp_path: Path, url: str, token: str, reason: str) -> None:
    done = run(tmp_path, OAUTH_SANDBOX_URL=url, OAUTH_SANDBOX_TOKEN=token)
    assert done.returncode == 1
    assert "2 errors" in done.stdout
    assert f"There is no sandbox to use at OAUTH_SANDBOX_URL={url} " in done.stdout
    assert reason in done.stdout
    assert "Traceback" not in done.stdout
    assert "control_client.py" not in done.stdout


def test_a_server_that_is_no_sandbox_is_named(tmp_path: Path) -> None:
    with serving(Starlette()) as url:
        done = run(tmp_path, OAUTH_SANDBOX_URL=url)
    assert f"There is no sandbox to use at OAUTH_SANDBOX_URL={url} without a token" in done.stdout
    assert "GET clock: 404 Not Found" in done.stdout


def test_the_control_trusts_ssl_cert_file(monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "oauth_sandbox", "--port", "0", "--tls-self-made"]
    with subprocess.Popen(
        command, env={"PYTHONPATH": str(SOURCE)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            monkeypatch.setenv("SSL_CERT_FILE", process.stderr.readline().split(": ")[1].strip())
            with contextlib.closing(Control(process.stdout.readline().split()[-1])) as control:
                assert control.lint() == []
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda it: it.clock.set("2027-01-01"), TypeError, "takes a time, such as .*, not '2027-01-01'"),
        (lambda it: it.clock.move(float("nan")), ValueError, "takes seconds or a timedelta, not nan"),
        (lambda it: it.clients["nope"], KeyError, "There is no client 'nope'. Known are demo-app, "),
        (lambda it: it.control.restore("x"), TypeError, r"takes what snapshot\(\) returned, not 'x'"),
        (
            lambda it: running(provider="x"),
            ValueError,
            "There is no provider 'x'. Known are partner, olxgroup, generic",
        ),
    ],
)
def test_a_wrong_argument_is_named(
    steered_sandbox: SteeredSandbox, call: Callable[[SteeredSandbox], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call(steered_sandbox)


def test_clients_are_ids_to_look_for(steered_sandbox: SteeredSandbox) -> None:
    assert "demo-app" in steered_sandbox.clients
    assert "nope" not in steered_sandbox.clients
    assert next(iter(steered_sandbox.clients)) == "demo-app"


def test_fixture_provides_clock_clients_and_control(steered_sandbox: SteeredSandbox) -> None:
    assert httpx.get(f"{steered_sandbox.url}/health", trust_env=False).status_code == 200
    assert steered_sandbox.clients["demo-app"]["secret"] == "demo-secret"
    before = steered_sandbox.clock.now()
    steered_sandbox.clock.move(timedelta(hours=1))
    assert steered_sandbox.clock.now() - before == timedelta(hours=1)
