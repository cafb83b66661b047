"""OAuth clients of four languages at the sandbox: each takes the same steps with each value of the settings."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import fields

from oauth_sandbox.behaviour import Behaviour
from oauth_sandbox.faults.broken_bodies import Malformation
from oauth_sandbox.testing import SteeredSandbox, steered

pytestmark = [pytest.mark.servers, pytest.mark.process]

HERE = Path(__file__).parent
TABLE: dict[str, Any] = tomllib.loads((HERE / "outcomes.toml").read_text("utf-8"))
SETTINGS: dict[str, dict[str, Any]] = TABLE["settings"]
FAULTS: dict[str, dict[str, Any]] = TABLE["faults"]
CLIENTS: dict[str, dict[str, dict[str, str]]] = TABLE["clients"]

NOT_TRIED = {
    "cors",  # its test has a browser
    # An OAuth client leaves adverts to the application.
    "content_type_on_get",
    "coordinates",
    "longest_title",
    "moderation_seconds",
    "extra_fields",
}

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


def expected(client: str, case: str) -> Outcomes:
    """The steps as usual, with what the client, the case and both together change."""
    own = CLIENTS[client]
    steps = TABLE["outcomes"]["usual"] | own["usual"] | TABLE["outcomes"].get(case, {}) | own.get(case, {})
    refused = steps.pop("refused")
    if steps["sign_in"] != "ok":
        return {"sign_in": steps["sign_in"]}
    return {step: refused if outcome == "refused" else outcome for step, outcome in steps.items() if counts(case, step)}


def counts(case: str, step: str) -> bool:
    """After a fault only the first steps count: the others depend on what a client does of itself with such tokens.

    So does a call with a token that lives a second.
    """
    if case == "lifetime-twice" and step == "api":
        return False
    return case in SETTINGS or step in ("sign_in", "expires_in", "scope", "api")


def in_minutes(step: str, outcome: str) -> str:
    """A lifetime in whole minutes: some clients count down."""
    is_lifetime = step == "expires_in" and re.fullmatch(r"-?\d+", outcome)
    return str(round(int(outcome) / 60) * 60) if is_lifetime else outcome


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_with_each_setting_and_fault(
    client: str, steered_sandbox: SteeredSandbox, request: pytest.FixtureRequest
) -> None:
    language, _, name = client.partition("/")
    command: list[str] = request.getfixturevalue(f"{language}_client")
    sites = {setting: steered_sandbox.control.make(**configuration) for setting, configuration in SETTINGS.items()}
    for case, fault in FAULTS.items():
        sites[case] = steered_sandbox.control.make()
        with steered(sites[case]) as own:
            own.control.request("POST", "faults", fault | {"endpoint": "token"})
    done = subprocess.run([*command, name, *sites.values()], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    outcomes: Outcomes = {}
    for (case, site), line in zip(sites.items(), done.stdout.splitlines(), strict=True):
        steps: Outcomes = json.loads(line.replace(site, "SITE"))
        outcomes |= {
            f"{case}: {step}": in_minutes(step, outcome) for step, outcome in steps.items() if counts(case, step)
        }
    assert outcomes == {
        f"{case}: {step}": outcome for case in sites for step, outcome in expected(client, case).items()
    }


def test_every_setting_that_the_documentation_leaves_open_is_tried() -> None:
    tried = {name for configuration in SETTINGS.values() for name in configuration.get("behaviour", ())}
    assert tried == {field.name for field in fields(Behaviour)} - NOT_TRIED
    assert {fault.get("malformation") for fault in FAULTS.values()} - {None} == set(get_args(Malformation))
    assert {client.partition("/")[0] for client in CLIENTS} == {"go", "javascript", "python", "ruby"}
