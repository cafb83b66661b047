"""Ends of quoted strings, in text that may be malformed."""

import re

from oauth.redaction.placeholders import PLACEHOLDERS

STRING_ENDS = re.compile(r"""[^\S\n]*(?:[,:}\])>;&]|["']|\n|\Z)""")
_QUOTE_OR_BACKSLASH = {'"': re.compile(r'["\\]'), "'": re.compile(r"['\\]")}


def string_end(text: str, start: int) -> int:
    """Return the end of the string that opens at ``start``; a quote in mid-sentence does not end it."""
    quote, at = text[start], start + 1
    redacted = PLACEHOLDERS.match(text, at)
    if redacted and text[redacted.end() : redacted.end() + 1] == quote:
        return redacted.end()
    while stop := _QUOTE_OR_BACKSLASH[quote].search(text, at):
        at = stop.end()
        if stop[0] == "\\":
            at += 1
        elif STRING_ENDS.match(text, at):
            return stop.start()
    return len(text)


def quoted_end(text: str, start: int) -> int:
    """Return the end of the quoted text that opens at ``start``: the next such quote without a backslash."""
    at = start + 1
    while stop := _QUOTE_OR_BACKSLASH[text[start]].search(text, at):
        if stop[0] != "\\":
            return stop.start()
        at = stop.end() + 1
    return len(text)
