"""Fold the differences that copying makes to a text."""

_TYPOGRAPHIC = str.maketrans(dict.fromkeys("‘’‚‛′", "'") | dict.fromkeys("“”„‟″«»", '"'))
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f"))


def fold(text: str) -> str:
    """Fold letter case, whitespace, typographic quotes and signs without a width."""
    return " ".join(text.translate(_TYPOGRAPHIC).translate(_INVISIBLE).casefold().split())
