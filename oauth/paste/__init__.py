"""Read pasted text as exchanges: peel its wrappers, find everything in it that can be read, and put that together.

Nothing in the text is run, fetched or opened.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from oauth.lenient_json import ParseError
from oauth.paste import har
from oauth.paste.find import find
from oauth.paste.flows import grouped
from oauth.paste.result import MOST_EXCHANGES, Block, Pasted, check_brackets
from oauth.paste.wrappers import Peeled, peel

__all__ = ["MOST_EXCHANGES", "MOST_OCTETS", "ParseError", "Pasted", "read"]

MOST_OCTETS = 50 * 1024 * 1024
"""Maximum size of a pasted text, in octets of UTF-8."""


_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""A lone surrogate, but for those that stand for an octet of a file (PEP 383)."""


def read(text: str, report: Callable[[str], None] = lambda _: None) -> list[Pasted]:
    """Return the exchanges in a pasted text, in its order. ``report`` takes what is being done.

    Raises ``ParseError`` when it cannot be read, and when it is over ``MOST_OCTETS``, ``MOST_BRACKETS`` or
    ``MOST_EXCHANGES``.
    """
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
            return grouped(har.read(text))
    peeled = peel(text)
    report("looking for requests and answers")
    blocks = find(peeled.text)
    return grouped([_placed(item, block, peeled) for block in blocks for item in block.items])


def _placed(item: Pasted, block: Block, peeled: Peeled) -> Pasted:
    """Return an exchange with its places in the text that was pasted, and what was taken away around it."""
    places = tuple((peeled.origin(start), peeled.origin(max(start, end - 1)) + 1) for start, end in block.places)
    return replace(item, spans=places, repairs=tuple(dict.fromkeys((*peeled.notes, *item.repairs))))
