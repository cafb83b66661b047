"""A person at the console."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oauth.access.roles import MINIMUM, Action, Role


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who uses the console.

    ``id`` is who they are: subject and issuer, never an email address, which another may get tomorrow. It is the owner
    of their exchanges. ``name`` is shown beside it. ``claims`` are what the role was given for. ``session`` names the
    sign-in and ``expires`` is its end, in seconds of Unix time; ``None`` for one without an end.
    """

    id: str
    name: str
    role: Role
    claims: Mapping[str, Any] = field(default_factory=dict)
    session: str = ""
    expires: float | None = None

    def may(self, action: Action) -> bool:
        """Return whether the role allows an action."""
        return self.role >= MINIMUM[action]

    @property
    def sees(self) -> str | None:
        """The owner whose exchanges are seen, ``None`` for everybody's."""
        return None if self.may(Action.READ_ALL) else self.id


LOCAL = Person("local", "local", Role.ADMIN)
"""The one person of a console without sign-in, with every role."""


def person_id(issuer: str, subject: str) -> str:
    """Return the id of a person (OpenID Connect Core 1.0 §2: issuer and subject together are unique)."""
    return f"{subject}@{issuer.removeprefix('https://')}"
