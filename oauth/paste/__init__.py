"""Read pasted text as exchanges: peel its wrappers, find everything in it that can be read, and put that together.

Nothing in the text is run, fetched or opened.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from oauth.lenient_json import ParseError
from oauth.paste import har
from oauth.paste.find import find
from oauth.paste.flows import grouped
from oauth.paste.result import (
    MOST_EXCHANGES,
    Block,
    NothingFoundError,
    Pasted,
    TooManyError,
    check_brackets,
    check_count,
)
from oauth.paste.transport import with_failure
from oauth.paste.wrappers import RECORD, Peeled, peel

__all__ = ["MOST_EXCHANGES", "MOST_OCTETS", "ParseError", "Pasted", "read", "read_within"]

MOST_OCTETS = 50 * 1024 * 1024
"""Maximum size of a pasted text, in octets of UTF-8."""


PORTION = 2 * 1024 * 1024
"""Characters of a log that are read at once: each portion begins with a record of its own."""

_FAR = 64 * 1024
"""Characters behind a portion in which the next record begins, where the text is a log."""

_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""A lone surrogate, but for those that stand for an octet of a file (PEP 383)."""


def read(text: str, report: Callable[[str], None] = lambda _: None) -> list[Pasted]:
    """Return the exchanges in a pasted text, in its order. ``report`` takes what is being done.

    Raises ``ParseError`` when it cannot be read, and when it is over ``MOST_OCTETS``, ``MOST_BRACKETS`` or
    ``MOST_EXCHANGES``.
    """
    return read_within(text, None, report)[0]


def read_within(
    text: str, seconds: float | None, report: Callable[[str], None] = lambda _: None
) -> tuple[list[Pasted], int]:
    """Return the exchanges in a pasted text, and the position up to which it was read.

    A long log is left at the first record after ``seconds``, ``None`` for never. Raises ``ParseError`` as ``read``.
    """
    end = None if seconds is None else time.monotonic() + seconds
    try:
        octets = text[: MOST_OCTETS + 1].encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        text = _HALF.sub("\ufffd", text)
        octets = text[: MOST_OCTETS + 1].encode("utf-8", "surrogateescape")
    if len(octets) > MOST_OCTETS:
        raise ParseError(
            f"the text is larger than {MOST_OCTETS // 1024 // 1024} MiB; cut out the exchange in question."
        )
    if not text.strip("\ufeff \t\r\n"):
        raise ParseError("the text is empty.")
    check_brackets(octets)
    if har.confidence(text):
        report("reading it as HAR")
        with har.collector_paused():
            return grouped(har.read(text)), len(text)
    items: list[Pasted] = []
    failure: ParseError | None = None
    stop = 0
    for start, stop in _portions(text):
        report(f"looking for requests and answers: {_percent(start, text)} read, {len(items):,} found")
        try:
            items += _items(text, start, stop)
        except TooManyError:
            raise
        except ParseError as error:  # its place is one in its portion
            failure = failure or (error if start == 0 else None)
        check_count(items)
        if end is not None and time.monotonic() > end:
            break
    items = with_failure(items, text)
    if not items:
        raise failure or NothingFoundError("nothing that is known was found.")
    report("putting them together")
    return grouped(items), stop


def _portions(text: str) -> Iterator[tuple[int, int]]:
    """Yield the portions of a long log, each from the beginning of a record; a text without records is one."""
    start = 0
    while len(text) - start > PORTION + _FAR:
        record = RECORD.search(text, start + PORTION, start + PORTION + _FAR)
        if record is None:
            break
        yield start, record.start()
        start = record.start()
    yield start, len(text)


def _percent(position: int, text: str) -> str:
    return f"{100 * position // len(text)} %"


def _items(text: str, start: int, stop: int) -> list[Pasted]:
    """Return the exchanges between two places of a text. Raises ``ParseError`` where there is none."""
    peeled = peel(text[start:stop])
    return [_placed(item, block, peeled, start) for block in find(peeled.text) for item in block.items]


def _placed(item: Pasted, block: Block, peeled: Peeled, begin: int) -> Pasted:
    """Return an exchange with its places in the text that was pasted, and what was taken away around it.

    ``begin`` is where the text that was peeled begins in it.
    """
    places = tuple(
        (begin + peeled.origin(start), begin + peeled.origin(max(start, end - 1)) + 1) for start, end in block.places
    )
    return replace(item, spans=places, repairs=tuple(dict.fromkeys((*peeled.notes, *item.repairs))))
