"""Text from elsewhere in labels and headings, which Streamlit takes for Markdown."""

import re
import string

_LONGEST = 60
"""Characters of a provider's text in a label."""

_JOINER = "\u2060"
"""An invisible sign without width. It parts what Streamlit replaces by a link or a picture, even if it is escaped."""

_REPLACED = re.compile(r"(?<=www)(?=\.)|(?=@)|(?<=:)(?=[\w/])|(?<=[-<>~])(?=[-=>])", re.IGNORECASE)
_ESCAPES = {ord(sign): f"\\{sign}" for sign in string.punctuation}


def escaped(text: str) -> str:
    """Escape a text for Markdown, on one line: nothing in it is markup, a link or a picture."""
    return _REPLACED.sub(_JOINER, " ".join(text.split())).translate(_ESCAPES)


def plain(text: str) -> str:
    """Reduce a provider's text for Markdown to letters, digits, spaces and a few signs, with underscores escaped."""
    characters = (character for character in text if character.isalnum() or character in " -_,()")
    return "".join(characters)[:_LONGEST].replace("_", r"\_")
