"""The order of the exchanges of a paste: the likeliest error first, healthy exchanges last."""

from enum import IntEnum

from oauth.catalogue import browser
from oauth.catalogue.browser import Use
from oauth.catalogue.explain import Explanation
from oauth.exchange import Step
from oauth.lenient_json import ParseError
from oauth.paste.result import NothingFoundError, Pasted, TooManyError

_OPENINGS = ("{", "[", "curl ", "fetch(")
"""Beginnings of a text that is nothing but a structure or a command."""


class Rank(IntEnum):
    """The kinds of exchanges, in the order in which they are shown."""

    ERROR = 0
    """An error that the server named by a code or in words."""

    STATUS = 1
    """A failure of which the status alone is known, or a program's own words."""

    REMARK = 2
    """A response that did not fail, with something to say about it."""

    REQUEST = 3
    """A request without a response."""

    HEALTHY = 4
    """A response or callback without an error."""

    PART = 5
    """A script, style, image or another part of a page, or a call that the page made for itself."""

    NOTHING = 6
    """A structure that could be read, and is no request, response or callback that is known."""


def rank(item: Pasted, explanation: Explanation | None) -> Rank:
    """Return the rank of one exchange with its explanation, which is ``None`` where nothing failed."""
    if explanation is not None:
        if explanation.error or explanation.error_description:
            return Rank.ERROR
        is_failure = item.failure is not None or (explanation.status or 0) >= 400
        return Rank.STATUS if is_failure else Rank.REMARK
    if item.step is Step.PAGE and item.request is not None:
        is_page = item.response is not None and browser.use_of(item.request, item.response) is Use.DOCUMENT
        return Rank.HEALTHY if is_page else Rank.PART
    if item.response is None and item.step is not Step.CALLBACK:
        return Rank.REQUEST
    is_known = item.request is not None or item.step is not None or item.status is not None
    return Rank.HEALTHY if is_known else Rank.NOTHING


def likelihood(item: Pasted, explanation: Explanation | None) -> tuple[int, ...]:
    """Return a key that sorts exchanges: by rank, then by how much of the error was read, documented errors first."""
    if explanation is None:
        return (rank(item, None),)
    parts = (explanation.error, explanation.error_description, explanation.status)
    return rank(item, explanation), -sum(map(bool, parts)), explanation.number is None


def has_nothing(text: str, error: ParseError) -> bool:
    """Return whether a text could not be read because it has nothing in it that is known.

    Otherwise it is damaged: a structure that cannot be read, or more than is read.
    """
    if isinstance(error, TooManyError) or not text.strip():
        return False
    if error.text:
        return not text.lstrip("\ufeff \t\r\n").startswith(_OPENINGS)
    return isinstance(error, NothingFoundError)
