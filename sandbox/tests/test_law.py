"""The sandbox can be taken out of the house: it imports nothing else of the project, nor the console's parts."""

import ast
import subprocess
import sys
from pathlib import Path

import oauth_sandbox

SOURCE = Path(oauth_sandbox.__file__).parents[1]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write absolute imports"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_imports_nothing_else_of_the_project() -> None:
    files = sorted((SOURCE / "oauth_sandbox").rglob("*.py"))
    names = {name for path in files for name in imported(path)}
    assert "oauth_sandbox.provider.Sandbox" in names
    ours = {name for name in names if name.split(".")[0] in ("oauth", "pages", "app", "streamlit")}
    assert {name for name in ours if not name.startswith("oauth_sandbox")} == set()


def test_running_it_loads_nothing_else_of_the_project() -> None:
    program = (
        "import sys, oauth_sandbox.server, oauth_sandbox.testing; "
        "print([m for m in sys.modules if m.startswith(('oauth.', 'pages', 'streamlit', 'pytest'))"
        " and not m.startswith('oauth_sandbox')])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=SOURCE, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
