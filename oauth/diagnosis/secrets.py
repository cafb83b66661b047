"""Comparing and quoting secrets without ever showing one.

A value is live, or the placeholder that redaction left. Both kinds are compared as far as possible: ``None`` always
means that the result is unknown.
"""

from dataclasses import dataclass, field

from oauth.diagnosis.known import Known
from oauth.redaction import SHORTEST_PLAIN, Vault
from oauth.redaction.placeholders import Placeholder, is_live, length, parse

SECRET_NAMES = ("code", "state", "access_token", "refresh_token", "client_secret")
"""Kinds of secrets in a flow of this console."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets that a diagnosis may encounter: those in ``vault``, and ``known``, live values by kind.

    ``vault`` makes their placeholders. Values in ``public`` are not secret, even when sent in place of one.
    """

    vault: Vault | None
    known: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    public: frozenset[str] = frozenset()
    _stand_ins: dict[tuple[str, str], Placeholder | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def quoted(self, kind: str, value: str) -> str:
        """Return the text to show in place of a secret: its placeholder, or its length."""
        if not value:
            return "nothing"
        if not is_live(value):
            return value if parse(value) else self.swept(value)
        if self.vault is not None:
            return self.vault.placeholder(kind, value)
        return f"{len(value)} characters"

    def offered(self, kind: str, value: str) -> str:
        """Return the placeholder of a value that a fix proposes; the vault learns the value to put it back later."""
        if self.vault is not None and is_live(value) and value:
            return self.vault.add(kind, value)
        return self.quoted(kind, value)

    def sendable(self, name: str, value: str) -> str:
        """Return the text by which a fix sends a field again: a placeholder of a secret, or the value without any."""
        return self.offered(name, value) if name in SECRET_NAMES else self.swept(value)

    def same(self, kind: str, one: str, other: str) -> bool | None:
        """Return whether two values of a kind are equal; ``None`` when redaction hides that."""
        if is_live(one) and is_live(other):
            return one == other
        if one == other and (placeholder := parse(one)) and placeholder.fingerprint:
            return True
        if length(one) != length(other):
            return False
        first, second = self._placeholder_like(one, other, kind), self._placeholder_like(other, one, kind)
        return _equal(first, second)

    def same_as(self, kind: str, value: str, known: Known) -> bool | None:
        """Return the same for a value and a known one, of which there may be many."""
        if known.is_live and is_live(value):
            return value == known.value
        hidden = known.placeholder
        if hidden is None or self.vault is None or not is_live(value):
            return self.same(kind, value, known.value)
        if hidden.length != len(value):
            return False
        key = (hidden.kind, value)
        if key not in self._stand_ins:
            self._stand_ins[key] = parse(self.vault.placeholder(*key))
        return _equal(self._stand_ins[key], hidden)

    def swept(self, text: str) -> str:
        """Replace the secrets within a text that is not itself a secret."""
        remembered = self.vault.secrets_in(text) if self.vault is not None else []
        known = [item for item in self.known if len(item[1]) >= SHORTEST_PLAIN and item[1] in text]
        for kind, value in sorted([*remembered, *known], key=lambda item: -len(item[1])):
            if value in text and is_live(value) and value not in self.public:
                text = text.replace(value, self.quoted(kind, value))
        return text

    def fingerprints(self, kinds: tuple[str, ...], value: str) -> tuple[str, ...]:
        """Return the placeholders that a value can have in the history; none when it is too short for a fingerprint."""
        if placeholder := parse(value):
            return (value,) if placeholder.fingerprint else ()
        if self.vault is None or not value or not is_live(value):
            return ()
        texts = (self.vault.placeholder(kind, value) for kind in kinds)
        return tuple(text for text in texts if (placeholder := parse(text)) and placeholder.fingerprint)

    def _placeholder_like(self, value: str, other: str, kind: str) -> Placeholder | None:
        """Return the value as a placeholder, of the same kind as ``other`` if that is one."""
        if not is_live(value):
            return parse(value)
        if self.vault is None:
            return None
        like = parse(other)
        return parse(self.vault.placeholder(like.kind if like else kind, value))


def _equal(one: Placeholder | None, other: Placeholder | None) -> bool | None:
    """Return whether two placeholders stand for one secret; ``None`` when they do not tell."""
    if one is None or other is None or not (one.fingerprint and other.fingerprint):
        return None
    return one.fingerprint == other.fingerprint if one.kind == other.kind else None
