"""A call in a process of its own: it can be ended at any time, and neither its time nor its memory is without limit.

``python -m oauth.isolation`` is that process. The caller writes a function and its arguments to its standard input, by
``pickle``, and reads the result from its standard output. Nothing of it is on disk, because foreign text has secrets.
"""

import os
import pickle
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from oauth.page_turns import PAGES

SECONDS = 120.0
"""Time limit of a call."""

NICE = 5
"""Nice value of the process beside its caller's, so that reading a large file delays nobody's page."""

MEMORY = 3 * 1024**3
"""Limit of the process's address space, in octets; a HAR of 50 MiB needs half of it."""

PART = 500
"""Items of a list, or of the first in a tuple, that come back at once."""

STEP = 0.2
"""Seconds between two reports to the caller."""

_ROOT = Path(__file__).parent.parent
_PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_PASSED_ON_BEGINNINGS = ("LC_", "PYTHON", "PG")
_T = TypeVar("_T")


class IsolationError(Exception):
    """The call reached a limit, or its process ended without a result; the text says which, and how far it was."""


def environment() -> dict[str, str]:
    """Return the environment of a worker process: nothing that the operator set for the server, which may be secret.

    ``PG*`` are the settings of PostgreSQL's own library, without its password.
    """
    passed_on = {
        name: value
        for name, value in os.environ.items()
        if (name in _PASSED_ON or name.startswith(_PASSED_ON_BEGINNINGS)) and name != "PGPASSWORD"
    }
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    return passed_on | {"PYTHONPATH": path}


def call(
    function: Callable[..., _T], *arguments: Any, waiting: Callable[[float, str], None], seconds: float = SECONDS
) -> _T:
    """Call ``function(*arguments, report=...)`` in a process of its own, and return its result or raise its exception.

    ``waiting`` is called every ``STEP`` seconds with the seconds so far and the last report; when it raises, the
    process ends. Raises ``IsolationError`` after ``seconds``, and when the process has no more memory.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as reports:
        os.set_blocking(reading, False)
        try:
            process = subprocess.Popen(  # noqa: S603 nothing of it comes from outside
                [sys.executable, "-m", "oauth.isolation", str(writing)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(),
                pass_fds=(writing,),
            )
        finally:
            os.close(writing)
        # Apart, because subprocess does not go on with an input after a timeout. A large argument is not copied.
        job = function, arguments, MEMORY
        feeding = threading.Thread(target=_feed, args=(process.stdin, job), daemon=True)
        process.stdin = None
        feeding.start()
        begun, last = time.monotonic(), ""
        with process:
            try:
                while True:
                    try:
                        with PAGES.paused():
                            output, _ = process.communicate(timeout=STEP)
                        break
                    except subprocess.TimeoutExpired:
                        spent = time.monotonic() - begun
                        last = _last_report(reports.read(), last)
                        if spent > seconds:
                            raise IsolationError(_with(f"it took more than {seconds:g} seconds", last)) from None
                        waiting(spent, last)
            finally:
                process.kill()
        last = _last_report(reports.read(), last)
    if not output:
        raise IsolationError(_with(f"its process ended without a result (exit status {process.returncode})", last))
    parts = BytesIO(output)
    is_result, value, more = pickle.load(parts)  # noqa: S301 our own process wrote it
    items = _items_of(value)
    for _ in range(more):  # one by one, since each stops all other threads
        items += pickle.load(parts)  # noqa: S301
    if is_result:
        return cast(_T, value)
    if isinstance(value, MemoryError):
        raise IsolationError(_with(f"it needs more than {MEMORY // 1024**2:,} MiB of memory", last))
    try:
        raise value
    finally:
        del value  # with the frame it is a cycle, which would keep large arguments


def _feed(stdin: IO[bytes], job: object) -> None:
    with suppress(BrokenPipeError), stdin:  # the process may have ended before it read all
        pickle.dump(job, stdin)


def _last_report(octets: bytes | None, before: str) -> str:
    lines = (octets or b"").decode("utf-8", "replace").splitlines()
    return lines[-1] if lines else before


def _with(problem: str, last: str) -> str:
    return f"{problem}; the last step was: {last}" if last else problem


def main() -> None:
    """Do the job on standard input."""
    os.nice(NICE)
    function, arguments, memory = pickle.load(sys.stdin.buffer)  # noqa: S301 our own server wrote it
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    with os.fdopen(int(sys.argv[1]), "w") as reports:
        try:
            is_result, value = True, function(*arguments, report=partial(print, file=reports, flush=True))
        except Exception as error:  # noqa: BLE001 it is raised at the caller
            is_result, value = False, error.with_traceback(None)
    items = _items_of(value)
    later = [items[start : start + PART] for start in range(PART, len(items), PART)]
    del items[PART:]
    pickle.dump((is_result, value, len(later)), sys.stdout.buffer)
    for part in later:
        pickle.dump(part, sys.stdout.buffer)


def _items_of(value: object) -> list[Any]:
    """Return the list that a result is, or that is the first of a tuple, to add to or take from; else an empty one."""
    first = value[0] if isinstance(value, tuple) and value else value
    return first if type(first) is list else []


if __name__ == "__main__":
    main()
