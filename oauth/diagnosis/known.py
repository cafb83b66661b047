"""Codes, tokens and authorizations that the flow in memory or the history knows."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from oauth.redaction import Vault
from oauth.redaction.placeholders import Placeholder, is_live, length, parse


@dataclass(frozen=True)
class Known:
    """A code or token, what it was read from, the row of that, and the time it came.

    A flow has many of them, with all of which each value is compared: what that needs is read once.
    """

    value: str = field(repr=False)
    source: str
    row: int | None
    at: datetime
    _live: "Known | None" = field(default=None, init=False, repr=False, compare=False)

    def resolved(self, vault: Vault) -> "Known":
        """Return the same with the real value, where this session knows it: that is comparable in every character."""
        value = vault.resolve(self.value)
        if value == self.value:
            return self
        if self._live is None or self._live.value != value:
            object.__setattr__(self, "_live", replace(self, value=value))
        return self._live or self

    @cached_property
    def placeholder(self) -> Placeholder | None:
        """The parts of the placeholder that the value is; ``None`` for a live one."""
        return parse(self.value)

    @cached_property
    def is_live(self) -> bool:
        """True for a real value, with no placeholder in it."""
        return is_live(self.value)

    @cached_property
    def length(self) -> int:
        """The number of characters of the value."""
        return length(self.value)


@dataclass(frozen=True, slots=True)
class Authorization:
    """An authorization request and its callback. ``parameters`` is ``None`` when they are unknown."""

    parameters: dict[str, str] | None = field(default=None, repr=False)
    where: str = ""
    row: int | None = None
    at: datetime | None = None
    code: Known | None = None
    pasted: bool = False

    @property
    def is_elsewhere(self) -> bool:
        """True when the URL only refers to the parameters: a pushed or signed request (RFC 9126 §4, RFC 9101 §5)."""
        return any(name in (self.parameters or {}) for name in ("request_uri", "request"))


@dataclass(frozen=True, slots=True)
class Origin:
    """The token response that issued a token. ``expires_in`` is in seconds."""

    where: str
    row: int | None
    issued_at: datetime
    expires_in: int | None
    scope: str
    requested_scope: str
    grant: str
    client_id: str
    provider: str
    host: str
