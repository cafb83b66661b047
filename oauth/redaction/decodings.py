r"""Views of a text: as it is, and with its encodings removed layer by layer.

A span of a decoded view is mapped back to the characters it came from, so that only those are replaced and all others
stay as they were. Encodings: JSON's ``\u0041`` and ``\/``, percent and ``+``, HTML's ``&amp;``, quoted-printable's
``=3D`` (RFC 2045 §6.7), and the line breaks within a long word, such as those of base64.
"""

import html
import json
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from oauth.redaction.placeholders import PATTERN

DEEPEST = 5
"""Nested encodings that are removed."""

MOST_CHARACTERS = 8 * 1024 * 1024
"""Characters in all views of one text together; beyond that, no further view is made."""

_Piece = tuple[str, int, int]

JSON_ESCAPE = re.compile(
    r"""\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\["'\\/bfnrt]"""
)
_JSON_LEAF = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_PERCENT_LEAF = re.compile(rf'(?:{PATTERN}|[^&#"<>\s])+')
_ENTITY_LEAF = re.compile(r'[^"<>]*')
_PERCENT = re.compile(r"%[0-7][0-9a-fA-F]|(?:%[89a-fA-F][0-9a-fA-F])+|\+")
_SOFT = re.compile(r"=\r?\n|=[0-9A-F]{2}")
_WRAP = re.compile(
    r"(?:\r\n(?<=[\w+/=.~-]{40}\r\n)|\n(?<=[\w+/=.~-]{40}\n))[ \t]*(?=[\w+/=.~-])",
    re.ASCII,
)
_NO_LEAF = re.compile(r"(?!)")
_ANY_LEAF = re.compile(r".+", re.DOTALL)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")


@dataclass(slots=True)
class View:
    """A text with some of its encodings removed.

    ``starts`` and ``ends`` are the spans that were decoded, ``sources`` and ``source_ends`` their spans in the parent's
    text. ``leaves`` are the spans of the values that were encoded: decoding turns a quote inside a value into one
    around it, so a name and its value must be in one leaf.
    """

    text: str
    leaves: list[tuple[int, int]]
    parent: "View | None" = None
    depth: int = 0
    starts: Sequence[int] = ()
    ends: Sequence[int] = ()
    sources: Sequence[int] = ()
    source_ends: Sequence[int] = ()

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original text that ``text[start:end]``, which must not be empty, came from."""
        view = self
        while view.parent is not None:
            start, end = view._character(start)[0], view._character(end - 1)[1]
            view = view.parent
        return start, end

    def _character(self, index: int) -> tuple[int, int]:
        nearest = bisect_right(self.starts, index) - 1
        if nearest < 0:
            return index, index + 1
        if index < self.ends[nearest]:
            return self.sources[nearest], self.source_ends[nearest]
        source = self.source_ends[nearest] + index - self.ends[nearest]
        return source, source + 1


def views(text: str) -> list[View]:
    """Return the text as it is, then every decoding of it that differs from those before."""
    all_views = [View(text, [(0, len(text))])]
    if not is_encoded(text):
        return all_views
    texts = {text}
    total = len(text)
    for view in all_views:
        if view.depth == DEEPEST:
            break
        for signs, pattern, leaf, pieces in _DECODERS:
            if total > MOST_CHARACTERS or not any(sign in view.text for sign in signs):
                continue
            if not pattern.search(view.text):
                continue
            decoded = _decoded(view, pattern, leaf, pieces)
            if decoded.text not in texts:
                texts.add(decoded.text)
                total += len(decoded.text)
                all_views.append(decoded)
    return all_views


def is_encoded(text: str) -> bool:
    """Return whether a text has a sign of an encoding, so that there may be more than one view of it."""
    return "\\" in text or "%" in text or "+" in text or "&" in text or "\n" in text or "=3D" in text


def unescape_json(text: str) -> str:
    """Decode the escapes of the inside of a JSON string; invalid ones stay."""
    return JSON_ESCAPE.sub(lambda escape: _json_character(escape[0]), text) if "\\" in text else text


def _decoded(
    view: View, pattern: re.Pattern[str], leaf: re.Pattern[str], pieces: Callable[[re.Match[str]], Iterable[_Piece]]
) -> View:
    parts: list[str] = []
    # A text of escapes alone has a million spans: arrays take a tenth of the memory of lists.
    starts, ends, sources, source_ends = array("q"), array("q"), array("q"), array("q")
    length = position = 0
    for encoded in pattern.finditer(view.text):
        parts.append(view.text[position : encoded.start()])
        length += encoded.start() - position
        for piece, start, end in pieces(encoded):
            parts.append(piece)
            starts.append(length)
            length += len(piece)
            ends.append(length)
            sources.append(start)
            source_ends.append(end)
        position = encoded.end()
    parts.append(view.text[position:])

    def shift(place: int) -> int:
        before = bisect_left(sources, place) - 1
        return place if before < 0 else ends[before] + place - source_ends[before]

    leaves = []
    for left, right in view.leaves:
        for value in leaf.finditer(view.text, left, right):
            if bisect_left(sources, value.start()) < bisect_left(sources, value.end()):
                leaves.append((shift(value.start()), shift(value.end())))
    return View("".join(parts), leaves, view, view.depth + 1, starts, ends, sources, source_ends)


def _json_pieces(escape: re.Match[str]) -> Iterable[_Piece]:
    return [(_json_character(escape[0]), escape.start(), escape.end())]


def _json_character(escape: str) -> str:
    if escape == "\\'":
        return "'"
    character: str = json.loads(f'"{escape}"')
    return character


def _percent_pieces(escapes: re.Match[str]) -> Iterable[_Piece]:
    start, end = escapes.span()
    if end - start <= 3:
        return [(" " if escapes[0] == "+" else chr(int(escapes[0][1:], 16)), start, end)]
    octets = bytes.fromhex(escapes[0].replace("%", ""))
    try:
        characters = octets.decode()
    except UnicodeDecodeError:
        return [(chr(octet), start + 3 * i, start + 3 * i + 3) for i, octet in enumerate(octets)]
    pieces = []
    for character in characters:
        width = 3 * len(character.encode())
        pieces.append((character, start, start + width))
        start += width
    return pieces


def _entity_pieces(entity: re.Match[str]) -> Iterable[_Piece]:
    # The library drops a reference to a character that HTML does not allow, but it still stands for that character.
    return [(html.unescape(entity[0]) or _numeric_reference(entity[0]), entity.start(), entity.end())]


def _soft_pieces(escape: re.Match[str]) -> Iterable[_Piece]:
    decoded = "" if escape[0].endswith("\n") else chr(int(escape[0][1:], 16))
    return [(decoded, escape.start(), escape.end())]


def _wrap_pieces(line_break: re.Match[str]) -> Iterable[_Piece]:
    return [("", line_break.start(), line_break.end())]


def _numeric_reference(reference: str) -> str:
    """Return the character of a numeric reference such as ``&#64976;``."""
    digits = reference.strip("&#;")
    number = int(digits[1:], 16) if digits[:1] in "xX" else int(digits)
    return chr(number)


_DECODERS = (
    (("\\",), JSON_ESCAPE, _JSON_LEAF, _json_pieces),
    (("%", "+"), _PERCENT, _PERCENT_LEAF, _percent_pieces),
    (("&",), _ENTITY, _ENTITY_LEAF, _entity_pieces),
    (("=3D", "=\n", "=\r\n"), _SOFT, _ANY_LEAF, _soft_pieces),
    (
        ("\n",),
        _WRAP,
        _NO_LEAF,
        _wrap_pieces,
    ),  # a name and a value of different lines are no pair: only for secrets by value
)
