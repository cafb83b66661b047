"""A running sandbox for tests: real HTTP on a free port of the loopback address, and a pytest fixture.

``pytest_plugins = ["oauth.sandbox.testing"]`` in a ``conftest.py`` gives the fixture ``oauth_sandbox``.
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

PATIENCE = 10  # seconds
RUNNING_URL = "OAUTH_SANDBOX_URL"
RUNNING_TOKEN = "OAUTH_SANDBOX_TOKEN"


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """Where it answers, and the sandbox itself with its clock and clients."""

    url: str
    sandbox: Sandbox


@contextlib.contextmanager
def running(sandbox: Sandbox | None = None) -> Iterator[RunningSandbox]:
    """Serve a sandbox, a new one in real time if none is given, until the block ends."""
    sandbox = sandbox or Sandbox(utc_now)
    with serving(application(sandbox)) as url:
        yield RunningSandbox(url, sandbox)


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve any application in a thread of its own and give its address. Raises ``RuntimeError`` when it does not
    start or stop within ``PATIENCE`` seconds."""
    ready = threading.Event()
    with listening(HOST, 0) as listener:
        server = Server(app, ready.set)
        thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
        thread.start()
        try:
            if not ready.wait(PATIENCE):
                raise RuntimeError(f"The server did not start within {PATIENCE} seconds.")
            yield url_of(listener)
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            if thread.is_alive():
                raise RuntimeError(f"The server did not stop within {PATIENCE} seconds.")


@dataclass(frozen=True, slots=True)
class SteeredSandbox:
    """A sandbox as a test suite has it: its address, and its clock, clients and control, all over HTTP."""

    url: str
    control: Control
    clock: SteeredClock
    clients: SteeredClients


@contextlib.contextmanager
def steered(url: str, token: str | None = None) -> Iterator[SteeredSandbox]:
    """The sandbox that runs at ``url``."""
    with contextlib.closing(Control(url, token)) as control:
        yield SteeredSandbox(url, control, SteeredClock(control), SteeredClients(control))


@pytest.fixture(scope="session")
def oauth_sandbox_server() -> Iterator[SteeredSandbox]:
    """One sandbox for the whole run: the one at ``OAUTH_SANDBOX_URL`` (with ``OAUTH_SANDBOX_TOKEN`` if it needs one),
    or else a new one on a free port."""
    url = os.environ.get(RUNNING_URL)
    with contextlib.ExitStack() as stack:
        token = os.environ.get(RUNNING_TOKEN) if url else None
        url = url or stack.enter_context(running()).url
        yield stack.enter_context(steered(url.rstrip("/"), token))


@pytest.fixture
def oauth_sandbox(oauth_sandbox_server: SteeredSandbox) -> SteeredSandbox:
    """The sandbox, as it was at the start: each test has its state for itself."""
    oauth_sandbox_server.control.reset()
    return oauth_sandbox_server
