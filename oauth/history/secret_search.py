"""Search of the history for a secret by its fingerprints, so that the secret itself is never in a query."""

import re
from dataclasses import dataclass

from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.history.time_limits import Count, count
from oauth.history.typed_text import is_any_indexed
from oauth.redaction import KINDS, Vault

_DIGITS = re.compile(r"#([0-9a-f]{10}) ")


class TooShortError(ValueError):
    """A secret is so short that it has no fingerprint."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One kind under which the secret was met: its fingerprint's digits, and how many exchanges have it."""

    kind: str
    digits: str
    count: Count

    @property
    def filters(self) -> Filters:
        """The filters that show those exchanges."""
        return Filters(text=self.digits)


def sightings(history: History, vault: Vault, secret: str, seconds: float) -> list[Sighting]:
    """Find a secret in the history, under every kind of secret.

    The most frequent kind comes first. Raises ``HistoryError`` and ``TooShortError``.
    """
    fingerprints = {kind: _DIGITS.search(vault.placeholder(kind, secret)) for kind in KINDS}
    if not all(fingerprints.values()):
        raise TooShortError("A secret of fewer than 16 characters has no fingerprint, so it cannot be searched for.")
    matches: list[Sighting] = []
    words = {kind: digits[1] for kind, digits in fingerprints.items() if digits is not None}
    if not is_any_indexed(history, words.values()):
        return matches
    for kind, word in words.items():
        number = count(history, Filters(text=word), seconds)
        if number.number:
            matches.append(Sighting(kind, word, number))
    return sorted(matches, key=lambda sighting: -sighting.count.number)
