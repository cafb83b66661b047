"""The outcome of a drill: expected against actual."""

from dataclasses import dataclass

from oauth.catalogue import answers
from oauth.catalogue.explain import Explanation
from oauth.diagnosis import Diagnosis, Verdict
from oauth.drills.schema import Drill
from oauth.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a drill.

    ``exchanges`` are redacted, in the order they were sent; ``explanation`` and ``diagnosis`` are of the last one.
    ``trouble`` says why the drill ended early or what could not be undone, ``not_kept`` what the history could not
    keep; both may be empty.
    """

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
    """Describe the error that has to come back and the causes that have to be found."""
    return _text(_named(drill.number, drill.code, drill.answer), drill.proven, drill.possible)


def judged(
    drill: Drill,
    exchanges: tuple[Exchange, ...],
    explanation: Explanation | None,
    diagnosis: Diagnosis | None,
    trouble: str,
) -> Outcome:
    """Return the outcome of a drill that ended, or met ``trouble``."""
    proven, possible = _found(diagnosis, Verdict.PROVEN), _found(diagnosis, Verdict.POSSIBLE)
    if explanation is None:
        status = exchanges[-1].response.status if exchanges and exchanges[-1].response else None
        actual = "no result" if trouble else f"it worked ({status})"
    else:
        code = explanation.error if explanation.kind == "registered" else ""
        named = _named(explanation.number, code, explanation.answer)
        actual = _text(named, proven, tuple(id for id in possible if id in drill.possible))
    same = explanation is not None and _same(drill, explanation)
    # A drill without a cause to prove shows that none is proven.
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
