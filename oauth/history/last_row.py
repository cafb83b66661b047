"""The number of the newest row, kept beside SQLite's file: it tells when the file has lost rows.

SQLite stops reading a damaged WAL at the first frame that is wrong, and says nothing of the transactions behind it.
"""

import os
import struct
from pathlib import Path
from threading import Lock

_FORMAT = struct.Struct("<QQ")


class LastRow:
    """The number of the newest row of one database file, in a small file beside it.

    It is written by the operating system in its own time, so that no exchange waits. Without a file, such as in a
    folder that is read-only, nothing is noted.
    """

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(f"{database.name}-last")
        self._lock = Lock()
        self._file: int | None = None
        self._inode = self._last = 0

    def read(self, inode: int) -> int:
        """Return the number that was noted for the database file with this inode, 0 without one."""
        try:
            noted, last = _FORMAT.unpack(self.path.read_bytes())
        except (OSError, struct.error):
            return 0
        return int(last) if noted == inode else 0

    def open(self, inode: int, last: int) -> None:
        """Begin to note the rows of the database file with this inode."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
            try:
                self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
            except OSError:
                self._file = None
            self._inode, self._last = inode, -1
        self.note(last)

    def note(self, id: int) -> None:
        """Note a row, if it is newer than the last."""
        with self._lock:
            if self._file is not None and id > self._last:
                self._last = id
                try:
                    os.pwrite(self._file, _FORMAT.pack(self._inode, id), 0)
                except OSError:
                    os.close(self._file)  # a full disk: the history itself says so
                    self._file = None
