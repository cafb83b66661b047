"""Install the sandbox alone, as the test suite of another project does, and run the example of its README.

Run ``python -m tests.packaging.check_sandbox``. It needs Python and a package index, and takes half a minute.
"""

import re
import tempfile
import venv
from pathlib import Path

from tests.packaging.check_wheel import ROOT, clean_environment, output, run

MOST_PACKAGES = 25
MOST_BYTES = 60_000_000

PROGRAM = """
import asyncio, oauth_sandbox

async def main():
    async with oauth_sandbox.running() as sandbox:
        return sandbox.clients["demo-app"]["name"]

with oauth_sandbox.running() as sandbox:
    assert sandbox.clients["demo-app"]["name"] == asyncio.run(main())
print("both")
"""


def main() -> None:
    """Run every check. Raises ``AssertionError`` or ``CalledProcessError`` at the first that fails."""
    with tempfile.TemporaryDirectory(prefix="oauth-sandbox-") as name:
        folder = Path(name)
        venv.create(folder / "venv", with_pip=True)
        programs = folder / "venv" / "bin"
        before = packages(folder)
        run([str(programs / "python"), "-m", "pip", "install", "--quiet", str(ROOT / "sandbox"), "pytest"])
        check_size(packages(folder) - before)
        environment = clean_environment(folder)
        assert output([str(programs / "oauth-sandbox"), "--version"], folder, environment).startswith("oauth-sandbox ")
        assert output([str(programs / "python"), "-W", "error", "-c", PROGRAM], folder, environment) == "both\n"
        check_example(programs, folder, environment)
    print("The sandbox works alone.")


def packages(folder: Path) -> set[Path]:
    """Return the folders with the metadata of what is installed."""
    return set(folder.glob("venv/lib/*/site-packages/*.dist-info"))


def check_size(added: set[Path]) -> None:
    """Check how many packages came, and what they take."""
    assert len(added) <= MOST_PACKAGES, sorted(path.name for path in added)
    files = [
        path.parent / line.partition(",")[0]
        for path in added
        for line in (path / "RECORD").read_text("utf-8").splitlines()
    ]
    size = sum(file.stat().st_size for file in files if file.is_file())
    assert size <= MOST_BYTES, f"{size:,} bytes"
    print(f"The sandbox brings {len(added)} packages and {size / 1e6:.0f} MB.")


def check_example(programs: Path, folder: Path, environment: dict[str, str]) -> None:
    """Run the tests of the README, beside a package with the name of the console's."""
    page = (ROOT / "sandbox" / "README.md").read_text("utf-8")
    adverts, tests = re.findall(
        r"^```python\n(\"\"\"Read .*?|import httpx\nimport pytest\n.*?)^```$", page, re.M | re.S
    )
    work = folder / "work"
    (work / "oauth").mkdir(parents=True)
    (work / "oauth" / "__init__.py").write_text("raise ImportError('this package is of the user')\n", "utf-8")
    (work / "adverts.py").write_text(adverts, "utf-8")
    (work / "test_adverts.py").write_text(tests, "utf-8")
    done = output([str(programs / "python"), "-m", "pytest", "-W", "error"], work, environment)
    assert re.search(r"=+ 9 passed", done), done


if __name__ == "__main__":
    main()
