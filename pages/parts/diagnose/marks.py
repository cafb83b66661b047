"""A pasted text as it is drawn: redacted, each line with the numbers of the exchanges that were read from it.

Plain text only. Of a long text only the neighbourhood of the exchanges in question is drawn.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from oauth.redaction.placeholders import storable

Span = tuple[int, int]
Replacements = Callable[[str], list[tuple[int, int, str]]]
"""A function that returns start, end and stand-in of the secrets in a text: ``Vault.replacements``."""

BEGIN, END = "▶", "◀"
"""Signs around the part of a line that was read."""

WHOLE = 12_000
"""Characters of the longest text that is drawn whole."""

HEAD, TAIL = 2_000, 500
"""Characters at the beginning and the end of a long part that are drawn."""

CONTEXT = 3
"""Lines before and behind a part that are drawn."""

MARGIN = 8_192
"""Characters around a window that are searched for secrets too: what names a secret may stand outside of the window."""

LONGEST_REST, LONGEST_PART = 400, 2_000
"""Characters of a line that are drawn where nothing was read, and of a part of an exchange in it."""

_UNSEEN = {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)} | {0x7F: "␡"}
_UNSEEN |= dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\ufffd")
"""Control characters, by what is drawn in their place. Those for the direction of writing would reorder a line."""

_COLOURS = re.compile(r"␛\[[0-9;]*[A-Za-z]")
"""Sequences that colour a terminal, after their first character was made visible."""

_WORD = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line. ``label`` has the numbers of its exchanges, which begin or end in this line or go on."""

    text: str
    label: str = ""
    begins: bool = True
    ends: bool = True


def draw(text: str, spans: Sequence[Sequence[Span]], positions: Iterable[int], replacements: Replacements) -> str:
    """Return a text with marks. ``spans`` are the places of all exchanges, ``positions`` says which are drawn."""
    marks = _marks(spans)
    windows = list(_windows(text, [span for position in positions for span in spans[position]]))
    rows: list[list[Piece]] = []
    position = 0
    for start, end in windows:
        rows += _fold(text, position, start)
        rows += _rows(_pieces(text, start, end, marks, replacements))
        position = end
    rows += _fold(text, position, len(text))
    while rows and not "".join(piece.text for piece in rows[-1]).strip():
        rows.pop()
    labels = [",".join(dict.fromkeys(piece.label for piece in row if piece.label)) for row in rows]
    width = max(map(len, labels), default=0)
    return "\n".join(f"{label:<{width}}│ {_line(row)}" for label, row in zip(labels, rows, strict=True))


def unread_lines(text: str, spans: Sequence[Sequence[Span]]) -> tuple[int, int]:
    """Return the number of lines that no exchange was read from, and of all lines; blank ones do not count."""
    unread, position = 0, 0
    for start, end in [*_merged(span for item in spans for span in item), (len(text), len(text))]:
        lines = text[position:start].split("\n")
        # The first line of a gap began in the exchange before it, and its last one goes on in the next exchange.
        inner = lines[1 if position else 0 : len(lines) if start == len(text) else -1]
        unread += sum(1 for line in inner if _WORD.search(line))
        position = end
    return unread, sum(1 for line in text.split("\n") if _WORD.search(line))


def _marks(spans: Sequence[Sequence[Span]]) -> list[tuple[int, int, str]]:
    """Return every place once, in order, with the numbers of its exchanges."""
    numbers: dict[Span, list[int]] = {}
    for number, item in enumerate(spans, 1):
        for span in dict.fromkeys(item):
            numbers.setdefault(span, []).append(number)
    return [(*span, _range(numbers[span])) for span in sorted(numbers)]


def _range(numbers: list[int]) -> str:
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]}-{numbers[-1]}"
    return ",".join(map(str, numbers[:5])) + (",…" if len(numbers) > 5 else "")


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _windows(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Yield the places to draw, in order and without overlaps."""
    if len(text) <= WHOLE:
        yield 0, len(text)
        return
    windows: list[Span] = []
    for start, end in spans:
        head, tail = min(end, start + HEAD), max(start, end - TAIL)
        if head >= tail:
            windows.append((_line_before(text, start), _line_behind(text, end)))
        else:
            windows += [(_line_before(text, start), head), (tail, _line_behind(text, end))]
    yield from _merged(windows) or [(0, HEAD)]


def _line_before(text: str, position: int) -> int:
    """Return where the lines of the context in front of a position begin."""
    lowest = max(0, position - HEAD)
    at = position
    for _ in range(CONTEXT + 1):
        at = text.rfind("\n", lowest, at)
        if at < 0:
            return lowest
    return at + 1


def _line_behind(text: str, position: int) -> int:
    """Return where the lines of the context behind a position end."""
    highest = min(len(text), position + HEAD)
    at = position - 1
    for _ in range(CONTEXT + 1):
        at = text.find("\n", at + 1, highest)
        if at < 0:
            return highest
    return at + 1


def _fold(text: str, start: int, end: int) -> list[list[Piece]]:
    """Return the line that stands for a part of the text that is not drawn."""
    if start >= end:
        return []
    lines = text.count("\n", start, end) + (end == len(text) and not text.endswith("\n"))
    size = f"{lines:,} lines" if lines > 1 else f"{end - start:,} characters"
    return [[Piece(f"⋯ {size} not shown ⋯")]]


def _pieces(
    text: str, start: int, end: int, marks: Sequence[tuple[int, int, str]], replacements: Replacements
) -> Iterator[Piece]:
    """Yield the pieces of a window, redacted. A secret belongs to the piece in which it begins."""
    around = max(0, start - MARGIN)
    secrets = [(first + around, last + around, by) for first, last, by in replacements(text[around : end + MARGIN])]
    inside = [mark for mark in marks if mark[0] < end and mark[1] > start]
    bounds = sorted({start, end, *(place for mark in inside for place in mark[:2] if start < place < end)})
    position, secret = start, 0
    while secret < len(secrets) and secrets[secret][0] < start:  # the end of one that begins before the window
        position = max(position, secrets[secret][1])
        secret += 1
    first, active = 0, []
    for left, right in pairwise(bounds):
        while first < len(inside) and inside[first][0] <= left:
            active.append(inside[first])
            first += 1
        active = [mark for mark in active if mark[1] > left]
        parts: list[str] = []
        while secret < len(secrets) and secrets[secret][0] < right:
            begin, stop, stand_in = secrets[secret]
            parts += [_visible(text[position:begin]), stand_in]
            position, secret = max(position, stop), secret + 1
        parts.append(_visible(text[position:right]))
        position = max(position, right)
        yield Piece(
            "".join(parts),
            ",".join(dict.fromkeys(mark[2] for mark in active)),
            begins=any(mark[0] == left for mark in active),
            ends=any(mark[1] == right for mark in active),
        )


def _visible(text: str) -> str:
    return _COLOURS.sub("", storable(text.replace("\r\n", "\n").translate(_UNSEEN)).replace("\t", "    "))


def _rows(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Yield the pieces of each line."""
    row: list[Piece] = []
    for piece in pieces:
        lines = piece.text.split("\n")
        for at, line in enumerate(lines):
            if at:
                yield row
                row = []
            is_inside = 0 < at < len(lines) - 1
            label = piece.label if line or is_inside else ""
            row.append(Piece(line, label, piece.begins and not at, piece.ends and at == len(lines) - 1))
    if any(piece.text for piece in row):
        yield row


def _line(row: list[Piece]) -> str:
    """Return a line; where an exchange has a part of it only, or more than one has, arrows point at each."""
    labels = {piece.label for piece in row if piece.label}
    has_rest = any(not piece.label and _WORD.search(piece.text) for piece in row)
    has_arrows = len(labels) > 1 or (bool(labels) and has_rest)
    return "".join(_marked(piece, len(labels) > 1) if piece.label and has_arrows else _plain(piece) for piece in row)


def _marked(piece: Piece, has_label: bool) -> str:
    begin = f"{BEGIN}{piece.label + ' ' if has_label else ''}" if piece.begins else ""
    return f"{begin}{_plain(piece)}{END if piece.ends else ''}"


def _plain(piece: Piece) -> str:
    return _shortened(piece.text, LONGEST_PART if piece.label else LONGEST_REST)


def _shortened(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[: most // 2]} ⋯ {len(text) - most:,} characters ⋯ {text[-(most - most // 2) :]}"
