"""The recipes for other languages run as they stand, at a sandbox that they start and at one that is a service."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

import oauth_sandbox
from oauth_sandbox.control.app import OPERATIONS

pytestmark = pytest.mark.process

RECIPES = Path(__file__).parents[1] / "recipes"
PASSED = {
    "node": r"# pass 6\n# fail 0|pass 6\n.*fail 0",
    "go": r"^ok\s",
    "ruby": r"5 runs, \d+ assertions, 0 failures, 0 errors",
}

TRUST = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
"""The variables with which Node, and Go and Ruby, trust a certificate."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment with the command ``oauth-sandbox`` on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "oauth-sandbox"
    source = Path(oauth_sandbox.__file__).parents[1]
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{source}" exec "{sys.executable}" -m oauth_sandbox "$@"\n', "utf-8")
    script.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OAUTH_", "CONSOLE_"))}
    return kept | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def recipe(request: pytest.FixtureRequest, tmp_path: Path, environment: dict[str, str]) -> tuple[str, list[str]]:
    """A language, and the command of its recipe, which is copied to a folder of its own."""
    language: str = request.param
    shutil.copytree(RECIPES / language, tmp_path / "recipe")
    if language == "go":
        settings: Mapping[str, str] = request.getfixturevalue("go")
        environment |= settings
        return language, ["go", "test", "-count=1", "."]
    program: str = request.getfixturevalue(language)
    return language, [program, *(["--test"] if language == "node" else ["adverts_test.rb"])]


def run(recipe: tuple[str, list[str]], folder: Path, environment: Mapping[str, str]) -> None:
    language, command = recipe
    done = subprocess.run(
        command, cwd=folder / "recipe", env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(PASSED[language], done.stdout, re.M), done.stdout


@pytest.mark.parametrize("recipe", PASSED, indirect=True)
def test_a_recipe_starts_its_sandbox(
    recipe: tuple[str, list[str]], tmp_path: Path, environment: dict[str, str]
) -> None:
    run(recipe, tmp_path, environment)


def test_the_recipe_for_node_says_that_the_command_is_missing(
    node: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    shutil.copytree(RECIPES / "node", tmp_path / "recipe")
    command = [node, "--test"]
    done = subprocess.run(
        command, cwd=tmp_path / "recipe", env=environment | {"PATH": ""}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "oauth-sandbox is not on the PATH" in done.stdout


@pytest.mark.parametrize("options", [(), ("--tls-self-made",)], ids=["http", "https"])
@pytest.mark.parametrize("recipe", PASSED, indirect=True)
def test_a_recipe_uses_a_service_with_a_token(
    recipe: tuple[str, list[str]], tmp_path: Path, environment: dict[str, str], options: tuple[str, ...]
) -> None:
    command = ["oauth-sandbox", "--host", "0.0.0.0", "--port", "0", *options]
    token = {"CONSOLE_SANDBOX_TOKEN": "tests-only"}
    with subprocess.Popen(
        command, env=environment | token, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as service:
        try:
            assert service.stdout is not None
            assert service.stderr is not None
            if options:
                environment |= dict.fromkeys(TRUST, service.stderr.readline().split(": ")[1].strip())
            url = service.stdout.readline().split()[-1].replace("0.0.0.0", "localhost")
            (tmp_path / "bin" / "oauth-sandbox").unlink()
            address = {"OAUTH_SANDBOX_URL": url, "OAUTH_SANDBOX_TOKEN": "tests-only"}
            run(recipe, tmp_path, environment | address)
        finally:
            service.terminate()


def test_a_body_that_may_be_empty_may_be_left_out(http: httpx.Client) -> None:
    paths = http.get("/control/openapi.json").json()["paths"]
    optional = {
        operation.path
        for operation in OPERATIONS
        if operation.body is not None
        and not paths[f"/{operation.path}"][operation.method.lower()]["requestBody"]["required"]
    }
    assert {"sandboxes", "reset", "holds/release", "clock/reset"} <= optional
    for path in optional:
        assert http.post(f"/control/{path.format(serial=1)}").status_code in (200, 201, 204, 404)


def test_go_is_formatted(go: Mapping[str, str]) -> None:
    command = ["gofmt", "-l", str(RECIPES / "go"), str(Path(__file__).parent / "clients" / "go")]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == ""
