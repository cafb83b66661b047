"""Lint the container files, and start the installed console as their user on a tree that it cannot write to.

Run ``python -m tests.packaging.check_container`` as root. It needs Python, util-linux and a package index, and takes
about a minute. No image is built: what the Dockerfile's last stage runs is started on this machine, as uid 10001.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from socket import create_server

from tests.packaging.check_wheel import PATIENCE, ROOT, build, fetch, install, responds, run

UID = 10001

LEFT_OUT = {
    "CKV_K8S_43": "the digest of an image is known to whoever pushed it",
}
"""Findings that are right about the example, and why it stays so."""

SCANNED = {
    "Dockerfile": ("dockerfile", 1),
    "sandbox/Dockerfile": ("dockerfile", 1),
    "deploy/kubernetes.yaml": ("kubernetes", 2),
    "sandbox/examples/github-actions.yml": ("github_actions", 4),
}
"""What a file is to checkov, and the least number of its resources: one that cannot be read has no findings either."""


def main() -> None:
    """Run every check. Raises ``AssertionError`` or ``CalledProcessError`` at the first that fails."""
    assert os.geteuid() == 0, "run this as root, who may become another user"
    with tempfile.TemporaryDirectory(prefix="oauth-console-container-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the other user has to reach what is installed in it
        lint(folder)
        _, script = install(build(folder), folder)
        check_entry_point(script, folder)
    print("The container files are in order.")


def lint(folder: Path) -> None:
    """Lint the Dockerfiles, the compose files, the manifest and the workflow."""
    venv.create(folder / "linters", with_pip=True)
    programs = folder / "linters" / "bin"
    requirements = Path(__file__).with_name("requirements.txt")
    run([str(programs / "python"), "-m", "pip", "install", "--quiet", "-r", str(requirements)])
    for compose in ("compose.yaml", "sandbox/compose.yaml"):
        run([str(programs / "compose-lint"), "check", str(ROOT / compose)])
    workflow = folder / ".github" / "workflows" / "tests.yml"  # checkov knows one by its folder
    workflow.parent.mkdir(parents=True)
    shutil.copy(ROOT / "sandbox" / "examples" / "github-actions.yml", workflow)
    run([str(programs / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(workflow)])
    for name, (framework, resources) in SCANNED.items():
        place = ["-d", str(folder / ".github")] if framework == "github_actions" else ["-f", str(ROOT / name)]
        command = [str(programs / "checkov"), *place, "--framework", framework]
        options = ["--skip-download", "--output", "json", "--soft-fail", "--skip-check", ",".join(LEFT_OUT)]
        found = json.loads(subprocess.run([*command, *options], check=True, capture_output=True, text=True).stdout)
        failed = [f"{item['check_id']} {item['check_name']}" for item in found["results"]["failed_checks"]]
        assert not failed, f"{name}: {failed}"
        assert len({item["resource"] for item in found["results"]["passed_checks"]}) >= resources, name


def check_entry_point(script: str, folder: Path) -> None:
    """Start ``oauth-console`` as the container does, and ask for its health, its start page and its history."""
    data, temporary = folder / "data", folder / "tmp"
    for writable in (data, temporary):
        writable.mkdir(mode=0o700)
        os.chown(writable, UID, UID)
    secret = folder / "key"
    secret.write_text("0" * 64)
    secret.chmod(0o444)
    with create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "CONSOLE_HOME": str(data),
        "CONSOLE_KEY_FILE": str(secret),
        "CONSOLE_PORT": str(port),
    }
    log = folder / "console.log"
    with log.open("wb") as file:
        command = [*read_only(data, temporary), "setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
        process = subprocess.Popen(
            [*command, "--no-new-privs", script], cwd="/", env=environment, stdout=file, stderr=file
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not responds(f"http://127.0.0.1:{port}/live"):
            running = process.poll() is None and time.monotonic() < deadline
            assert running, log.read_text("utf-8", "replace")
            time.sleep(0.2)
        assert b"<title>" in fetch(f"http://127.0.0.1:{port}/")
        written = data / "history.db"
        assert (written.stat().st_uid, written.stat().st_mode & 0o777) == (UID, 0o600)
        assert not (data / "key").exists(), "the key of the file was written again"
        assert "Traceback" not in log.read_text("utf-8", "replace"), log.read_text("utf-8", "replace")
    finally:
        process.terminate()
        process.wait(30)


def read_only(*writable: Path) -> list[str]:
    """Return the beginning of a command that makes everything but some folders read-only, where that is allowed.

    Elsewhere the tree belongs to root, so that the other user cannot write to it either.
    """
    binds = "".join(f"mount --bind '{folder}' '{folder}' && " for folder in writable)
    script = f'{binds}mount -o remount,bind,ro / && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh"]
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode == 0:
        return command
    print("No read-only tree here: mounting is not allowed. Checked as another user only.", file=sys.stderr)
    return []


if __name__ == "__main__":
    main()
