import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from oauth.exchange import Exchange, Request, Response
from oauth.history import deadlines
from oauth.history.database import BUSY_SECONDS
from oauth.history.filters import Filters
from oauth.history.raw_writes import WriteResult
from oauth.history.store import History, HistoryError
from oauth.recorder import Recorder
from oauth.redaction import Vault
from oauth.settings import SettingError
from tests.history import pauses


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def database_url(path: Path) -> str:
    """These tests are about SQLite's file."""
    return f"sqlite:///{path}"


def pragma(history: History, statement: str) -> None:
    """Run a pragma on every connection that is opened from now on."""
    history.database.engine.dispose()
    event.listen(history.database.engine, "connect", lambda connection, _: connection.execute(f"PRAGMA {statement}"))


def test_the_file_and_its_wal_are_readable_by_the_owner_only(
    history: History, exchange: Callable[..., Exchange], path: Path
) -> None:
    history.begin(exchange())
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"history.db": 0o600, "history.db-wal": 0o600, "history.db-shm": 0o600, "history.db-last": 0o600}


def test_a_locked_history_says_so_and_works_again_later(
    history: History, exchange: Callable[..., Exchange], path: Path
) -> None:
    history.begin(exchange())
    pragma(history, "busy_timeout = 0")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(HistoryError, match=rf"{path} is locked by another program\. Close what has it open"):
        history.begin(exchange())
    assert history.count(Filters()) == 1
    other.execute("ROLLBACK")
    other.close()
    assert history.begin(exchange()) == 2


def test_what_another_process_locks_can_be_read_at_once(
    history: History, exchange: Callable[..., Exchange], path: Path
) -> None:
    kept = history.begin(exchange(case="readable"))
    script = (
        "import sqlite3, sys; other = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "other.execute('BEGIN IMMEDIATE'); print('locked', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        started = time.monotonic()
        assert history.get(kept) is not None
        assert history.count(Filters(case="readable")) == 1
        assert time.monotonic() - started < BUSY_SECONDS
        other.communicate("\n")
    assert history.count(Filters(text="readable")) == 1


@pytest.mark.parametrize("trouble", ["locked", "full", "damaged"])
def test_trouble_in_the_middle_of_a_session_is_told_and_the_exchange_is_shown(
    history: History, exchange: Callable[..., Exchange], path: Path, trouble: str
) -> None:
    recorder = Recorder(history, Vault(b"k" * 32))
    before = recorder.begin(exchange(case="before"))
    begun = recorder.begin(exchange())
    assert recorder.problem == ""
    answered = replace(begun.live, response=Response(200, body=b"x" * 50_000), duration_ms=1)
    other = sqlite3.connect(path, isolation_level=None)
    content = b""
    if trouble == "locked":
        pragma(history, "busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
    elif trouble == "full":
        pragma(history, "max_page_count = 1")
    else:
        history.database.engine.dispose()
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        other.close()
        content = b"\xff" * path.stat().st_size
        path.write_bytes(content)
    recorder.complete(begun, answered)
    assert trouble in recorder.problem
    shown = recorder.begin(exchange(request=Request("POST", "https://p.example/", body=b"y" * 50_000)))
    assert shown.live.id is None
    assert trouble in recorder.problem
    other.close()
    if content:
        assert path.read_bytes() == content
    else:
        assert history.get(before.live.id or 0) is not None
        assert history.get(begun.live.id or 0) is not None


def test_a_history_that_is_locked_at_the_start_is_opened_later(
    open_history: Callable[..., History], exchange: Callable[..., Exchange], path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("BEGIN IMMEDIATE")
    history = open_history()
    pragma(history, "busy_timeout = 0")
    with pytest.raises(HistoryError, match="locked"):
        history.begin(exchange())
    other.execute("ROLLBACK")
    other.close()
    assert history.begin(exchange()) == 1


def test_a_read_only_history_can_be_read(
    history: History, open_history: Callable[..., History], exchange: Callable[..., Exchange], path: Path
) -> None:
    history.begin(exchange())
    read_only = open_history(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert read_only.count(Filters()) == 1
    with pytest.raises(HistoryError, match=r"is read-only\. Make the file and its folder writable"):
        read_only.begin(exchange())


def test_a_full_disk_says_so_and_keeps_what_was_there(history: History, exchange: Callable[..., Exchange]) -> None:
    kept = history.begin(exchange())
    pragma(history, "max_page_count = 1")
    with pytest.raises(HistoryError, match=r"is full: there is no room to write\. Free some space"):
        history.begin(exchange(case="T" * 40_000))
    assert history.get(kept) is not None


@pytest.mark.parametrize("content", [b"This is no database. " * 300, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_file_is_set_aside_at_the_start(
    open_history: Callable[..., History], exchange: Callable[..., Exchange], path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    history = open_history()
    assert history.begin(exchange()) == 1
    aside = path.with_name("history.db.damaged-20261123T101619Z")
    assert aside.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert history.notices == [f"The history in {path} was damaged. It was set aside as {aside}, and a new one begun."]


def test_a_history_that_is_damaged_while_it_is_used_is_left_alone(
    history: History, exchange: Callable[..., Exchange], path: Path
) -> None:
    history.begin(exchange())
    history.database.engine.dispose()
    content = b"\xff" * path.stat().st_size
    path.write_bytes(content)
    with pytest.raises(HistoryError, match=r"is damaged\. Stop the console, move the file away"):
        history.begin(exchange())
    assert path.read_bytes() == content


def test_a_file_that_was_removed_is_made_again(history: History, exchange: Callable[..., Exchange], path: Path) -> None:
    history.begin(exchange())
    for file in path.parent.glob("history.db*"):
        file.unlink()
    assert history.begin(exchange()) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM exchanges").fetchone() == (1,)
    connection.close()


def test_a_whole_history_is_opened_without_a_notice(
    history: History, open_history: Callable[..., History], exchange: Callable[..., Exchange]
) -> None:
    history.begin(exchange())
    again = open_history()
    assert again.count(Filters()) == 1
    assert again.notices == []


@pytest.mark.parametrize("trouble", ["damaged", "truncated", "removed"])
def test_rows_that_a_broken_wal_has_lost_are_counted(
    open_history: Callable[..., History], exchange: Callable[..., Exchange], path: Path, trouble: str, tmp_path: Path
) -> None:
    history = open_history()
    for _ in range(60):
        history.begin(exchange())
    history.database.checkpoint()
    with sqlite3.connect(path) as reader:
        reader.execute("SELECT count(*) FROM exchanges").fetchone()  # keeps the WAL when the history is closed
        for _ in range(60):
            history.begin(exchange())
        # As after a crash: nobody has the files open, and the WAL is still there.
        content = {name: (path.parent / name).read_bytes() for name in ("history.db", "history.db-wal")}
        history.database.engine.dispose()
    reader.close()
    wal = bytearray(content["history.db-wal"])
    middle = len(wal) // 2
    if trouble == "damaged":
        wal[middle : middle + 4096] = bytes(octet ^ 0xFF for octet in wal[middle : middle + 4096])
    wal = wal[:middle] if trouble == "truncated" else bytearray() if trouble == "removed" else wal
    path.write_bytes(content["history.db"])  # the same file, so that its inode stays
    path.with_name("history.db-shm").unlink(missing_ok=True)
    path.with_name("history.db-wal").write_bytes(wal)
    again = open_history()
    left = again.count(Filters())
    assert 60 <= left < 120
    [notice] = again.notices
    assert f"has lost {120 - left} exchanges: rows {left + 1} to 120 were recorded" in notice
    assert again.begin(exchange()) == 121, "the numbers of lost rows are in tickets"
    again.database.engine.dispose()
    assert open_history().count(Filters()) == left + 1
    assert len(open_history().notices) == 0


def test_file_in_another_place_or_made_anew_has_lost_nothing(
    open_history: Callable[..., History], exchange: Callable[..., Exchange], path: Path
) -> None:
    history = open_history()
    for _ in range(3):
        history.begin(exchange())
    history.database.engine.dispose()
    for name in ("history.db", "history.db-wal", "history.db-shm"):
        path.with_name(name).unlink(missing_ok=True)
    again = open_history()
    assert again.begin(exchange()) == 1
    assert again.notices == []


def test_locked_history_costs_one_wait(
    history: History, exchange: Callable[..., Exchange], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = history.begin(exchange())
    pragma(history, f"busy_timeout = {deadlines.LONG * 1000:.0f}")
    waits: list[str] = []
    run = history.database._raw_writes.run

    def counted_run(statement: str, parameters: Sequence[Any] = ()) -> WriteResult:
        waits.append(statement)
        return run(statement, parameters)

    @event.listens_for(history.database.engine, "before_cursor_execute")
    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement == "BEGIN IMMEDIATE":
            waits.append(statement)

    monkeypatch.setattr(history.database._raw_writes, "run", counted_run)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    recorder = Recorder(history, Vault(b"k" * 32))
    with pytest.raises(HistoryError, match="locked"):
        history.set_note(kept, "first")
    assert recorder.begin(exchange()).live.id is None
    assert "locked" in recorder.problem
    with pytest.raises(HistoryError, match="locked"):
        history.set_note(kept, "second")
    assert waits == ["BEGIN IMMEDIATE"]
    assert history.get(kept) is not None, "it can be read"
    other.execute("ROLLBACK")
    other.close()
    pauses.end(history.database)
    assert history.begin(exchange()) > kept


def test_a_history_that_only_newer_versions_can_use_is_left_alone(
    history: History, open_history: Callable[..., History], exchange: Callable[..., Exchange], path: Path
) -> None:
    history.begin(exchange())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE installation SET value = '9999' WHERE name = 'readable_by'")
    connection.close()
    with pytest.raises(HistoryError, match="made by a newer version of this console"):
        open_history().begin(exchange())


def test_a_missing_folder_is_named(
    open_history: Callable[..., History], exchange: Callable[..., Exchange], tmp_path: Path
) -> None:
    missing = tmp_path / "missing" / "history.db"
    with pytest.raises(HistoryError, match=rf"{missing} cannot be used: No such file or directory"):
        open_history(f"sqlite:///{missing}").begin(exchange())


@pytest.mark.parametrize("url", ["history.db", "nothing://x", "sqlite://", "sqlite:///:memory:"])
def test_an_address_that_names_no_database_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingError, match="CONSOLE_DATABASE_URL"):
        History(url, lambda: datetime.now(UTC))


def test_nothing_is_opened_before_the_first_use(path: Path, open_history: Callable[..., History]) -> None:
    open_history()
    assert list(path.parent.iterdir()) == []
