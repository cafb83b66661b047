"""The error card, directly under the failed response: the error, its evidence and causes, and the remedy."""

import re
from collections.abc import Callable

import streamlit as st

from oauth import ticket
from oauth.catalogue.catalogues import name_of
from oauth.catalogue.explain import Explanation
from oauth.diagnosis import Cause, Change, Diagnosis, Evidence, Fix, Label, Verdict
from oauth.exchange import Exchange, Step
from oauth.formatting import span
from pages.parts.common import clock

STEP_NAMES = {
    Step.TOKEN: "Exchange",
    Step.API: "Call",
    Step.PAR: "Push",
    Step.JWKS: "Keys",
    Step.REGISTER: "Registration",
}
"""Names of the steps that are not called after their value."""

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
    apply: Callable[[Fix], None] | None = None,
) -> None:
    """Draw the card of a redacted, failed exchange. ``apply`` applies a fix; without it fixes are only shown."""
    with st.container(border=True, key=f"{key}.card"):
        _headline(exchange, explanation)
        sentence = diagnosis.sentence if diagnosis is not None else explanation.cause
        st.text(sentence)
        if sentence != explanation.cause:
            st.caption(explanation.cause)
        if diagnosis is not None:
            _evidence(diagnosis.evidence)
            _causes(key, diagnosis)
        _remedies(explanation)
        if diagnosis is not None:
            _fixes(key, diagnosis.causes, apply)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            with st.popover("Copy for support", icon=":material/content_copy:", key=f"{key}.support"):
                st.caption("Redacted. Contains everything that the provider's support asks for.")
                st.code(ticket.summary(exchange, explanation, diagnosis), language=None)
            _reference(explanation.entry)
            for other in explanation.offered:
                _reference(other.entry)
        # A host and a catalogue of your own are in the text of a provider's error, so that it is no Markdown.
        (st.text if explanation.kind == "provider" else st.caption)(_recognised(explanation))


def _reference(entry: str) -> None:
    """Draw the link to an entry on the Errors page; an id has letters, digits and a few signs."""
    label = entry.replace("_", r"\_") + " in the reference"
    st.page_link("errors.py", label=label, icon=":material/menu_book:", query_params={"entry": entry})


def _escaped(text: str) -> str:
    """Escape a text for Markdown: the title of an entry may be that of a catalogue of your own."""
    return re.sub(r"([\\`*_\[\]<>~$:|])", r"\\\1", text)


def plain(text: str) -> str:
    """Reduce a provider's text for Markdown to letters, digits, spaces and a few signs, with underscores escaped."""
    characters = (character for character in text if character.isalnum() or character in " -_,()")
    return "".join(characters)[:60].replace("_", r"\_")


def causes(items: tuple[Cause, ...]) -> None:
    """Draw causes, each with its verdict and its evidence."""
    for cause in items:
        with st.container(gap="xxsmall"):
            with st.container(horizontal=True, wrap=False, gap="small"):
                st.markdown(VERDICTS[cause.verdict], width="content")
                st.text(cause.title, width="stretch")
            _evidence(cause.evidence)


def _headline(exchange: Exchange, explanation: Explanation) -> None:
    if explanation.number is not None:
        st.subheader(f":red[Documented error {explanation.number}] · {explanation.title}", anchor=False)
    else:
        st.subheader(f":red[{_escaped(explanation.title)}]", anchor=False)
    with st.container(horizontal=True, gap="small"):
        if explanation.status:
            st.badge(f"HTTP {explanation.status}", color="red")
        if explanation.error:
            st.badge(plain(explanation.error), color="red")
        st.badge(f"step {STEP_NAMES.get(exchange.step, exchange.step.capitalize())}", color="gray")
        if explanation.kind == "registered":
            st.badge("undocumented text", color="orange")
        if explanation.danger:
            st.badge("dangerous: the request contains a secret", icon=":material/gpp_bad:", color="red")
    _wait(exchange)


def _wait(exchange: Exchange) -> None:
    """Draw the time that the server asks to wait, counted from its response."""
    until = exchange.retry_at
    if until is None:
        return
    seconds = (until - exchange.started_at).total_seconds() - (exchange.duration_ms or 0) / 1000
    moment = clock.at(until) if seconds < DAY else clock.on(until)
    text = f"for {span(round(seconds))}, until {moment}" if seconds > 0 else f"until {moment}, which had already passed"
    with st.container(horizontal=True, gap="xsmall", wrap=False):
        st.markdown(":material/timer:", width="content")
        st.text(f"The server asked to wait {text} (Retry-After). Nothing is resent automatically.", width="stretch")


def _evidence(facts: tuple[Evidence, ...]) -> None:
    """Draw facts as plain text, because they quote requests and responses."""
    with st.container(gap="xxsmall"):
        for fact in facts:
            with st.container(horizontal=True, wrap=False, gap="xsmall"):
                st.markdown(MARKS[fact.holds], width="content")
                st.text(f"{fact.text} ({fact.where})" if fact.where else fact.text, width="stretch")
                if fact.row is not None:
                    st.page_link("history.py", label=f"row {fact.row}", query_params={"row": str(fact.row)})


def _causes(key: str, diagnosis: Diagnosis) -> None:
    if diagnosis.most_likely:
        proven = any(cause.verdict is Verdict.PROVEN for cause in diagnosis.causes)
        st.markdown("**Proven**" if proven else "**Most likely**")
        st.text(diagnosis.most_likely)
    if diagnosis.causes:
        counts = {verdict: sum(cause.verdict is verdict for cause in diagnosis.causes) for verdict in Verdict}
        summary = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
        with st.expander(f"All causes checked: {summary}", key=f"{key}.causes"):
            causes(diagnosis.causes)


def _remedies(explanation: Explanation) -> None:
    st.markdown("**Documented remedy**" if explanation.kind in ("documented", "provider") else "**Remedy**")
    # A catalogue of your own is plain text, whatever is in it.
    st.text("\n".join(f"• {line}" for line in explanation.remedy))
    if explanation.newer:
        st.markdown("**Added by a newer page of the documentation**")
        st.text("\n".join(f"• {line}" for line in (*explanation.newer, f"Source: {explanation.newer_source}")))
    for entry in explanation.offered:
        st.text(f"{name_of(entry.catalogue)} documents the same code or words: {entry.title}. {' '.join(entry.remedy)}")


def _fixes(key: str, items: tuple[Cause, ...], apply: Callable[[Fix], None] | None) -> None:
    """Draw our suggestions, apart from the documented remedy: the changed request of each cause that has one."""
    fixes = list(dict.fromkeys(cause.fix for cause in items if cause.fix is not None))
    if not fixes:
        return
    st.markdown("**Suggested changes**")
    for number, fix in enumerate(fixes, 1):
        with st.container(border=True, gap="small", key=f"{key}.fix.{number}.box"):
            with st.container(horizontal=True, wrap=False, gap="small"):
                st.badge(fix.label_text, color="green" if fix.label is Label.READY else "gray")
                st.text(fix.title, width="stretch")
            if fix.changes:
                st.code(diff(fix.changes), language="diff", wrap_lines=True)
            # A fix without changes has no button: its advice is to wait.
            if apply is not None and (fix.changes or fix.label is Label.START_AGAIN):
                st.button(
                    BUTTONS.get(fix.label, fix.label_text[0].upper() + fix.label_text[1:]),
                    key=f"{key}.fix.{number}",
                    icon=":material/build:",
                    type="primary" if number == 1 else "secondary",
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
    if explanation.kind == "documented":
        how = MATCHES[explanation.match or "exact"]
        text = f"Recognised by its text, {how}; found in the {explanation.where}."
        if explanation.status_as_documented is False:
            text += " The HTTP status differs from the documented one."
    elif explanation.kind == "provider":
        text = f"An error that this provider documents ({explanation.entry}); known by {explanation.known_by}."
        if explanation.status_as_documented is False:
            text += " The HTTP status differs from the documented one."
    elif explanation.kind == "registered":
        text = "The text is not documented; this is the code's meaning by its specification."
    else:
        text = "Recognised without a known error code."
    return f"{text} {explanation.reference}".strip()
