"""The error card, above the failed exchange: the cause and its proof, the fix, the remedy, and folded all else."""

from collections.abc import Callable, Container, Iterable, Sequence

import streamlit as st

from oauth import ticket
from oauth.catalogue.catalogues import name_of
from oauth.catalogue.explain import Explanation
from oauth.diagnosis import Cause, Change, Diagnosis, Evidence, Fix, Label, Verdict, questions
from oauth.exchange import Exchange, Step
from oauth.formatting import span
from pages.parts.common import clock, copying, notices
from pages.parts.common.markdown import escaped

STEP_NAMES = {
    Step.TOKEN: "Exchange",
    Step.API: "Call",
    Step.PAR: "Push",
    Step.JWKS: "Keys",
    Step.REGISTER: "Registration",
}
"""Names of the steps that are not called after their value."""

Apply = Callable[[Fix], None] | None
"""The function that applies a fix; without it fixes are only shown."""

WORDS = 60
"""The most words of a card before its fold; lines of the remedy that do not fit are behind it."""

FIXED_WORDS = 16
"""Words of a card's own buttons and labels."""

DAY = 86_400
"""Seconds from which a time is shown with its date."""

MARKS = {
    False: ":red[:material/close:]",
    None: ":gray[:material/question_mark:]",
    True: ":green[:material/check:]",
}
BUTTONS = {Label.READY: "Apply and send", Label.NEEDS_A_VALUE: "Apply and fill in the value"}
"""Labels of the buttons that apply a fix; the others have the text of the fix itself."""

MATCHES = {
    "exact": "an exact match",
    "folded": "apart from case, whitespace, quotes or the full stop",
    "cut": "which was cut off and can be the beginning of this one only",
}

VERDICTS = {
    Verdict.PROVEN: ":red-badge[proven]",
    Verdict.LIKELY: ":violet-badge[likely]",
    Verdict.POSSIBLE: ":orange-badge[possible]",
    Verdict.UNKNOWN: ":gray-badge[unknown]",
    Verdict.RULED_OUT: ":green-badge[ruled out]",
}


def draw(
    key: str,
    exchange: Exchange,
    explanation: Explanation,
    diagnosis: Diagnosis | None = None,
    apply: Apply = None,
) -> None:
    """Draw the card of a redacted, failed exchange. ``apply`` applies a fix; without it fixes are only shown."""
    all_causes = diagnosis.causes if diagnosis is not None else ()
    lead = next((cause for cause in all_causes if cause.verdict in (Verdict.PROVEN, Verdict.LIKELY)), None)
    first = lead or next((cause for cause in all_causes if cause.verdict is Verdict.POSSIBLE), None)
    proof = _proof(first)
    open_questions = questions(all_causes)
    with st.container(border=True, gap="small", key=f"{key}.card"):
        texts = _headline(explanation, lead, first)
        _wait(exchange)
        if proof is not None and proof.holds is None and open_questions:
            proof = None  # the question asks for what this fact is missing
        if proof is not None:
            _evidence((proof,), is_short=True)
            texts.append(proof.text)
        fixes = _fixes_of(all_causes)
        if fixes:
            _fix(key, 1, fixes[0], apply)
            texts.append(f"{fixes[0].title} {diff(fixes[0].changes)}")
        room = WORDS - FIXED_WORDS - sum(len(text.split()) for text in texts)
        question = _fitting_question(open_questions, room - len(" ".join(explanation.remedy[:1]).split()))
        _ask(question, apply is not None)
        remedy = _fitting(explanation.remedy, room - len(" ".join(question).split()))
        st.markdown("**Documented remedy**" if explanation.kind in ("documented", "provider") else "**Remedy**")
        # A catalogue of your own is plain text, whatever is in it.
        st.text("\n".join(remedy))
        copying.draw(f"{key}.support", ticket.summary(exchange, explanation, diagnosis), "Copy error report")
        checked = f": {len(all_causes)} causes checked" if len(all_causes) > 1 else ""
        with st.expander(f"Why we know{checked}", key=f"{key}.causes"):
            if first is not None:
                st.text(explanation.cause)
            _more_remedy(explanation, explanation.remedy[len(remedy) :])
            _ask(open_questions[len(question) :], apply is not None)
            _rest(key, all_causes, proof, fixes[1:], apply)
            _sources(exchange, explanation)


def _proof(cause: Cause | None) -> Evidence | None:
    """Return the fact that speaks most for a cause: a contrary one if there is one."""
    if cause is None:
        return None
    return next((fact for fact in cause.evidence if fact.holds is False), next(iter(cause.evidence), None))


def _headline(explanation: Explanation, lead: Cause | None, first: Cause | None) -> list[str]:
    """Draw the cause, or the error where none is known, and return the texts that were drawn."""
    if explanation.danger:
        st.badge("dangerous: the request contains a secret", icon=":material/gpp_bad:", color="red")
    error = f":red[{escaped(explanation.title)}]"
    if explanation.number is not None:
        error = f":red[Documented error {explanation.number}] · {explanation.title}"
    if lead is not None:
        label = "Proven" if lead.verdict is Verdict.PROVEN else "Likely"
        st.markdown(f"**{label}**")
        st.header(f":red[{escaped(lead.title)}]", anchor=False)
        st.markdown(error)
        return [label, lead.title, error]
    st.header(error, anchor=False)
    if first is None:
        st.text(explanation.cause)
        return [error, explanation.cause]
    st.markdown("**Possible, not proven**")
    st.text(first.title)
    return [error, "Possible, not proven", first.title]


def _fitting(lines: Sequence[str], words: int) -> Sequence[str]:
    """Return the first lines that fit into a number of words; one at least."""
    count = 0
    for index, line in enumerate(lines):
        count += len(line.split())
        if count > words and index:
            return lines[:index]
    return lines


def _fitting_question(asked: Sequence[str], words: int) -> Sequence[str]:
    """Return the first question, with the words that ask it, if it fits into a number of words."""
    return asked[:1] if asked and len(asked[0].split()) + len(["Ask", "the", "customer"]) <= words else ()


def _reference(entry: str) -> None:
    """Draw the link to an entry on the Errors page."""
    label = f"{escaped(entry)} in the reference"
    st.page_link("errors.py", label=label, icon=":material/menu_book:", query_params={"entry": entry})


def causes(items: Iterable[Cause], facts: Container[Evidence | None] = ()) -> None:
    """Draw causes, each with its verdict and its evidence, without ``facts`` that are drawn already."""
    for cause in items:
        with st.container(gap="xxsmall"):
            with st.container(horizontal=True, wrap=False, gap="small"):
                st.markdown(VERDICTS[cause.verdict], width="content")
                st.text(cause.title, width="stretch")
            _evidence(fact for fact in cause.evidence if fact not in facts)


def _wait(exchange: Exchange) -> None:
    """Draw the time that the server asks to wait, counted from its response."""
    until = exchange.retry_at
    if until is None:
        return
    seconds = (until - exchange.started_at).total_seconds() - (exchange.duration_ms or 0) / 1000
    moment = clock.at(until) if seconds < DAY else clock.on(until)
    text = f"for {span(round(seconds))}, until {moment}" if seconds > 0 else f"until {moment}, which had already passed"
    notices.line(":material/timer:", f"The server asked to wait {text} (Retry-After). Nothing is resent automatically.")


def _evidence(facts: Iterable[Evidence], *, is_short: bool = False) -> None:
    """Draw facts as plain text, because they quote requests and responses; ``is_short`` leaves their place out."""
    with st.container(gap="xxsmall"):
        for fact in facts:
            with st.container(horizontal=True, wrap=False, gap="xsmall"):
                st.markdown(MARKS[fact.holds], width="content")
                st.text(f"{fact.text} ({fact.where})" if fact.where and not is_short else fact.text, width="stretch")
                if fact.row is not None and not is_short:
                    st.page_link("history.py", label=f"row {fact.row}", query_params={"row": str(fact.row)})


def _ask(asked: Sequence[str], is_own: bool) -> None:
    """Draw the open questions: for the customer, or with ``is_own`` for the person at the console."""
    if asked:
        st.text("\n".join([f"{'To find out' if is_own else 'Ask the customer'}: {asked[0]}", *asked[1:]]))


def _more_remedy(explanation: Explanation, more: Sequence[str]) -> None:
    lines = [*more, *explanation.newer]
    if explanation.newer:
        lines.append(f"Added by a newer page of the documentation: {explanation.newer_source}")
    lines += [
        f"{name_of(entry.catalogue)} documents the same code or words: {entry.title}. {' '.join(entry.remedy)}"
        for entry in explanation.offered
    ]
    if lines:
        st.markdown("**More of the remedy**")
        st.text("\n".join(lines))


def _rest(key: str, items: tuple[Cause, ...], proof: Evidence | None, fixes: Sequence[Fix], apply: Apply) -> None:
    """Draw the causes with their facts and fixes, and last the ones that are ruled out."""
    others = [cause for cause in items if cause.verdict is not Verdict.RULED_OUT]
    if others and proof is not None and set(others[0].evidence) <= {proof}:
        del others[0]  # the headline and its fact say all of it
    causes(others, (proof,))
    for number, fix in enumerate(fixes, 2):
        _fix(key, number, fix, apply)
    ruled_out = [cause for cause in items if cause.verdict is Verdict.RULED_OUT]
    if ruled_out:
        st.markdown("**Ruled out**")
        causes(ruled_out)


def _sources(exchange: Exchange, explanation: Explanation) -> None:
    """Draw how the error was recognised, and the links to its entries."""
    # A host and a catalogue of your own are in the text of a provider's error, so that it is no Markdown.
    step = STEP_NAMES.get(exchange.step, exchange.step.capitalize())
    st.text(f"{_recognised(explanation)}\nStep: {step}")
    with st.container(horizontal=True, gap="small"):
        _reference(explanation.entry)
        for other in explanation.offered:
            _reference(other.entry)


def _fixes_of(items: tuple[Cause, ...]) -> list[Fix]:
    """Return the fixes of causes, each changed request once."""
    fixes = [cause.fix for cause in items if cause.fix is not None]
    return list(
        {(fix.label, fix.step, fix.changes, fix.changes or fix.title): fix for fix in reversed(fixes)}.values()
    )[::-1]


def _fix(key: str, number: int, fix: Fix, apply: Apply) -> None:
    """Draw a suggestion, apart from the documented remedy: the changed request with its button."""
    # A fix without changes has no button: its advice is to wait.
    has_button = apply is not None and (fix.changes or fix.label is Label.START_AGAIN)
    with st.container(gap="small", key=f"{key}.fix.{number}.box"):
        if not (fix.changes and has_button):
            st.text(fix.title)
        if fix.changes:
            st.code(diff(fix.changes), language="diff", wrap_lines=True)
        if has_button:
            st.button(
                BUTTONS.get(fix.label, fix.label_text[0].upper() + fix.label_text[1:]),
                key=f"{key}.fix.{number}",
                icon=":material/build:",
                type="primary" if number == 1 else "secondary",
                help=escaped(fix.title),  # it may name what a provider asked for
                on_click=apply,
                args=(fix,),
            )


def diff(changes: tuple[Change, ...]) -> str:
    """Return the changes of a request as removed and added lines."""
    lines = []
    for change in changes:
        if change.before is not None:
            lines.append(f"- {change.name}: {change.before}")
        if change.needs:
            lines.append(f"+ {change.name}: … {change.needs}")
        elif change.after is not None:
            lines.append(f"+ {change.name}: {change.after}")
    return "\n".join(lines)


def _recognised(explanation: Explanation) -> str:
    match explanation.kind:
        case "documented":
            match = MATCHES[explanation.match or "exact"]
            text = f"Recognised by its text, {match}; found in the {explanation.where}."
        case "provider":
            text = f"An error that this provider documents ({explanation.entry}); known by {explanation.known_by}."
        case "registered":
            text = "The text is not documented; this is the code's meaning by its specification."
        case _:
            text = "Recognised without a known error code."
    if explanation.status_as_documented is False:
        text += " The HTTP status differs from the documented one."
    return f"{text} {explanation.reference}".strip()
