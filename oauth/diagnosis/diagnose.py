"""From an exchange to its causes, ranked, with the evidence and the most likely one."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from oauth import parameters
from oauth.catalogue.explain import Explanation
from oauth.diagnosis.causes.authorization import NEVER_CAME
from oauth.diagnosis.causes.fixes import NEW_CODE
from oauth.diagnosis.causes.rule import Rule
from oauth.diagnosis.causes.shape import bare
from oauth.diagnosis.context import Subject
from oauth.diagnosis.model import Cause, Change, Diagnosis, Evidence, Fix, Label, Target, Verdict
from oauth.diagnosis.past import Past
from oauth.diagnosis.registry import rules_before, rules_for
from oauth.exchange import Exchange, Request, Step
from oauth.flow import Flow, Grant
from oauth.redaction import Vault
from oauth.redaction.placeholders import PLACEHOLDER, is_live

RANK = tuple(Verdict)

LENGTH_ONLY = re.compile(r"(?:^|\s)[0-9]+ characters$")
"""What stands in a live secret's place without a vault to make a placeholder: no request can be made of it."""


def diagnose(
    exchange: Exchange,
    explanation: Explanation,
    *,
    flow: Flow | None = None,
    past: Past,
    vault: Vault | None = None,
    now: datetime | None = None,
    zone: tzinfo = UTC,
) -> Diagnosis:
    """Why an exchange failed, and how that is known.

    ``exchange`` may be live or redacted; with ``vault`` a live one is compared with the history by fingerprint. ``now``
    is when the diagnosis is read, the exchange's own time if not given: a fix never sends what has ended by then.
    Times are quoted in ``zone``.
    """
    subject = Subject(exchange, explanation, flow, past, vault, now or exchange.started_at, zone=zone)
    causes = _judged(rules_for(explanation, subject), subject)
    return _diagnosis(causes, explanation.title, explanation.cause)


def preflight(
    request: Request,
    step: Step,
    *,
    flow: Flow | None,
    past: Past,
    vault: Vault | None = None,
    now: datetime,
    zone: tzinfo = UTC,
) -> tuple[Cause, ...]:
    """What would fail if this request were sent now: the causes that are proven, and those that may be."""
    exchange = Exchange(
        step,
        request,
        now,
        flow=flow.id if flow else "",
        provider=flow.provider.id if flow else "",
        client_id=flow.client.id if flow else "",
    )
    subject = Subject(exchange, None, flow, past, vault, now, before_sending=True, zone=zone)
    causes = _judged(rules_before(subject), subject)
    return tuple(cause for cause in causes if cause.verdict is Verdict.PROVEN or _speaks_against(cause))


def never_came_back(
    flow: Flow,
    authorize: Exchange,
    *,
    past: Past,
    vault: Vault | None = None,
    now: datetime,
    zone: tzinfo = UTC,
) -> Diagnosis:
    """Why an authorization request may have stayed without its callback (RFC 6749 §4.1.2.1)."""
    subject = Subject(authorize, None, flow, past, vault, now, zone=zone)
    title = "No callback came yet"
    sentence = "The provider shows a page of its own, without a redirect, when it does not trust the request."
    return _diagnosis(_judged(NEVER_CAME, subject), title, sentence)


def _speaks_against(cause: Cause) -> bool:
    """Whether a possible cause has a fact against the request, and not only something that is not known."""
    return cause.verdict is Verdict.POSSIBLE and any(fact.holds is False for fact in cause.evidence)


def _judged(rules: Iterable[Rule], subject: Subject) -> tuple[Cause, ...]:
    unique = {rule.id: rule for rule in rules}
    causes = [_finished(rule(subject), subject) for rule in unique.values()]
    return tuple(sorted(causes, key=lambda cause: (RANK.index(cause.verdict), not _speaks_against(cause))))


def _finished(cause: Cause, subject: Subject) -> Cause:
    """The cause with a fix that may be offered, and no secret in any text."""
    fix = cause.fix if cause.verdict in (Verdict.PROVEN, Verdict.POSSIBLE) else None
    if fix is not None:
        fix = _swept(_resolvable(_without_spent_code(fix, subject), subject), subject)
    swept = tuple(replace(fact, text=subject.secrets.swept(fact.text)) for fact in cause.evidence)
    return replace(cause, evidence=swept, fix=fix)


def _swept(fix: Fix, subject: Subject) -> Fix:
    clean = subject.secrets.swept
    changes = tuple(
        replace(
            change,
            before=None if change.before is None else clean(change.before),
            after=None if change.after is None else clean(change.after),
        )
        for change in fix.changes
    )
    return replace(fix, title=clean(fix.title), changes=changes)


def _without_spent_code(fix: Fix, subject: Subject) -> Fix:
    """A fix that would send a code which is spent, or may be, starts again instead."""
    if fix.label is Label.START_AGAIN or subject.step is not Step.TOKEN:
        return fix
    sent = subject.sent.value("code")
    for change in fix.changes:
        if change.target is Target.FIELD and change.name == "code":
            if change.after is not None and change.needs:
                return fix
            resolve = subject.vault.resolve if subject.vault else str
            sent = resolve(change.after) if change.after is not None else ""
    grants = [change.after for change in fix.changes if change.name == "grant_type"] or [subject.grant]
    if not sent or grants[-1] not in ("", Grant.AUTHORIZATION_CODE):
        return fix
    return NEW_CODE if _spent(sent, subject) else fix


def _spent(code: str, subject: Subject) -> bool:
    """Whether a code can have been used up, or has ended by now."""
    exchange, known, flow = subject.exchange, subject.authorization.code, subject.flow
    if known is not None and is_live(known.value) and known.value in code:
        code = known.value  # something stands around it, and it is sent again all the same
    code = bare(code)
    # A server may read only the code in what was sent, such as one with the next parameter still behind it.
    within = [value for _, value in subject.vault.secrets_in(code)] if subject.vault else []
    rows = [row for value in dict.fromkeys([code, *within]) for row in subject.exchanged(value)]
    if any(parameters.succeeded(row) or parameters.unanswered(row) for row in rows):
        return True
    if not subject.before_sending and (parameters.succeeded(exchange) or parameters.unanswered(exchange)):
        return True
    ours = known is not None and subject.secrets.same("code", code, known.value) is not False
    if ours and (subject.flow_spent_its_code or (flow is not None and flow.tokens is not None)):
        return True
    if ours and known is not None and known.at is not None:
        life = subject.lifetimes.code
        return life is not None and (subject.now - known.at).total_seconds() > life
    return False


def _resolvable(fix: Fix, subject: Subject) -> Fix:
    """A change to a secret that this session does not hold needs its value."""
    changes = tuple(_change(change, subject) for change in fix.changes)
    label = Label.NEEDS_A_VALUE if fix.label is Label.READY and any(change.needs for change in changes) else fix.label
    return replace(fix, label=label, changes=changes)


def _change(change: Change, subject: Subject) -> Change:
    after = change.after
    if after is None or change.needs:
        return change
    if subject.vault is not None:
        after = subject.vault.resolve(after)
    if hidden := PLACEHOLDER.search(after):
        return replace(change, after="", needs=f"the value that {hidden[0]} stands for")
    if LENGTH_ONLY.search(after):
        return replace(change, after="", needs=f"the value of {change.name}")
    return change


def _diagnosis(causes: tuple[Cause, ...], title: str, sentence: str) -> Diagnosis:
    proven = [cause for cause in causes if cause.verdict is Verdict.PROVEN]
    return Diagnosis(
        headline=proven[0].title if proven else title,
        sentence=f"{proven[0].title}." if proven else sentence,
        causes=causes,
        evidence=_facts(causes),
        most_likely=_most_likely(causes),
    )


def _facts(causes: tuple[Cause, ...]) -> tuple[Evidence, ...]:
    """Every fact once, crosses first, then what is not known for sure, then ticks."""
    facts = dict.fromkeys(fact for cause in causes if cause.verdict is not Verdict.UNKNOWN for fact in cause.evidence)
    order = {False: 0, None: 1, True: 2}
    return tuple(sorted(facts, key=lambda fact: order[fact.holds]))


def _most_likely(causes: tuple[Cause, ...]) -> str:
    """One sentence: what is proven, or else what is possible, or that nothing is known."""
    by_verdict = {verdict: [cause for cause in causes if cause.verdict is verdict] for verdict in Verdict}
    if found := by_verdict[Verdict.PROVEN]:
        return "; and ".join(_clause(cause, first=index == 0) for index, cause in enumerate(found)) + "."
    if found := by_verdict[Verdict.POSSIBLE]:
        return f"Not proven. Possible: {'; '.join(_clause(cause, first=False) for cause in found)}."
    if (found := by_verdict[Verdict.UNKNOWN]) and by_verdict[Verdict.RULED_OUT]:
        left = "; ".join(_clause(cause, first=False) for cause in found)
        return f"Not known. Not ruled out, for want of a fact: {left}."
    if found:
        return "Not known: what is needed to tell is missing."
    if by_verdict[Verdict.RULED_OUT]:
        return (
            "Every cause that this console can check is ruled out. The reason lies with the provider: ask its support."
        )
    return ""


def _clause(cause: Cause, *, first: bool) -> str:
    row = next((fact.row for fact in cause.evidence if fact.holds is False and fact.row is not None), None)
    title = cause.title
    if not first and title.split()[0] in (
        "The",
        "A",
        "An",
        "It",
        "Id",
        "Less",
        "More",
        "No",
        "Something",
        "White",
        "Quotes",
    ):
        title = title[0].lower() + title[1:]
    return f"{title} (row {row})" if row is not None else title
