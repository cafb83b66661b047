"""Redaction of text that a person types and that is kept or put into an address: cases, notes, filters, names.

A secret may be typed in a session that does not know it. The history has its fingerprint if it ever went through, so
long words are compared with those.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from sqlalchemy import select, true

from oauth.history.schema import exchanges
from oauth.history.search import any_word
from oauth.history.store import History
from oauth.redaction import KINDS, Vault
from oauth.redaction.names import is_random
from oauth.redaction.placeholders import FINGERPRINT_FROM, PATTERN, parse

MOST_WORDS = 100
"""Long words of one text that are looked up; more are not what a person types: if random, they are replaced without."""

SECONDS = 2.0
"""Time limit of one look-up."""

_PLACEHOLDER = re.compile(f"({PATTERN})")
_WORD = re.compile(rf"""[^\s"'<>«»,;(){{}}\[\]]{{{FINGERPRINT_FROM},}}""")
_INNER_WORD = re.compile(rf"[A-Za-z0-9_-]{{{FINGERPRINT_FROM},}}")
_UNKNOWN = "secret"


def redacted(text: str, history: History, *vaults: Vault) -> str:
    """Return a typed text without the secrets of the vaults, those with a name, and those that the history has seen.

    The first vault has the installation's key. Raises ``HistoryError`` when the history cannot be asked.
    """
    for vault in vaults:
        text = vault.redact_text(text)
    words = dict.fromkeys(_long_words(text))
    kinds: dict[str, str] = {}
    for word in islice(words, MOST_WORDS):
        if (kind := _kind(history, vaults[0], word)) is not None:
            kinds[word] = kind
    kinds |= dict.fromkeys(filter(is_random, islice(words, MOST_WORDS, None)), _UNKNOWN)
    for word in sorted(kinds, key=len, reverse=True):
        text = text.replace(word, vaults[0].placeholder(kinds[word], word))
    return text


def _long_words(text: str) -> Iterator[str]:
    for part in _PLACEHOLDER.split(text):
        for word in _WORD.findall(part):
            readings = (word, word.rstrip(".=:!?/"), *_INNER_WORD.findall(word))
            yield from (reading for reading in readings if len(reading) >= FINGERPRINT_FROM)


def _kind(history: History, vault: Vault, value: str) -> str | None:
    """Return the kind under which the history has a value, ``None`` if it has not."""
    digits = {}
    for kind in KINDS:
        placeholder = parse(vault.placeholder(kind, value))
        if placeholder is not None:
            digits[placeholder.fingerprint] = kind
    if not is_any_indexed(history, digits):
        return None
    return next((kind for number, kind in digits.items() if is_any_indexed(history, (number,))), None)


def is_any_indexed(history: History, words: Iterable[str]) -> bool:
    """Return whether any of the words occurs in any exchange. Raises ``HistoryError``."""
    query = select(true()).select_from(exchanges).where(any_word(words)).limit(1)
    with history.database.reading(SECONDS) as connection:
        return connection.execute(query).first() is not None
