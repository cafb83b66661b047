"""The sandbox as the console serves it, under ``/sandbox`` of the console's own server."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from oauth_sandbox.testing import SteeredSandbox, steered
from sandbox.tests.faults.conftest import raw_request

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def console_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = os.environ | {"CONSOLE_HOME": str(tmp_path_factory.mktemp("console")), "CONSOLE_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process)
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(f"{url}/sandbox/health", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("The console did not start.")


@pytest.fixture
def mounted(console_url: str) -> Iterator[SteeredSandbox]:
    with steered(f"{console_url}/sandbox") as sandbox:
        sandbox.control.reset()
        yield sandbox


def test_the_control(mounted: SteeredSandbox) -> None:
    document = mounted.control.request("GET", "openapi.json")
    assert document["servers"] == [{"url": "/sandbox/control"}]
    mounted.clock.move(60)
    assert mounted.control.request("GET", "clock")["offset_seconds"] == 60
    evil = httpx.get(f"{mounted.url}/control/clock", headers={"Host": "evil.example"}, trust_env=False)
    assert evil.is_error


def test_a_connection_reset(mounted: SteeredSandbox, console_url: str) -> None:
    mounted.control.fault("connection-reset")
    with pytest.raises(ConnectionResetError):
        raw_request(console_url, "/sandbox")


def test_a_cut_off_body(mounted: SteeredSandbox, console_url: str) -> None:
    mounted.control.fault("cut-off-body")
    head, _, body = raw_request(console_url, "/sandbox").partition(b"\r\n\r\n")
    assert b"content-length: 124" in head.lower()
    assert len(body) == 62


def test_a_slow_drip(mounted: SteeredSandbox, console_url: str) -> None:
    mounted.control.fault("slow-drip", seconds=0.3)
    begun = time.perf_counter()
    assert raw_request(console_url, "/sandbox").endswith(b"}")
    assert time.perf_counter() - begun >= 0.29


def test_the_sister_api_has_a_state_and_a_control_of_its_own(mounted: SteeredSandbox, console_url: str) -> None:
    with steered(f"{console_url}/sandbox/olxgroup") as sister:
        sister.control.reset()
        assert sister.control.request("GET", "openapi.json")["servers"] == [{"url": "/sandbox/olxgroup/control"}]
        sister.clock.move(60)
        assert mounted.control.request("GET", "clock")["offset_seconds"] == 0
        assert [client["client_id"] for client in sister.clients.all()] == ["crm-app", "parts-app"]
        answer = httpx.get(f"{sister.url}/advert/v1/f7695d17-8ee2-4409-89ac-74c673630edb/meta", trust_env=False)
        assert (answer.status_code, answer.json()["message"]) == (403, "Invalid API Key - unknown Partner")
