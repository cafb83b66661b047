"""The catalogue's entry that explains a kept exchange."""

from typing import NamedTuple

from oauth.catalogue import documented
from oauth.catalogue.explain import Explanation, explain
from oauth.exchange import Exchange


class Recognition(NamedTuple):
    """The columns of a row that say which error was recognised in it."""

    documented_error: int | None = None
    error: str = ""
    error_description: str = ""
    entry: str = ""


def recognition(explanation: Explanation | None) -> Recognition:
    """Return what a row keeps of an explanation, ``None`` for a success."""
    if explanation is None:
        return Recognition()
    return Recognition(explanation.number, explanation.error, explanation.error_description, explanation.entry)


def entry_of(exchange: Exchange, documented_error: int | None = None) -> str:
    """Return the id of the entry that explains an exchange, empty when nothing failed.

    ``documented_error`` is the number that was recognised when the exchange was recorded, if any.
    """
    match = documented().get(documented_error or 0) or explain(exchange)
    return match.entry if match else ""
