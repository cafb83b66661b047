"""Rules, each of which judges one cause: a function from a context to a finding."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from oauth.diagnosis.context import Context
from oauth.diagnosis.known import Origin
from oauth.diagnosis.model import Cause, Evidence, Fix, Verdict, open_fact, right, wrong
from oauth.exchange import Part
from oauth.parameters import BODY


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of a rule: a verdict, the facts behind it, and the changed request."""

    verdict: Verdict
    evidence: tuple[Evidence, ...]
    fix: Fix | None = None


class Weight(StrEnum):
    """The strength of a rule's contrary fact, which decides when it proves the cause."""

    BREAKS = "breaks"
    """Every conforming server refuses such a request, whatever words it uses: the fact is a proof by itself."""

    NAMED = "named"
    """Servers differ: the fact is a proof where the response speaks of this part of the request alone."""

    ELIMINATED = "eliminated"
    """The fact is from outside the request, or something else explains it: a proof when all else is ruled out."""

    REPORTED = "reported"
    """The response is all that speaks for it: it counts only where the response names it, and then as ELIMINATED."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A cause that can be judged. ``title`` is a sentence without a full stop."""

    id: str
    title: str
    judge: Callable[[Context], Finding]
    weight: Weight = Weight.BREAKS

    def __call__(self, context: Context) -> Cause:
        """Return the cause with its verdict, which is unknown when there is no request to judge."""
        finding = self.judge(context) if context.request_known else unknown(NO_REQUEST)
        if finding.verdict is Verdict.PROVEN and not all(
            self.judge(other).verdict is Verdict.PROVEN for other in context.completions()
        ):
            finding = replace(finding, verdict=Verdict.POSSIBLE)
        return Cause(self.id, self.title, finding.verdict, finding.evidence, finding.fix)


NO_REQUEST = "The request is unknown: only the response was given"
"""The missing fact where there is no request to judge."""

NO_ORIGIN = "The token's origin is unknown: no token response that issued it is known"

CLOSE = 5
"""Seconds before expiry in which a code or token may have expired already: it arrives later than it was issued."""


def rule(id: str, title: str, weight: Weight = Weight.BREAKS) -> Callable[[Callable[[Context], Finding]], Rule]:
    """Decorate a function as the rule with this id, title and weight."""
    return lambda judge: Rule(id, title, judge, weight)


def rule_of_origin(
    kind: str, id: str, title: str, weight: Weight = Weight.BREAKS
) -> Callable[[Callable[[Context, Origin], Finding]], Rule]:
    """Decorate a function as a rule about the token in the request, which takes the token response that issued it."""

    def decorate(judge: Callable[[Context, Origin], Finding]) -> Rule:
        def judge_token(context: Context) -> Finding:
            token = context.presented(kind)
            if token is None or not token.value:
                return no_value(context, kind)
            origin = context.origin(kind, token.value)
            return unknown(NO_ORIGIN) if origin is None else judge(context, origin)

        return Rule(id, title, judge_token, weight)

    return decorate


def proven(*evidence: Evidence, fix: Fix | None = None) -> Finding:
    """Return the finding that the cause is proven."""
    return Finding(Verdict.PROVEN, evidence, fix)


def likely(*evidence: Evidence, fix: Fix | None = None) -> Finding:
    """Return the finding that the evidence speaks for the cause; it is a proof when all else is ruled out."""
    return Finding(Verdict.LIKELY, evidence, fix)


def possible(*evidence: Evidence, fix: Fix | None = None) -> Finding:
    """Return the finding that the cause is possible, but not proven."""
    return Finding(Verdict.POSSIBLE, evidence, fix)


def ruled_out(*evidence: Evidence) -> Finding:
    """Return the finding that the cause is ruled out."""
    return Finding(Verdict.RULED_OUT, evidence)


def unknown(text: str, where: str = "", row: int | None = None) -> Finding:
    """Return the finding that the cause cannot be judged; ``text`` names the missing fact."""
    return Finding(Verdict.UNKNOWN, (open_fact(text, where, row),))


def not_shown(name: str, where: str = BODY) -> Finding:
    """Return the finding about a value that the text leaves out, or only stands for, such as by asterisks."""
    return unknown(f"The text shows no value of {name}", where)


def no_value(context: Context, name: str) -> Finding:
    """Return the finding about a token or code that the request has no value of."""
    is_in_header = name == "access_token" and not context.is_known(Part.REQUEST_HEADERS)
    if is_in_header or context.is_left_out(name) is None:
        return not_shown(name, "request headers" if is_in_header else BODY)
    return unknown(f"No {name.replace('_', ' ')} was sent")


def broken(context: Context) -> Callable[..., Finding]:
    """Return the conclusion where a request breaks a specification.

    A server refuses it, or has refused it already; before sending, one whose profile is unknown may accept it.
    """
    return possible if context.before_sending and not context.is_documented else proven


UNDATED = "The time of the request is unknown: the pasted text does not say when it was sent"


def by_age(age: float, life: float, text: str, where: str, row: int | None, fix: Fix) -> Finding:
    """Return the finding about a code or token that was ``age`` seconds old and lives ``life`` seconds."""
    if age <= life - CLOSE:
        return ruled_out(right(text, where, row))
    conclude = proven if age > life else possible
    return conclude(wrong(text, where, row), fix=fix)
