"""Every drill at the sandbox of a running console behind nginx and HAProxy, and who else may use its control there."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from oauth import providers, settings
from oauth.drills import Setting, drills, run, unavailable
from oauth.flow import Client
from oauth.recorder import Recorder
from tests.drills.conftest import now
from tests.servers import proxies
from tests.servers.running import free_port, running

pytestmark = [pytest.mark.process, pytest.mark.proxies]


@dataclass(frozen=True)
class Console:
    """A running console, and the ``outside`` port of a proxy in front of it. ``token`` opens the sandbox's control."""

    port: int
    outside: int
    token: str
    published: bool

    @property
    def url(self) -> str:
        return f"http://localhost:{self.outside}"


@pytest.fixture(scope="module", params=["personal", "published"])
def console(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console without CONSOLE_PUBLIC_URL, as one puts it behind a proxy in passing, and one with it."""
    proxies.program("haproxy")
    port, outside = free_port(), free_port()
    environ = {"CONSOLE_HOME": str(tmp_path_factory.mktemp("console")), "CONSOLE_PORT": str(port)}
    published = request.param == "published"
    if published:
        environ["CONSOLE_PUBLIC_URL"] = f"http://localhost:{outside}"
    token = settings.load(environ).control_token_for(f"http://localhost:{outside}")
    with running([sys.executable, "app.py"], proxies.ROOT, environ, port):
        yield Console(port, outside, token, published)


@pytest.fixture(params=["nginx-minimal.conf", "nginx-usual.conf", "haproxy-minimal.cfg", "haproxy-usual.cfg"])
def proxy(request: pytest.FixtureRequest, console: Console, tmp_path: Path) -> Iterator[str]:
    """A proxy in front of the console; its name and configuration."""
    name: str = request.param
    text = proxies.configuration(name, console.outside, console.port)
    with proxies.proxy(name.partition("-")[0], tmp_path / "proxy", text, console.outside):
        yield name


@pytest.mark.parametrize("provider", ["sandbox", "sandbox-olxgroup"])
def test_every_drill_passes(provider: str, proxy: str, console: Console, new_recorder: Callable[[], Recorder]) -> None:
    profile = providers.load(console.url)[provider]
    callback = f"{console.url}/callback"
    where = Setting(profile, Client("", ""), callback, new_recorder, now, "local", control_token=console.token)
    failed = {}
    for drill in drills():
        if not unavailable(drill, where):
            *_, last = run(drill, where)
            assert last.outcome is not None
            if not last.outcome.passed:
                failed[drill.id] = (last.outcome.expected, last.outcome.actual, last.outcome.trouble)
    assert failed == {}


def test_control_is_closed_to_everybody_else(proxy: str, console: Console) -> None:
    hosts = ["console.example"]
    if console.published or proxy != "haproxy-minimal.cfg":  # which leaves no trace, where a stranger chooses the host
        hosts.append("localhost")
    with httpx.Client(base_url=console.url, trust_env=False) as http:
        for host in hosts:
            for answer in (
                http.get("/sandbox/control/clients", headers={"Host": host}),
                http.post("/sandbox/control/clock/move", json={"seconds": 60}, headers={"Host": host}),
            ):
                assert answer.status_code == (401 if console.published else 403)
        right = {"Authorization": f"Bearer {console.token}"}
        assert http.get("/sandbox/control/clock", headers=right).json()["offset_seconds"] == 0
