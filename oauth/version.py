"""The console's version, as ``pyproject.toml`` has it."""

import tomllib
from functools import cache
from pathlib import Path

DISTRIBUTION = "oauth-console"


@cache
def version() -> str:
    """Return the version of this checkout, or of the installed distribution where there is no checkout."""
    project = Path(__file__).parents[1] / "pyproject.toml"
    if project.exists():  # first, since another release may be installed beside a checkout
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])
    from importlib import metadata  # loads much that a checkout does not need

    return metadata.version(DISTRIBUTION)
