"""Secrets by value: every occurrence of a known secret, plain or encoded."""

import re
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote_plus

from oauth.redaction.decodings import View
from oauth.redaction.names import PROTOCOL_WORDS, is_random
from oauth.redaction.occurrences import SHORTEST, Occurrence, trim
from oauth.redaction.placeholders import PLACEHOLDER

HEAD = 12
"""Characters by which a secret that was cut is known."""

_PIECES = 16
"""Characters of a text whose pieces are compared in the time that one search of it takes."""

_NONE: frozenset[int] = frozenset()
_URL_SAFE = str.maketrans("+/", "-_")


def is_searchable(value: str) -> bool:
    """Return whether a secret is searched for by value, and not only hidden where it has a name."""
    return len(value) >= SHORTEST and value not in PROTOCOL_WORDS and not PLACEHOLDER.search(value)


def encodings(value: str) -> tuple[str, ...]:
    """Return the secret as a view may contain it: its ``head``, in other case, in hex, in base64, also as part of a
    longer base64 text.

    Quotes and whitespace around it do not count: elsewhere the same quotes are those of JSON.
    """
    value = trim(value)
    encoded = {value.upper(), value.lower()} - {value} | {head(value)}
    plain = value.encode("utf-8", "surrogatepass")
    is_plain = plain.isalnum()  # neither the head nor the base64 of letters and digits has other signs
    for octets in (plain,) if is_plain else {plain, quote_plus(value, errors="replace").encode()}:
        digits, size = octets.hex(), len(octets)
        whole = b2a_base64(octets, newline=False).decode()
        # The digits that depend on these octets alone, when zero, one or two other octets come before them.
        inside = whole[: size * 8 // 6]
        after_one = b2a_base64(b"\0" + octets, newline=False).decode()[2 : (size + 1) * 8 // 6]
        after_two = b2a_base64(b"\0\0" + octets, newline=False).decode()[3 : (size + 2) * 8 // 6]
        in_base64 = (whole, whole.rstrip("="), inside, after_one, after_two)
        encoded.update((digits, digits.upper()), in_base64)
        if not is_plain:
            encoded.update(text.translate(_URL_SAFE) for text in in_base64)
    # A view reads "+" as a space, which is wrong where it was not encoded.
    if not is_plain:
        encoded |= {text.replace("+", " ") for text in encoded if "+" in text}
    return tuple(encoded)


def head(value: str) -> str:
    """Return the first characters of a secret, by which it is known when it was cut.

    A short one, and one that begins as other texts do, is only known as a whole.
    """
    start = value[:HEAD]
    return (
        start if len(value) >= 4 * HEAD // 3 and is_random(start, named=True) and not start.startswith("eyJ") else value
    )


def plain_encodings(value: str) -> tuple[str, str]:
    """Return the secret as plain text contains it: as it is, and form-encoded."""
    return value, quote_plus(value, errors="surrogatepass")


class Target(NamedTuple):
    """A secret that occurs in a text, with those of its encodings that do."""

    value: str
    kind: str
    encodings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Target({self.kind})"


class Index:
    """An index of many secrets, which tells the candidates for a text without searching for each.

    The index has the last ``width`` characters of every encoding: signed tokens all begin alike.
    """

    def __init__(self, encode: Callable[[str], Iterable[str]] = encodings, width: int = SHORTEST) -> None:
        self._encode, self._width = encode, width
        self._values: list[str] = []
        self._by_end: dict[str, int | list[int]] = {}  # most ends belong to one secret; a list for each costs memory
        self._short: list[str] = []  # ends that are whole encodings, of secrets that are mostly quotes
        self._signs: set[str] = set()
        self._words: re.Pattern[str] | None = None  # words of the signs that an end has

    def __len__(self) -> int:
        """Return the number of secrets in it."""
        return len(self._values)

    def add(self, value: str) -> None:
        """Add a secret, once."""
        number = len(self._values)
        ends = {text[-self._width :] for text in self._encode(value)}
        if not self._signs.issuperset(signs := "".join(ends)):
            self._signs.update(signs)
            self._words = None
        for end in ends:
            owner = self._by_end.setdefault(end, number)
            if isinstance(owner, list):
                owner.append(number)
            elif owner != number:
                self._by_end[end] = [owner, number]
            elif len(end) < self._width:
                self._short.append(end)
        self._values.append(value)

    def candidates(self, text: str) -> list[str]:
        """Return the secrets that may occur in a text, in the order in which they were added."""
        return self.values(self.numbers(text))

    def values(self, numbers: Iterable[int]) -> list[str]:
        """Return the secrets with these numbers, in the order in which they were added."""
        return [self._values[number] for number in sorted(numbers)]

    def numbers(self, text: str) -> frozenset[int]:
        """Return the numbers of the secrets that may occur in a text."""
        if not self._values:
            return _NONE
        if len(self._by_end) <= len(text) // _PIECES:
            ends = [end for end in self._by_end if end in text]
        else:
            width = self._width
            if self._words is None:
                self._words = re.compile(f"[{re.escape(''.join(sorted(self._signs)))}]{{{width},}}")
            words = self._words.findall(text)  # a piece with a sign that no end has is none
            pieces = {word[start : start + width] for word in words for start in range(len(word) - width + 1)}
            ends = [*(self._by_end.keys() & pieces), *(end for end in self._short if end in text)]
        numbers: set[int] = set()
        for end in ends:
            owners = self._by_end[end]
            numbers.update(owners if isinstance(owners, list) else (owners,))
        return frozenset(numbers)


def find(views: Iterable[View], targets: Sequence[Target], named: Iterable[Occurrence] = ()) -> list[Occurrence]:
    """Return every occurrence of the targets in the views, but for those where a ``named`` one is."""
    occurrences: list[Occurrence] = []
    if targets:
        known = {(occurrence.start, occurrence.end) for occurrence in named}
        for view in views:
            for value, kind, encoded in targets:
                for text in encoded:
                    start = view.text.find(text)
                    while start >= 0:
                        end = start + len(text)
                        reading = value
                        if len(text) == HEAD and (whole := trim(value)).startswith(text):
                            end = start + _common(view.text, start, whole)
                            reading = value if end - start == len(whole) else view.text[start:end]
                        if (span := view.origin(start, end)) not in known:
                            occurrences.append(Occurrence(*span, kind, (reading,)))
                        start = view.text.find(text, end)
    return occurrences


def _common(text: str, start: int, value: str) -> int:
    """Return the number of characters from ``start`` on that are those of the value."""
    if text.startswith(value, start):
        return len(value)
    size = HEAD
    while size < len(value) and text[start + size : start + size + 1] == value[size]:
        size += 1
    return size
