"""A running sandbox for tests: real HTTP on a free loopback port, and a pytest fixture.

``pytest_plugins = ["oauth.sandbox.testing"]`` in a ``conftest.py`` provides the fixture ``oauth_sandbox``.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from starlette.types import ASGIApp

from oauth.sandbox.app import application
from oauth.sandbox.clock import utc_now
from oauth.sandbox.control_client import Control, SteeredClients, SteeredClock
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.server import HOST, Server, listening, url_of

TIMEOUT = 10  # seconds
RUNNING_URL = "OAUTH_SANDBOX_URL"
RUNNING_TOKEN = "OAUTH_SANDBOX_TOKEN"


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A running sandbox and its address."""

    url: str
    sandbox: Sandbox


@contextlib.contextmanager
def running(sandbox: Sandbox | None = None) -> Iterator[RunningSandbox]:
    """Serve a sandbox, by default a new one in real time, until the block ends."""
    sandbox = sandbox or Sandbox(utc_now)
    with serving(application(sandbox)) as url:
        yield RunningSandbox(url, sandbox)


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve any ASGI application in a thread and yield its URL.

    Raises ``RuntimeError`` when it does not start or stop within ``TIMEOUT`` seconds.
    """
    ready = threading.Event()
    with listening(HOST, 0) as listener:
        server = Server(app, ready.set)
        thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
        thread.start()
        try:
            if not ready.wait(TIMEOUT):
                raise RuntimeError(f"The server did not start within {TIMEOUT} seconds.")
            yield url_of(listener)
        finally:
            server.should_exit = True
            thread.join(TIMEOUT)
            if thread.is_alive():
                raise RuntimeError(f"The server did not stop within {TIMEOUT} seconds.")


@dataclass(frozen=True, slots=True)
class SteeredSandbox:
    """A sandbox for a test suite: its URL, clock, clients and control, all over HTTP."""

    url: str
    control: Control
    clock: SteeredClock
    clients: SteeredClients


@contextlib.contextmanager
def steered(url: str, token: str | None = None) -> Iterator[SteeredSandbox]:
    """Connect to the sandbox at ``url``."""
    with contextlib.closing(Control(url, token)) as control:
        yield SteeredSandbox(url, control, SteeredClock(control), SteeredClients(control))


@pytest.fixture(scope="session")
def oauth_sandbox_server() -> Iterator[SteeredSandbox]:
    """Provide one sandbox for the whole run.

    It is the one at ``OAUTH_SANDBOX_URL`` (with ``OAUTH_SANDBOX_TOKEN`` if needed), or a new one on a free port.
    """
    url = os.environ.get(RUNNING_URL)
    with contextlib.ExitStack() as stack:
        token = os.environ.get(RUNNING_TOKEN) if url else None
        url = url or stack.enter_context(running()).url
        yield stack.enter_context(steered(url.rstrip("/"), token))


@pytest.fixture
def oauth_sandbox(oauth_sandbox_server: SteeredSandbox) -> SteeredSandbox:
    """Provide the sandbox in its initial state."""
    oauth_sandbox_server.control.reset()
    return oauth_sandbox_server
