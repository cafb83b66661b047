"""A secret at its place in a text."""

from bisect import bisect_right
from dataclasses import dataclass, field

from oauth.redaction.placeholders import PLACEHOLDERS

SHORTEST = 8
"""Characters from which a secret is searched for by value; a shorter one would match plain words."""

QUOTES = ('"', "'")

MARGIN = " \t\r\n\"'"
"""Characters that stand around a secret without being part of it."""


@dataclass(slots=True)
class Occurrence:
    """A secret in a text. ``readings`` are the values it may stand for, the most likely first.

    ``before`` is put in front of the placeholder. ``number`` marks a JSON value without quotes.
    """

    start: int
    end: int
    kind: str
    readings: tuple[str, ...] = field(repr=False)
    before: str = ""
    number: bool = False


def trim(value: str) -> str:
    """Strip the whitespace and quotes around a value, if enough is left to be a secret by itself."""
    inside = value.strip(MARGIN)
    return inside if len(inside) >= SHORTEST else value.strip() or value


def trim_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Trim a span of a text in the same way; a quote in it may be escaped by a backslash."""
    first, last = start, end
    while first < last and (text[first] in MARGIN or (text[first] == "\\" and text[first + 1 : first + 2] in QUOTES)):
        first += 1
    while first < last and text[last - 1] in MARGIN:
        last -= 2 if text[last - 1] in QUOTES and first < last - 1 and text[last - 2] == "\\" else 1
    return (first, last) if last - first >= SHORTEST else (start, end)


def merge_overlaps(text: str, occurrences: list[Occurrence]) -> list[Occurrence]:
    """Return the occurrences in order, without overlaps: the longer one counts, or both as one if neither contains it.

    A placeholder is not a secret: an occurrence inside one is dropped, and one that cuts through it is extended.
    """
    if len(occurrences) == 1 and "«" not in text:
        return occurrences
    placeholders = [match.span() for match in PLACEHOLDERS.finditer(text)] if "«" in text else []
    ends = [end for _, end in placeholders]
    merged: list[Occurrence] = []
    for occurrence in sorted(occurrences, key=lambda item: (item.start, -item.end)):
        start, end = occurrence.start, occurrence.end
        first = bisect_right(ends, start)
        if first < len(placeholders) and placeholders[first][0] <= start and end <= placeholders[first][1]:
            continue
        while first < len(placeholders) and placeholders[first][0] < end:
            start, end = min(start, placeholders[first][0]), max(end, placeholders[first][1])
            first += 1
        if merged and end <= merged[-1].end:
            continue
        if merged and start < merged[-1].end:
            occurrence = merged.pop()
            start = min(start, occurrence.start)
        if (start, end) != (occurrence.start, occurrence.end):
            occurrence = Occurrence(start, end, occurrence.kind, (text[start:end],))
        merged.append(occurrence)
    return merged
