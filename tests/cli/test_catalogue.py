"""The command ``catalogue``: it lists, checks and tries out catalogues of documented errors."""

import io
from pathlib import Path

import pytest

from oauth.catalogue.catalogues import own_folder
from oauth.cli.main import main
from oauth.history.database import Database
from oauth.history.shared_files import SharedFiles
from oauth.installation import current, now
from oauth.own_files import Kind
from tests.catalogue.test_catalogues import ACME


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    path = tmp_path / "acme.toml"
    path.write_text(ACME, "utf-8")
    return path


def test_every_catalogue_is_listed_and_an_invalid_one_with_its_problem(capsys: pytest.CaptureFixture[str]) -> None:
    own_folder().mkdir(parents=True)
    (own_folder() / "acme.toml").write_text(ACME, "utf-8")
    (own_folder() / "broken.toml").write_text("name = 1", "utf-8")
    assert main(["catalogue", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["partner", "Partner", "API:", "11", "errors"]
    assert any(line.split() == ["acme", "Acme:", "1", "errors"] for line in lines)
    assert any(line.startswith("broken") and "broken.toml must contain its errors" in line for line in lines)


def test_a_catalogue_without_faults_is_said_to_have_none(acme: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue", "check", str(acme)]) == 0
    assert capsys.readouterr().out == "acme.toml: 1 errors, no faults.\n"


def test_an_example_that_is_not_recognised_is_a_fault(acme: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acme.write_text(ACME.replace('"code": "stale", ', '"code": "fresh", '), "utf-8")
    assert main(["catalogue", "check", str(acme)]) == 1
    assert "stale: its example is not recognised; it says code 'fresh'" in capsys.readouterr().out


def test_a_text_is_matched(acme: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    body = '{"code": "stale", "message": "The token of user bob went stale at 9."}'
    monkeypatch.setattr("sys.stdin", io.StringIO(body))
    assert main(["catalogue", "match", str(acme)]) == 0
    assert capsys.readouterr().out.startswith("acme/stale  The token is stale\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("{}"))
    assert main(["catalogue", "match", str(acme)]) == 3


def test_an_invalid_file_is_one_line_and_status_2(acme: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acme.write_text("name = ", "utf-8")
    assert main(["catalogue", "check", str(acme)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_catalogues_that_consoles_share_are_listed(
    postgresql_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another console on the database wrote one; this command has a home of its own."""
    database = Database(postgresql_url, now)
    SharedFiles(database, tmp_path / "another").put(Kind.CATALOGUE, "acme", ACME.encode())
    database.engine.dispose()
    monkeypatch.setenv("CONSOLE_DATABASE_URL", postgresql_url)
    current.cache_clear()
    try:
        assert main(["catalogue", "list"]) == 0
        assert "Acme" in capsys.readouterr().out
    finally:
        current().history.database.engine.dispose()
        current.cache_clear()
    monkeypatch.setenv("CONSOLE_DATABASE_URL", "mysql://h/d")
    assert main(["catalogue", "list"]) == 2
    assert "CONSOLE_DATABASE_URL" in capsys.readouterr().err
    current.cache_clear()
