"""Read pasted text as exchanges: one reader for each format, of which the most confident that succeeds is used.

A reader is a module with ``confidence(text)``, from 0 to 1 (certain), and ``read(text)``. Nothing in the
text is run, fetched or opened.
"""

import re
from collections.abc import Callable, Iterator
from typing import Protocol

from oauth.lenient_json import ParseError
from oauth.paste import address, error_text, fetch_call, har, json_body, okhttp, php_dump, prose, raw_http
from oauth.paste.curl import command, trace, verbose
from oauth.paste.flows import grouped
from oauth.paste.result import MOST_EXCHANGES, Pasted, TooManyError, check_brackets, check_count

__all__ = ["MOST_EXCHANGES", "MOST_OCTETS", "READERS", "ParseError", "Pasted", "read"]

MOST_OCTETS = 50 * 1024 * 1024
"""Maximum size of a pasted text, in octets of UTF-8."""


_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""A lone surrogate, but for those that stand for an octet of a file (PEP 383)."""


class Reader(Protocol):
    """The interface of a reader's module."""

    __name__: str

    def confidence(self, text: str) -> float:
        """Return the confidence that the text is in this format, from 0 to 1."""

    def read(self, text: str) -> list[Pasted]:
        """Return the exchanges in the text. Raises ``ParseError``."""


READERS: tuple[Reader, ...] = (
    har,
    raw_http,
    command,
    trace,
    verbose,
    fetch_call,
    okhttp,
    address,
    php_dump,
    json_body,
    error_text,
    prose,
)


def read(text: str, report: Callable[[str], None] = lambda _: None) -> list[Pasted]:
    """Return the exchanges in a pasted text, in its order. ``report`` takes which reader tries it.

    Raises ``ParseError`` when it cannot be read, and when it is over ``MOST_OCTETS``, ``MOST_BRACKETS`` or
    ``MOST_EXCHANGES``.
    """
    text = text.removeprefix("\ufeff")  # the byte order mark of a file
    if len(text) > MOST_OCTETS or (len(text) * 4 > MOST_OCTETS and len(text.encode("utf-8", "replace")) > MOST_OCTETS):
        raise ParseError(
            f"the text is larger than {MOST_OCTETS // 1024 // 1024} MiB; cut out the exchange in question."
        )
    if not text.strip():
        raise ParseError("the text is empty.")
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        text = _HALF.sub("\ufffd", text)
    check_brackets(text)
    failure: ParseError | None = None
    for confidence, reader in _able(text):
        report(f"reading it as {reader.__name__.rpartition('.')[2].replace('_', ' ')}")
        try:
            exchanges = reader.read(text)
        except TooManyError:
            raise
        except ParseError as error:
            failure = failure or error  # the most confident reader's error is reported
            if confidence == 1:
                break
            continue
        check_count(exchanges)
        return grouped(exchanges)
    raise failure or ParseError("neither JSON nor an HTTP message, curl command, address or known message was found.")


def _able(text: str) -> Iterator[tuple[float, Reader]]:
    """Yield the readers that may read the text, the most confident first. One that is certain is not compared."""
    readers: list[tuple[float, Reader]] = []
    for reader in READERS:
        confidence = reader.confidence(text)
        if confidence == 1:
            yield confidence, reader
        elif confidence:
            readers.append((confidence, reader))
    yield from sorted(readers, key=lambda pair: -pair[0])
