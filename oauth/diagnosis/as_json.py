"""The diagnosis of a pasted text as JSON, for the command line and the API."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypedDict

from oauth import paste
from oauth.diagnosis.model import Cause, Evidence, Fix
from oauth.diagnosis.pasted import Finding, Paste
from oauth.diagnosis.rank import Rank, has_nothing, likelihood, rank
from oauth.exchange import Step
from oauth.paste import ParseError, Pasted
from oauth.redaction import Vault


class FactObject(TypedDict):
    """A fact, and the place that shows it."""

    holds: bool | None
    text: str
    where: str


class ChangeObject(TypedDict):
    """A change of a request."""

    target: str
    name: str
    before: str | None
    after: str | None
    needs: str | None


class FixObject(TypedDict):
    """The changes that correct a request."""

    label: str
    title: str
    step: str
    changes: list[ChangeObject]


class CauseObject(TypedDict):
    """A possible reason, with its verdict and the evidence for it."""

    id: str
    title: str
    verdict: str
    evidence: list[FactObject]
    fix: FixObject | None


class ResultObject(TypedDict):
    """A response, callback or request of the text. Members that are unknown are null."""

    documented: int | None
    match: str | None
    status: int | None
    error: str | None
    error_description: str | None
    title: str | None
    remedy: list[str]
    causes: list[CauseObject]
    evidence: list[FactObject]
    step: str | None
    flow: str | None


def diagnose(text: str, now: datetime, key: bytes) -> Iterator[ResultObject]:
    """Yield one object for each response, failure and callback in a pasted text, redacted with ``key``.

    A text with none yields an object for each request that would fail. An object with nothing in it is left out.
    Raises ``ParseError`` where the text cannot be read.
    """
    return (result for _, result in results(text, now, key) if result)


def diagnose_all(text: str, now: datetime, key: bytes, report: Callable[[str], None]) -> list[ResultObject]:
    """Return the objects of ``diagnose``, for a process of its own (``isolation.call``)."""
    report("reading the text")
    return list(diagnose(text, now, key))


def results(text: str, now: datetime, key: bytes) -> Iterator[tuple[bool, ResultObject | None]]:
    """Yield of each exchange whether it was recognised, and its object if it has one. Raises ``ParseError``."""
    try:
        items = paste.read(text)
    except ParseError as error:
        if has_nothing(text, error):
            return
        raise
    has_responses = any(map(_is_response, items))
    findings: Iterable[Finding] = Paste(items, Vault(key), now).findings()
    if any(item.step is Step.PAGE for item in items):  # a login in a browser: the failed call is what matters
        findings = sorted(findings, key=lambda finding: likelihood(items[finding.position], finding.explanation))
    for finding in findings:
        item = items[finding.position]
        has_object = _is_response(item) if has_responses else finding.preflight
        is_healthy_page = item.step is Step.PAGE and finding.explanation is None
        is_recognised = rank(item, finding.explanation) is not Rank.NOTHING
        yield is_recognised, _object(finding, item) if has_object and not is_healthy_page else None


def _is_response(item: Pasted) -> bool:
    return item.response is not None or item.failure is not None or item.step is Step.CALLBACK


def _object(finding: Finding, item: Pasted) -> ResultObject | None:
    """Return the object of an exchange, ``None`` where nothing is to be said of it."""
    explanation, diagnosis = finding.explanation, finding.diagnosis
    causes = diagnosis.causes if diagnosis else finding.preflight or ()
    evidence = diagnosis.evidence if diagnosis else ()
    status = explanation.status if explanation else item.status
    if not (explanation or status or causes or evidence):
        return None
    return {
        "documented": explanation.number if explanation else None,
        "match": explanation.match if explanation else None,
        "status": status,
        "error": (explanation.error or None) if explanation else None,
        "error_description": (explanation.error_description or None) if explanation else None,
        "title": explanation.title if explanation else None,
        "remedy": list(explanation.remedy) if explanation else [],
        "causes": [_cause(cause) for cause in causes],
        "evidence": [_fact(fact) for fact in evidence],
        "step": item.step,
        "flow": item.flow or None,
    }


def _cause(cause: Cause) -> CauseObject:
    return {
        "id": cause.id,
        "title": cause.title,
        "verdict": cause.verdict.value,
        "evidence": [_fact(fact) for fact in cause.evidence],
        "fix": _fix(cause.fix) if cause.fix else None,
    }


def _fact(fact: Evidence) -> FactObject:
    return {"holds": fact.holds, "text": fact.text, "where": fact.where}


def _fix(fix: Fix) -> FixObject:
    changes: list[ChangeObject] = [
        {"target": change.target.value, "name": change.name, "before": change.before, "after": change.after,
         "needs": change.needs}
        for change in fix.changes
    ]  # fmt: skip
    return {"label": fix.label_text, "title": fix.title, "step": fix.step.value, "changes": changes}
