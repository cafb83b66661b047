"""Outlines of texts: many texts differ in nothing but their ids, and secrets have the same places in all of those."""

import re

LONGEST = 2000
"""Characters of the longest text that has an outline."""

_ID = re.compile(
    r"""(?x) [0-9a-f] (?<![\w./-].) (?<![cC\s]\s.)
    (?: (?<=[0-9]) [0-9]{0,999}+ | (?=[0-9]*(?:[a-f]+[0-9]+){3}) [0-9a-f]{15,999}+ ) (?![\w.-])"""
)
"""A number, or a long word in which the letters and digits of hexadecimal numbers change often."""


def outline(text: str) -> str:
    """Return a text with the same id in place of every id of its kind: that length, first and last sign.

    Finders by name can tell them from each other by nothing else. They read digits and letters by their classes, and
    both ids are random. No name of a secret and no prefix is made of these signs alone. An id that goes on after a
    word, a dot, a hyphen or a slash stays as it is, as does one behind ``Basic``, since that is decoded.
    """
    return _ID.sub(_outline, text)


def _outline(id: re.Match[str]) -> str:
    word = id[0]
    if word.isdigit():
        return "0" * len(word)
    first, last = ("0" if sign.isdigit() else "a" for sign in (word[0], word[-1]))
    return first + ("0a" * len(word))[: len(word) - 2] + last
