"""Parts of a diagnosis: causes with a verdict, the facts behind it, and the changed request.

No value here contains a secret: a placeholder takes its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from oauth.exchange import Step

STEP_NUMBER: Mapping[Step, int] = {Step.AUTHORIZE: 1, Step.CALLBACK: 2, Step.TOKEN: 3, Step.API: 4, Step.REFRESH: 4}
"""Numbers of the steps in the walkthrough."""


class Verdict(StrEnum):
    """The verdict on a cause, in the order in which causes are shown."""

    PROVEN = "proven"
    """Shown by a fact that breaks the request at every conforming server, or all else is ruled out."""

    LIKELY = "likely"
    """A fact speaks for it, and something else that would explain the same response is not excluded."""

    POSSIBLE = "possible"
    UNKNOWN = "unknown"
    RULED_OUT = "ruled out"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact. ``holds`` is true when it is as it should be, false when it is not, ``None`` when that is unknown.

    ``where`` names the place it was read from, ``row`` the history row if it comes from one.
    """

    holds: bool | None
    text: str
    where: str = ""
    row: int | None = None


def right(text: str, where: str = "", row: int | None = None) -> Evidence:
    """Return a fact that is as it should be."""
    return Evidence(True, text, where, row)


def wrong(text: str, where: str = "", row: int | None = None) -> Evidence:
    """Return a fact that is not as it should be."""
    return Evidence(False, text, where, row)


def open_fact(text: str, where: str = "", row: int | None = None) -> Evidence:
    """Return a fact that proves nothing by itself, or is unknown."""
    return Evidence(None, text, where, row)


class Target(StrEnum):
    """The part of a request that a change affects."""

    FIELD = "field"
    QUERY = "query"
    HEADER = "header"
    BODY_FORMAT = "body format"
    AUTHENTICATION = "authentication"
    URL = "url"
    METHOD = "method"


@dataclass(frozen=True, slots=True)
class Change:
    """One change to a request. ``before`` is ``None`` where nothing was sent, ``after`` where nothing is sent any more.

    ``name`` is that of the field, parameter or header. ``needs`` names the value that the user has to fill in;
    ``after`` is then empty. A placeholder in ``after`` stands for a secret that the session's vault resolves.
    """

    target: Target
    name: str
    before: str | None
    after: str | None
    needs: str = ""


class Label(StrEnum):
    """The work that a fix leaves to the user."""

    READY = "ready"
    NEEDS_A_VALUE = "needs a value"
    START_AGAIN = "start again"


@dataclass(frozen=True, slots=True)
class Fix:
    """The changed request. ``step`` is the step to which ``changes`` belong, and at which to continue."""

    label: Label
    title: str
    step: Step
    changes: tuple[Change, ...] = ()

    @property
    def label_text(self) -> str:
        """The label for the UI, with the number of the walkthrough's step at which to start again, if it has one."""
        number = STEP_NUMBER.get(self.step)
        is_numbered = self.label is Label.START_AGAIN and number is not None
        return f"start again at step {number}" if is_numbered else self.label.value


@dataclass(frozen=True, slots=True)
class Cause:
    """A possible reason for the failure, and the verdict on it."""

    id: str
    title: str
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Causes of a failure, ranked by verdict, with all of their evidence: contrary facts first."""

    headline: str
    sentence: str
    causes: tuple[Cause, ...]
    evidence: tuple[Evidence, ...]
    most_likely: str

    @property
    def proven(self) -> str:
        """The id of the first cause that is proven, empty where none is."""
        return next((cause.id for cause in self.causes if cause.verdict is Verdict.PROVEN), "")
