"""A console as a service: how it ends, what its probes say meanwhile, and what it logs."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import func, select

from oauth.access import LOCAL
from oauth.exchange import Exchange, Request, Step
from oauth.exports import links
from oauth.history.filters import Filters
from oauth.history.schema import consoles
from oauth.history.store import History, Row
from oauth.settings import load
from tests.browser.conftest import Console, start_console, stop_console
from tests.hostile import servers as hostile
from tests.hostile.session import Session
from tests.servers.proxies import ROOT
from tests.servers.running import free_port

pytestmark = pytest.mark.process

SECRET = "canary-41d07b9f2a41d07b"

LIMIT = 10
"""Seconds in which a console ends."""

START = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|WARNING|ERROR) \S+: \S")


def history_of(home: Path) -> History:
    return History(load({"CONSOLE_HOME": str(home)}).database_url, lambda: datetime.now(UTC))


def rows_of(home: Path) -> list[Row]:
    history = history_of(home)
    with history.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(consoles)) == 0, "the console that ended is gone"
    rows = list(history.rows(Filters()))
    history.database.engine.dispose()
    return rows


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def reason(console: Console) -> str:
    answer = httpx.get(f"{console.url}/ready", trust_env=False)
    return "" if answer.status_code == 200 else str(answer.json()["reason"])


def test_slow_download_is_an_error_for_its_client_when_the_console_ends_within_ten_seconds(tmp_path: Path) -> None:
    home, rows, body = tmp_path / "home", 300, b"x" * 100_000
    console = start_console(home)
    try:
        history = history_of(home)
        for _ in range(rows):
            history.begin(Exchange(Step.API, Request("POST", "https://p.example/", (), body), datetime.now(UTC)))
        history.database.engine.dispose()
        settings, address = load({"CONSOLE_HOME": str(home)}), urlsplit(console.url)
        link = links.sign(settings, Filters(), datetime.now(UTC), "jsonl", "a-browser", person=LOCAL.id)
        cookie = f"{links.cookie_name(settings)}=a-browser"
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect((address.hostname, address.port))
            slow.sendall(f"GET {link} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookie}\r\n\r\n".encode())
            received = slow.recv(1024)
            assert received.startswith(b"HTTP/1.1 200 OK")
            start = time.monotonic()
            console.process.send_signal(signal.SIGTERM)
            console.process.wait(LIMIT)
            assert time.monotonic() - start < LIMIT
            while piece := slow.recv(65536):
                received += piece
    finally:
        stop_console(console)
    head, _, content = received.partition(b"\r\n\r\n")
    assert len(content) < rows * len(body)
    if length := re.search(rb"content-length: (\d+)", head, re.IGNORECASE):
        assert len(content) < int(length[1])
    else:
        assert not content.endswith(b"0\r\n\r\n"), "the end of a chunked response says that it is whole"
    log = console.log.read_text()
    assert "1 downloads were broken off" in log
    assert all(map(START.match, log.splitlines()[-3:])), "without a traceback"


def test_response_to_a_sent_request_is_recorded_after_sigterm_and_nothing_new_is_sent(tmp_path: Path) -> None:
    home, entered, may_answer = tmp_path / "home", threading.Event(), threading.Event()

    def late(connection: socket.socket) -> None:
        entered.set()
        may_answer.wait(30)
        hostile.response("404 Not Found", SECRET.encode(), Content_Type="text/plain")(connection)

    async def press(session: Session) -> None:
        await session.open("/providers")
        await session.fill("providers.issuer", server.url)
        await session.press("providers.discover")

    console = start_console(home)
    try:
        with hostile.serving(late) as server:

            async def stop() -> None:
                session = Session(console.url)
                pressing = asyncio.ensure_future(press(session))
                await asyncio.to_thread(entered.wait, 30)
                assert await asyncio.to_thread(reason, console) == ""
                console.process.send_signal(signal.SIGTERM)
                await asyncio.to_thread(until, lambda: reason(console) == "stopping")
                assert (await session.http.get("/live")).status_code == 200
                may_answer.set()
                await asyncio.to_thread(console.process.wait, LIMIT)
                pressing.cancel()
                await asyncio.gather(pressing, return_exceptions=True)
                await session.close()

            asyncio.run(stop())
            assert len(server.requests) == 1
    finally:
        may_answer.set()
        stop_console(console)
    first, *others = reversed(rows_of(home))
    assert first.exchange.response is not None
    assert first.exchange.response.status == 404
    assert all(row.exchange.failure and row.exchange.failure.kind == "stopping" for row in others)
    log = console.log.read_text()
    assert "1 requests wait for their response" in log
    assert "0 responses have not come" in log
    assert SECRET not in log


def test_request_without_an_answer_holds_up_the_end_for_less_than_ten_seconds(tmp_path: Path) -> None:
    console = start_console(tmp_path / "home")
    entered = threading.Event()

    def silent(connection: socket.socket) -> None:
        entered.set()
        hostile.silent(connection)

    async def stop() -> float:
        session = Session(console.url)
        await session.open("/providers")
        await session.fill("providers.issuer", server.url)
        pressing = asyncio.ensure_future(session.press("providers.discover"))
        await asyncio.to_thread(entered.wait, 30)
        start = time.monotonic()
        console.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(console.process.wait, LIMIT)
        pressing.cancel()
        await asyncio.gather(pressing, return_exceptions=True)
        await session.close()
        return time.monotonic() - start

    try:
        with hostile.serving(silent) as server:
            assert 5 < asyncio.run(stop()) < LIMIT
    finally:
        stop_console(console)
    assert "1 responses have not come" in console.log.read_text()


def test_second_sigterm_does_not_wait(tmp_path: Path) -> None:
    console = start_console(tmp_path / "home", CONSOLE_PUBLIC_URL="http://localhost:1")
    start = time.monotonic()
    console.process.send_signal(signal.SIGTERM)
    until(lambda: reason(console) == "stopping")
    console.process.send_signal(signal.SIGTERM)
    console.process.wait(LIMIT)
    assert time.monotonic() - start < 3


def test_proxy_has_time_to_notice_that_the_console_is_not_ready(tmp_path: Path) -> None:
    console = start_console(tmp_path / "home", CONSOLE_PUBLIC_URL="http://localhost:1")
    start = time.monotonic()
    console.process.send_signal(signal.SIGTERM)
    until(lambda: reason(console) == "stopping")
    assert httpx.get(f"{console.url}/", trust_env=False).status_code == 200
    console.process.wait(LIMIT)
    assert 4 <= time.monotonic() - start < LIMIT


def test_arguments_are_refused_with_the_way_to_set_a_port(tmp_path: Path) -> None:
    command = [sys.executable, "app.py", "--port", "8600"]
    ended = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"CONSOLE_HOME": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("app.py takes no arguments, and was given: --port 8600.")
    assert "CONSOLE_PORT" in ended.stderr


@pytest.mark.parametrize("start", [None, ["streamlit", "run", "app.py"]])
def test_log_is_json_with_one_object_a_line_and_nothing_misleading(tmp_path: Path, start: list[str] | None) -> None:
    home = tmp_path / "home"
    command = None if start is None else [sys.executable, "-m", *start]
    port = free_port()
    console = start_console(
        home, command, port, CONSOLE_LOG="json", **({} if start is None else {"STREAMLIT_SERVER_PORT": str(port)})
    )
    httpx.post(f"{console.url}/history", headers={"Origin": "http://elsewhere.example", "X-Request-Id": "r-7-of-proxy"},
               params={"code": SECRET}, trust_env=False)  # fmt: skip
    stop_console(console)
    lines = console.log.read_text().splitlines()
    if start is None:
        objects = [json.loads(line) for line in lines]
        assert [line for line in objects if line["level"] != "INFO"] == [
            line for line in objects if "request_id" in line
        ]
    else:
        objects = [json.loads(line) for line in lines if line.startswith("{")]
    refused = next(line for line in objects if "another origin" in line["message"])
    assert refused["request_id"] == "r-7-of-proxy"
    assert set(refused) == {"time", "level", "logger", "message", "request_id"}
    assert "config option" not in console.log.read_text()
    assert SECRET not in console.log.read_text()


def test_log_is_text_by_default_with_nothing_misleading(tmp_path: Path) -> None:
    console = start_console(tmp_path / "home")
    stop_console(console)
    lines = [line for line in console.log.read_text().splitlines() if line.strip()]
    assert [line.strip() for line in lines[:2]] == [
        "You can now view your Streamlit app in your browser.",
        f"URL: {console.url}",
    ]
    assert all(map(START.match, lines[2:]))
    assert [line for line in lines if "WARNING" in line] == []
