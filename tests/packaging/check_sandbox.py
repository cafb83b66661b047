"""Follow the README of the sandbox in an empty folder, as the test suite of another project does.

Run ``python -m tests.packaging.check_sandbox`` as root. It needs Python, Node, Go and Ruby with the packages of
``.ci/run``, and a package index, and takes a minute. No image is built: what the Dockerfile's last stage runs is
started as its user on a tree that it cannot write to.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socket import create_server

from tests.packaging.check_container import UID, read_only
from tests.packaging.check_wheel import ROOT, clean_environment, fetch, output, run

MOST_PACKAGES = 25
MOST_BYTES = 60_000_000

SANDBOX = ROOT / "sandbox"
PROGRAM = ".venv/bin/oauth-sandbox"

ASYNC = """
import asyncio, oauth_sandbox

async def main():
    async with oauth_sandbox.running() as sandbox:
        print(sandbox.url, sandbox.clients["demo-app"])

asyncio.run(main())
"""


def main() -> None:
    """Run every check. Raises ``AssertionError`` or ``CalledProcessError`` at the first that fails."""
    page = (SANDBOX / "README.md").read_text("utf-8")
    install, test, serve = (block(page, it) for it in ("python3 -m venv", ".venv/bin/python -m pytest", PROGRAM))
    adverts, tests, program = (
        block(page, it) for it in ('"""Read', "import httpx\nimport pytest", "import oauth_sandbox")
    )
    with tempfile.TemporaryDirectory(prefix="oauth-sandbox-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the other user has to reach what is installed in it
        environment = clean_environment(folder)
        make, get = install.splitlines()
        shell(make, folder, environment)
        before = packages(folder)
        shell(get, folder, environment)
        check_size(packages(folder) - before)
        (folder / "oauth").mkdir()
        (folder / "oauth" / "__init__.py").write_text("raise ImportError('this package is of the user')\n", "utf-8")
        (folder / "adverts.py").write_text(adverts, "utf-8")
        (folder / "test_adverts.py").write_text(tests, "utf-8")
        assert f" {tests.count('def test_')} passed" in shell(test, folder, environment)
        python = str(folder / ".venv" / "bin" / "python")
        for code in (program, ASYNC):
            assert "'demo-app'" in output([python, "-W", "error", "-c", code], folder, environment)
        check_server(serve, folder, environment)
        check_recipes(page, folder, environment)
        check_image(folder)
    print("The sandbox works alone.")


def block(page: str, beginning: str) -> str:
    """Return the only block of code that begins with a text."""
    (found,) = (code for code in re.findall(r"^```\w+\n(.*?)^```$", page, re.M | re.S) if code.startswith(beginning))
    return str(found)


def shell(command: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run a command as the README has it, with its placeholder filled in; return its output."""
    command = command.replace("SANDBOX", str(SANDBOX))
    return output(["sh", "-e", "-c", command], folder, dict(environment))


def packages(folder: Path) -> set[Path]:
    """Return the folders with the metadata of what is installed."""
    return set(folder.glob(".venv/lib/*/site-packages/*.dist-info"))


def check_size(added: set[Path]) -> None:
    """Check how many packages came, and what they take."""
    assert 0 < len(added) <= MOST_PACKAGES, sorted(path.name for path in added)
    files = [
        path.parent / line.partition(",")[0]
        for path in added
        for line in (path / "RECORD").read_text("utf-8").splitlines()
    ]
    size = sum(file.stat().st_size for file in files if file.is_file())
    assert size <= MOST_BYTES, f"{size:,} bytes"
    print(f"The sandbox brings {len(added)} packages and {size / 1e6:.0f} MB.")


@contextmanager
def serving(command: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Run a server, from its line that says it is ready."""
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Sandbox ready at ")
            yield
        finally:
            process.terminate()


def free_port() -> str:
    """Return a free port, for the one of the documentation."""
    with create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


def check_server(command: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Start the command, and read what it can do."""
    port = free_port()
    with serving(command.replace("9000", port).split(), folder, environment):
        assert json.loads(fetch(f"http://127.0.0.1:{port}/control/openapi.json"))["paths"]


def check_recipes(page: str, folder: Path, environment: dict[str, str]) -> None:
    """Run the tests of each recipe. Go finds its package in Debian's, instead of a module proxy."""
    recipes = re.findall(r"^\| \w+ \| \[(recipes/\w+)\].*\| `(.*?)` \|$", page, re.M)
    assert len(recipes) == len(list((SANDBOX / "recipes").iterdir()))
    path = os.pathsep.join([str(folder / ".venv" / "bin"), str(Path(sys.executable).parent), environment["PATH"]])
    go = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}
    for recipe, command in recipes:
        shutil.copytree(SANDBOX / recipe, folder / recipe)
        shell(command, folder / recipe, environment | go | {"PATH": path})


def check_image(folder: Path) -> None:
    """Build from what the image copies; start its entry point as its user on a read-only tree; run its health check.

    Then the tests that the compose file starts beside it find it.
    """
    assert os.geteuid() == 0, "run this as root, who may become another user"
    dockerfile = (SANDBOX / "Dockerfile").read_text("utf-8").replace("\\\n", "")
    source, ignored = folder / "source", (SANDBOX / ".dockerignore").read_text("utf-8").splitlines()
    for names, target in re.findall(r"^COPY (?!--)(.+) (\S+)$", dockerfile, re.M):
        for name in names.split():
            assert f"!{name}" in ignored, name
            copy = shutil.copytree if (SANDBOX / name).is_dir() else shutil.copy
            source.mkdir(exist_ok=True)
            copy(SANDBOX / name, source / target)
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)])
    assert list(folder.glob("oauth_sandbox-*.whl"))
    entry, health = (json.loads(re.search(rf"{name} (\[.*\])", dockerfile)[1]) for name in ("ENTRYPOINT", "CMD"))  # type: ignore[index]
    port = free_port()
    user = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--no-new-privs"]
    environment = {
        "PATH": f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "CONSOLE_SANDBOX_TOKEN": "token",
    }
    start = [*read_only(), *user, *(part.replace("9000", port) for part in entry)]
    with serving(start, Path("/"), environment):
        output([*user, *(part.replace("9000", port) for part in health)], Path("/"), environment)
        service = {"OAUTH_SANDBOX_URL": f"http://127.0.0.1:{port}", "OAUTH_SANDBOX_TOKEN": "token"}
        node = {"PATH": str(Path(sys.executable).parent)}
        output(["node", "--test"], folder / "recipes" / "node", environment | service | node)


if __name__ == "__main__":
    main()
