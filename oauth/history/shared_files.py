"""Own profiles and catalogues in the PostgreSQL database that consoles share.

Each console has copies of them in a folder, so that it reads them as fast as files, and has them while the database is
away.
"""

import errno
import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import RLock

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from oauth.catalogue import provider_errors
from oauth.catalogue.entries import CatalogueError
from oauth.history.database import Database, HistoryError
from oauth.history.schema import own_files
from oauth.own_files import Kind, replace
from oauth.providers import ProfileError, custom

FRESH_SECONDS = 0.5
"""Time for which the copies are taken to be up to date."""

CHANGE_LOCK = 6754
"""The advisory lock of PostgreSQL that the console has that changes a catalogue."""

_NAMES = {Kind.PROFILE: "profile", Kind.CATALOGUE: "catalogue"}
"""The column ``kind``."""


class SharedFiles:
    """The files in a database, and their copies below ``home``: until they were there once, the files of before.

    The copies are in a folder of the database's own: another database has other files. At its first use, the files that
    are in ``home`` are taken over, and what was done with each is one of the database's notices.
    """

    def __init__(self, database: Database, home: Path, clock: Callable[[], float] = time.monotonic) -> None:
        url = database.engine.url
        name = hashlib.sha256(f"{url.host}:{url.port}/{url.database}".encode()).hexdigest()[:8]
        self._copies = home / f"shared-{name}"
        self._marker = self._copies / ".copied"
        self._own = home
        self.home = self._copies if self._marker.exists() else home
        self._database = database
        self._clock = clock
        self._lock = RLock()
        self._versions: dict[tuple[Kind, str], datetime] = {}
        self._until = 0.0

    def refresh(self) -> None:
        """Bring the copies up to date, at most every ``FRESH_SECONDS``. Without the database they stay as they are."""
        if self._clock() < self._until:
            return
        with self._lock:
            if self._clock() >= self._until:
                with suppress(HistoryError, OSError):
                    self._copy()
                self._until = self._clock() + FRESH_SECONDS

    def put(self, kind: Kind, id: str, content: bytes) -> None:
        """Publish this content to every console. Raises ``OSError``."""
        values = {"content": content.decode(), "saved_at": self._database.clock()}
        with self._explained(), self._lock:
            with self._database.writing() as connection:
                statement = insert(own_files).values(kind=_NAMES[kind], id=id, **values)
                connection.execute(statement.on_conflict_do_update(index_elements=["kind", "id"], set_=values))
            self._copy()

    def remove(self, kind: Kind, id: str) -> None:
        """Remove the file for every console. Raises ``OSError``."""
        with self._explained(), self._lock:
            with self._database.writing() as connection:
                connection.execute(delete(own_files).where(own_files.c.kind == _NAMES[kind], own_files.c.id == id))
            self._copy()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other consoles from changing a file, with the copies up to date. Raises ``OSError``."""
        with self._explained(), self._lock, self._database.writing() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(CHANGE_LOCK)))
            self._copy()
            yield

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except HistoryError as error:
            raise OSError(errno.EIO, str(error).rstrip(".")) from error

    def _copy(self) -> None:
        """Write the copies of what has changed, and delete those of what is gone."""
        if not self._marker.exists():
            self._take_over()
        kinds = {name: kind for kind, name in _NAMES.items()}
        with self._database.reading() as connection:
            rows = connection.execute(select(own_files.c.kind, own_files.c.id, own_files.c.saved_at))
            versions = {
                (kinds[row.kind], row.id): row.saved_at for row in rows if row.kind in kinds and _is_name(row.id)
            }
            changed = [key for key, version in versions.items() if self._versions.get(key) != version]
            contents = {key: _content(connection, *key) for key in changed}
        for (kind, id), content in contents.items():
            replace(self._path(kind, id), content.encode())
        for kind in Kind:
            for path in self._path(kind, "").parent.glob("*.toml"):
                if (kind, path.stem) not in versions:
                    path.unlink(missing_ok=True)
        self._versions = versions

    def _path(self, kind: Kind, id: str) -> Path:
        return self._copies / kind / f"{id}.toml"

    def _take_over(self) -> None:
        """Put the valid files of the home into the database, those that it has no file of this name for."""
        copied: list[str] = []
        others: list[str] = []
        for kind in Kind:
            for path in sorted((self._own / kind).glob("*.toml")):
                try:
                    content = _CHECKS[kind](path)
                except (OSError, ValueError, ProfileError, CatalogueError):
                    others.append(f"{kind}/{path.name} (invalid)")
                    continue
                with self._database.writing() as connection:
                    values = {"kind": _NAMES[kind], "id": path.stem, "content": content}
                    statement = insert(own_files).values(**values, saved_at=self._database.clock())
                    connection.execute(statement.on_conflict_do_nothing())
                    is_theirs = _content(connection, kind, path.stem) != content
                (others if is_theirs else copied).append(
                    f"{kind}/{path.name}" + (" (there is another of this name)" if is_theirs else "")
                )
        replace(self._marker, b"")
        self.home = self._copies
        if copied or others:
            notice = "Your own profiles and catalogues are in the shared database now; the files are not read any more."
            parts = {"Copied": copied, "Not copied": others}
            sentences = [f"{word} from {self._own}: {', '.join(names)}." for word, names in parts.items() if names]
            self._database.notices.append(" ".join([notice, *sentences]))
            logging.getLogger(__name__).info("%s", self._database.notices[-1])


def _is_name(id: str) -> bool:
    """Return whether an id is the name of a file, and does not lead out of the folder."""
    return bool(id) and not id.startswith(".") and Path(id).name == id


def _content(connection: Connection, kind: Kind, id: str) -> str:
    query = select(own_files.c.content).where(own_files.c.kind == _NAMES[kind], own_files.c.id == id)
    return str(connection.scalar(query) or "")


def _profile(path: Path) -> str:
    """Return the text of a profile that holds no secret. Raises ``ProfileError``."""
    content = path.read_bytes()
    custom.read(path.stem, content, path.name)
    return content.decode("utf-8-sig")


def _catalogue(path: Path) -> str:
    """Return the text of a catalogue. Raises ``CatalogueError``."""
    text = path.read_text("utf-8-sig")
    provider_errors.read(text, path.stem, path.name)
    return text


_CHECKS: Mapping[Kind, Callable[[Path], str]] = {Kind.PROFILE: _profile, Kind.CATALOGUE: _catalogue}
