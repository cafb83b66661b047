"""What a drill came to: expected against actual."""

from dataclasses import dataclass

from oauth.catalogue import answers
from oauth.catalogue.explain import Explanation
from oauth.diagnosis import Diagnosis, Verdict
from oauth.drills.schema import Drill
from oauth.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Outcome:
    """``exchanges`` are redacted, in the order they were sent; the last one is what ``explanation`` and ``diagnosis``
    are of. ``trouble`` says why a drill ended early or what could not be put back, ``not_kept`` what the history could
    not keep; both are empty otherwise."""

    drill: Drill
    expected: str
    actual: str
    passed: bool
    exchanges: tuple[Exchange, ...] = ()
    explanation: Explanation | None = None
    diagnosis: Diagnosis | None = None
    trouble: str = ""
    not_kept: str = ""


def expected(drill: Drill) -> str:
    """What has to come back, and what has to be found, in words."""
    return _text(_named(drill.number, drill.code, drill.answer), drill.proven, drill.possible)


def judged(
    drill: Drill,
    exchanges: tuple[Exchange, ...],
    explanation: Explanation | None,
    diagnosis: Diagnosis | None,
    trouble: str,
) -> Outcome:
    """The outcome of a drill that came to its end, or to ``trouble``."""
    proven, possible = _found(diagnosis, Verdict.PROVEN), _found(diagnosis, Verdict.POSSIBLE)
    if explanation is None:
        status = exchanges[-1].response.status if exchanges and exchanges[-1].response else None
        actual = "nothing was judged" if trouble else f"it worked ({status})"
    else:
        code = explanation.error if explanation.kind == "registered" else ""
        named = _named(explanation.number, code, explanation.answer)
        actual = _text(named, proven, tuple(id for id in possible if id in drill.possible))
    same = explanation is not None and _same(drill, explanation)
    # What names no cause to prove shows that none is: then nothing may be.
    causes = (
        set(drill.proven) <= set(proven) and set(drill.possible) <= set(possible) and bool(drill.proven or not proven)
    )
    return Outcome(
        drill, expected(drill), actual, same and causes and not trouble, exchanges, explanation, diagnosis, trouble
    )


def _same(drill: Drill, explanation: Explanation) -> bool:
    if drill.number is not None:
        return explanation.number == drill.number
    if drill.code:
        return explanation.kind == "registered" and explanation.error == drill.code
    return explanation.answer == drill.answer


def _named(number: int | None, code: str, answer: str) -> str:
    if number is not None:
        return f"documented error {number}"
    return code or answers()[answer].title


def _found(diagnosis: Diagnosis | None, verdict: Verdict) -> tuple[str, ...]:
    return tuple(cause.id for cause in diagnosis.causes if cause.verdict is verdict) if diagnosis else ()


def _text(named: str, proven: tuple[str, ...], possible: tuple[str, ...]) -> str:
    parts = [named, f"proven: {', '.join(proven)}" if proven else "nothing proven"]
    if possible:
        parts.append(f"possible: {', '.join(possible)}")
    return "; ".join(parts)
