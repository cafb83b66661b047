"""The console behind a proxy that speaks TLS, under a name and a path of its own."""

import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from playwright.sync_api import Browser, expect

NAME = "console.test"


@contextmanager
def tls_in_front_of(port: int) -> Iterator[int]:
    """A proxy that takes TLS off and passes every byte on; gives its own port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(NAME).configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:  # closed: the test is over
                return
            threading.Thread(target=connect, args=(accepted,), daemon=True).start()

    def connect(accepted: socket.socket) -> None:
        try:
            outside = context.wrap_socket(accepted, server_side=True)
            inside = socket.create_connection(("127.0.0.1", port))
        except OSError:  # the browser tries the certificate, and hangs up
            return
        for source, target in ((outside, inside), (inside, outside)):
            threading.Thread(target=pass_on, args=(source, target), daemon=True).start()

    def pass_on(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                target.sendall(data)
        except OSError:
            pass  # the other side hung up
        finally:
            target.close()

    threading.Thread(target=serve, daemon=True).start()
    yield int(listener.getsockname()[1])
    listener.close()


@pytest.mark.parametrize(("start", "path"), [("python", ""), ("python", "/tools/console"), ("streamlit", "/console")])
def test_the_answer_comes_back_to_the_public_address(
    tools: Any, browser: Browser, tmp_path: Path, start: str, path: str
) -> None:
    port = tools.free_port()
    streamlit = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with tls_in_front_of(port) as outside:
        public = f"https://{NAME}:{outside}{path}"
        running = tools.start_console(
            tmp_path / "home", streamlit if start == "streamlit" else None, port, path, CONSOLE_PUBLIC_URL=public
        )
        context = browser.new_context(ignore_https_errors=True)
        context.set_default_timeout(tools.PATIENCE)
        try:
            walk = tools.Walk(context.new_page(), public)
            walk.open()
            walk.at("authorize.field.redirect_uri.value").wait_for()
            expect(walk.at("authorize.field.redirect_uri.value").locator("input")).to_have_value(f"{public}/callback")
            walk.authorize()
            expect(walk.at("step.callback")).to_contain_text("The state is the one that was sent")
            walk.open("/history")
            walk.at("history.table").wait_for()
        finally:
            context.close()
            tools.stop_console(running)
