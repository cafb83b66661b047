"""The remedy of a row, looked up in the catalogue by its ``entry``. It needs no Arrow, which takes 40 MiB."""

from oauth.catalogue import find_entry, remedy_of
from oauth.history.recognition import entry_of
from oauth.history.store import Row


def remedy(row: Row) -> str:
    """Return the remedy of one row, a step a line; empty where nothing failed."""
    return _text(row.entry if _is_known(row.entry) else entry_of(row.exchange, row.documented_error))


def known_remedy(entry: str | None) -> str | None:
    """Return the remedy of an entry, a step a line; ``None`` where the catalogue does not have the entry."""
    return _text(entry) if _is_known(entry) else None


def _is_known(entry: str | None) -> bool:
    return entry == "" or (entry is not None and find_entry(entry) is not None)


def _text(entry: str | None) -> str:
    return "\n".join(remedy_of(entry or ""))
