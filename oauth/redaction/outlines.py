"""Outlines of texts: many texts differ in nothing but their ids, and secrets have the same places in all of those."""

import re

LONGEST = 2000
"""Characters of the longest text that has an outline."""

_ID = re.compile(
    r"""(?x) [0-9a-f] (?<![\w./-].) (?<![cC\s]\s.)
    (?: (?<=[0-9]) [0-9]{0,999}+ | (?=[0-9]*(?:[a-f]+[0-9]+){3}) [0-9a-f]{15,999}+ ) (?![\w.-])"""
)
"""A number, or a long word in which the letters and digits of hexadecimal numbers change often."""

_NUMBER = re.compile(r"([0-9](?<![\w./-].)(?<![cC\s]\s.)[0-9]{0,999}+)(?![\w.-])")
"""The numbers among them, which are all where there is no such word: that is found much faster."""

_SHORTEST_WORD = 16
_NUMERALS = "0123456789"
_FILLING = "0a" * 500
_DIGITS = str.maketrans("123456789abcdef", "0" * 15)


def outline(text: str) -> str:
    """Return a text with the same id in place of every id of its kind: that length, first and last sign.

    Finders by name can tell them from each other by nothing else. They read digits and letters by their classes, and
    both ids are random. No name of a secret and no prefix is made of these signs alone. An id that goes on after a
    word, a dot, a hyphen or a slash stays as it is, as does one behind ``Basic``, since that is decoded.
    """
    is_plain = text.isascii() and "0" * _SHORTEST_WORD not in text.translate(_DIGITS)
    if not is_plain:
        return _ID.sub(_outline, text)
    parts = _NUMBER.split(text)  # without a call for each number, of which a list of an API has hundreds
    parts[1::2] = map("0".__mul__, map(len, parts[1::2]))
    return "".join(parts)


def _outline(id: re.Match[str]) -> str:
    word = id[0]
    if word.isdigit():
        return "0" * len(word)
    first, last = "0" if word[0] in _NUMERALS else "a", "0" if word[-1] in _NUMERALS else "a"
    return f"{first}{_FILLING[: len(word) - 2]}{last}"
