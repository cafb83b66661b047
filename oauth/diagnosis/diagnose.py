"""Diagnose an exchange: rank its causes, collect their evidence, and name the most likely one."""

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from oauth import parameters
from oauth.catalogue.explain import Explanation
from oauth.diagnosis.causes.authorization import NEVER_CAME
from oauth.diagnosis.causes.fixes import NEW_CODE, merged
from oauth.diagnosis.causes.rule import Rule, Weight
from oauth.diagnosis.causes.shape import bare
from oauth.diagnosis.context import Context
from oauth.diagnosis.known import Known
from oauth.diagnosis.model import Cause, Change, Diagnosis, Evidence, Fix, Label, Target, Verdict
from oauth.diagnosis.past import Past
from oauth.diagnosis.readings import Readings
from oauth.diagnosis.registry import Candidates, candidates_for, rules_before
from oauth.exchange import Exchange, Part, Request, Step
from oauth.flow import Flow, Grant
from oauth.redaction import Vault
from oauth.redaction.placeholders import PLACEHOLDER, is_live

RANK = tuple(Verdict)

NOTHING = "Nothing this console checks explains it."
"""The conclusion when every cause is ruled out."""

AFTER_CLIENT = ("invalid_grant", "invalid_scope")
"""Codes of a server that has authenticated the client before (RFC 6749 §5.2)."""

LENGTH_ONLY = re.compile(r"(?:^|\s)[0-9]+ characters$")
"""A live secret quoted without a vault, by its length only: no request can be made from it."""


def diagnose(
    exchange: Exchange,
    explanation: Explanation,
    *,
    flow: Flow | None = None,
    past: Past,
    vault: Vault | None = None,
    now: datetime | None = None,
    zone: tzinfo = UTC,
    unknown: frozenset[Part] = frozenset(),
    readings: Readings | None = None,
) -> Diagnosis:
    """Diagnose a failed exchange.

    ``exchange`` may be live or redacted; with ``vault`` a live one is compared with the history by fingerprint. ``now``
    is the time of the diagnosis, by default that of the exchange: a fix never sends a value that has expired by then.
    Times are quoted in ``zone``. ``unknown`` has the parts that the exchange's source does not show. ``readings``
    remembers what the rows of ``past`` say for further diagnoses with it.
    """
    at = now or exchange.started_at
    context = Context(
        exchange, explanation, flow, past, vault, at, zone=zone, unknown=unknown, readings=readings or Readings()
    )
    causes = _with_further_changes(_weighed(candidates_for(explanation, context), context), context)
    return _diagnosis(_finished(causes, context), explanation.title, explanation.cause)


def preflight(
    request: Request,
    step: Step,
    *,
    flow: Flow | None,
    past: Past,
    vault: Vault | None = None,
    now: datetime,
    zone: tzinfo = UTC,
    unknown: frozenset[Part] = frozenset(),
) -> tuple[Cause, ...]:
    """Return the causes, proven and possible, for which this request would fail if it were sent now.

    ``unknown`` has the parts that the request's source does not show.
    """
    exchange = Exchange(
        step,
        request,
        now,
        flow=flow.id if flow else "",
        provider=flow.provider.id if flow else "",
        client_id=flow.client.id if flow else "",
    )
    context = Context(exchange, None, flow, past, vault, now, before_sending=True, zone=zone, unknown=unknown)
    causes = _finished(_judged(rules_before(context), context), context)
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
    """Diagnose an authorization request whose callback has not arrived (RFC 6749 §4.1.2.1)."""
    context = Context(authorize, None, flow, past, vault, now, zone=zone)
    title = "No callback yet"
    sentence = "A provider that does not trust the request shows its own error page instead of redirecting."
    return _diagnosis(_finished(_judged(NEVER_CAME, context), context), title, sentence)


def _speaks_against(cause: Cause) -> bool:
    """Return whether a cause that is not proven has a fact against the request, and not only unknown ones."""
    return cause.verdict in (Verdict.LIKELY, Verdict.POSSIBLE) and any(fact.holds is False for fact in cause.evidence)


def _judged(rules: Iterable[Rule], context: Context) -> tuple[Cause, ...]:
    unique = {rule.id: rule for rule in rules}
    return _sorted(rule(context) for rule in unique.values())


def _sorted(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    return tuple(sorted(causes, key=lambda cause: (RANK.index(cause.verdict), not _speaks_against(cause))))


def _weighed(candidates: Candidates, context: Context) -> tuple[Cause, ...]:
    """Judge each candidate, and call it proven only if nothing else is left to explain the response."""
    rules = {rule.id: rule for rule in reversed(candidates.rules)}
    judged = {id: (rules[id], rules[id](context)) for id in reversed(rules)}
    causes = [
        _with_verdict(cause, _verdict(rule, cause, judged, candidates, context)) for rule, cause in judged.values()
    ]
    if not any(cause.verdict in (Verdict.PROVEN, Verdict.LIKELY) or _speaks_against(cause) for cause in causes):
        causes = [*_sorted(causes), *_misnamed(candidates, context, judged)]
        return tuple(sorted(causes, key=lambda cause: RANK.index(cause.verdict)))
    return _sorted(causes)


def _with_verdict(cause: Cause, verdict: Verdict) -> Cause:
    return cause if cause.verdict is verdict else replace(cause, verdict=verdict)


def _verdict(
    rule: Rule,
    cause: Cause,
    judged: Mapping[str, tuple[Rule, Cause]],
    candidates: Candidates,
    context: Context,
) -> Verdict:
    """Return the verdict on a cause among all that explain the same response."""
    if cause.verdict not in (Verdict.PROVEN, Verdict.LIKELY) or candidates.is_certain:
        return cause.verdict
    rivals = [other for other in judged.values() if other[0].id != rule.id]
    is_alone = bool(rivals) and all(other.verdict is Verdict.RULED_OUT for _, other in rivals)
    is_shown = rule.weight is Weight.BREAKS or (
        rule.weight is Weight.NAMED and (candidates.is_single or context.is_documented)
    )
    is_proof = is_alone or (cause.verdict is Verdict.PROVEN and is_shown)
    if is_proof and is_answer_known(context):
        return Verdict.PROVEN
    is_reported = rule.weight is Weight.REPORTED
    has_better = any(other.verdict is Verdict.PROVEN and one.weight is not Weight.REPORTED for one, other in rivals)
    return Verdict.POSSIBLE if is_reported and has_better else Verdict.LIKELY


def is_answer_known(context: Context) -> bool:
    """Return whether the response cannot say another thing in a part of it that is not shown."""
    explanation = context.explanation
    says = explanation is not None and bool(explanation.error or explanation.error_description or explanation.number)
    return says or context.is_known(Part.RESPONSE_BODY, Part.RESPONSE_HEADERS)


def _misnamed(candidates: Candidates, context: Context, known: Container[str]) -> list[Cause]:
    """Return causes with a contrary fact that the response's code speaks against: servers misuse codes."""
    others = {rule.id: rule for rule in candidates.further if rule.id not in known}
    causes = [rule(context) for rule in others.values()]
    return [replace(cause, verdict=Verdict.POSSIBLE) for cause in causes if cause.verdict is Verdict.PROVEN]


def _with_further_changes(causes: tuple[Cause, ...], context: Context) -> tuple[Cause, ...]:
    """Return the causes with fixes that also correct what else is proven wrong: otherwise the next send fails again."""
    offered = {cause.id for cause in causes if _is_offered(cause) and _changes_request(cause.fix, context)}
    if not offered:
        return causes
    certain = [cause.fix for cause in causes if cause.verdict is Verdict.PROVEN]
    judged = {cause.id for cause in causes}
    is_authenticated = context.explanation is not None and context.explanation.code in AFTER_CLIENT
    before = replace(context, explanation=None, before_sending=True)
    for rule in {rule.id: rule for rule in rules_before(before)}.values():
        # The server may have accepted what is judged by facts from outside the request, such as another secret.
        is_shown = rule.weight in (Weight.BREAKS, Weight.NAMED) and rule.id not in judged
        if is_shown and not (is_authenticated and rule.id.startswith("client.")):
            cause = rule(before)
            certain += [cause.fix] if cause.verdict is Verdict.PROVEN else []
    fixes = [fix for fix in certain if fix is not None and _changes_request(fix, context)]
    return tuple(
        replace(cause, fix=merged(cause.fix, fixes)) if cause.fix is not None and cause.id in offered else cause
        for cause in causes
    )


def _is_offered(cause: Cause) -> bool:
    return cause.verdict in (Verdict.PROVEN, Verdict.LIKELY, Verdict.POSSIBLE)


def _changes_request(fix: Fix | None, context: Context) -> bool:
    is_sent_again = fix is not None and fix.label is not Label.START_AGAIN and fix.step is context.step
    return fix is not None and is_sent_again and bool(fix.changes)


def _finished(causes: Iterable[Cause], context: Context) -> tuple[Cause, ...]:
    """Return the causes with a fix only where it may be offered, and without a secret in any text."""
    return tuple(_finished_cause(cause, context) for cause in causes)


def _finished_cause(cause: Cause, context: Context) -> Cause:
    fix = cause.fix if _is_offered(cause) else None
    if fix is not None:
        fix = _swept(_resolvable(_without_spent_code(fix, context), context), context)
    swept = tuple(_swept_fact(fact, context) for fact in cause.evidence)
    return cause if swept == cause.evidence and fix is cause.fix else replace(cause, evidence=swept, fix=fix)


def _swept_fact(fact: Evidence, context: Context) -> Evidence:
    text = context.secrets.swept(fact.text)
    return fact if text == fact.text else replace(fact, text=text)


def _swept(fix: Fix, context: Context) -> Fix:
    clean = context.secrets.swept
    changes = tuple(
        replace(
            change,
            before=None if change.before is None else clean(change.before),
            after=None if change.after is None else clean(change.after),
        )
        for change in fix.changes
    )
    return replace(fix, title=clean(fix.title), changes=changes)


def _without_spent_code(fix: Fix, context: Context) -> Fix:
    """Replace a fix that would send a code which may be spent by one that starts again."""
    if fix.label is Label.START_AGAIN or context.step is not Step.TOKEN:
        return fix
    sent = context.sent.value("code")
    for change in fix.changes:
        if change.target is Target.FIELD and change.name == "code":
            if change.after is not None and change.needs:
                return fix
            resolve = context.vault.resolve if context.vault else str
            sent = resolve(change.after) if change.after is not None else ""
    grants = [change.after for change in fix.changes if change.name == "grant_type"] or [context.grant]
    if not sent or grants[-1] not in ("", Grant.AUTHORIZATION_CODE):
        return fix
    return NEW_CODE if _is_spent(sent, context) else fix


def _is_spent(code: str, context: Context) -> bool:
    """Return whether a code may have been exchanged, or has expired by now."""
    known = context.authorization.code
    if known is not None and is_live(known.value) and known.value in code:
        code = known.value  # something stands around it, and a server may read it all the same
    code = bare(code)
    if _was_exchanged(code, context) or (not context.before_sending and _may_have_worked(context.exchange)):
        return True
    if known is None or context.secrets.same("code", code, known.value) is False:
        return False
    flow_has_tokens = context.flow is not None and context.flow.tokens is not None
    return context.before.code_is_spent or flow_has_tokens or _has_expired(known, context)


def _was_exchanged(code: str, context: Context) -> bool:
    # A server may read only the code in what was sent, such as one with the next parameter still behind it.
    inside = [value for _, value in context.vault.secrets_in(code)] if context.vault else []
    return any(_may_have_worked(row) for value in dict.fromkeys([code, *inside]) for row in context.exchanged(value))


def _may_have_worked(exchange: Exchange) -> bool:
    return parameters.succeeded(exchange) or parameters.unanswered(exchange)


def _has_expired(code: Known, context: Context) -> bool:
    life = context.lifetimes.code
    return life is not None and (context.now - code.at).total_seconds() > life


def _resolvable(fix: Fix, context: Context) -> Fix:
    """Mark each change to a secret that is not in this session's vault as needing its value."""
    changes = tuple(_change(change, context) for change in fix.changes)
    label = Label.NEEDS_A_VALUE if fix.label is Label.READY and any(change.needs for change in changes) else fix.label
    return replace(fix, label=label, changes=changes)


def _change(change: Change, context: Context) -> Change:
    after = change.after
    if after is None or change.needs:
        return change
    if context.vault is not None:
        after = context.vault.resolve(after)
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
    """Return every fact once: contrary facts first, then open ones, then confirmed ones."""
    facts = dict.fromkeys(fact for cause in causes if cause.verdict is not Verdict.UNKNOWN for fact in cause.evidence)
    order = {False: 0, None: 1, True: 2}
    return tuple(sorted(facts, key=lambda fact: order[fact.holds]))


def _most_likely(causes: tuple[Cause, ...]) -> str:
    """Return one sentence with the proven causes, or else the likely or possible ones, or that nothing is known."""
    by_verdict = {verdict: [cause for cause in causes if cause.verdict is verdict] for verdict in Verdict}
    if proven := by_verdict[Verdict.PROVEN]:
        return "; and ".join(_clause(cause, first=index == 0) for index, cause in enumerate(proven)) + "."
    if likely := by_verdict[Verdict.LIKELY]:
        return f"Likely, but not proven: {'; '.join(_clause(cause, first=False) for cause in likely)}."
    if possible := by_verdict[Verdict.POSSIBLE]:
        return f"Not proven. Possible: {'; '.join(_clause(cause, first=False) for cause in possible)}."
    if (unknown := by_verdict[Verdict.UNKNOWN]) and by_verdict[Verdict.RULED_OUT]:
        open_causes = "; ".join(_clause(cause, first=False) for cause in unknown)
        return f"Unknown. Not ruled out, because a fact is missing: {open_causes}."
    if unknown:
        return "Unknown: the facts needed to tell are missing."
    if by_verdict[Verdict.RULED_OUT]:
        return NOTHING
    return ""


def _clause(cause: Cause, *, first: bool) -> str:
    row = next((fact.row for fact in cause.evidence if fact.holds is False and fact.row is not None), None)
    title = cause.title
    if not first and title.split()[0] in ("The", "A", "No", "Less", "Extra", "Something"):
        title = title[0].lower() + title[1:]
    return f"{title} (row {row})" if row is not None else title
