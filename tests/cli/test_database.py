"""The commands ``migrate``, ``backup``, ``restore`` and ``check``."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, update

from oauth import installation
from oauth.access.audit import Selection
from oauth.cli import check
from oauth.cli.main import main
from oauth.exchange import Exchange
from oauth.history import migrations
from oauth.history.filters import Filters
from oauth.history.schema import consoles
from oauth.history.schema import installation as facts
from oauth.history.upkeep import Upkeep
from oauth.installation import Installation, now
from tests.servers.postgresql import Server


@pytest.fixture(params=["sqlite", "postgresql"])
def console(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """An installation without a database, once with each kind."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql_server")
        monkeypatch.setenv("CONSOLE_DATABASE_URL", server.url(server.new_database()))
    installation.current.cache_clear()
    opened = installation.current()
    yield opened
    opened.history.database.engine.dispose()
    installation.current.cache_clear()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs a command; returns its status and what it printed."""

    def run_one(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        status = main(arguments)
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run_one


def test_migrate_makes_the_tables_and_says_so_once(
    console: Installation, run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("migrate") == (0, f"The tables were made: the schema is {migrations.HEAD}.\n")
    assert run("migrate") == (0, f"Nothing to do: the schema is {migrations.HEAD}.\n")
    monkeypatch.setattr(migrations, "HEAD", "0012")
    assert run("migrate") == (
        0,
        "Nothing to do: the schema is 0015, newer than this version, which can use it (0012).\n",
    )


def test_migrate_says_from_where_it_came(console: Installation, run: Callable[..., tuple[int, str]]) -> None:
    engine = console.history.database.engine.execution_options(writing=True)
    with engine.begin() as connection:
        migrations.upgrade(connection, "0011")
    assert run("migrate") == (0, f"The schema is {migrations.HEAD} now; it was 0011.\n")


def test_backup_is_restored_into_an_empty_database_and_into_another_when_told(
    console: Installation,
    run: Callable[..., tuple[int, str]],
    exchange: Callable[..., Exchange],
    tmp_path: Path,
) -> None:
    file = str(tmp_path / "backup")
    status, printed = run("backup", file)
    assert (status, printed) == (2, "python -m oauth backup: There is no history to back up yet.\n")
    console.history.begin(exchange())
    status, printed = run("backup", file)
    assert status == 0
    assert printed.startswith(f"Exchanges: 1. Everything in the database is in {file} (")
    console.history.begin(exchange())
    status, printed = run("restore", file)
    assert status == 2
    assert "not empty: it has 2 exchanges. Restore into an empty one, or add --replace" in printed
    status, printed = run("restore", file, "--replace")
    assert status == 0
    assert printed.startswith(f"Exchanges: 1. Everything in {file} is in the database.")
    assert console.history.count(Filters()) == 1


def test_backup_and_restore_have_rows_in_the_audit(
    console: Installation, run: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_SIGN_IN", "proxy")
    monkeypatch.setenv("CONSOLE_PUBLIC_URL", "https://console.example.com")
    installation.current.cache_clear()
    shared = installation.current()
    run("migrate")
    assert run("backup", str(tmp_path / "nightly"))[0] == 0
    assert run("restore", str(tmp_path / "nightly"), "--replace")[0] == 0
    entries = shared.audit().page(Selection(), None, 10)
    assert [(entry.event, entry.object, entry.name) for entry in entries] == [
        ("import", "backup nightly", "command line"),
        ("export", "backup nightly", "command line"),
    ]
    shared.history.database.engine.dispose()


def lines(printed: str) -> dict[str, str]:
    return {line[6:18].strip(): line for line in printed.splitlines()}


def test_check_of_a_sound_console(
    console: Installation, run: Callable[..., tuple[int, str]], exchange: Callable[..., Exchange]
) -> None:
    status, printed = run("check")
    assert status == 0, printed
    database = console.history.database
    assert database.path is None or not database.path.exists(), "a check makes nothing"
    console.history.begin(exchange())
    Upkeep(console.history, now).round()
    status, printed = run("check")
    assert status == 0, printed
    names = ["settings", "key", "space", "database", "schema", "integrity", "clock", "consoles", "same key"]
    assert list(lines(printed)) == names
    assert all(line.startswith("ok ") for line in printed.splitlines())
    assert lines(printed)["consoles"].endswith("Alive in the last minute: 1.")


def test_check_names_what_is_wrong_and_what_to_do(
    console: Installation,
    run: Callable[..., tuple[int, str]],
    exchange: Callable[..., Exchange],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    console.history.begin(exchange())
    with console.history.database.writing() as connection:
        connection.execute(insert(consoles).values(id="ahead", seen_at=now() + timedelta(hours=1)))
        connection.execute(update(facts).where(facts.c.name == "key").values(value="the proof of another key"))
        connection.execute(insert(facts).values(name="retention", value="2020-01-01T00:00:00.000000Z"))
    (console.settings.home / "key").chmod(0o644)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    monkeypatch.setattr(migrations, "HEAD", "9998")
    monkeypatch.setenv("CONSOLE_RETENTION_DAYS", "30")
    is_sqlite = console.history.database.path is not None
    if not is_sqlite:
        with console.history.database.writing() as connection:
            connection.exec_driver_sql(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'exchanges_by_host'::regclass"
            )
        monkeypatch.setattr(check, "MOST_SKEW", timedelta(microseconds=-1))
    status, printed = run("check")
    assert status == 1
    wrong = lines(printed)
    for name, remedy in {
        "key": "chmod 600",
        "space": "1.0 MB are free",
        "schema": "is 0015, and this version needs 9998. Run: oauth-console migrate",
        "clock": "Synchronise the clocks",
        "same key": "Set CONSOLE_KEY to theirs.",
        "retention": "is done up to 2020-01-01 00:00 UTC. Start a console",
        **({} if is_sqlite else {"integrity": "Not valid: exchanges_by_host. Run in psql: REINDEX"}),
    }.items():
        assert wrong[name].startswith("wrong ")
        assert remedy in wrong[name]
    monkeypatch.setattr(migrations, "HEAD", "0001")
    assert "newer than this version (0001). Use that version." in run("check")[1]
    monkeypatch.setenv("CONSOLE_PORT", "none")
    status, printed = run("check")
    assert (status, list(lines(printed))) == (1, ["settings"])
    assert "CONSOLE_PORT is 'none'" in printed


def test_check_finds_a_damaged_file(home: Path, run: Callable[..., tuple[int, str]]) -> None:
    home.mkdir()
    file = home / "history.db"
    with closing(sqlite3.connect(file)) as made:
        made.execute("CREATE TABLE exchanges (id INTEGER PRIMARY KEY, text TEXT)")
        made.executemany("INSERT INTO exchanges (text) VALUES (?)", [("x" * 500,)] * 500)
        made.commit()
    octets = bytearray(file.read_bytes())
    octets[8192 : len(octets) // 2] = b"\xff" * (len(octets) // 2 - 8192)
    file.write_bytes(octets)
    status, printed = run("check")
    assert status == 1
    assert "is damaged" in printed


def test_server_that_is_away_is_named(
    home: Path, run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_DATABASE_URL", "postgresql://u:secret-word@127.0.0.1:1/d")
    status, printed = run("check")
    assert status == 1
    assert "its server does not respond. Check that PostgreSQL runs there" in printed
    assert "secret-word" not in printed


@pytest.mark.process
def test_commands_run_as_programs(home: Path, tmp_path: Path) -> None:
    def oauth(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "oauth", *arguments], env=os.environ, capture_output=True, text=True
        )

    for command in (["migrate"], ["backup", str(tmp_path / "b")], ["restore", str(tmp_path / "b")], ["check"]):
        done = oauth(*command)
        assert (done.returncode, done.stderr) == (0, ""), command
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
