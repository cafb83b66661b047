"""The catalogue's entry that explains a kept exchange."""

from oauth.catalogue import documented
from oauth.catalogue.explain import explain
from oauth.exchange import Exchange


def entry_of(exchange: Exchange, documented_error: int | None = None) -> str:
    """Return the id of the entry that explains an exchange, empty when nothing failed.

    ``documented_error`` is the number that was recognised when the exchange was recorded, if any.
    """
    match = documented().get(documented_error or 0) or explain(exchange)
    return match.entry if match else ""
