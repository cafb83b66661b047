"""Outlines of texts: many texts differ in nothing but their ids, and secrets have the same places in all of those."""

import re
from collections.abc import Callable, Hashable
from operator import itemgetter

LONGEST = 2000
"""Characters of the longest text that has an outline."""

Kept = Callable[[str], Hashable] | None
"""A function that gives the parts of a text that are in its outline as they are; ``None`` where all of it is kept."""

_WORD = re.compile(
    r"""(?x) [0-9a-f] (?<![\w./-].) (?<![cC\s]\s.)
    (?=[0-9]*(?:[a-f]+[0-9]+){3}) [0-9a-f]{15,999}+ (?![\w.-])"""
)
"""A long word in which the letters and digits of hexadecimal numbers change often."""

_NUMBER = re.compile(r"([0-9](?<![\w./-].)(?<![cC\s]\s.)[0-9]{0,999}+)(?![\w.-])")

_RUN = re.compile("0" * 16 + "0*")  # a fixed beginning is found fast
_NUMERALS = "0123456789"
_FILLING = "0a" * 500
_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_HEX_ZEROS = bytes.maketrans(b"123456789abcdef", b"0" * 15)


def outline(text: str) -> str:
    """Return a text with the same id in place of every id of its kind: that length, first and last sign.

    Finders by name can tell them from each other by nothing else. They read digits and letters by their classes, and
    both ids are random. No name of a secret and no prefix is made of these signs alone. An id that goes on after a
    word, a dot, a hyphen or a slash stays as it is, as does one behind ``Basic``, since that is decoded.
    """
    return _NUMBER.sub(lambda number: "0" * len(number[0]), without_ids(text)[0])


def without_ids(text: str) -> tuple[str, bytes]:
    """Return a text with the words in it that are ids as an outline has them, and that with a zero for every digit.

    Where two are equal without digits, the same places have a number.
    """
    octets = text.encode("utf-8", "surrogatepass")  # their ``translate`` is three times as fast as that of a text
    zeros = octets.translate(_HEX_ZEROS)
    if b"0" * 16 in zeros:
        parts, done = [], 0
        for run in _RUN.finditer(zeros.decode("utf-8", "surrogatepass")):
            if id := _WORD.match(text, run.start()):
                word = id[0]
                first, last = "0" if word[0] in _NUMERALS else "a", "0" if word[-1] in _NUMERALS else "a"
                parts += [text[done : id.start()], f"{first}{_FILLING[: len(word) - 2]}{last}"]
                done = id.end()
        if parts:
            text = "".join((*parts, text[done:]))
            octets = text.encode("utf-8", "surrogatepass")
    return text, octets.translate(_ZEROS)


def kept(zeros: bytes) -> Kept:
    """Return what gives the parts with digits that are no numbers, for a text that is ``zeros`` without its digits.

    Texts that have these parts in common too have the same outline.
    """
    spans, at = [], 0
    pieces = _NUMBER.split(zeros.decode("utf-8", "surrogatepass"))
    for place, piece in enumerate(pieces):
        if place % 2 == 0 and "0" in piece:
            spans.append(slice(at, at + len(piece)))
        at += len(piece)
    if len(pieces) == 1:
        return None
    return itemgetter(*spans) if spans else len
