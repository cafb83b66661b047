"""Fold the differences that copying makes to a text."""

import html

_TYPOGRAPHIC = str.maketrans(dict.fromkeys("‘’‚‛′", "'") | dict.fromkeys("“”„‟″«»", '"'))
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f"))


def clean(text: str) -> str:
    """Return a text without HTML entities, also those that were escaped twice, and without signs without a width."""
    if "&" in text:
        text = html.unescape(html.unescape(text))
    return text.translate(_INVISIBLE)


def plain_quotes(text: str) -> str:
    """Return a text with plain quotes in the place of typographic ones."""
    return text.translate(_TYPOGRAPHIC)


def fold(text: str) -> str:
    """Fold letter case, whitespace, typographic quotes and signs without a width."""
    return " ".join(plain_quotes(text).translate(_INVISIBLE).casefold().split())
