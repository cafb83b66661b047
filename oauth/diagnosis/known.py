"""Codes, tokens and authorizations that the flow in memory or the history knows."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Known:
    """A code or token, the place it was read from, and the time it came."""

    value: str = field(repr=False)
    where: str
    row: int | None = None
    at: datetime | None = None


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
