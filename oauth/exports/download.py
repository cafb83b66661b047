"""An export file that a separate process creates while it is downloaded.

The process writes to an anonymous temporary file as fast as it can, and the download follows. So the history is read in
seconds however slow the client is, and no open transaction keeps SQLite's WAL or PostgreSQL's dead rows from being
cleaned up. It also keeps ADBC's SQLite (see ``arrow_reader.py``) and its memory out of the server.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, cast

from oauth.exports.layout import WHOLE, Layout
from oauth.exports.query import Source
from oauth.history.database import HistoryError
from oauth.isolation import environment

CHUNK = 256 * 1024

STALLED_SECONDS = 60.0
"""Time without a new byte after which an export is given up: its database does not respond, or waits for a lock."""


class Download:
    """One export in progress. ``folder`` holds the temporary file; ``close`` stops the export at any time."""

    def __init__(
        self,
        source: Source,
        format: str,
        folder: Path,
        ended: Callable[[], None] = lambda: None,
        layout: Layout = WHOLE,
    ) -> None:
        """Start the export; ``ended`` is called when its process has ended, long before a slow client has the file.

        Raises ``OSError`` when the process or the temporary file cannot be created.
        """
        self._ended = ended
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 close closes it
        self._state = threading.Condition()
        self._written = 0
        self._whole = False
        self._error = ""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "oauth.exports.worker"],
            stdin=subprocess.PIPE,
            stdout=self._file,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        job = json.dumps({"source": asdict(source), "format": format, "layout": layout.text}).encode()
        self._listener = threading.Thread(target=self._listen, args=(job,), daemon=True)
        self._listener.start()

    def size(self, patience: float) -> int | None:
        """Return the size in bytes, ``None`` when the file is not complete after ``patience`` seconds.

        Raises ``HistoryError`` when the export fails.
        """
        with self._state:
            self._state.wait_for(lambda: self._whole or self._error, patience)
            if self._error:
                self.close()
                raise HistoryError(self._error)
            return self._written if self._whole else None

    def chunks(self) -> Iterator[bytes]:
        """Yield the whole file. Raises ``HistoryError`` as soon as the export fails."""
        position = 0
        try:
            while self._more(position):
                chunk = os.pread(self._file.fileno(), CHUNK, position)
                position += len(chunk)
                yield chunk
        finally:
            self.close()

    def _more(self, position: int) -> bool:
        """Wait for more than ``position`` bytes or the end of the file; return True if there are more."""
        with self._state:
            if not self._state.wait_for(
                lambda: self._whole or self._error or self._written > position, STALLED_SECONDS
            ):
                raise HistoryError(f"The history did not respond for {STALLED_SECONDS:g} seconds. Try again later.")
            if self._error:
                raise HistoryError(self._error)
            return self._written > position

    def close(self) -> None:
        """Stop the process and delete the temporary file."""
        self._process.kill()
        self._process.wait()
        self._file.close()

    def _listen(self, job: bytes) -> None:
        last = ""
        with cast(IO[bytes], self._process.stdin) as sink, cast(IO[bytes], self._process.stderr) as messages:
            try:
                sink.write(job)
                sink.close()
            except BrokenPipeError:
                last = "it ended at once"
            for line in messages:
                try:
                    message = json.loads(line)
                except ValueError:
                    last = line.decode("utf-8", "replace").strip()
                    continue
                with self._state:
                    self._written = message.get("written", self._written)
                    self._whole = message.get("whole", False)
                    self._error = message.get("error", "")
                    self._state.notify_all()
        self._ended()
        with self._state:
            if not self._whole and not self._error:
                self._error = f"The export failed: {last or 'its process was stopped'}."
            self._state.notify_all()
