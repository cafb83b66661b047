import json
import sys
from pathlib import Path

import pytest

from oauth import __main__ as entry
from oauth.cli import serve
from oauth.cli.main import main
from oauth.exports import har_file
from oauth.request_builder import build_request
from oauth.version import version
from oauth_sandbox.version import version as sandbox_version


def test_console_script_serves_without_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    scripts: list[str] = []
    monkeypatch.setattr(sys, "argv", ["oauth-console"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr("runpy.run_path", lambda path, run_name: scripts.append(f"{path} as {run_name}"))
    assert entry.console() == 0
    assert scripts == [f"{Path(serve.__file__).parents[2] / 'app.py'} as __main__"]
    assert sys.argv == [scripts[0].partition(" as ")[0]]


def test_installation_without_app_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve, "_PACKAGE", tmp_path / "oauth")
    assert main(["serve"], "oauth-console") == 2
    assert capsys.readouterr().err.startswith("oauth-console serve: app.py is missing")


def test_module_needs_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "usage: python -m oauth" in capsys.readouterr().err


def test_version_is_the_same_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"OAuth Console {version()}\n"
    assert ("User-Agent", f"oauth-console/{version()}") in build_request("GET", "http://localhost/").headers
    assert json.loads(f"{har_file.BEGIN}]}}}}")["log"]["creator"]["version"] == version()
    assert sandbox_version() == version()
