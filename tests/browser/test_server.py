"""The server as a process: its start, its listening addresses, and its history after a kill."""

import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Page

if TYPE_CHECKING:
    from tests.browser.conftest import Console


def listening(port: int) -> set[str]:
    """Return the addresses with a listener at this port, as the system lists them."""
    addresses = set()
    for path, loopback in (("/proc/net/tcp", "0100007F"), ("/proc/net/tcp6", "0" * 24 + "01000000")):
        for line in Path(path).read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, _, at = local.partition(":")
            if int(at, 16) == port and state == "0A":
                addresses.add("loopback" if address == loopback else address)
    return addresses


@pytest.mark.parametrize("start", ["python", "streamlit"])
def test_both_commands_serve_pages_and_routes_on_loopback_only(tools: Any, tmp_path: Path, start: str) -> None:
    port = tools.free_port()
    command = {
        "python": None,
        "streamlit": [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
    }[start]
    running = tools.start_console(tmp_path / "home", command, port)
    try:
        with httpx.Client(base_url=running.url, trust_env=False) as client:
            assert "<title>" in client.get("/").text
            assert client.get("/callback").status_code == 400
            assert client.get("/download/history.csv").status_code == 403
            assert client.get("/sandbox/health").status_code == 200
            assert client.post("/sandbox/api/open/oauth/token", json={}).json()["error"] == "invalid_request"
        assert listening(port) == {"loopback"}
    finally:
        tools.stop_console(running)


def test_invalid_setting_is_reported_without_a_traceback(tools: Any, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "app.py"],
        cwd=tools.ROOT,
        env={"PATH": "", "CONSOLE_HOME": str(tmp_path), "CONSOLE_KEY": "short"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode != 0
    assert "CONSOLE_KEY is shorter than 16 characters" in result.stderr
    assert "Traceback" not in result.stderr


def test_page_has_no_deploy_button_and_calls_no_other_host(page: Page, running: "Console") -> None:
    hosts = set()
    page.on("request", lambda request: hosts.add(re.sub(r"^(\w+://[^/]+).*", r"\1", request.url)))
    page.goto(running.url)
    page.locator(".st-key-authorize-open a").wait_for()
    assert page.get_by_text("Deploy").count() == 0
    assert {host for host in hosts if not host.startswith(("data:", "blob:"))} == {running.url}


def test_token_request_leaves_its_row_when_the_server_is_killed(tools: Any, page: Page, tmp_path: Path) -> None:
    running = tools.start_console(tmp_path / "home")
    arrived = threading.Event()
    release = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def stay_silent() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            arrived.set()
            release.wait(30)

    thread = threading.Thread(target=stay_silent, daemon=True)
    thread.start()
    try:
        walk = tools.Walk(page, running.url)
        walk.open()
        walk.press("rail.token")
        walk.type("token.url", f"http://127.0.0.1:{listener.getsockname()[1]}/token")
        walk.at("token.send").locator("button").click()
        assert arrived.wait(30), "the request never left"
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
    finally:
        release.set()
        listener.close()
        tools.stop_console(running)
        thread.join(10)
    with sqlite3.connect(running.home / "history.db") as database:
        rows = database.execute("select step, method, url, status, failure from exchanges").fetchall()
    assert [(row[0], row[1], row[3], row[4]) for row in rows] == [("token", "POST", None, "")]
