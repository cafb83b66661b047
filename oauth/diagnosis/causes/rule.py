"""A rule judges one cause. It is a function of a context; what it gives is data."""

from collections.abc import Callable
from dataclasses import dataclass

from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Cause, Evidence, Fix, Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: a verdict, the facts behind it, and the changed request."""

    verdict: Verdict
    evidence: tuple[Evidence, ...]
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A cause that can be judged. ``title`` is a sentence without its full stop."""

    id: str
    title: str
    judge: Callable[[Context], Finding]

    def __call__(self, context: Context) -> Cause:
        """The cause with its verdict; unknown when there is no request to look at."""
        if context.request_known:
            found = self.judge(context)
        else:
            found = unknown("The request is not known: only the answer was given")
        return Cause(self.id, self.title, found.verdict, found.evidence, found.fix)


CLOSE = 5
"""Seconds before the end of a life in which it may be over: a code or token comes later than it was made."""


def rule(id: str, title: str) -> Callable[[Callable[[Context], Finding]], Rule]:
    """Make a rule of a function."""
    return lambda judge: Rule(id, title, judge)


def right(text: str, where: str = "", row: int | None = None) -> Evidence:
    """A fact that is as it should be."""
    return Evidence(True, text, where, row)


def wrong(text: str, where: str = "", row: int | None = None) -> Evidence:
    """A fact that is not as it should be."""
    return Evidence(False, text, where, row)


def open_fact(text: str, where: str = "", row: int | None = None) -> Evidence:
    """A fact that proves nothing by itself, or that is not known."""
    return Evidence(None, text, where, row)


def proven(*evidence: Evidence, fix: Fix | None = None) -> Finding:
    """The facts say that it was this."""
    return Finding(Verdict.PROVEN, evidence, fix)


def possible(*evidence: Evidence, fix: Fix | None = None) -> Finding:
    """The facts speak for it and do not prove it."""
    return Finding(Verdict.POSSIBLE, evidence, fix)


def ruled_out(*evidence: Evidence) -> Finding:
    """The facts say that it was not this."""
    return Finding(Verdict.RULED_OUT, evidence)


def unknown(text: str, where: str = "", row: int | None = None) -> Finding:
    """A fact that would be needed is missing; ``text`` says which."""
    return Finding(Verdict.UNKNOWN, (open_fact(text, where, row),))
