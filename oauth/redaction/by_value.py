"""Secrets by value: a known secret, plain or encoded, wherever it stands."""

from binascii import b2a_base64
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote_plus

from oauth.redaction.by_name import SHORTEST, Found, bare
from oauth.redaction.decodings import View
from oauth.redaction.names import PROTOCOL_WORDS
from oauth.redaction.placeholders import PLACEHOLDER

_URL_SAFE = str.maketrans("+/", "-_")


def sweepable(value: str) -> bool:
    """Whether a secret is looked for by value, and not only hidden where its name stands."""
    return len(value) >= SHORTEST and value not in PROTOCOL_WORDS and not PLACEHOLDER.search(value)


def forms(value: str) -> tuple[str, ...]:
    """How a secret may be spelled in a view: plain, in hex, in base64, also as part of a longer base64 text.

    Quotes and white space around it do not count: elsewhere the same quotes are those of JSON.
    """
    value = bare(value)
    spelled = {value}
    plain = value.encode("utf-8", "surrogatepass")
    for octets in (plain,) if plain.isalnum() else {plain, quote_plus(value, errors="replace").encode()}:
        digits, size = octets.hex(), len(octets)
        whole = b2a_base64(octets, newline=False).decode()
        # The digits that stand for nothing but these octets, behind none, one or two others.
        inside = whole[: size * 8 // 6]
        behind_one = b2a_base64(b"\0" + octets, newline=False).decode()[2 : (size + 1) * 8 // 6]
        behind_two = b2a_base64(b"\0\0" + octets, newline=False).decode()[3 : (size + 2) * 8 // 6]
        encoded = (whole, whole.rstrip("="), inside, behind_one, behind_two)
        spelled.update((digits, digits.upper()), encoded)
        digits_of_all = "".join(encoded)
        if "+" in digits_of_all or "/" in digits_of_all:
            spelled.update(form.translate(_URL_SAFE) for form in encoded)
    # A view reads "+" as a space, which is wrong where it was not encoded.
    if "+" in "".join(spelled):
        spelled |= {form.replace("+", " ") for form in spelled if "+" in form}
    return tuple(spelled)


def as_sent(value: str) -> tuple[str, str]:
    """How a secret is spelled in plain text: as it is, and as a form has it."""
    return value, quote_plus(value, errors="surrogatepass")


class Spelled(NamedTuple):
    """A secret that stands in a text, and how it is spelled there."""

    value: str
    kind: str
    forms: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Spelled({self.kind})"


class Index:
    """Which of many secrets may stand in a text, told without looking for each.

    The index has the end of every spelling, ``width`` characters of it: signed tokens all begin alike.
    """

    def __init__(self, spelled: Callable[[str], Iterable[str]] = forms, width: int = SHORTEST) -> None:
        self._spelled, self._width = spelled, width
        self._values: list[str] = []
        self._by_end: dict[str, int | list[int]] = {}  # most ends are one secret's, and a list each is much memory
        self._short: list[str] = []  # ends that are whole spellings, of secrets that are mostly quotes

    def add(self, value: str) -> None:
        """Take a secret in, once."""
        number = len(self._values)
        for end in {form[-self._width :] for form in self._spelled(value)}:
            known = self._by_end.setdefault(end, number)
            if isinstance(known, list):
                known.append(number)
            elif known != number:
                self._by_end[end] = [known, number]
            elif len(end) < self._width:
                self._short.append(end)
        self._values.append(value)

    def likely(self, text: str) -> list[str]:
        """The secrets of which a spelling may stand in a text, in the order in which they came."""
        if not self._values:
            return []
        if len(self._by_end) <= len(text):
            ends = [end for end in self._by_end if end in text]
        else:
            pieces = {text[start : start + self._width] for start in range(len(text) - self._width + 1)}
            ends = [*(self._by_end.keys() & pieces), *(end for end in self._short if end in text)]
        numbers: set[int] = set()
        for end in ends:
            known = self._by_end[end]
            numbers.update(known if isinstance(known, list) else (known,))
        return [self._values[number] for number in sorted(numbers)]


def find(views: Iterable[View], standing: Sequence[Spelled]) -> list[Found]:
    """Every occurrence in the views of the secrets that stand there."""
    found: list[Found] = []
    if standing:
        for view in views:
            for value, kind, spelled in standing:
                for form in spelled:
                    start = view.text.find(form)
                    while start >= 0:
                        end = start + len(form)
                        found.append(Found(*view.origin(start, end), kind, (value,)))
                        start = view.text.find(form, end)
    return found
