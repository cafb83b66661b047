"""The sandbox, a history, and a person who walks through them."""

import shutil
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
from oauth_sandbox.testing import RunningSandbox, running
from tests.diagnosis.harness import KEY, VERDICTS, Site, Walk


@pytest.fixture(scope="module")
def server() -> Iterator[RunningSandbox]:
    with running() as diagnosis:
        yield diagnosis


@pytest.fixture
def sandbox(server: RunningSandbox) -> RunningSandbox:
    server.sandbox.reset()
    return server


@pytest.fixture
def history(tmp_path: Path, migrated: Path) -> History:
    return History(f"sqlite:///{shutil.copy(migrated, tmp_path)}", lambda: datetime.now(UTC))


@pytest.fixture(scope="module")
def second_server() -> Iterator[RunningSandbox]:
    with running() as diagnosis:
        yield diagnosis


@pytest.fixture
def other_site(second_server: RunningSandbox) -> Site:
    """A second sandbox on a port of its own: another site of the same kind, with clients and tokens of its own."""
    second_server.sandbox.reset()
    return Site(second_server, replace(profile_of(second_server), id="other-site", clients=(), control=""))


@pytest.fixture
def provider(sandbox: RunningSandbox) -> Provider:
    return profile_of(sandbox)


def profile_of(sandbox: RunningSandbox) -> Provider:
    return replace(
        providers.load("http://localhost:8501")["sandbox"],
        authorization_endpoint=f"{sandbox.url}/oauth/authorize/",
        token_endpoint=f"{sandbox.url}/api/open/oauth/token",
        api=f"{sandbox.url}/api/partner",
    )


@pytest.fixture
def walks() -> list[Walk]:
    """Everybody who walks in a test."""
    return []


@pytest.fixture
def new_walk(sandbox: RunningSandbox, history: History, provider: Provider, walks: list[Walk]) -> Callable[..., Walk]:
    """Makes another person's walk, over the same history, and over the same sandbox unless another site is given."""

    def make(client_id: str = "demo-app", secret: str = "", at: Site | None = None) -> Walk:
        known = {item.id: item.secret for item in provider.clients}
        client = Client(client_id, secret or known.get(client_id, "a-secret-of-nobody"))
        site = at or Site(sandbox, provider)
        walks.append(Walk(site.running, history, site.provider, client, Vault(KEY)))
        return walks[-1]

    return make


@pytest.fixture
def walk(new_walk: Callable[..., Walk]) -> Walk:
    return new_walk()


@pytest.fixture(autouse=True)
def promises(request: pytest.FixtureRequest, walks: list[Walk]) -> Iterator[None]:
    """What the marks of a test say it has to have seen, in the diagnosis of an answer that came over HTTP."""
    yield
    seen = {diagnosis for walk in walks for diagnosis in walk.judged}
    for name, verdict in VERDICTS.items():
        for mark in request.node.iter_markers(name):
            error, *causes = mark.args
            assert not [cause for cause in causes if (error, cause, verdict) not in seen], f"{name} {error}"
