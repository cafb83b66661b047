"""nginx, HAProxy and Caddy in front of consoles, each in a process of its own.

A ``-minimal`` configuration has what the proxy needs to start. A ``-usual`` one names the client in the usual headers,
and rewrites ``Host``. Those to publish a console with are in docs/operate.md, where ``documented`` reads them.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.servers.running import free_port, running

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
NAMES = ("nginx", "haproxy", "caddy")
KEY = "the key of two consoles"
SANDBOX_TOKEN = "the-token-of-a-shared-sandbox"


def program(name: str) -> str:
    """Return the path of a proxy. Without it skip the test, or fail it where proxies are required."""
    folders = os.pathsep.join((os.environ["PATH"], "/usr/sbin"))  # Debian's, which is not on everybody's path
    if path := shutil.which(name, path=folders):
        return path
    reason = f"{name} is not installed, so the tests of this proxy cannot run."
    if os.environ.get("CONSOLE_TEST_PROXIES") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def proxy(name: str, folder: Path, configuration: str, port: int) -> Iterator[None]:
    """Run a proxy while the block runs, which starts once it listens on ``port``; ``folder`` is a new one."""
    path = program(name)
    folder.mkdir()
    base = {"nginx": "nginx.conf", "haproxy": "haproxy.cfg", "caddy": "Caddyfile"}[name]
    shutil.copy(HERE / base, folder)
    (folder / "console.conf").write_text(configuration)
    options = {
        "nginx": ["-p", str(folder), "-c", str(folder / base), "-e", "stderr"],
        "haproxy": ["-db", "-f", base, "-f", "console.conf"],
        "caddy": ["run", "--config", base, "--adapter", "caddyfile"],
    }
    with running([path, *options[name]], folder, {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}, port):
        yield


def configuration(file: str, port: int, *consoles: int) -> str:
    """Return a configuration of this folder for a proxy on ``port`` in front of consoles on these ports."""
    text = (HERE / file).read_text().replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    for place, console in enumerate(consoles):
        text = text.replace(f"127.0.0.1:{8501 + place}", f"127.0.0.1:{console}")
    return text


def documented(name: str, port: int, consoles: Sequence[int], certificate: Path, sandbox: int = 9000) -> str:
    """Return the configuration in docs/operate.md for a proxy on ``port``, in front of one console or two.

    The certificate's file has the key, too. In front of two there is a shared ``sandbox``.
    """
    page = (ROOT / "docs" / "operate.md").read_text("utf-8")
    section = page.partition("### Several consoles" if len(consoles) > 1 else "## Behind a proxy")[2]
    text = section.partition(f"```{name}\n")[2].partition("```")[0]
    own = {
        "listen 443": f"listen 127.0.0.1:{port}",
        "bind :443": f"bind 127.0.0.1:{port}",
        **{f"127.0.0.1:{8501 + place}": f"127.0.0.1:{console}" for place, console in enumerate(consoles)},
        "127.0.0.1:9000": f"127.0.0.1:{sandbox}",
        # Caddy gets no certificate for the tests.
        "console.example.com {": f"https://localhost:{port} {{\n    tls {certificate} {certificate}",
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


@dataclass(frozen=True)
class Team:
    """Two consoles and their shared sandbox behind a documented proxy at ``url``; ``ports`` are the consoles' own."""

    url: str
    ports: tuple[int, int]
    sandbox: str


@contextmanager
def team(folder: Path, database_url: str, name: str, **settings: str) -> Iterator[Team]:
    """Run a team as docs/operate.md has it. ``settings`` are further environment variables of both consoles."""
    outside, one, two, inside = free_port(), free_port(), free_port(), free_port()
    ca, url = trustme.CA(), f"https://localhost:{outside}"
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    ca.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(folder / "console.pem"))
    environ = {
        "CONSOLE_KEY": KEY,
        "CONSOLE_DATABASE_URL": database_url,
        "CONSOLE_PUBLIC_URL": url,
        "CONSOLE_SANDBOX_URL": f"{url}/shared-sandbox",
        "CONSOLE_SANDBOX_TOKEN": SANDBOX_TOKEN,
        "SSL_CERT_FILE": str(folder / "ca.pem"),
    } | settings
    options = ["--port", str(inside), "--provider", "all", "--redirect-uri", f"{url}/callback"]
    sandbox = [sys.executable, "-m", "oauth", "sandbox", *options, "--snapshot", str(folder / "sandbox.json")]
    with ExitStack() as stack:
        stack.enter_context(running(sandbox, ROOT, {"CONSOLE_SANDBOX_TOKEN": SANDBOX_TOKEN}, inside))
        for port in (one, two):
            own = {"CONSOLE_HOME": str(folder / str(port)), "CONSOLE_PORT": str(port)}
            stack.enter_context(running([sys.executable, "app.py"], ROOT, environ | own, port))
        text = documented(name, outside, [one, two], folder / "console.pem", inside)
        stack.enter_context(proxy(name, folder / name, text, outside))
        yield Team(url, (one, two), f"http://127.0.0.1:{inside}")
