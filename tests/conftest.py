"""Fixtures that several folders of tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from oauth import installation
from oauth.installation import Installation


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A console home of the test's own, so that no test touches a person's history."""
    for name in [name for name in os.environ if name.startswith("CONSOLE_") and name != "CONSOLE_TEST_BROWSER"]:
        monkeypatch.delenv(name)
    folder = tmp_path / "console"
    monkeypatch.setenv("CONSOLE_HOME", str(folder))
    return folder


@pytest.fixture
def console(home: Path) -> Iterator[Installation]:
    """The process's installation, opened in the test's home and forgotten after."""
    installation.current.cache_clear()
    yield installation.current()
    installation.current.cache_clear()
