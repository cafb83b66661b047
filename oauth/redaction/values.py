"""Secrets by value: a known secret, plain or encoded, wherever it stands."""

import base64
from collections.abc import Iterator, Mapping
from urllib.parse import quote_plus

from oauth.redaction.names import PROTOCOL_WORDS
from oauth.redaction.placeholders import PLACEHOLDER
from oauth.redaction.structures import SHORTEST, Found, bare
from oauth.redaction.views import View


def sweepable(value: str) -> bool:
    """Whether a secret is looked for by value, and not only hidden where its name stands."""
    return len(value) >= SHORTEST and value not in PROTOCOL_WORDS and not PLACEHOLDER.search(value)


def forms(value: str) -> tuple[str, ...]:
    """How a secret may be spelled in a view: plain, in hex, in base64, also as part of a longer base64 text.

    Quotes and white space around it do not count: elsewhere the same quotes are those of JSON.
    """
    value = bare(value)
    spelled = {value}
    for octets in {value.encode("utf-8", "surrogatepass"), quote_plus(value, errors="replace").encode()}:
        spelled |= {octets.hex(), octets.hex().upper()}
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            spelled |= {encode(octets).decode(), encode(octets).decode().rstrip("=")}
            spelled.update(_inside(encode(bytes(shift) + octets).decode(), shift, len(octets)) for shift in range(3))
    # A view reads "+" as a space, which is wrong where it was not encoded.
    return tuple(spelled | {form.replace("+", " ") for form in spelled if "+" in form})


def occurring(spellings: Mapping[str, tuple[str, ...]], text: str) -> dict[str, tuple[str, ...]]:
    """Of the spellings those that stand in a text, for the secrets that have one."""
    present = {value: tuple(form for form in spelled if form in text) for value, spelled in spellings.items()}
    return {value: spelled for value, spelled in present.items() if spelled}


def find(view: View, known: Mapping[str, str], spellings: Mapping[str, tuple[str, ...]]) -> Iterator[Found]:
    """Every occurrence in a view of the secrets that ``spellings`` maps to ``forms``, and ``known`` to their kinds."""
    for value, spelled in spellings.items():
        for form in spelled:
            start = view.text.find(form)
            while start >= 0:
                end = start + len(form)
                yield Found(*view.origin(start, end), known[value], (value,))
                start = view.text.find(form, end)


def _inside(encoded: str, shift: int, size: int) -> str:
    """The digits of a base64 text that stand for nothing but the ``size`` octets behind the first ``shift``."""
    return encoded[-(-shift * 8 // 6) : (shift + size) * 8 // 6]
