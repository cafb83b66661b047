"""Comparing and quoting secrets without ever showing one.

A value comes live, or as the placeholder that redaction left. Both sorts are compared as far as that can be done:
``None`` always means that it cannot be told.
"""

from dataclasses import dataclass, field

from oauth.redaction import SHORTEST_PLAIN, Vault
from oauth.redaction.placeholders import PLACEHOLDER, Placeholder, is_live, parse

SECRET_NAMES = ("code", "state", "access_token", "refresh_token", "client_secret")
"""The kinds of secrets that a flow of this console has."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets a diagnosis may meet: those that ``vault`` remembers, and ``known``, live values by kind.

    ``vault`` makes placeholders of them. ``public`` is no secret, even where it was sent in the place of one.
    """

    vault: Vault | None
    known: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    public: frozenset[str] = frozenset()

    def quoted(self, kind: str, value: str) -> str:
        """What may be shown in a secret's place: its placeholder, or its length."""
        if not value:
            return "nothing"
        if not is_live(value):
            return value if parse(value) else self.swept(value)
        if self.vault is not None:
            return self.vault.placeholder(kind, value)
        return f"{len(value)} characters"

    def offered(self, kind: str, value: str) -> str:
        """The placeholder of a value that a fix proposes; the vault learns it, so that it can be put back."""
        if self.vault is not None and is_live(value) and value:
            return self.vault.add(kind, value)
        return self.quoted(kind, value)

    def length(self, value: str) -> int:
        """How many characters the value has, counting each placeholder as what it stands for."""
        return len(PLACEHOLDER.sub("", value)) + sum(int(found[3]) for found in PLACEHOLDER.finditer(value))

    def same(self, kind: str, one: str, other: str) -> bool | None:
        """Whether two values of a kind are equal; ``None`` when redaction hides it."""
        if is_live(one) and is_live(other):
            return one == other
        if one == other and (found := parse(one)) and found.fingerprint:
            return True
        if self.length(one) != self.length(other):
            return False
        first, second = self._placeholder_like(one, other, kind), self._placeholder_like(other, one, kind)
        if first is None or second is None or not (first.fingerprint and second.fingerprint):
            return None
        return first.fingerprint == second.fingerprint if first.kind == second.kind else None

    def swept(self, text: str) -> str:
        """A text that is no secret as a whole, without the secrets that stand in it."""
        remembered = self.vault.secrets_in(text) if self.vault is not None else []
        for kind, value in sorted([*remembered, *self.known], key=lambda item: -len(item[1])):
            if len(value) >= SHORTEST_PLAIN and value in text and is_live(value) and value not in self.public:
                text = text.replace(value, self.quoted(kind, value))
        return text

    def fingerprints(self, kinds: tuple[str, ...], value: str) -> tuple[str, ...]:
        """The placeholders under which a value can stand in the history; none for a short one, which has no mark."""
        if found := parse(value):
            return (value,) if found.fingerprint else ()
        if self.vault is None or not value or not is_live(value):
            return ()
        made = (self.vault.placeholder(kind, value) for kind in kinds)
        return tuple(text for text in made if (found := parse(text)) and found.fingerprint)

    def _placeholder_like(self, value: str, other: str, kind: str) -> Placeholder | None:
        """The value as a placeholder, of the kind that ``other`` is written as when that is one."""
        if not is_live(value):
            return parse(value)
        if self.vault is None:
            return None
        like = parse(other)
        return parse(self.vault.placeholder(like.kind if like else kind, value))
