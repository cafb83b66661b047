"""Messages about database errors: what is wrong, where, and what to do."""

import re

from sqlalchemy.exc import DBAPIError

QUERY_CANCELED = "57014"
"""PostgreSQL's code of a statement that was cancelled by its time limit."""

DAMAGED = "SQLITE_CORRUPT", "SQLITE_NOTADB"

_LOCKED = "is locked by another program", "Close what has it open, then try again."
_FULL = "is full: there is no room to write", "Free some space on its disk, then try again."

_SQLITE = (
    (("SQLITE_BUSY", "SQLITE_LOCKED"), *_LOCKED),
    (("SQLITE_FULL",), *_FULL),
    (("SQLITE_READONLY",), "is read-only", "Make the file and its folder writable for this user, then try again."),
    (DAMAGED, "is damaged", "Stop the console, move the file away, and start again: a new file is created."),
)

_AWAY = "cannot be reached: its server does not respond", "Check that PostgreSQL runs there, then try again."
_LOST = "was cut off: the connection to its server broke", "Check that PostgreSQL runs there, then try again."
_REFUSED = (
    "cannot be opened: the server refuses the user or the password",
    "Correct them in CONSOLE_DATABASE_URL, then start the console again.",
)
_MISSING = "is missing: the server has no such database", "Create it with createdb, then try again."
_BUSY = "cannot be opened: the server has too many connections", "Close some, or raise its limit, then try again."
_READ_ONLY = "is read-only", "Name the primary server in CONSOLE_DATABASE_URL instead of a replica."
_FORBIDDEN = (
    "may not be changed by this user",
    "Grant the user all rights on the database and its schema, then try again.",
)

# By SQLSTATE (PostgreSQL, appendix A), or by what libpq says where a failed connection has no state.
_POSTGRESQL = (
    (r"28\w{3}|.*(password authentication failed|no password supplied|role .* does not exist|no pg_hba)", *_REFUSED),
    (r"3D000|.*database .* does not exist", *_MISSING),
    (r"53300|.*(too many (clients|connections)|connection slots are reserved)", *_BUSY),
    (r"53100|.*No space left on device", *_FULL),
    (r"25006|.*read-only transaction", *_READ_ONLY),
    (r"42501", *_FORBIDDEN),
    (r"55P03|40P01|40001", *_LOCKED),
    (r"57P03|.*(refused|timeout|resolve host|translate host|No route|unreachable|No such file|starting up)", *_AWAY),
    (r"57P0\w|08\w{3}|.*(closed the connection|connection is (lost|closed|bad)|SSL SYSCALL|reset by peer)", *_LOST),
)


def sentence(error: Exception, where: str) -> str:
    """Return what is wrong with the history in ``where`` and what to do, without any of the data."""
    wrong, remedy = _known(error)
    return f"The history in {where} {wrong}. {remedy}"


def sqlite_name(error: Exception) -> str:
    """Return SQLite's name of an error, such as SQLITE_BUSY; empty for other errors."""
    return str(getattr(_source(error), "sqlite_errorname", ""))


def took_too_long(error: Exception) -> bool:
    """Return whether a statement was cancelled by its time limit."""
    return sqlite_name(error) == "SQLITE_INTERRUPT" or getattr(_source(error), "sqlstate", None) == QUERY_CANCELED


def is_locked(error: Exception) -> bool:
    """Return whether another program's lock is in the way of writing."""
    return _known(error) == _LOCKED


def is_away(error: Exception) -> bool:
    """Return whether the server does not respond."""
    return _known(error) == _AWAY


def _known(error: Exception) -> tuple[str, str]:
    source = _source(error)
    name = sqlite_name(error)
    for prefixes, wrong, remedy in _SQLITE:
        if name.startswith(prefixes):
            return wrong, remedy
    state = getattr(source, "sqlstate", None) or ""
    if hasattr(source, "sqlstate"):
        for pattern, wrong, remedy in _POSTGRESQL:
            if re.match(pattern, state or str(source), re.DOTALL):
                return wrong, remedy
    # What the server says of a statement may quote what was in it: the state is enough.
    reason = f"error {state}" if state else getattr(source, "strerror", None) or str(source)
    return f"cannot be used: {reason}", "Check that it is there and may be written to."


def _source(error: Exception) -> BaseException:
    """Return the error that the driver raised."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
