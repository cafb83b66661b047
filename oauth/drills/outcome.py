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


def judge(
    drill: Drill,
    exchanges: tuple[Exchange, ...],
    explanation: Explanation | None,
    diagnosis: Diagnosis | None,
    trouble: str,
) -> Outcome:
    """Compare the result of a drill with the expected error; ``trouble`` says why it ended early."""
    expected_error = _error_name(drill.number, drill.entry, drill.code, drill.answer)
    proven = _causes_with(diagnosis, Verdict.PROVEN)
    possible = _causes_with(diagnosis, Verdict.LIKELY, Verdict.POSSIBLE)
    is_same = False
    if explanation is None:
        status = exchanges[-1].response.status if exchanges and exchanges[-1].response else None
        actual = "no result" if trouble else f"it worked ({status})"
    else:
        code = explanation.error if explanation.kind == "registered" else ""
        entry = explanation.entry if explanation.kind == "provider" else ""
        error = _error_name(explanation.number, entry, code, explanation.answer)
        is_same = error == expected_error
        if _is_reported_by_proxy(drill, explanation):
            is_same, error = True, f"{expected_error}, which a proxy reports as 502"
        actual = _text(error, proven, tuple(id for id in possible if id in drill.possible))
    # A drill without a cause to prove shows that none is proven.
    has_causes = (
        set(drill.proven) <= set(proven) and set(drill.possible) <= set(possible) and bool(drill.proven or not proven)
    )
    expected = _text(expected_error, drill.proven, drill.possible)
    passed = is_same and has_causes and not trouble
    return Outcome(drill, expected, actual, passed, exchanges, explanation, diagnosis, trouble)


def _is_reported_by_proxy(drill: Drill, explanation: Explanation) -> bool:
    """Return true for what a proxy in front of the sandbox makes of a closed connection (RFC 9110 §15.6.3)."""
    return drill.answer == "reset" and explanation.answer == "server_error" and explanation.status == 502


def _error_name(number: int | None, entry: str, code: str, answer: str) -> str:
    if number is not None:
        return f"documented error {number}"
    return entry or code or answers()[answer].title


def _causes_with(diagnosis: Diagnosis | None, *verdicts: Verdict) -> tuple[str, ...]:
    return tuple(cause.id for cause in diagnosis.causes if cause.verdict in verdicts) if diagnosis else ()


def _text(error: str, proven: tuple[str, ...], possible: tuple[str, ...]) -> str:
    parts = [error, f"proven: {', '.join(proven)}" if proven else "nothing proven"]
    if possible:
        parts.append(f"possible: {', '.join(possible)}")
    return "; ".join(parts)
