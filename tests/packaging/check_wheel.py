"""Build the wheel, install it into an empty folder, and start the console from there.

Run ``python tests/packaging/check_wheel.py``. It needs Python and a package index, and takes about a minute. The
installed console runs in a temporary folder, in its own virtual environment, without the checkout on its path.
"""

import base64
import os
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
import venv
from http.client import HTTPConnection
from pathlib import Path
from socket import create_server

ROOT = Path(__file__).parents[2]
PATIENCE = 60
"""Seconds until the console must be up."""


def main() -> None:
    """Run every check. Raises ``AssertionError`` or ``CalledProcessError`` at the first that fails."""
    with tempfile.TemporaryDirectory(prefix="oauth-console-wheel-") as name:
        folder = Path(name)
        python, script = install(build(folder), folder)
        work = folder / "empty"
        work.mkdir()
        environment = clean_environment(work)
        check_commands(python, script, work, environment)
        check_layout(python, work, environment)
        check_server(script, work, environment)
    print("The wheel works.")


def build(folder: Path) -> Path:
    """Build the wheel and return its path."""
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)])
    (wheel,) = folder.glob("oauth_console-*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> tuple[str, str]:
    """Install the wheel into a new virtual environment; return its Python and its ``oauth-console``."""
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    run([str(programs / "python"), "-m", "pip", "install", "--quiet", str(wheel)])
    return str(programs / "python"), str(programs / "oauth-console")


def clean_environment(work: Path) -> dict[str, str]:
    """Return the environment without this process's Python, console and Streamlit settings."""
    names = ("PYTHON", "CONSOLE_", "STREAMLIT_", "VIRTUAL_ENV")
    return {key: value for key, value in os.environ.items() if not key.startswith(names)} | {"HOME": str(work)}


def check_commands(python: str, script: str, work: Path, environment: dict[str, str]) -> None:
    """Compare the versions of console and sandbox with the project's, and ask for one documented error."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert output([script, "--version"], work, environment).strip() == f"OAuth Console {version}"
    program = "import oauth; from oauth_sandbox.version import version; print(version())"
    assert output([python, "-c", program], work, environment).strip() == version
    assert output([script, "explain", "2"], work, environment).startswith("2. Authorization code")


def check_layout(python: str, work: Path, environment: dict[str, str]) -> None:
    """Check that the distribution takes no top-level name but ``oauth``."""
    program = "from importlib.metadata import files; print(*{file.parts[0] for file in files('oauth-console')})"
    names = {name for name in output([python, "-c", program], work, environment).split() if name != ".."}
    assert {name for name in names if not name.endswith(".dist-info")} == {"oauth"}, names


def check_server(script: str, work: Path, environment: dict[str, str]) -> None:
    """Start the console on a free port and ask for its health, its start page, its routes and its sandbox."""
    with create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    log = work / "console.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [script],
            cwd=work,
            env=environment | {"CONSOLE_PORT": str(port), "CONSOLE_PUBLIC_URL": "https://console.example"},
            stdout=file,
            stderr=file,
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not responds(f"{url}/_stcore/health"):
            running = process.poll() is None and time.monotonic() < deadline
            assert running, log.read_text("utf-8", "replace")
            time.sleep(0.2)
        assert fetch(f"{url}/_stcore/health") == b"ok"
        assert b"<title>" in fetch(f"{url}/")
        # A published console keeps the control of its sandbox to itself.
        assert not responds(f"{url}/sandbox/control/openapi.json")
        # The hosts of the wheel's own .streamlit/config.toml, and the public one, can connect; no other can.
        assert handshake(port, f"localhost:{port}") == 101
        assert handshake(port, "console.example") == 101
        assert handshake(port, "evil.example") == 403, "the wheel's Streamlit settings are not in force"
        assert (work / ".console" / "history.db").exists()
    finally:
        process.terminate()
        process.wait(30)


def responds(url: str) -> bool:
    """Return whether a GET request succeeds."""
    try:
        fetch(url)
    except OSError:  # of which an HTTP error status is one
        return False
    return True


def fetch(url: str) -> bytes:
    """Return the body of the response. Raises ``OSError`` when the request fails."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as response:
        return bytes(response.read())


def handshake(port: int, host: str) -> int:
    """Open the pages' websocket under the name ``host``; return the HTTP status."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {
        "Host": host,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
    }
    connection.request("GET", "/_stcore/stream", headers=headers)
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def output(command: list[str], work: Path, environment: dict[str, str]) -> str:
    """Run a command of the installed console and return its output."""
    return subprocess.run(command, cwd=work, env=environment, check=True, capture_output=True, text=True).stdout


def run(command: list[str]) -> None:
    """Run a command of the build. Raises ``CalledProcessError`` when it fails."""
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
