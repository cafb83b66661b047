"""A file made by a process of its own while it is downloaded.

The process writes to a temporary file without a name, as fast as it can, and the download reads behind it. So the
history is read in seconds however slow the reader is, and no transaction stays open that would keep SQLite's WAL or
PostgreSQL's dead rows from being cleared. It also keeps ADBC's SQLite out of the server (``reading.py`` says why), and
its memory.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, cast

import oauth
from oauth.exports.arrow_reader import Source
from oauth.history.database import HistoryError

CHUNK = 256 * 1024
_ROOT = Path(oauth.__file__).parent.parent


class Download:
    """One file in the making. ``folder`` is where the temporary file may be; ``close`` ends everything at any time."""

    def __init__(self, source: Source, format: str, folder: Path) -> None:
        """Raises ``OSError`` when the process cannot be started or the temporary file not be made."""
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 close closes it
        self._state = threading.Condition()
        self._written = 0
        self._whole = False
        self._error = ""
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "oauth.exports.worker"],
            stdin=subprocess.PIPE,
            stdout=self._file,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path},
        )
        self._listener = threading.Thread(target=self._listen, args=(source, format), daemon=True)
        self._listener.start()

    def size(self, patience: float) -> int | None:
        """The size in bytes, ``None`` when the file is not whole after ``patience`` seconds.

        Raises ``HistoryError`` when it cannot be made.
        """
        with self._state:
            self._state.wait_for(lambda: self._whole or self._error, patience)
            if self._error:
                self.close()
                raise HistoryError(self._error)
            return self._written if self._whole else None

    def chunks(self) -> Iterator[bytes]:
        """The whole file. Raises ``HistoryError`` as soon as it is known that it will not be whole."""
        position = 0
        try:
            while self._more(position):
                chunk = os.pread(self._file.fileno(), CHUNK, position)
                position += len(chunk)
                yield chunk
        finally:
            self.close()

    def _more(self, position: int) -> bool:
        """Wait until there is more than ``position`` bytes, or no more to come."""
        with self._state:
            self._state.wait_for(lambda: self._whole or self._error or self._written > position)
            if self._error:
                raise HistoryError(self._error)
            return self._written > position

    def close(self) -> None:
        """End the process, and give the room on the disk back."""
        self._process.kill()
        self._process.wait()
        self._file.close()

    def _listen(self, source: Source, format: str) -> None:
        last = ""
        with cast(IO[bytes], self._process.stdin) as job, cast(IO[bytes], self._process.stderr) as said:
            try:
                job.write(json.dumps({"source": asdict(source), "format": format}).encode())
                job.close()
            except BrokenPipeError:
                last = "it ended at once"
            for line in said:
                try:
                    told = json.loads(line)
                except ValueError:
                    last = line.decode("utf-8", "replace").strip()
                    continue
                with self._state:
                    self._written = told.get("written", self._written)
                    self._whole = told.get("whole", False)
                    self._error = told.get("error", "")
                    self._state.notify_all()
        with self._state:
            if not self._whole and not self._error:
                self._error = f"The export broke off: {last or 'its process was ended'}."
            self._state.notify_all()
