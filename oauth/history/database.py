"""The database of the history: opening it, transactions, and readable errors.

SQLite runs in WAL mode with ``synchronous = NORMAL``. A commit is then in the operating system's hands: it survives the
process being killed at any moment. A power cut can take the commits since the last checkpoint with it (``Upkeep`` makes
one in each round), and never damages the file.
"""

import hmac
import logging
import os
import select as polling
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    FromClause,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    make_url,
    select,
    text,
    true,
)
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from oauth.history import counts, deadlines, error_messages, migrations, search
from oauth.history.last_row import LastRow
from oauth.history.raw_writes import RawWrites, WriteResult
from oauth.history.schema import installation
from oauth.settings import SettingError

if TYPE_CHECKING:
    import psycopg

BUSY_SECONDS = 5.0
"""Time that a statement waits for another program's lock on SQLite's file; ``deadlines.py`` has PostgreSQL's."""

WAL_PAGES = 8000
"""Pages of 4 KiB in SQLite's WAL from which whoever commits copies them to the file, and waits for the disk.

Upkeep does so long before (``Database.checkpoint``), and no exchange waits for it.
"""

AT_ONCE = "at once"
"""The option of a transaction that writes, and does not wait until another program has written."""

MIGRATION_LOCK, TURN_LOCK, RETENTION_LOCK, TABLES_LOCK = 6749, 6750, 6751, 6752
"""The advisory locks of PostgreSQL that one console holds while it changes the schema, has its turn at the sandbox,
deletes what is too old, or makes and drops partitions. ``counts.LOCK`` and ``shared_files.CHANGE_LOCK`` follow."""

LOCK_PAUSE = 0.3
"""Seconds between two tries to take a lock that another program has."""

COUNTS_WAIT = 2.0
"""Seconds that a deletion waits until its counts can be merged; whoever has them for longer counts them anew."""

LONG_WAIT = 3.0
"""Seconds after which the log says that something waits for a lock."""

# Alembic keeps its context in a module, so only one thread of the process may run it.
_preparing = Lock()

KEY = "key"
"""The name of the row with the proof of the installation's key."""

_FIRST_KEY = text("INSERT INTO installation (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING")


def with_password(url: URL) -> URL:
    """Return the URL with the password from ``PGPASSWORD``, for a process that does not get this environment."""
    password = os.environ.get("PGPASSWORD")
    return url if url.password or not password or url.get_backend_name() == "sqlite" else url.set(password=password)


class HistoryError(Exception):
    """The history is unusable; the message says what is wrong, where, and what to do."""


class WrongKeyError(HistoryError):
    """The database was begun with another key of the installation."""


class HistoryTimeout(HistoryError):
    """A query of the history exceeded its time limit."""


class Database:
    """One database, opened and migrated on first use.

    While that fails, every use tries again, so that the console works without its history and gets it back.
    ``notices`` are messages for the user about what was done to the file while opening it, and ``is_migrating`` is true
    while this console changes the schema, or waits for another one that does. ``proof`` is derived from the
    installation's key, and the first one is kept: a database with another is not used. Without, none is compared.
    """

    def __init__(self, url: str, clock: Callable[[], datetime], proof: str = "") -> None:
        self.notices: list[str] = []
        self._proof = proof
        self.clock = clock
        self._opened: int | None = None
        self.is_migrating = False
        try:
            parsed = make_url(url)
            # hide_parameters: what is recorded must not reappear in the text of an error.
            self.engine = create_engine(parsed, hide_parameters=True, poolclass=QueuePool, pool_timeout=BUSY_SECONDS)
        except (ArgumentError, ImportError, ValueError) as error:
            raise SettingError(
                "CONSOLE_DATABASE_URL is not the URL of a database that this console can open. "
                "Write an SQLite file as sqlite:////folder/history.db, a PostgreSQL database as postgresql://user@host/name."
            ) from error
        self._where = parsed.render_as_string(hide_password=True)
        self.path: Path | None = None
        self._last_row: LastRow | None = None
        if self.engine.dialect.name == "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise SettingError("CONSOLE_DATABASE_URL names no file. Write it as sqlite:////folder/history.db.")
            self._where = parsed.database
            if not parsed.database.startswith("file:"):
                self.path = Path(parsed.database)
                self._last_row = LastRow(self.path)
            self.engine.dialect.statement_compiler = _HintedCompiler
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        elif self.engine.dialect.name == "postgresql":
            event.listen(self.engine, "do_connect", _connect_postgresql)
            event.listen(self.engine, "connect", _set_up_postgresql)
            event.listen(self.engine, "checkout", lambda connection, _record, _proxy: _is_alive(connection))
        else:
            raise SettingError("CONSOLE_DATABASE_URL names a database that is neither SQLite nor PostgreSQL.")
        driver: Any = self.engine.dialect.loaded_dbapi
        self._raised: tuple[type[Exception], ...] = (SQLAlchemyError, driver.Error, OSError)
        self._pauses = deadlines.Pauses()
        self._writing_engine = self.engine.execution_options(writing=True)
        self._held: dict[int, Connection] = {}
        event.listen(self.engine, "engine_disposed", self._let_all_go)
        self._raw_writes = RawWrites(self.engine, _is_alive, BUSY_SECONDS)

    @contextmanager
    def reading(self, seconds: float | None = None) -> Iterator[Connection]:
        """Open a read-only transaction with the search index up to date.

        Raises ``HistoryError``; ``HistoryTimeout`` when a statement takes longer than ``seconds``.
        """
        self.prepare()
        with self.explained(), self._begin(self.engine) as connection:
            behind = search.is_behind(connection)
            if not behind:
                with _limited(connection, seconds):
                    yield connection
        if behind:
            self._catch_up()
            with self.explained(), self._begin(self.engine) as connection, _limited(connection, seconds):
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes, committed when the block ends. Raises ``HistoryError``."""
        self.prepare()
        with self.explained(writing=True), self._begin(self._writing_engine) as connection:
            yield connection

    def at_once(self, statement: str, parameters: Sequence[Any] = ()) -> WriteResult:
        """Run and commit one short statement in the driver's own syntax. Raises ``HistoryError``."""
        self.prepare()
        self._pauses.check(writing=True)
        start = time.monotonic()
        try:
            return self._raw_writes.run(statement, parameters)
        except self._raised as error:
            raise self._explanation(error, start) from error

    def check(self) -> None:
        """Reach the database, prepare it if it is not, and look at its schema, which a newer console may have changed.

        Raises ``HistoryError``.
        """
        self.prepare()
        with self.explained(), self._begin(self.engine) as connection:
            if not migrations.is_usable(connection):
                raise migrations.NewerSchemaError

    @property
    def is_shared(self) -> bool:
        """True for PostgreSQL, which consoles on several machines may use."""
        return self.engine.dialect.name == "postgresql"

    def connect_apart(self) -> Connection:
        """Open a connection that is not of the pool, in autocommit, for a lock that outlasts a transaction.

        Raises ``HistoryError``.
        """
        with self.explained():
            connection = self.engine.execution_options(isolation_level="AUTOCOMMIT").connect()
            connection.detach()
            return connection

    def hold(self, lock: int) -> bool:
        """Take one of PostgreSQL's advisory locks, or look after it; return whether this console has it.

        It is held until ``let_go``, and lost when the connection breaks, so that another console can have it then. An
        SQLite file has no such locks, and nobody waits. Raises ``HistoryError``.
        """
        if self.engine.dialect.name == "sqlite":
            return True
        self.prepare()
        with self.explained():
            return self._hold(lock)

    def _hold(self, lock: int) -> bool:
        question = select(true())
        if lock not in self._held:
            question = select(func.pg_try_advisory_lock(lock))
            self._held[lock] = self.connect_apart()
        is_ours = False
        try:
            is_ours = bool(self._held[lock].scalar(question))
        finally:
            if not is_ours:
                self.let_go(lock)
        return is_ours

    def let_go(self, lock: int) -> None:
        """Give up a lock that ``hold`` took."""
        if (connection := self._held.pop(lock, None)) is not None:
            with suppress(*self._raised):  # a connection that broke has no lock
                # The server notices a closed connection a moment later, and whoever comes meanwhile would wait.
                connection.scalar(select(func.pg_advisory_unlock(lock)))
            with suppress(*self._raised):
                connection.close()

    def change_tables(self, change: Callable[[Connection], None]) -> bool:
        """Change PostgreSQL's tables in one transaction; return false when one is in use, or another console does so.

        Raises ``HistoryError``.
        """
        self.prepare()
        with self.explained():
            try:
                with self.engine.begin() as connection, unlimited(connection):
                    lock_timeout = deadlines.MIGRATION_LOCK_SECONDS * 1000
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {lock_timeout:.0f}")
                    if not connection.scalar(select(func.pg_try_advisory_xact_lock(TABLES_LOCK))):
                        return False
                    change(connection)
            except DBAPIError as error:
                if not error_messages.is_locked(error):
                    raise
                return False  # not a wait in vain, after which nothing would be recorded for a while
        return True

    def change_at_one_moment(self, change: Callable[[Connection], bool]) -> bool:
        """Change PostgreSQL's rows in a transaction that sees one moment only; return what the change does.

        Returns false when somebody else changed the same rows meanwhile. Raises ``HistoryError``.
        """
        self.prepare()
        snapshot = self.engine.execution_options(isolation_level="REPEATABLE READ")
        with self.explained(writing=True):
            try:
                with snapshot.begin() as connection, unlimited(connection):
                    return change(connection)
            except DBAPIError as error:
                if not error_messages.is_locked(error):
                    raise
                return False

    def _let_all_go(self, _engine: Engine) -> None:
        for lock in tuple(self._held):
            self.let_go(lock)

    def checkpoint(self) -> None:
        """Copy SQLite's WAL to the file as far as nobody reads it, so that it starts anew. Raises ``HistoryError``."""
        if self.engine.dialect.name == "sqlite":
            self.at_once("PRAGMA wal_checkpoint(PASSIVE)")

    def wipe(self) -> None:
        """Remove all traces of deleted rows from the search index, the file and its WAL, as far as the database can.

        SQLite overwrites what it frees. PostgreSQL gives the space back to be written over. Raises ``HistoryError``.
        """
        if self.engine.dialect.name == "sqlite":
            more = begin = True
            while more:
                with self.writing() as connection:
                    more = search.merge(connection, begin=begin)
                begin = False
            self.at_once("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        self.merge_counts()
        autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        with self.explained(), autocommit.connect() as connection, unlimited(connection):
            connection.exec_driver_sql("VACUUM exchanges, exchange_counts")

    def merge_counts(self, now: datetime | None = None, seconds: float = float("inf")) -> None:
        """Merge PostgreSQL's counts where some were added (``counts.merge``), for at most some seconds.

        Without a time, another console that does so is waited for. Raises ``HistoryError``.
        """
        end, wait_end = (time.monotonic() + limit for limit in (seconds, COUNTS_WAIT if now is None else 0))
        more: bool | None = self.is_shared
        while more is not False and time.monotonic() < end:
            with self.writing() as connection:
                more = counts.merge(connection, now)
            if more is None:
                if time.monotonic() > wait_end:
                    return
                time.sleep(LOCK_PAUSE)

    @contextmanager
    def _begin(self, engine: Engine) -> Iterator[Connection]:
        """Begin a transaction, in PostgreSQL after a sign of life: a longer statement may take its time."""
        with engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                yield connection
                return
            connection.exec_driver_sql("SELECT 1")
            driver: Any = connection.connection.driver_connection
            driver.seconds = deadlines.STATEMENT_SECONDS
            try:
                yield connection
            finally:
                driver.seconds = deadlines.ANSWER_SECONDS

    def _catch_up(self) -> None:
        # A history that cannot be written just now can be read all the same, and at once; a search then misses what
        # was changed last, until the next reader can write.
        behind = True
        with suppress(HistoryError):
            while behind:
                with self.explained(), self.engine.execution_options(writing=AT_ONCE).begin() as connection:
                    search.catch_up(connection)
                    behind = search.is_behind(connection)

    def revision(self) -> str:
        """Return the revision of the schema, empty without tables; nothing is made or migrated.

        Raises ``HistoryError``.
        """
        if self.path is not None and not self.path.exists():
            return ""
        with self.explained(), self.engine.connect() as connection:
            return migrations.revision_of(connection)

    def prepare(self) -> None:
        """Open the database: create the file or set a damaged one aside, and migrate it.

        Does nothing when that was done and the file is still the same. Raises ``HistoryError``.
        """
        if self._is_open():
            return
        self._pauses.check(writing=False)
        with _preparing, self.explained():
            if self._is_open():
                return
            self.engine.dispose()
            is_new, examined = self._make_file(), self._inode()
            try:
                self._open()
            except (DBAPIError, sqlite3.DatabaseError) as error:
                if self.path is None or not error_messages.sqlite_name(error).startswith(error_messages.DAMAGED):
                    raise
                is_new = self._set_aside(self.path, examined)
                self._open()
            finally:
                self.is_migrating = False
            if self._proof:
                self._prove_key(self._proof)
            if self._last_row is not None:
                self._compare_last_row(self._last_row, is_new=is_new)
            self._opened = self._inode()

    def check_key(self) -> None:
        """Compare the key without opening the database for use: nothing is created, migrated or waited for long.

        Raises ``WrongKeyError``. A database that cannot be read now is compared when it is opened.
        """
        if not self._proof or (self.path is not None and not self.path.exists()):
            return
        with suppress(*self._raised), self.engine.connect() as connection:
            if inspect(connection).has_table(installation.name):
                self._compare_key(connection, self._proof)

    def accept_key(self) -> None:
        """Use the database with this installation's key from now on. Raises ``HistoryError``."""
        proof, self._proof = self._proof, ""
        with self.writing() as connection:
            connection.execute(delete(installation).where(installation.c.name == KEY))
            connection.execute(insert(installation).values(name=KEY, value=proof))
        self._proof = proof

    def _prove_key(self, proof: str) -> None:
        with self.engine.begin() as connection:
            if self._compare_key(connection, proof):
                return
        with suppress(*self._raised), self._writing_engine.begin() as connection:  # it may be read-only
            connection.execute(_FIRST_KEY, {"name": KEY, "value": proof})
        with self.engine.begin() as connection:
            self._compare_key(connection, proof)  # another console may have been faster

    def _compare_key(self, connection: Connection, proof: str) -> bool:
        """Return whether there is a proof. Raises ``WrongKeyError`` for another one."""
        first = connection.scalar(select(installation.c.value).where(installation.c.name == KEY))
        if first is not None and not hmac.compare_digest(str(first).encode(), proof.encode()):
            raise WrongKeyError(
                f"The history in {self._where} was begun with another key of the installation. Set CONSOLE_KEY to that "
                "key, as the other consoles have it, or put the file key back into CONSOLE_HOME. If it is lost, run "
                "oauth-console history accept-key: fingerprints of what was recorded before then match no new ones."
            )
        return first is not None

    def _is_open(self) -> bool:
        # Another console may have set the file aside, or a person may have removed it: what is kept in a file that
        # has no name any more is lost.
        try:
            return self._opened == self._inode()
        except OSError:
            return False

    def _inode(self) -> int:
        """Return the inode of the database file, 0 when the database is not a file of ours."""
        # Every exchange waits for this, and pathlib takes twice the time.
        return os.stat(self.path).st_ino if self.path else 0  # noqa: PTH116

    def _make_file(self) -> bool:
        """Create a missing file, readable by its owner only; return whether it was missing.

        SQLite gives its WAL the same permissions.
        """
        if self.path is not None:
            # O_EXCL: closing a file that is there would drop the locks that SQLite holds on it in this process.
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
                return True
        return False

    def _compare_last_row(self, last_row: LastRow, *, is_new: bool) -> None:
        """Add a notice when rows were recorded that the file no longer has. Their numbers are not given again."""
        inode = self._inode()
        # Read before the table: a row is noted after it was stored, perhaps by another console just now.
        recorded = 0 if is_new else last_row.read(inode)
        sequence = "FROM sqlite_sequence WHERE name = 'exchanges'"
        with self.engine.begin() as connection:
            last = int(connection.exec_driver_sql(f"SELECT coalesce(max(seq), 0) {sequence}").scalar_one())
        if recorded > last:
            with self._writing_engine.begin() as connection:
                connection.exec_driver_sql(f"DELETE {sequence}")
                connection.exec_driver_sql("INSERT INTO sqlite_sequence VALUES ('exchanges', ?)", (recorded,))
            self.notices.append(
                f"The history in {self._where} has lost {recorded - last:,} exchanges: "
                f"rows {last + 1} to {recorded} were recorded, and the file no longer has them. "
                "Its write-ahead log (-wal) was damaged or removed, or the machine lost power. "
                "If you have a copy of the file and its -wal, stop the console and put both back."
            )
        last_row.open(inode, max(last, recorded))

    def note_row(self, id: int) -> None:
        """Note the number of a new row, so that its loss is noticed when SQLite's file is opened again."""
        if self._last_row is not None:
            self._last_row.note(id)

    def _open(self) -> None:
        if self.engine.dialect.name == "sqlite":
            self._use_wal()
        with self.engine.begin() as connection:
            if migrations.is_usable(connection):
                return
        self.is_migrating = True
        if self.engine.dialect.name == "postgresql":
            self._upgrade_postgresql()
            return
        # The write lock makes a second console that starts now wait here, and then find nothing left to do.
        with self._writing_engine.begin() as connection:
            migrations.upgrade(connection)

    def _upgrade_postgresql(self) -> None:
        """Migrate while other consoles record; one of those that start at once does it, and the others wait for it.

        A change of a table waits until nobody reads it, and all others wait behind it. So it gives up soon, and tries
        again.
        """
        wait = _Wait("Another console migrates the database; this one waits for it.")
        while not self._hold(MIGRATION_LOCK):
            wait()
        try:
            with self.engine.connect() as connection:
                driver: Any = connection.connection.driver_connection
                driver.seconds = None
                try:
                    wait = _Wait("The migration waits for a table that is in use, such as by an export.")
                    while not self._upgraded(connection):
                        wait()
                finally:
                    connection.invalidate()  # its settings go with it
        finally:
            self.let_go(MIGRATION_LOCK)

    def _upgraded(self, connection: Connection) -> bool:
        """Migrate; return false when a lock was in the way. What was done until then is committed."""
        lock_timeout = deadlines.MIGRATION_LOCK_SECONDS * 1000
        connection.exec_driver_sql(f"SET statement_timeout = 0; SET lock_timeout = {lock_timeout:.0f}")
        connection.commit()
        try:
            migrations.upgrade(connection)
        except DBAPIError as error:
            connection.rollback()
            if not error_messages.is_locked(error):
                raise
            return False
        return True

    def _use_wal(self) -> None:
        """Switch the file to WAL, which it then keeps."""
        connection = self.engine.raw_connection()
        try:
            deadline = time.monotonic() + BUSY_SECONDS
            while True:
                try:
                    connection.cursor().execute("PRAGMA journal_mode = WAL")
                except sqlite3.OperationalError as error:
                    # Two consoles that switch at once are refused without the wait that busy_timeout gives.
                    if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
                else:
                    return
        finally:
            connection.close()

    def _set_aside(self, path: Path, examined: int) -> bool:
        """Rename a damaged file and create a new one; return whether this process did it."""
        self.engine.dispose()
        if path.stat().st_ino != examined:
            return False  # another console was faster: this is the new file already
        aside = path.with_name(f"{path.name}.damaged-{self.clock():%Y%m%dT%H%M%SZ}")
        move(path, aside)
        self._make_file()
        self.notices.append(f"The history in {path} was damaged. It was set aside as {aside}, and a new one begun.")
        return True

    @contextmanager
    def explained(self, *, writing: bool = False) -> Iterator[None]:
        """Raise ``HistoryError`` for what goes wrong with the database in the block."""
        self._pauses.check(writing=writing)
        start = time.monotonic()
        try:
            yield
        except migrations.NewerSchemaError as error:
            raise HistoryError(
                f"The history in {self._where} was made by a newer version of this console. "
                "Use that version, or choose another CONSOLE_HOME."
            ) from error
        except self._raised as error:
            raise self._explanation(error, start) from error

    def _explanation(self, error: Exception, start: float) -> HistoryError:
        """Return the error in words. After a long wait for a server or a lock, nothing else waits for a while."""
        if error_messages.took_too_long(error):
            return HistoryTimeout("This query takes too long on a history of this size. Narrow the filters.")
        explained = HistoryError(error_messages.sentence(error, self._where))
        if time.monotonic() - start >= deadlines.LONG:
            if error_messages.is_away(error):
                self._pauses.begin(explained, of_writing=False)
            elif error_messages.is_locked(error):
                self._pauses.begin(explained, of_writing=True)
        return explained


def move(path: Path, target: Path) -> None:
    """Rename the file of a database, and those beside it."""
    # The file goes last: a new one must never meet the old WAL.
    for suffix in ("-wal", "-shm", "-last", ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(target.with_name(target.name + suffix))


class _Wait:
    """A pause between two tries, which is logged once when it takes long."""

    def __init__(self, message: str) -> None:
        self._message = message
        self._log_at = time.monotonic() + LONG_WAIT

    def __call__(self) -> None:
        if time.monotonic() > self._log_at:
            logging.getLogger(__name__).warning("%s", self._message)
            self._log_at = float("inf")
        time.sleep(LOCK_PAUSE)


class _HintedCompiler(SQLiteCompiler):
    """A compiler that writes the hints of a query, which SQLAlchemy omits for SQLite."""

    def get_from_hint_text(self, _table: FromClause, text: str | None) -> str | None:
        """Return the hint, which follows the name of the table."""
        return text


STEPS_BETWEEN_LOOKS = 10_000
"""Instructions of SQLite's machine, a millisecond or so, between two looks at the clock."""


@contextmanager
def _limited(connection: Connection, seconds: float | None) -> Iterator[None]:
    """Cancel statements that exceed the time limit."""
    if seconds is None:
        yield
    elif connection.dialect.name == "sqlite":
        deadline = time.monotonic() + seconds
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_BETWEEN_LOOKS)
        try:
            yield
        finally:
            driver.set_progress_handler(None, 0)
    else:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}")
        driver = connection.connection.driver_connection
        driver.seconds = seconds + deadlines.ANSWER_SECONDS  # for a server that cannot keep its limit
        yield


@contextmanager
def unlimited(connection: Connection) -> Iterator[None]:
    """Lift the time limits of a connection of PostgreSQL, for work that grows with the history."""
    driver: Any = connection.connection.driver_connection
    driver.seconds = None
    connection.exec_driver_sql("SET statement_timeout = 0; SET lock_timeout = 0")
    try:
        yield
        connection.exec_driver_sql(_TIME_LIMITS)  # an error would end the transaction, and so the change
    finally:
        driver.seconds = deadlines.ANSWER_SECONDS


_TIME_LIMITS = (
    # A lock is waited for less than the server's answer, so that each is called by its name.
    f"SET lock_timeout = {deadlines.ANSWER_SECONDS * 500:.0f}; "
    f"SET statement_timeout = {deadlines.STATEMENT_SECONDS * 1000:.0f}"
)


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    try:
        connection.isolation_level = None  # transactions are begun by _begin_sqlite, not guessed by the driver
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        # SQLite's own lower() knows ASCII only, and the providers answer in Cyrillic too.
        connection.create_function("lower", 1, _lower, deterministic=True)
    except sqlite3.Error:
        connection.close()
        raise


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that read first and then wants to write is refused at once when another one wrote meanwhile.
    writing = connection.get_execution_options().get("writing")
    if writing == AT_ONCE:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
    finally:
        if writing == AT_ONCE:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")


def _connect_postgresql(_dialect: Any, _record: Any, arguments: Any, options: dict[str, Any]) -> "psycopg.Connection":
    from oauth.history import postgresql  # imported late, as SQLAlchemy does with the driver

    return postgresql.Connection.connect(*arguments, **{**deadlines.CONNECTION, **options})


def _set_up_postgresql(connection: "psycopg.Connection", _record: Any) -> None:
    # Compiling a query over many partitions takes longer than it saves, and heeds no time limit.
    connection.execute(f"SET jit = off; {_TIME_LIMITS}")
    connection.commit()


def _is_alive(connection: "psycopg.Connection | sqlite3.Connection") -> None:
    """Raise ``DisconnectionError`` when the server has closed an idle connection, without a round trip."""
    if isinstance(connection, sqlite3.Connection):
        return
    waiting = polling.poll()
    waiting.register(connection.fileno(), polling.POLLIN)
    if waiting.poll(0):
        raise DisconnectionError("the server closed the connection")
