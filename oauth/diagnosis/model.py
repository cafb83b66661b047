"""What a diagnosis is made of: causes with a verdict, the facts behind it, and the changed request.

No value here holds a secret: a placeholder stands in its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from oauth.exchange import Step

STEP_NUMBER: Mapping[Step, int] = {Step.AUTHORIZE: 1, Step.CALLBACK: 2, Step.TOKEN: 3, Step.API: 4, Step.REFRESH: 4}
"""The number of a step as the walkthrough counts them."""


class Verdict(StrEnum):
    """What the facts say of a cause. The order is the one in which causes are shown."""

    PROVEN = "proven"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"
    RULED_OUT = "ruled out"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact. ``holds`` is true where all is as it should be, false where it is not, ``None`` where it is not known.

    ``where`` names the place it was read from, ``row`` the history row, if it stands in one.
    """

    holds: bool | None
    text: str
    where: str = ""
    row: int | None = None


class Target(StrEnum):
    """Which part of a request a change is about."""

    FIELD = "field"
    QUERY = "query"
    HEADER = "header"
    BODY_FORMAT = "body format"
    AUTHENTICATION = "authentication"
    URL = "url"
    METHOD = "method"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a request. ``before`` is ``None`` where nothing was sent, ``after`` where nothing is sent any more.

    ``name`` is the field's, parameter's or header's. ``needs`` says what a person has to fill in, and ``after`` is then
    an empty text. A placeholder in ``after`` stands for a secret that the session's vault resolves.
    """

    target: Target
    name: str
    before: str | None
    after: str | None
    needs: str = ""


class Label(StrEnum):
    """How much a fix leaves to do."""

    READY = "ready"
    NEEDS_A_VALUE = "needs a value"
    START_AGAIN = "start again"


@dataclass(frozen=True, slots=True)
class Fix:
    """The changed request. ``step`` is the step that ``changes`` belong to and where to go on."""

    label: Label
    title: str
    step: Step
    changes: tuple[Change, ...] = ()

    @property
    def label_text(self) -> str:
        """The label as it is shown, with the number of the step to start again at."""
        return f"start again at step {STEP_NUMBER[self.step]}" if self.label is Label.START_AGAIN else self.label.value


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason the request can have failed for, and what the facts say of it."""

    id: str
    title: str
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What happened, why, and how sure that is. ``causes`` are ranked by verdict; ``evidence`` has crosses first."""

    headline: str
    sentence: str
    causes: tuple[Cause, ...]
    evidence: tuple[Evidence, ...]
    most_likely: str
