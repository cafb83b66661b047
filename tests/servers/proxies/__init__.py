"""nginx and HAProxy in front of consoles, each in a process of its own.

A ``-minimal`` configuration has what the proxy needs to start. A ``-usual`` one names the client in the usual headers,
and rewrites ``Host``. Those to publish a console with are in docs/operate.md, where ``documented`` reads them.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.servers.running import free_port, running

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
NAMES = ("nginx", "haproxy")
KEY = "the key of two consoles"


def programs() -> Mapping[str, str]:
    """Return the paths of the proxies by name. Without them skip the test, or fail it where they are required."""
    folders = os.pathsep.join((os.environ["PATH"], "/usr/sbin"))  # Debian's, which is not on everybody's path
    paths = {name: path for name in NAMES if (path := shutil.which(name, path=folders))}
    if missing := [name for name in NAMES if name not in paths]:
        reason = f"{' and '.join(missing)} is not installed, so the tests of proxies cannot run."
        if os.environ.get("CONSOLE_TEST_PROXIES") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    return paths


@contextmanager
def proxy(name: str, folder: Path, configuration: str, port: int) -> Iterator[None]:
    """Run nginx or HAProxy while the block runs, which starts once it listens on ``port``; ``folder`` is a new one."""
    path = programs()[name]
    folder.mkdir()
    base = {"nginx": "nginx.conf", "haproxy": "haproxy.cfg"}[name]
    shutil.copy(HERE / base, folder)
    (folder / "console.conf").write_text(configuration)
    options = {
        "nginx": ["-p", str(folder), "-c", str(folder / base), "-e", "stderr"],
        "haproxy": ["-db", "-f", base, "-f", "console.conf"],
    }
    with running([path, *options[name]], folder, {}, port):
        yield


def configuration(file: str, port: int, *consoles: int) -> str:
    """Return a configuration of this folder for a proxy on ``port`` in front of consoles on these ports."""
    text = (HERE / file).read_text().replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    for place, console in enumerate(consoles):
        text = text.replace(f"127.0.0.1:{8501 + place}", f"127.0.0.1:{console}")
    return text


def documented(name: str, port: int, console: int, certificate: Path) -> str:
    """Return the configuration in docs/operate.md for a proxy on ``port``, with a file that has certificate and key."""
    page = (ROOT / "docs" / "operate.md").read_text("utf-8")
    text = page.partition(f"```{name}\n")[2].partition("```")[0]
    own = {
        "listen 443": f"listen 127.0.0.1:{port}",
        "bind :443": f"bind 127.0.0.1:{port}",
        "127.0.0.1:8501": f"127.0.0.1:{console}",
        "console.example.com": "localhost",
        "/etc/ssl/console.pem": str(certificate),
        "/etc/ssl/console.key": str(certificate),
    }
    for value, replacement in own.items():
        text = text.replace(value, replacement)
    return text


@contextmanager
def two_consoles(
    folder: Path, database_url: str, outside: int | None = None, **settings: str
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Run two consoles on one database behind one HAProxy; yield their address and the port of each.

    The address is their CONSOLE_PUBLIC_URL, on the port ``outside``, a free one if none is given. Each request goes to
    the other console than the one before. ``settings`` are further environment variables of both.
    """
    outside, one, two = outside or free_port(), free_port(), free_port()
    address = f"http://localhost:{outside}"
    environ = {
        "CONSOLE_KEY": KEY,
        "CONSOLE_DATABASE_URL": database_url,
        "CONSOLE_PUBLIC_URL": address,
    } | settings
    with ExitStack() as stack:
        for port in (one, two):
            own = {"CONSOLE_HOME": str(folder / str(port)), "CONSOLE_PORT": str(port)}
            stack.enter_context(running([sys.executable, "app.py"], ROOT, environ | own, port))
        text = configuration("haproxy-two-consoles.cfg", outside, one, two)
        stack.enter_context(proxy("haproxy", folder / "haproxy", text, outside))
        yield address, (one, two)
