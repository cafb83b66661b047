"""Sandboxes of their own on one server, each with its address, state and clock, so that tests can run side by side."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.types import ASGIApp

from oauth_sandbox.configuration import Configuration
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.validation import quoted

PATH = "/sandboxes/"
MOST = 1_000
IDLE = timedelta(hours=1)
"""Real time without a request after which a sandbox is removed."""


@dataclass(slots=True)
class Own:
    """One sandbox of its own."""

    id: str
    sandbox: Sandbox
    app: ASGIApp
    made_at: datetime
    used_at: datetime


def unknown(id: str) -> str:
    """Return the message about an id that no sandbox has."""
    return f"There is no sandbox {quoted(id)}. One that is idle for an hour is removed."


class Sandboxes:
    """The sandboxes by their id. ``make_app`` returns the application of one, ``now`` is the real time."""

    def __init__(self, make_app: Callable[[Sandbox], ASGIApp], now: Callable[[], datetime]) -> None:
        self._make_app = make_app
        self._now = now
        self._own: dict[str, Own] = {}

    def make(self, configuration: Configuration, *, fault_header: bool = False) -> Own:
        """Make a sandbox. Raises ``ValueError`` when there are ``MOST``, each used within ``IDLE``."""
        now = self._now()
        for id in [own.id for own in self.all() if now - own.used_at >= IDLE]:
            self.remove(id)
        if len(self._own) >= MOST:
            raise ValueError(f"There are {MOST:,} sandboxes already. Delete those that are no longer used.")
        sandbox = Sandbox(self._now, configuration=configuration, fault_header=fault_header)
        own = Own(secrets.token_hex(8), sandbox, self._make_app(sandbox), now, now)
        self._own[own.id] = own
        return own

    def all(self) -> tuple[Own, ...]:
        """Return every sandbox, oldest first."""
        return tuple(self._own.values())

    def use(self, id: str) -> Own | None:
        """Return a sandbox for a request; ``None`` when it is unknown, or was idle too long."""
        own, now = self._own.get(id), self._now()
        if own is None or now - own.used_at >= IDLE:
            return None
        own.used_at = now
        return own

    def remove(self, id: str) -> None:
        """Remove a sandbox. Raises ``LookupError`` when it is unknown."""
        if id not in self._own:
            raise LookupError(unknown(id))
        self._own.pop(id).sandbox.holds.release()
