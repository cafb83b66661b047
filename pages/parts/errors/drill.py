"""Drills on the Errors page: run one or all, with progress, and expected beside actual."""

from collections.abc import Sequence
from contextlib import closing

import streamlit as st

from oauth.drills import Drill, Outcome, Setting, drills, needs_confirmation, preview, run, unavailable
from oauth.flow import Client
from oauth.formatting import raw_request
from oauth.installation import current, now
from oauth.providers import Provider
from pages.parts.common import card, exchange, session

__all__ = ["Setting", "draw", "mark", "run_all", "setting"]

OUTCOMES = "errors.outcomes"


def setting(provider: Provider) -> Setting:
    """Where drills run: with the provider's ready-made client, or else the walkthrough's own."""
    walked = session.get()
    ready = provider.clients[0] if provider.clients else None
    if ready is not None:
        client = Client(ready.id, ready.secret)
    else:
        client = walked.flow.client if walked is not None else Client("", "")
    return Setting(
        provider=provider,
        client=client,
        redirect_uri=f"{session.origin()}/callback",
        new_recorder=current().recorder,
        now=now,
        owner=session.owner(),
        flow=walked.flow if walked is not None else None,
    )


def run_all(where: Setting) -> None:
    """Draw the button that runs every drill that can be run without asking, and their verdicts."""
    able = [item for item in drills() if not unavailable(item, where) and not needs_confirmation(item, where)]
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        pressed = st.button(
            f"Run all {len(able)} drills",
            key="errors.run_all",
            icon=":material/play_arrow:",
            disabled=not able,
            help="Each produces its error on purpose. What is sent is kept in the history under the case drill.",
        )
        outcomes = _outcomes()
        if outcomes and not pressed:
            passed = sum(outcome.passed for outcome in outcomes.values())
            failed = len(outcomes) - passed
            colour = "red" if failed else "green"
            st.markdown(f":{colour}-badge[{passed} passed, {failed} failed]", width="content")
    if pressed:
        bar = st.progress(0.0, "Starting")
        for position, item in enumerate(able):
            told = f"{position + 1} of {len(able)} · {item.title}"
            bar.progress(position / len(able), told)
            with closing(run(item, where)) as running:
                for progress in running:
                    if progress.waiting:
                        bar.progress(position / len(able), f"{told} · {progress.text}")
                    if progress.outcome is not None:
                        outcomes[item.id] = progress.outcome
        st.rerun()


def draw(some: Sequence[Drill], where: Setting) -> None:
    """Draw drills, each with its button and what it came to."""
    for item in some:
        with st.container(border=True, gap="small", key=f"drill.{item.id}"):
            _one(item, where)


def mark(some: Sequence[Drill]) -> str:
    """What the drills of an error came to, for its title: nothing before one was run."""
    done = [outcome for item in some if (outcome := _outcomes().get(item.id)) is not None]
    if not done:
        return ""
    failed = sum(not outcome.passed for outcome in done)
    return f" :red-badge[{failed} of {len(done)} failed]" if failed else f" :green-badge[{len(done)} passed]"


def _one(item: Drill, where: Setting) -> None:
    reason = unavailable(item, where)
    asks = "" if reason else needs_confirmation(item, where)
    text, button = st.columns([5, 1], vertical_alignment="center")
    with text:
        st.markdown(f"**{item.title}**")
        st.caption(item.shows)
    sure = True
    if reason:
        st.caption(reason)
    elif not where.provider.control:
        with st.expander("What it will send", key=f"drill.{item.id}.preview"):
            for request in preview(item, where):
                st.code(raw_request(request), language="http", wrap_lines=True)
        if asks:
            sure = st.checkbox(asks, key=f"drill.{item.id}.sure")
    with button:
        pressed = st.button("Run", key=f"drill.{item.id}.run", disabled=bool(reason) or not sure, width="stretch")
    if pressed:
        # Closed at once when the page is left: a drill then puts back what it changed.
        with st.status("Running", expanded=True) as status, closing(run(item, where)) as running:
            for progress in running:
                if progress.waiting:
                    status.update(label=progress.text)
                    continue
                status.update(label=f"{progress.done} of {progress.total}", expanded=True)
                st.text(progress.text)
                if progress.outcome is not None:
                    _outcomes()[item.id] = progress.outcome
        st.rerun()
    if (outcome := _outcomes().get(item.id)) is not None:
        _outcome(item, outcome)


def _outcome(item: Drill, outcome: Outcome) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.badge("passed" if outcome.passed else "failed", color="green" if outcome.passed else "red")
        st.text(outcome.actual)
    if not outcome.passed:
        st.code(f"expected  {outcome.expected}\nactual    {outcome.actual}", language=None, wrap_lines=True)
    for problem in filter(None, (outcome.trouble, outcome.not_kept)):
        st.text(problem)
    if outcome.exchanges:
        with st.expander("What was sent and what came back", key=f"drill.{item.id}.details"):
            for position, sent in enumerate(outcome.exchanges, 1):
                last = position == len(outcome.exchanges)
                explanation = outcome.explanation if last else None
                exchange.draw(f"drill.{item.id}.{position}", sent, explanation)
            if outcome.explanation is not None:
                card.draw(f"drill.{item.id}", outcome.exchanges[-1], outcome.explanation, outcome.diagnosis)


def _outcomes() -> dict[str, Outcome]:
    """What this session's drills came to; everything in it is redacted."""
    found: dict[str, Outcome] = st.session_state.setdefault(OUTCOMES, {})
    return found
