"""OAuth clients of four languages at the sandbox: each takes the same steps with each value of the settings."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields

from oauth_sandbox.behaviour import Behaviour
from oauth_sandbox.testing import SteeredSandbox

pytestmark = [pytest.mark.servers, pytest.mark.process]

HERE = Path(__file__).parent
TABLE: dict[str, Any] = tomllib.loads((HERE / "outcomes.toml").read_text("utf-8"))
SETTINGS: dict[str, dict[str, Any]] = TABLE["settings"]
CLIENTS: dict[str, dict[str, dict[str, str]]] = TABLE["clients"]

Outcomes = dict[str, str]


@pytest.fixture
def python_client() -> list[str]:
    return [sys.executable, "-W", "ignore", str(HERE / "python" / "client.py")]


@pytest.fixture
def javascript_client(node: str, npm_ci: Callable[[Path], None]) -> list[str]:
    npm_ci(HERE / "javascript")
    return [node, str(HERE / "javascript" / "client.js")]


@pytest.fixture
def go_client(go: Mapping[str, str], tmp_path: Path) -> list[str]:
    program = tmp_path / "client"
    subprocess.run(["go", "build", "-o", program, "client.go"], cwd=HERE / "go", env=os.environ | go, check=True)
    return [str(program)]


@pytest.fixture
def ruby_client(ruby: str) -> list[str]:
    return [ruby, str(HERE / "ruby" / "client.rb")]


def expected(client: str, setting: str) -> Outcomes:
    """The steps as usual, with what the client, the setting and both together change."""
    own = CLIENTS[client]
    steps = TABLE["outcomes"]["usual"] | own["usual"] | TABLE["outcomes"].get(setting, {}) | own.get(setting, {})
    refused = steps.pop("refused")
    return {step: refused if outcome == "refused" else outcome for step, outcome in steps.items()}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_with_each_setting(
    client: str, steered_sandbox: SteeredSandbox, request: pytest.FixtureRequest
) -> None:
    language, _, name = client.partition("/")
    command: list[str] = request.getfixturevalue(f"{language}_client")
    sites = {setting: steered_sandbox.control.make(**configuration) for setting, configuration in SETTINGS.items()}
    done = subprocess.run([*command, name, *sites.values()], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    outcomes: Outcomes = {}
    for (setting, site), line in zip(sites.items(), done.stdout.splitlines(), strict=True):
        steps: Outcomes = json.loads(line.replace(site, "SITE"))
        outcomes |= {f"{setting}: {step}": outcome for step, outcome in steps.items()}
    assert outcomes == {
        f"{setting}: {step}": outcome for setting in SETTINGS for step, outcome in expected(client, setting).items()
    }


def test_every_setting_that_the_documentation_leaves_open_is_tried() -> None:
    """Except the one that decides whether a browser may read: its test has a browser."""
    tried = {name for configuration in SETTINGS.values() for name in configuration.get("behaviour", ())}
    assert tried == {field.name for field in fields(Behaviour)} - {"cors"}
    assert {client.partition("/")[0] for client in CLIENTS} == {"go", "javascript", "python", "ruby"}
