"""The sandbox alone, as a process of its own."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import oauth_sandbox
from oauth_sandbox.server import ServeError, serve

SOURCE = Path(oauth_sandbox.__file__).parents[1]
PROGRAM = "from oauth_sandbox.server import serve; serve('127.0.0.1', 0)"


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with running:
        yield running
        if running.poll() is None:
            running.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_says_when_it_is_ready_and_stops_on_a_signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    assert process.stdout is not None
    ready = re.fullmatch(r"Sandbox ready at (http://127\.0\.0\.1:[1-9]\d*)\n", process.stdout.readline())
    assert ready is not None
    with httpx.Client(base_url=ready[1], trust_env=False) as http:
        assert http.get("/health").status_code == 200
        http.get("/oauth/authorize/", params={"state": "canary-state"})
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert (out, err) == ("", ""), "no log of addresses, no traceback"


@pytest.mark.parametrize(
    "fault",
    [{"fault": "latency", "seconds": 60}, {"fault": "hold", "seconds": 60}, {"fault": "slow-drip", "seconds": 60}],
)
def test_a_response_that_a_fault_holds_back_ends_quietly_at_the_stop(
    process: subprocess.Popen[str], fault: dict[str, object]
) -> None:
    assert process.stdout is not None
    url = process.stdout.readline().removeprefix("Sandbox ready at ").strip()
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as http, ThreadPoolExecutor(1) as pool:
        assert http.post("/control/faults", json=fault).status_code == 201
        waiting = pool.submit(http.get, "/api/partner/users/me")
        while not http.get("/control/requests").json() and not http.get("/control/holds").json():
            pass
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        assert isinstance(waiting.exception(timeout=20), httpx.RemoteProtocolError | httpx.ReadError)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_port_in_use_is_one_line_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServeError) as caught:
            serve("127.0.0.1", port)
    text = str(caught.value)
    assert "\n" not in text
    assert f"127.0.0.1, port {port}" in text
    assert "--port" in text


def test_an_empty_host_is_named() -> None:
    with pytest.raises(ServeError, match="--host is empty: give an address"):
        serve("", 0)


@pytest.mark.parametrize(("host", "port"), [("no such host", 0), ("127.0.0.1", 70_000), ("192.0.2.1", 0)])
def test_unusable_address_is_refused(host: str, port: int) -> None:
    with pytest.raises(ServeError, match="Cannot listen"):
        serve(host, port)
