"""The sandbox over real HTTP, and a place where drills run against it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from oauth import providers
from oauth.drills import Setting
from oauth.flow import Client
from oauth.history.store import History
from oauth.providers import Provider
from oauth.recorder import Recorder
from oauth.redaction import Vault
from oauth_sandbox.testing import RunningSandbox, running

CALLBACK = "http://localhost:8501/callback"
KEY = b"the key of a test installation  "


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningSandbox]:
    with running() as found:
        yield found


@pytest.fixture
def sandbox(server: RunningSandbox) -> RunningSandbox:
    server.sandbox.reset()
    return server


@pytest.fixture
def database(tmp_path: Path, migrated: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path))


@pytest.fixture
def history(database: Path) -> History:
    return History(f"sqlite:///{database}", now)


@pytest.fixture
def provider(sandbox: RunningSandbox) -> Provider:
    return replace(
        providers.load("http://localhost:8501")["sandbox"],
        authorization_endpoint=f"{sandbox.url}/oauth/authorize/",
        token_endpoint=f"{sandbox.url}/api/open/oauth/token",
        api=f"{sandbox.url}/api/partner",
        control=f"{sandbox.url}/control",
    )


@pytest.fixture
def new_recorder(history: History) -> Callable[[], Recorder]:
    return lambda: Recorder(history, Vault(KEY))


@pytest.fixture
def setting(provider: Provider, new_recorder: Callable[[], Recorder]) -> Setting:
    return Setting(provider, Client("a-client-of-mine", "and-its-secret"), CALLBACK, new_recorder, now, "local")


@pytest.fixture
def elsewhere(setting: Setting) -> Setting:
    """The same server as a provider that is no sandbox: no control, no ready-made clients, a client of one's own."""
    provider = replace(setting.provider, id="elsewhere", name="Elsewhere", clients=(), control="")
    return replace(setting, provider=provider, client=Client("demo-app", "demo-secret"))
