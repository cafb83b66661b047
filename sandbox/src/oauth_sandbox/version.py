"""The version of the sandbox, as its ``pyproject.toml`` has it."""

import tomllib
from importlib import metadata
from pathlib import Path


def version() -> str:
    """Return the version of this checkout, or of the installed distribution where there is no checkout."""
    project = Path(__file__).parents[2] / "pyproject.toml"
    if project.exists():
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])
    return metadata.version("oauth-sandbox")
