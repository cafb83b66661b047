"""The sandbox, a history, and a person who walks through them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from oauth import providers
from oauth.flow import Client
from oauth.history.store import History
from oauth.providers import Provider
from oauth.redaction import Vault
from oauth.sandbox.testing import RunningSandbox, running
from tests.diagnosis.harness import KEY, Walk


@pytest.fixture(scope="module")
def server() -> Iterator[RunningSandbox]:
    with running() as found:
        yield found


@pytest.fixture
def sandbox(server: RunningSandbox) -> RunningSandbox:
    server.sandbox.reset()
    return server


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(f"sqlite:///{tmp_path / 'history.db'}", lambda: datetime.now(UTC))


@pytest.fixture
def provider(sandbox: RunningSandbox) -> Provider:
    profile = providers.load("http://localhost:8501")["sandbox"]
    return replace(
        profile,
        authorization_endpoint=f"{sandbox.url}/oauth/authorize/",
        token_endpoint=f"{sandbox.url}/api/open/oauth/token",
        api=f"{sandbox.url}/api/partner",
    )


@pytest.fixture
def new_walk(sandbox: RunningSandbox, history: History, provider: Provider) -> Callable[..., Walk]:
    """Makes another person's walk, over the same sandbox and the same history."""

    def make(client_id: str = "demo-app", secret: str = "") -> Walk:
        known = {item.id: item.secret for item in provider.clients}
        client = Client(client_id, secret or known.get(client_id, "a-secret-of-nobody"))
        return Walk(sandbox, history, provider, client, Vault(KEY))

    return make


@pytest.fixture
def walk(new_walk: Callable[..., Walk]) -> Walk:
    return new_walk()
