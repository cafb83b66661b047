"""The fixtures of pytest, which finds them by itself once the distribution is installed."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from oauth_sandbox.control_client import SteeringError
from oauth_sandbox.testing import SteeredSandbox, running, steered

RUNNING_URL = "OAUTH_SANDBOX_URL"
RUNNING_TOKEN = "OAUTH_SANDBOX_TOKEN"


@pytest.fixture(scope="session")
def oauth_sandbox_server() -> Iterator[SteeredSandbox]:
    """Provide one sandbox for the whole run.

    It is the one at ``OAUTH_SANDBOX_URL`` (with ``OAUTH_SANDBOX_TOKEN`` if needed), or a new one on a free port.
    Workers of pytest-xdist have one of their own there.
    """
    url = os.environ.get(RUNNING_URL)
    with ExitStack() as stack:
        token = os.environ.get(RUNNING_TOKEN) if url else None
        if url:
            server = _connected(stack, url, token)
        else:
            server = stack.enter_context(steered(stack.enter_context(running()).url))
        if url and "PYTEST_XDIST_WORKER" in os.environ:
            # Workers that share a server would reset each other.
            server = stack.enter_context(_own(server, token, {}))
        yield server


@pytest.fixture
def oauth_sandbox(oauth_sandbox_server: SteeredSandbox) -> SteeredSandbox:
    """Provide the sandbox in its initial state."""
    oauth_sandbox_server.control.reset()
    return oauth_sandbox_server


@pytest.fixture
def oauth_sandbox_new(oauth_sandbox_server: SteeredSandbox) -> Iterator[Callable[..., SteeredSandbox]]:
    """Provide a function that makes a sandbox for this test alone, configured by its arguments.

    They are ``preset``, ``lifetimes``, ``behaviour``, ``request_limit``, ``openid``, ``seed``, ``users``, ``clients``,
    ``scopes``, ``redirect_uris`` and ``api``, as in ``POST /control/sandboxes``.
    """
    token = os.environ.get(RUNNING_TOKEN)
    with ExitStack() as stack:
        yield lambda **configuration: stack.enter_context(_own(oauth_sandbox_server, token, configuration))


def _connected(stack: ExitStack, url: str, token: str | None) -> SteeredSandbox:
    """Connect to the sandbox of the environment; the tests fail with one line when that is not possible."""
    try:
        server = stack.enter_context(steered(url.rstrip("/"), token))
        server.clock.now()
    except (SteeringError, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, LookupError, TypeError) as error:
        with_token = f" with the token in {RUNNING_TOKEN}" if token else f" without a token ({RUNNING_TOKEN})"
        reason = f"There is no sandbox to use at {RUNNING_URL}={url}{with_token}: {str(error)[:200]}"
        pytest.fail(reason, pytrace=False)
    return server


@contextmanager
def _own(server: SteeredSandbox, token: str | None, configuration: Mapping[str, object]) -> Iterator[SteeredSandbox]:
    """Make a sandbox of its own, for the block."""
    at = server.url.partition("/sandboxes/")[0]
    with steered(at, token) as above:
        url = above.control.make(**configuration)
        try:
            with steered(url, token) as own:
                yield own
        finally:
            above.control.request("DELETE", f"sandboxes/{url.rpartition('/')[2]}")
