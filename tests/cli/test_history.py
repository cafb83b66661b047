import json
import os
import pty
import resource
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from oauth.access.audit import Audit, Selection
from oauth.cli.main import main
from oauth.exchange import Exchange, Request, Response, Step
from oauth.exports.layout import MEDIA_TYPES
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.installation import Installation
from oauth.redaction import Vault
from tests.exports import reference

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent.parent
START = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def history(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    """A history of 12 exchanges, which the command line finds too."""
    monkeypatch.setenv("CONSOLE_DATABASE_URL", database_url)
    history = History(database_url, lambda: START)
    for number in range(12):
        sent = Exchange(Step.API if number % 3 else Step.TOKEN, Request("GET", f"https://p.example/{number}"), START)
        id = history.begin(sent)
        answer = replace(sent, response=Response(200, body=b"{}"))
        history.complete(id, answer, documented_error=None, error="", error_description="")
    history.database.engine.dispose()
    yield history
    history.database.engine.dispose()


@pytest.fixture
def run(history: History) -> Callable[..., "subprocess.CompletedProcess[bytes]"]:
    def run(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[bytes]":
        command = [sys.executable, "-m", "oauth", "history", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output="stderr" not in options, **options)

    return run


def test_the_whole_history_goes_to_standard_output(
    history: History, run: Callable[..., "subprocess.CompletedProcess[bytes]"]
) -> None:
    done = run("export")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == reference.csv_of(list(history.rows(Filters())))


def test_a_filter_and_a_format_are_chosen_and_the_file_is_its_owners(
    history: History, run: Callable[..., "subprocess.CompletedProcess[bytes]"], tmp_path: Path
) -> None:
    file = tmp_path / "out" / "tokens.jsonl"
    file.parent.mkdir()
    done = run("export", "--format", "jsonl", "--filter", "step:token", "--output", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert [json.loads(line)["id"] for line in file.read_text("utf-8").splitlines()] == [10, 7, 4, 1]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_full_disk_leaves_no_file_and_keeps_the_one_that_was_there(
    history: History, run: Callable[..., "subprocess.CompletedProcess[bytes]"], tmp_path: Path
) -> None:
    file = tmp_path / "out" / "history.csv"
    file.parent.mkdir()
    file.write_text("the last one")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    history.begin(Exchange(Step.API, Request("POST", "https://p.example/big", (), b"x" * 300_000), START))
    history.database.engine.dispose()  # which leaves SQLite nothing to write
    done = run(
        "export", "--output", str(file), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit))
    )
    assert done.returncode == 2
    assert f"Cannot write {file}: File too large." in done.stderr.decode()
    assert file.read_text() == "the last one"
    assert list(file.parent.iterdir()) == [file]


def test_a_terminal_is_told_how_far_it_is(
    run: Callable[..., "subprocess.CompletedProcess[bytes]"], tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    done = run("export", "--output", str(tmp_path / "history.csv"), stderr=theirs)
    os.close(theirs)
    assert done.returncode == 0
    assert "12 of 12 exchanges" in os.read(ours, 10_000).decode()
    os.close(ours)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--filter", "status:9"), "status"),
        (("--columns", "id,colour"), "--columns has 'colour', which is not a column"),
        (("--time-zone", "Mars/Base"), "--time-zone is 'Mars/Base', which is not a time zone"),
        (("--output", "/nowhere/history.csv"), "Cannot write /nowhere/history.csv: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    history: History, console: Installation, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], reason: str
) -> None:
    assert main(["history", "export", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("python -m oauth history: ")
    assert reason in said
    assert said.count("\n") == 1


def test_the_formats_are_those_of_the_exports(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["history", "export", "--help"])
    assert f"{{{','.join(MEDIA_TYPES)}}}" in capsys.readouterr().out


def test_an_export_is_imported_and_what_cannot_be_read_is_named(
    history: History, run: Callable[..., "subprocess.CompletedProcess[bytes]"], tmp_path: Path
) -> None:
    file = tmp_path / "history.jsonl"
    file.write_bytes(run("export", "--format", "jsonl", "--filter", "step:token").stdout + b'{"id": 1}\n')
    done = run("import", str(file), "--owner", "bob", "--case", "T-1")
    assert done.returncode == 1
    assert done.stdout == b"Exchanges imported: 4. Problems: 1.\n"
    assert done.stderr.decode() == "Line 5: started_at is missing.\n"
    assert {row.exchange.case for row in history.rows(Filters(by="bob"))} == {"T-1"}
    again = run("import", str(file), "--owner", "bob")
    assert again.stdout == b"Exchanges imported: 0. Already there: 4. Problems: 1.\n"
    refused = run("import", str(tmp_path / "nothing.har"))
    assert (refused.returncode, refused.stderr.count(b"\n")) == (2, 1)
    assert f"Cannot read '{tmp_path / 'nothing.har'}': No such file" in refused.stderr.decode()


@pytest.mark.parametrize("format", MEDIA_TYPES)
def test_an_export_loads_no_pandas(history: History, format: str) -> None:
    """pyarrow would: a fifth of a second, and 35 MiB in every download."""
    command = [sys.executable, "-v", "-m", "oauth", "history", "export", "--format", format]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    loaded = {line.split()[1] for line in done.stderr.decode().splitlines() if line.startswith("import ")}
    assert done.stdout
    assert "'pyarrow.lib'" in loaded
    assert "'pandas'" not in loaded


def test_commands_are_audited_where_people_sign_in(
    history: History,
    run: Callable[..., "subprocess.CompletedProcess[bytes]"],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def audited() -> list[tuple[str, str, str, str]]:
        rows = Audit(history, Vault(b"key"), is_on=True).page(Selection(), None, 9)
        history.database.engine.dispose()
        return [(row.person, row.event, row.object, row.detail) for row in rows]

    file = tmp_path / "some.jsonl"
    assert run("export", "--format", "jsonl", "--output", str(file)).returncode == 0
    assert audited() == []
    monkeypatch.setenv("CONSOLE_SIGN_IN", "oidc")
    monkeypatch.setenv("CONSOLE_PUBLIC_URL", "https://console.example")
    assert run("export", "--format", "jsonl", "--filter", "step:token", "--output", str(file)).returncode == 0
    assert run("import", str(file)).returncode == 0
    assert run("recognise", "--dry-run").returncode == 0
    assert run("recognise").returncode == 0
    assert audited() == [
        ("command line", "catalogue", "exchanges", "errors recognised again"),
        ("command line", "import", "some.jsonl", ""),
        ("command line", "export", "step:token", "4 exchanges, jsonl"),
    ]
