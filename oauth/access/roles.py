"""Roles, what each may do, and the rules of ``CONSOLE_ROLES`` that give a role to a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Self

EVERYBODY = "*"
"""The condition of a rule that holds for everybody who signed in."""

_FORM = "role=claim:value, such as admin=groups:oauth-admins, or role=* for everybody"


class Role(IntEnum):
    """A role; each may do what the ones before it may do. ``NONE`` may only see who it is and sign out."""

    NONE = 0
    READER = 1
    SUPPORT = 2
    OPERATOR = 3
    ADMIN = 4

    @property
    def label(self) -> str:
        """The name of the role, as ``CONSOLE_ROLES`` writes it."""
        return self.name.lower()

    @classmethod
    def by_label(cls, label: str) -> "Role | None":
        """Return the role with this label, ``None`` when there is none."""
        return next((role for role in cls if role.label == label), None)


class Action(StrEnum):
    """Something that a role may or may not do, on a page, by a route or over the API."""

    READ = "read one's own exchanges"
    DIAGNOSE = "diagnose pasted text and keep it"
    READ_ALL = "read everybody's exchanges"
    ANNOTATE = "write notes"
    EXPORT = "export exchanges"
    IMPORT = "import exchanges"
    SEND = "send requests"
    DRILL = "run drills"
    SANDBOX = "change the sandbox"
    PROFILES = "change profiles of providers"
    CATALOGUES = "change catalogues of errors"
    DELETE = "delete exchanges"
    TOKENS = "create and revoke tokens"
    AUDIT = "read the audit"


MINIMUM: Mapping[Action, Role] = {
    Action.READ: Role.READER,
    Action.DIAGNOSE: Role.READER,
    Action.READ_ALL: Role.SUPPORT,
    Action.ANNOTATE: Role.SUPPORT,
    Action.EXPORT: Role.SUPPORT,
    Action.IMPORT: Role.SUPPORT,
    Action.SEND: Role.OPERATOR,
    Action.DRILL: Role.OPERATOR,
    Action.SANDBOX: Role.OPERATOR,
    Action.PROFILES: Role.OPERATOR,
    Action.CATALOGUES: Role.OPERATOR,
    Action.DELETE: Role.ADMIN,
    Action.TOKENS: Role.ADMIN,
    Action.AUDIT: Role.ADMIN,
}
"""The lowest role that may do each action."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition on the claims of a person, and the role that it gives.

    ``claim`` is a name, or names joined by dots for a claim inside another. The condition holds when the claim is
    ``value``, or a list with it.
    """

    role: Role
    claim: str
    value: str

    def holds(self, claims: Mapping[str, Any]) -> bool:
        """Return whether the claims fulfil the condition. An email address counts only where it is verified."""
        if self.claim == EVERYBODY:
            return True
        if self.claim == "email" and claims.get("email_verified") is not True:
            return False
        return self.value in _texts(_found(claims, self.claim))


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of ``CONSOLE_ROLES``."""

    rules: Sequence[Rule] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse rules that are separated by commas. Raises ``ValueError``, whose text completes a sentence."""
        return cls([_rule(part.strip()) for part in text.split(",") if part.strip()])

    def role_of(self, claims: Mapping[str, Any]) -> Role:
        """Return the highest role that a rule gives, ``NONE`` when no rule holds."""
        return max((rule.role for rule in self.rules if rule.holds(claims)), default=Role.NONE)

    def needed(self, claims: Mapping[str, Any]) -> dict[str, str | list[str]]:
        """Return what the rules read of the claims, under their dotted names, without values that no rule names.

        A cookie has room for that, where a person may be in hundreds of groups.
        """
        values: dict[str, set[str]] = {}
        for rule in self.rules:
            if rule.claim != EVERYBODY and rule.holds(claims):
                values.setdefault(rule.claim, set()).add(rule.value)
        return {claim: of_claim.pop() if len(of_claim) == 1 else sorted(of_claim) for claim, of_claim in values.items()}


def _rule(text: str) -> Rule:
    name, _, condition = text.partition("=")
    role = Role.by_label(name.strip().lower())
    if not role:
        names = ", ".join(role.label for role in Role if role)
        raise ValueError(f"has {name!r}, which is no role; use one of {names}: {_FORM}")
    claim, separator, value = condition.strip().partition(":")
    if claim == EVERYBODY and not separator:
        return Rule(role, EVERYBODY, "")
    if not claim or not value:
        raise ValueError(f"has {text!r}; write {_FORM}")
    return Rule(role, claim, value)


def _found(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, which may have dots itself, such as that of a namespaced claim, or by its path."""
    if name in claims:
        return claims[name]
    head, dot, rest = name.partition(".")
    inner = claims.get(head)
    return _found(inner, rest) if dot and isinstance(inner, Mapping) else None


def _texts(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else [value]
