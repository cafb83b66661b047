"""The fixtures of pytest, which finds them by itself once the distribution is installed."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from oauth_sandbox.testing import SteeredSandbox, running, steered

RUNNING_URL = "OAUTH_SANDBOX_URL"
RUNNING_TOKEN = "OAUTH_SANDBOX_TOKEN"


@pytest.fixture(scope="session")
def oauth_sandbox_server() -> Iterator[SteeredSandbox]:
    """Provide one sandbox for the whole run.

    It is the one at ``OAUTH_SANDBOX_URL`` (with ``OAUTH_SANDBOX_TOKEN`` if needed), or a new one on a free port.
    """
    url = os.environ.get(RUNNING_URL)
    with ExitStack() as stack:
        token = os.environ.get(RUNNING_TOKEN) if url else None
        url = url or stack.enter_context(running()).url
        yield stack.enter_context(steered(url.rstrip("/"), token))


@pytest.fixture
def oauth_sandbox(oauth_sandbox_server: SteeredSandbox) -> SteeredSandbox:
    """Provide the sandbox in its initial state."""
    oauth_sandbox_server.control.reset()
    return oauth_sandbox_server
