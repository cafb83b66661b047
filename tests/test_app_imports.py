"""The modules that the server loads: a package of 20 MiB and more only once a page or a process needs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent
HEAVY = "adbc_driver_manager", "alembic", "altair", "numpy", "pandas", "psycopg", "pyarrow"


def test_the_server_and_its_first_page_load_no_heavy_package(tmp_path: Path) -> None:
    script = f"""
import sys
from oauth.history.filters import Filters
from oauth.installation import current
current().history.count(Filters())
if sys.argv[1:]:
    import app
    import pages.parts.walkthrough.actions
    print(*sorted({set(HEAVY)} & sys.modules.keys()))
"""
    for arguments in ((), ("again",)):  # a new history is migrated by Alembic
        run = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            cwd=ROOT,
            env=os.environ | {"CONSOLE_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=True,
        )
    assert run.stdout.split() == []
